//! Prints a model's tensor graph after each pass: `cargo run --example passes -- model.gd [pass]`.

use gdc_core::{compile_model, library::Library};
use gdc_syntax::{Diagnostics, SourceMap, ast, parse};

fn main() -> Result<(), String> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: passes model.gd [pass]")?;
    let wanted = args.next().unwrap_or_else(|| "simplify".to_owned());
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    let (mut sources, mut diagnostics) = (SourceMap::default(), Diagnostics::default());
    let file = sources.add(path, text.as_str());
    let parsed = parse::parse_file(&text, file, &mut diagnostics);
    let result = parsed.map(|file| {
        let model = file.items.iter().rev().find_map(|i| match &i.kind {
            ast::ItemKind::Model(m) => Some((m.clone(), i.docs.clone())),
            _ => None,
        });
        let mut library = Library::new(file.items);
        model.map(|(model, docs)| {
            compile_model(&model, &docs, &mut library, &mut sources, &mut diagnostics, &mut |pass, graph| {
                if pass == wanted || wanted == "all" {
                    println!("== {pass}\n{}", gdc_ir::text::print_model(graph));
                }
                if let Err(violations) = gdc_ir::verify::verify(graph) {
                    println!("== {pass}: INVALID\n{violations:#?}");
                }
            })
        })
    });
    drop(result);
    for d in diagnostics.as_slice() {
        println!("{}", gdc_syntax::render::short(d, &sources));
        for s in d.secondary.iter() {
            println!("    {:?} {}", sources.line_column(s.span), s.text);
        }
        for n in d.notes.iter().chain(&d.help) {
            println!("    {n}");
        }
    }
    Ok(())
}
