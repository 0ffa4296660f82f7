//! The commands and their options.

use crate::train::data::DataArg;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Compiles short model specs (.gd) to plain, specialised Rust that trains and runs them.
#[derive(Parser, Debug)]
#[command(
    name = "gdc",
    version,
    max_term_width = 100,
    after_help = "\
Exit codes: 0 fine, 1 the input is wrong, 2 the call is wrong.
Results go to standard output, everything else to standard error."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Write the Rust of one or more specs.
    Compile(CompileArgs),
    /// Report what is wrong with specs; write nothing.
    Check(CheckArgs),
    /// Compile, build and run the training of a spec.
    Train(Box<TrainArgs>),
    /// Show a model's layers, its equations forward and backward, and how they were found.
    Explain(ExplainArgs),
    /// Hold the generated code against the interpreter, and that against finite differences.
    Verify(VerifyArgs),
    /// Apply a trained model to data.
    Predict(PredictArgs),
    /// The loss, metrics and confusion matrix of a trained model on data.
    Eval(EvalArgs),
    /// Measure how long training steps and predictions take.
    Bench(BenchArgs),
    /// Show what a change of a spec changes: function, layers, cost, equations, training.
    Diff(DiffArgs),
    /// Bring specs into the regular form.
    Fmt(FmtArgs),
    /// Make a folder with a model, data and a program that builds and trains at once.
    New(NewArgs),
    /// Serve an editor: diagnostics, hover, definitions, completion, formatting.
    Lsp(LspArgs),
    /// Write the completions of a shell to standard output.
    Completions(CompletionsArgs),
    /// Write the manual page to standard output, or a page for each command into a folder.
    Man(ManArgs),
}

/// One model of one spec.
#[derive(Args, Debug)]
pub struct SpecArgs {
    /// The spec; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The model, in a spec with several.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
}

/// How the program of a model is built, and what is said about it.
#[derive(Args, Debug)]
pub struct BuildArgs {
    /// Keep compiled programs in this folder instead of the user's folder for caches.
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Say nothing but results, warnings and errors.
    #[arg(long, short)]
    pub quiet: bool,
}

/// A trained model and what it is applied to.
#[derive(Args, Debug)]
pub struct TrainedArgs {
    /// Which model.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// The trained weights (.safetensors or .npz).
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,
    /// Inputs, and targets where they are needed: FILE, NAME=FILE or NAME=FILE.npz:ARRAY; may be
    /// repeated.
    #[arg(long, value_name = "DATA", value_parser = DataArg::parse)]
    pub data: Vec<DataArg>,
    /// How its program is built.
    #[command(flatten)]
    pub build: BuildArgs,
}

/// `gdc new`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  gdc new demo
  cd demo && gdc train model.gd --data data.csv && cargo run")]
pub struct NewArgs {
    /// The folder to make; its name is the package's.
    #[arg(value_name = "NAME")]
    pub path: PathBuf,
}

/// `gdc lsp`
#[derive(Args, Debug)]
#[command(after_help = "\
Speaks the language server protocol on standard input and output; editors start it by themselves.
The folder editors/ of gdc's repository has an extension for VS Code and says how others are set up.

Examples:
  gdc lsp")]
pub struct LspArgs {
    /// Accepted for editors that say so; it is the only way.
    #[arg(long, hide = true)]
    pub stdio: bool,
}

/// `gdc completions`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  gdc completions bash > ~/.local/share/bash-completion/completions/gdc
  gdc completions zsh > ~/.zfunc/_gdc
  gdc completions fish > ~/.config/fish/completions/gdc.fish")]
pub struct CompletionsArgs {
    /// For which shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `gdc man`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  gdc man | man -l -
  gdc man --out ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Write gdc.1 and a page for each command into this folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// How a comparison is written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DiffFormat {
    /// For a terminal.
    #[default]
    Text,
    /// For a pull request.
    Markdown,
    /// One JSON object.
    Json,
}

/// `gdc diff`
#[derive(Args, Debug)]
#[command(after_help = "\
Each side is a file, or REV:PATH for a file as it was in a revision of the git repository, with
PATH starting at the working folder or at the repository's root.

`Same function` is proved where the graphs are equal but for names, and otherwise a finding of
evaluating both at random places; the output says which.

