//! The explanation as one page that needs nothing else: MathML for formulas, SVG for the graph.

use super::math::Equation;
use super::mathml::{self, escaped};
use super::rules::Derivation;
use super::{Explained, svg, unicode};

const STYLE: &str = "\
body{font:16px/1.5 Georgia,serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
h1,h2,table,summary,svg{font-family:system-ui,sans-serif}\
h2{border-bottom:1px solid #ddd;margin-top:2.2em;font-size:1.25em}\
table{border-collapse:collapse;font-size:14px;width:100%}\
th{text-align:left;border-bottom:2px solid #888}td,th{padding:.25em .6em}\
td{border-bottom:1px solid #eee}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
tr.param td:first-child,tr.layer td:first-child{font-weight:bold}\
pre{background:#f6f6f8;padding:1em;overflow-x:auto;font-size:14px;line-height:1.4}\
math{margin:.5em 0;font-size:1.1em}.eq{overflow-x:auto;padding:.1em 0}\
.part{font-size:.9em;margin-left:3em}\
details{margin:.6em 0;border-left:3px solid #dde;padding-left:1em}summary{cursor:pointer}\
.rules{color:#555;font-size:.92em;margin:.2em 0 .6em}.word{color:#777;font-size:.9em}\
svg{max-width:100%;height:auto}";

/// The whole page.
pub fn page(e: &Explained) -> String {
    let model = &e.output.model;
    let title = escaped(&model.name);
    let docs: String = model.docs.iter().map(|l| escaped(l.trim()) + " ").collect();
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n<p>{docs}</p>\n"
    );
    let mut section = |title: &str, body: String| {
        if !body.is_empty() {
            out.push_str(&format!("<h2>{title}</h2>\n{body}"));
        }
    };
    section("The spec", format!("<pre>{}</pre>\n", escaped(e.spec.trim_end())));
    section("The network", svg::picture(&e.table));
    section("Layers", layers(e));
    e.forward.iter().for_each(|s| section(&s.title, equations(s.equations.iter())));
    section("Backward", equations(e.backward.iter()));
    let update = |u: &super::Update| {
        let also = u.likewise().map(|t| format!("<p class=\"word\">{}</p>\n", escaped(&t)));
        format!("{}{}", equations(u.equations.iter()), also.unwrap_or_default())
    };
    section("Update", e.update.iter().map(update).collect());
    section("Initial values", equations(e.initial.iter()));
    let noted = |s: &super::sections::Section| {
        let notes: String = s.notes.iter().map(|n| format!("<p class=\"word\">{}</p>\n", escaped(n))).collect();
        notes + &equations(s.equations.iter())
    };
    e.points.iter().for_each(|s| section(&escaped(&s.title), noted(s)));
    section("How each derivative was found", e.derivations.iter().map(derivation).collect());
    let notes: String = e.notation().iter().map(|line| format!("<li>{}</li>\n", escaped(line))).collect();
    section("Notation", format!("<ul>\n{notes}</ul>\n"));
    out + "</body>\n</html>\n"
}

fn layers(e: &Explained) -> String {
    let (head, rows) = e.layer_rows();
    let cell = |tag: &str, i: usize, text: &str| {
        format!("<{tag}{}>{}</{tag}>", if i > 2 { " class=\"n\"" } else { "" }, escaped(text))
    };
    let heads: String = head.iter().enumerate().map(|(i, h)| cell("th", i, h)).collect();
    let mut out = format!("<table>\n<tr>{heads}</tr>\n");
    for (row, layer) in rows.iter().zip(&e.table.layers) {
        let cells: String = row.iter().enumerate().map(|(i, c)| cell("td", i, c)).collect();
        out.push_str(&format!("<tr class=\"{}\">{cells}</tr>\n", layer.kind.word()));
    }
    out.push_str("</table>\n<table>\n");
    for (name, value) in e.total_lines() {
        out.push_str(&format!("<tr><td>{name}</td><td>{}</td></tr>\n", escaped(&value)));
    }
    out + "</table>\n"
}

fn equations<'a>(list: impl Iterator<Item = &'a Equation>) -> String {
    list.map(equation).collect()
}

fn equation(e: &Equation) -> String {
    format!("<div class=\"eq\">{}</div>\n", mathml::equation(e))
}

/// Behind a click: the statements that read a tensor, the rules, and what came out.
fn derivation(d: &Derivation) -> String {
    let mut inside = String::new();
    for (reader, rules) in &d.steps {
        inside.push_str(&format!("<div class=\"word\">from</div>{}", equation(reader)));
        let rules: String = rules.iter().map(|r| format!("<li>{}</li>", escaped(r))).collect();
        inside.push_str(&format!("<ul class=\"rules\">{rules}</ul>\n"));
    }
    inside.push_str(&format!("<div class=\"word\">found</div>{}", equation(&d.found)));
    match &d.simplified {
        Some(e) if unicode::equation(e) == unicode::equation(&d.found) => {}
        Some(e) => inside.push_str(&format!("<div class=\"word\">simplified</div>{}", equation(e))),
        None => inside.push_str("<div class=\"word\">It stands in the formulas that need it.</div>\n"),
    }
    format!("<details><summary>∂L/∂{}</summary>\n{inside}</details>\n", escaped(&d.of))
}
