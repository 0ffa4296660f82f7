//! The `gdc` program.

mod check;
mod cli;
mod compile;
mod diff;
mod explain;
mod fault;
mod files;
mod report;
mod spec;
mod text;
mod train;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match &Cli::parse().command {
        Command::Compile(args) => compile::run(args),
        Command::Check(args) => check::run(args),
        Command::Train(args) => train::run(args),
        Command::Explain(args) => explain::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            fault.show();
            fault.exit_code()
        }
    }
}
