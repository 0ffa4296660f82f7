//! Shell completions and manual pages, from the definition of the commands.

use crate::cli::{Cli, CompletionsArgs, ManArgs};
use crate::fault::{At, Outcome};
use crate::files::{print, write_whole};
use clap::CommandFactory;
use std::path::Path;

/// Writes a shell's completions.
pub fn completions(args: &CompletionsArgs) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gdc", &mut text);
    print(&String::from_utf8_lossy(&text));
    Ok(())
}

/// Writes the manual.
pub fn pages(args: &ManArgs) -> Outcome {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.out else {
        print(&String::from_utf8_lossy(&page(command)?));
        return Ok(());
    };
    for sub in command.get_subcommands() {
        let name = format!("gdc-{}", sub.get_name());
        if sub.get_name() != "help" {
            write_whole(&folder.join(format!("{name}.1")), &page(sub.clone())?)?;
        }
    }
    write_whole(&folder.join("gdc.1"), &page(command)?)
}

fn page(command: clap::Command) -> Outcome<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text).at("write", Path::new("the manual"))?;
    Ok(text)
}
