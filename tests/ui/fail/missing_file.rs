//! A file that is not there is an error at its name that says where it was looked for.

gdc::network!("nowhere.gd");

fn main() {}
