//! `compile()`: the one door that the macro and the program share.

mod budgets;
mod imports;

use gdc_core::library::Library;
use gdc_ir::Threads;
use gdc_ir::program::Programs;
use gdc_syntax::{Code, Diagnostic, Diagnostics, FileId, Reported, SourceMap, Span, ast, scan};
use proc_macro2::TokenStream;
use std::path::PathBuf;

/// Where a source and its imports come from.
pub struct Source {
    /// The name that messages show: a path, or `<network>`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// The folder that `import "x.gd";` of this source is relative to; none: it may import nothing.
    pub folder: Option<PathBuf>,
}

/// How generated code names the runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Runtime {
    /// `::gdc::rt`
    #[default]
    Crate,
    /// A private module pasted into the file, which then needs nothing but `core`.
    StandAlone,
    /// Such a module for a program with `std`, whose square roots are the machine's own.
    Hosted,
}

/// What to generate.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How the runtime is named.
    pub runtime: Runtime,
    /// Which model of the source; its only one, or else its last one, where absent.
    pub model: Option<String>,
    /// The threads that share a step, instead of what the source says.
    pub threads: Option<Threads>,
}

/// A compiled model.
pub struct Output {
    /// The module's items.
    pub tokens: TokenStream,
    /// The tensor graph after all passes.
    pub model: gdc_ir::Model,
    /// What an entry point computes for one sample, for each in order.
    pub entries: Vec<gdc_ir::Model>,
    /// What a stream computes at one time, where one is asked for; its states are what it carries.
    pub stream: Option<gdc_ir::Model>,
    /// The loop programs.
    pub programs: Programs,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
    /// All texts, for rendering.
    pub sources: SourceMap,
}

/// Why nothing was generated.
pub struct Failure {
    /// At least one error, and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// All texts, for rendering.
    pub sources: SourceMap,
    /// The file of the source given to [`compile`].
    pub root: FileId,
    /// The names of the models of the source, for stubs that keep rustc quiet.
    pub models: Vec<String>,
}

/// Compiles one model of a source.
///
/// # Errors
/// Every mistake that was found, with all texts needed to show them.
pub fn compile(source: &Source, options: &Options) -> Result<Output, Box<Failure>> {
    compile_observed(source, options, &mut |_, _| {})
}

/// [`compile`], calling `observe` with the tensor graph after each pass.
///
/// # Errors
/// As [`compile`].
pub fn compile_observed(
    source: &Source,
    options: &Options,
    observe: gdc_core::Observer<'_>,
) -> Result<Output, Box<Failure>> {
    let mut session = Session::new(source);
    match session.run(source, options, observe) {
        Ok(Compiled { model, entries, stream, programs, tokens }) => {
            let (warnings, sources) = (session.diagnostics.into_sorted(), session.sources);
            Ok(Output { tokens, model, entries, stream, programs, warnings, sources })
        }
        Err(Reported) => Err(Box::new(Failure {
            diagnostics: session.diagnostics.into_sorted(),
            models: model_names(&source.text),
            sources: session.sources,
            root: session.root,
        })),
    }
}

/// The syntax tree of a source alone, for `--emit ast`.
///
/// # Errors
/// Its syntax errors.
pub fn parse(source: &Source) -> Result<ast::File, Box<Failure>> {
    let mut session = Session::new(source);
    gdc_syntax::parse::parse_file(&source.text, session.root, &mut session.diagnostics).map_err(|Reported| {
        Box::new(Failure {
            diagnostics: session.diagnostics.into_sorted(),
            models: model_names(&source.text),
            sources: session.sources,
            root: session.root,
        })
    })
}

fn model_names(text: &str) -> Vec<String> {
    scan::items(text).into_iter().filter(|(kind, _, _)| *kind == "model").map(|(_, name, _)| name.to_owned()).collect()
}

/// What one compilation makes.
struct Compiled {
    model: gdc_ir::Model,
    entries: Vec<gdc_ir::Model>,
    stream: Option<gdc_ir::Model>,
    programs: Programs,
    tokens: TokenStream,
}

/// One compilation.
struct Session {
    sources: SourceMap,
    diagnostics: Diagnostics,
    root: FileId,
}

impl Session {
    fn new(source: &Source) -> Self {
        let mut sources = SourceMap::default();
        let root = sources.add(source.name.as_str(), source.text.as_str());
        Session { sources, diagnostics: Diagnostics::default(), root }
    }

