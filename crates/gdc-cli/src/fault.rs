//! Why a command stopped, and the exit code that says so.

use std::fmt::Display;
use std::process::ExitCode;

/// The end of a command that did not do what was asked.
#[derive(Debug, PartialEq)]
pub enum Fault {
    /// A file, a spec or data is wrong: exit code 1.
    Input(String),
    /// The call itself is wrong: exit code 2.
    Call(String),
    /// What is wrong was already shown: exit code 1.
    Shown,
}

/// What every command returns.
pub type Outcome<T = ()> = Result<T, Fault>;

impl Fault {
    /// A fault of the input.
    pub fn input(message: impl Into<String>) -> Self {
        Fault::Input(message.into())
    }

    /// A fault of the call.
    pub fn call(message: impl Into<String>) -> Self {
        Fault::Call(message.into())
    }

    /// The same, after the name of the file that it is about.
    pub fn of(self, path: &std::path::Path) -> Self {
        match self {
            Fault::Input(message) => Fault::Input(format!("{}: {message}", path.display())),
            Fault::Call(message) => Fault::Call(format!("{}: {message}", path.display())),
            Fault::Shown => Fault::Shown,
        }
    }

    /// Shows the message, if it was not shown yet.
    pub fn show(&self) {
        match self {
            Fault::Input(message) | Fault::Call(message) => eprintln!("error: {message}"),
            Fault::Shown => {}
        }
    }

    /// What the process exits with.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Fault::Input(_) | Fault::Shown => ExitCode::from(1),
            Fault::Call(_) => ExitCode::from(2),
        }
    }
}

/// Says what was being done when an operation on a file failed.
pub trait At<T> {
    /// Turns the error into `cannot VERB PATH: REASON`, a fault of the input.
    fn at(self, verb: &str, path: &std::path::Path) -> Outcome<T>;
}

impl<T, E: Display> At<T> for Result<T, E> {
    fn at(self, verb: &str, path: &std::path::Path) -> Outcome<T> {
        self.map_err(|e| Fault::Input(format!("cannot {verb} {}: {e}", path.display())))
    }
}
