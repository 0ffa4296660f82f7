//! The root of a worker: the generated model and the lines that hand it to the worker.

use crate::compile::rust_text;
use crate::fault::Outcome;
use gdc_driver::Output;

/// The whole text. The generated types and the runtime `rt` stand in the root, where the
/// module of the worker sees them.
pub fn source(output: &Output, spec: &str) -> Outcome<String> {
    let trainer = gdc_codegen::trainer_name(&output.model.name);
    Ok(format!(
        "{}\nmod gdc_worker;\n\nfn main() -> ::std::process::ExitCode {{\n    \
         gdc_worker::main({trainer}::new)\n}}\n",
        rust_text(output, spec)?
    ))
}