Examples:
  gdc diff old.gd new.gd
  gdc diff HEAD:model.gd model.gd
  gdc diff main:specs/digits.gd HEAD:specs/digits.gd --format markdown")]
pub struct DiffArgs {
    /// Before: FILE or REV:PATH.
    #[arg(value_name = "OLD")]
    pub old: String,
    /// After: FILE or REV:PATH.
    #[arg(value_name = "NEW")]
    pub new: String,
    /// How to write it.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: DiffFormat,
    /// The model to compare, in specs with several.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
}

/// `gdc fmt`
#[derive(Args, Debug)]
#[command(after_help = "\
Tokens and comments stay as they are; blanks, indentation and empty lines become regular. Where a
line ends inside of a statement is left to you, and blanks that align neighbouring lines are kept.

Examples:
  gdc fmt model.gd            format in place
  gdc fmt specs               all .gd files in a folder and its folders
  gdc fmt --check specs       write nothing; fail and show what would change
  gdc fmt - < model.gd        from standard input to standard output")]
pub struct FmtArgs {
    /// Specs, or folders with specs; `-` is standard input.
    #[arg(required = true, value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// Write nothing; fail if a file is not formatted.
    #[arg(long)]
    pub check: bool,
}

/// `gdc verify`
#[derive(Args, Debug)]
#[command(after_help = "\
Three computations of the same derivatives are compared, parameter by parameter: the generated
code (built and run), the reference interpreter (f64), and finite differences of its loss; and
the outputs, entry points and the stream, output by output.
The samples are made up unless --data brings some. Exit code 1 if an error is out of tolerance.

Examples:
  gdc verify model.gd                            made-up samples, a full batch
  gdc verify model.gd --data train.csv           the first batch of real data
  gdc verify model.gd --samples 3 --elements 8   quicker, for large models")]
pub struct VerifyArgs {
    /// Which model.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Samples from here: FILE, NAME=FILE or NAME=FILE.npz:ARRAY, as in `gdc train`.
    #[arg(long, value_name = "DATA", value_parser = DataArg::parse)]
    pub data: Vec<DataArg>,
    /// How many samples; a full batch if not given.
    #[arg(long, value_name = "N")]
    pub samples: Option<usize>,
    /// Elements of each parameter that are held against differences, at most.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub elements: usize,
    /// The largest relative error of the generated code; 1e-3 where none is given, and 1e-9 for a
    /// model of `precision f64`.
    #[arg(long, value_name = "X")]
    pub tolerance: Option<f64>,
    /// The largest relative error of derivatives against differences.
    #[arg(long, value_name = "X", default_value_t = 1e-6)]
    pub difference_tolerance: f64,
    /// The seed of parameters and made-up samples.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How its program is built.
    #[command(flatten)]
    pub build: BuildArgs,
}

/// `gdc predict`
#[derive(Args, Debug)]
#[command(after_help = "\
The data bring the model's inputs, as for `gdc train`; other columns are not looked at. Outputs go
to standard output as CSV, with a column for each element, or into a .csv, .npy or .npz file.

Examples:
  gdc predict digits.gd --weights digits.safetensors --data new.csv
  gdc predict digits.gd --weights w.npz --data image=images.npy -o probs.npy
  gdc predict vae.gd --weights w.npz --entry draw --data code=codes.npy")]
