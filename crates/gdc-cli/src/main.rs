//! The `gdc` program.

mod apply;
mod bench;
mod check;
mod cli;
mod compile;
mod diff;
mod explain;
mod fault;
mod files;
mod fmt;
mod lsp;
mod manual;
mod new;
mod report;
mod review;
mod runner;
mod spec;
mod text;
mod train;
mod verify;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match &Cli::parse().command {
        Command::Compile(args) => compile::run(args),
        Command::Check(args) => check::run(args),
        Command::Train(args) => train::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Predict(args) => apply::predict(args),
        Command::Eval(args) => apply::eval(args),
        Command::Bench(args) => bench::run(args),
        Command::Diff(args) => review::run(args),
        Command::Fmt(args) => fmt::run(args),
        Command::New(args) => new::run(args),
        Command::Lsp(_) => lsp::run(),
        Command::Completions(args) => manual::completions(args),
        Command::Man(args) => manual::pages(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            fault.show();
            fault.exit_code()
        }
    }
}
