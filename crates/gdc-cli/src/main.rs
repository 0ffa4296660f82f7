//! The `gdc` program.

mod diff;
mod fault;
mod files;
mod train;

fn main() {}
