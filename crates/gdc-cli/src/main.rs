//! The `gdc` program.

mod diff;
mod fault;
mod files;
#[allow(dead_code)]
mod train;
#[allow(dead_code)]
mod cli;

fn main() {}