    fn run(
        &mut self,
        source: &Source,
        options: &Options,
        observe: gdc_core::Observer<'_>,
    ) -> Result<Compiled, Reported> {
        let file = gdc_syntax::parse::parse_file(&source.text, self.root, &mut self.diagnostics)?;
        let items = imports::load(file, source, self)?;
        let (model, docs) = self.choose(&items, options.model.as_deref())?;
        let mut library = Library::new(items);
        let mut graph =
            gdc_core::compile_model(&model, &docs, &mut library, &mut self.sources, &mut self.diagnostics, observe)?;
        self.diagnostics.checkpoint()?;
        graph.settings.threads = options.threads.or(graph.settings.threads);
        let sample = gdc_core::sample::one_sample(&graph);
        let totals = gdc_core::totals::totals(&graph);
        let mut sums: Vec<gdc_ir::NodeId> = totals.iter().flat_map(|t| t.sums.iter().copied()).collect();
        sums.sort_unstable();
        sums.dedup();
        let mut programs = gdc_schedule::schedule_with(&graph, &sample, &sums);
        for total in totals {
            let places = total.sums.iter().filter_map(|node| sums.iter().position(|s| s == node)).collect();
            programs.totals.metrics.push((total.metric, places, gdc_schedule::predict(&total.function)));
        }
        let own = graph.entries.iter().map(|entry| gdc_core::sample::one_sample_of(&graph, entry));
        let entries: Vec<gdc_ir::Model> = own.collect();
        for (entry, own) in graph.entries.iter().zip(&entries) {
            programs.entries.push((entry.name.clone(), gdc_schedule::predict(own)));
        }
        // What stands in its way has been reported.
        let stream = gdc_core::stream::one_step(&graph).ok().flatten();
        programs.stream = stream.as_ref().map(gdc_schedule::stream);
        self.tell_of_threads(&programs);
        let tokens = generate(&programs, options, &self.sources);
        budgets::check(&graph, &programs, &tokens, &mut self.diagnostics)?;
        Ok(Compiled { model: graph, entries, stream, programs, tokens })
    }

    /// A warning where threads are spoken of and one has to do.
    fn tell_of_threads(&mut self, programs: &Programs) {
        let origin = programs.settings.threads.and_then(|t| t.origin);
        let (Some(reason), Some(origin)) = (&programs.one_thread, origin) else { return };
        let span = Span { file: FileId(origin.0), start: origin.1, end: origin.2 };
        let diagnostic =
            Diagnostic::warning(gdc_core::codes::ONE_THREAD, span, "this model is trained on one thread".to_owned())
                .note(reason.clone())
                .help("take `threads` out, or leave it for the day when there is more to share");
        self.diagnostics.push(diagnostic);
    }

    /// The model asked for, or the last of the root file.
    fn choose(&mut self, items: &[ast::Item], wanted: Option<&str>) -> Result<(ast::Model, Vec<String>), Reported> {
        let root = self.root;
        let mut models = items.iter().rev().filter(|i| i.span.file == root).filter_map(|i| match &i.kind {
            ast::ItemKind::Model(m) => Some((m, &i.docs)),
            _ => None,
        });
        let found = match wanted {
            None => models.next(),
            Some(name) => models.find(|(m, _)| m.name.text == name),
        };
        if let Some((model, docs)) = found {
            return Ok((model.clone(), docs.clone()));
        }
        let end = self.sources.file(root).text.len();
        let message = match wanted {
            Some(name) => format!("there is no model `{name}` here"),
            None => "there is no model here".to_owned(),
        };
        let diagnostic = Diagnostic::error(gdc_core::codes::NO_MODEL, Span::new(root, 0, end.min(1)), message)
            .help("a model is written `model Name { input x: [2]; ... }`");
        Err(self.diagnostics.push(diagnostic))
    }

    fn error(&mut self, code: Code, span: Span, message: String) -> Reported {
        self.diagnostics.push(Diagnostic::error(code, span, message))
    }
}

/// The files of the standard library: their names and texts.
pub fn library() -> impl Iterator<Item = (&'static str, &'static str)> {
    Library::std_files()
}

/// The rule by which an operator is differentiated, as books state it; `None` for operators
/// that have no derivative.
pub fn derivative_rule(op: gdc_ir::Op) -> Option<&'static str> {
    gdc_core::derivatives::rule(op)
}

/// The tokens of scheduled programs.
fn generate(programs: &Programs, options: &Options, sources: &SourceMap) -> TokenStream {
    let origin = |loc: gdc_ir::Loc| {
        let span = Span { file: FileId(loc.0), start: loc.1, end: loc.2 };
        let name = &sources.file(span.file).name;
        // A spec inside a macro stands beside the code; its lines are those of the Rust file.
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        (!name.starts_with('<')).then(|| format!("{file}:{}", sources.line_column(span).0))
    };
    let runtime = match options.runtime {
        Runtime::Crate => gdc_codegen::Runtime::Crate,
        Runtime::StandAlone => gdc_codegen::Runtime::StandAlone,
        Runtime::Hosted => gdc_codegen::Runtime::Hosted,
    };
    gdc_codegen::generate(programs, &gdc_codegen::Options { runtime, origin: &origin })
}