pub struct PredictArgs {
    /// The model, its weights and the data.
    #[command(flatten)]
    pub trained: TrainedArgs,
    /// Apply this entry point of the model, whose inputs the data then bring.
    #[arg(long, value_name = "NAME")]
    pub entry: Option<String>,
    /// Write here (.csv, .npy or .npz) instead of to standard output.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `gdc eval`
#[derive(Args, Debug)]
#[command(after_help = "\
For a target that is a class (`target label: in 0..10;`) and an output with a number for each class:
the confusion matrix, and precision, recall and F1 of each class. For a target and an output of the
same shape: mean absolute error, root mean square error, and the share of variance explained.

Examples:
  gdc eval digits.gd --weights digits.safetensors --data test.npz
  gdc eval line.gd --weights line.safetensors --data test.csv --json")]
pub struct EvalArgs {
    /// The model, its weights and the data.
    #[command(flatten)]
    pub trained: TrainedArgs,
    /// Write one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `gdc bench`
#[derive(Args, Debug)]
#[command(after_help = "\
Times are medians over short rounds on one core, with made-up numbers in a full batch; on a busy
machine they are still longer than on a quiet one. The share of the
peak compares the operations that the generated code counts with the multiply-adds that the same
core was measured to do.

Examples:
  gdc bench model.gd
  gdc bench model.gd --seconds 10")]
pub struct BenchArgs {
    /// Which model.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// How long to measure.
    #[arg(long, value_name = "S", default_value_t = 1.5)]
    pub seconds: f64,
    /// How its program is built.
    #[command(flatten)]
    pub build: BuildArgs,
}

/// How an explanation is written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Unicode text.
    #[default]
    Text,
    /// Equations for a document with the package amsmath.
    Latex,
    /// One page with formulas in MathML and the network as a picture.
    Html,
}

/// `gdc explain`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  gdc explain model.gd                          layers and equations as text
  gdc explain model.gd --format html -o m.html  a page for a browser
  gdc explain model.gd --format latex           equations for a paper")]
pub struct ExplainArgs {
    /// Which model.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// How to write it.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
    /// Write here instead of to standard output.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A stage of the compilation that can be shown.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// The syntax tree.
    Ast,
    /// The tensor graph after all passes.
    Graph,
    /// The loop programs.
    Program,
    /// The generated Rust.
    Rust,
}

/// `gdc compile`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  gdc compile model.gd                     write model.rs beside it
  gdc compile specs/*.gd --out-dir src/gen write src/gen/NAME.rs for each
  gdc compile model.gd --check             fail if model.rs is not up to date
  gdc compile --check specs                the same for all models in a folder
  gdc compile model.gd --emit-tests        model_tests.rs too: golden numbers and differences
  gdc compile model.gd --bake w.safetensors   trained weights in the code, as a static
  gdc compile model.gd --emit graph        show the tensor graph
  gdc compile - < model.gd                 from standard input to standard output")]
pub struct CompileArgs {
    /// Specs to compile, or folders with specs; `-` is standard input.
    #[arg(required = true, value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// Write here instead of beside the spec; `-` is standard output.
    #[arg(short, long, value_name = "FILE", conflicts_with = "out_dir")]
    pub out: Option<PathBuf>,
    /// Write NAME.rs for each NAME.gd into this folder.
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// Write nothing; fail if a generated file is missing or not up to date.
    #[arg(long, conflicts_with = "emit")]
    pub check: bool,
    /// Show a stage on standard output instead of writing a file.
    #[arg(long, value_name = "STAGE")]
    pub emit: Option<Stage>,
    /// Add the trained weights in this file (.safetensors or .npz) to the code, as a `static`.
    #[arg(long, value_name = "FILE", conflicts_with = "emit")]
    pub bake: Option<PathBuf>,
    /// Write NAME_tests.rs beside NAME.rs: golden numbers of the reference interpreter, and
    /// derivatives held against differences.
    #[arg(long, conflicts_with = "emit")]
    pub emit_tests: bool,
    /// Paste the runtime into the file, which then needs nothing but `core`.
    #[arg(long)]
    pub stand_alone: bool,
    /// The model to compile, in a spec with several.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
}

/// A number of threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThreadsArg(usize);

impl ThreadsArg {
    /// At most so many, `None` for as many as there are.
    pub fn most(self) -> Option<usize> {
        (self.0 > 0).then_some(self.0)
    }
}

impl std::str::FromStr for ThreadsArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "auto" => Ok(ThreadsArg(0)),
            Ok(n) if (1..=64).contains(&n) => Ok(ThreadsArg(n)),
            _ => Err("`auto` or a number from 1 to 64 is needed".to_owned()),
        }
    }
}

/// A number between 0 and 1.
fn part(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x < 1.0 => Ok(x),
        _ => Err("a number between 0 and 1 is needed".to_owned()),
    }
}

/// How diagnostics are shown.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MessageFormat {
    /// With the source lines, on standard error.
    #[default]
    Human,
    /// One JSON object per line, on standard output.
    Json,
}

/// `gdc check`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  gdc check model.gd                          errors and warnings
  gdc check specs/*.gd --message-format json  one JSON object per line
  gdc check --explain E0201                   what an error means")]
pub struct CheckArgs {
    /// Specs to check; `-` is standard input.
    #[arg(required_unless_present = "explain", value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// How to show what is wrong.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub message_format: MessageFormat,
    /// Explain an error code and stop.
    #[arg(long, value_name = "CODE")]
    pub explain: Option<String>,
    /// The model to check, in a spec with several.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
}

/// `gdc train`
#[derive(Args, Debug)]
#[command(after_help = "\
Data:
  A CSV file names its columns: `x` is the column x; element [2, 5] of `image: [8, 8]` is
  image[2,5], image.2.5, image_2_5, or by its flat place image[21], image.21, image_21, image21.
  Columns with other names, or without any, are taken in declared order if their number is right.
  An NPZ file holds an array per input and target; NAME=FILE.npz:ARRAY chooses another one.
  NPY and IDX files hold one array: NAME=FILE. The first axis of an array is the samples; the
  others are those of the spec, or the same elements grouped otherwise ([64] for [8, 8]).
  Numbers are taken as they are: scale them in the spec (`image / 255`), with `standardise`
  (`x |> standardise`, by what the training data are), or see --normalize.

Examples:
  gdc train line.gd --data line.csv --weights line.safetensors
  gdc train digits.gd --data train.npz --validation test.npz --epochs 10 --history loss.csv
  gdc train mnist.gd --data image=train-images-idx3-ubyte --data label=train-labels-idx1-ubyte
  gdc train digits.gd --data train.npz --validation-split 0.2 --patience 5 --out run
  gdc train digits.gd --data train.npz --checkpoint run.ckpt    then, after an interruption:
  gdc train digits.gd --data train.npz --resume run.ckpt        the same bits as without it
  gdc train quadratic.gd                   a model without inputs needs no data")]
pub struct TrainArgs {
    /// Which model.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Training data: FILE, NAME=FILE or NAME=FILE.npz:ARRAY; may be repeated.
    #[arg(long, value_name = "DATA", value_parser = DataArg::parse)]
    pub data: Vec<DataArg>,
    /// Validation data, in the same forms.
    #[arg(long, value_name = "DATA", value_parser = DataArg::parse)]
    pub validation: Vec<DataArg>,
    /// Passes over the data, instead of what the spec says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub epochs: Option<u64>,
    /// Steps at most, instead of what the spec says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// The seed of initial values and of the order of samples.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Threads that share a step, instead of what the spec says: at most so many, or `auto`, as
    /// many as the machine has where a step is long enough.
    #[arg(long, value_name = "N")]
    pub threads: Option<ThreadsArg>,
    /// Take the samples in their own order in each epoch.
    #[arg(long)]
    pub no_shuffle: bool,
    /// Keep this part of the samples for validation, chosen by the seed: 0.2 is a fifth.
    #[arg(long, value_name = "PART", conflicts_with = "validation", value_parser = part)]
    pub validation_split: Option<f64>,
    /// Shift and scale an input so that each of its elements has mean 0 and deviation 1 over the
    /// training data; `all` for every input of reals. Kept with the weights.
    #[arg(long, value_name = "INPUT")]
    pub normalize: Vec<String>,
    /// Start from these weights (.safetensors or .npz).
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub init: Option<PathBuf>,
    /// Write the whole state of the training here, to go on from after an interruption.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// After how many epochs a checkpoint is written.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub checkpoint_every: u64,
    /// Go on from a checkpoint, and go on writing it.
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Stop after this many epochs without a lower loss (of the validation data, if there are any).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub patience: Option<u64>,
    /// By how much a loss must be lower to count as lower.
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub min_delta: f64,
    /// Write the weights of the epoch with the lowest loss, not the last; --patience does so too.
    #[arg(long)]
    pub keep_best: bool,
    /// Write weights.safetensors, history.csv, loss.svg and loss.png into this folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the trained weights (.safetensors or .npz).
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Write the loss and metrics of each epoch (.csv).
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// Write the loss of each step, before its update (.csv).
    #[arg(long, value_name = "FILE")]
    pub history_steps: Option<PathBuf>,
    /// Write the gradients of the first step (.safetensors).
    #[arg(long, value_name = "FILE")]
    pub dump_gradients: Option<PathBuf>,
    /// How its program is built.
    #[command(flatten)]
    pub build: BuildArgs,
}
