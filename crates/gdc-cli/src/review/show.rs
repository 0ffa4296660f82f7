//! Changes as text, as Markdown for a pull request, and as JSON.

use super::same::Verdict;
use super::{Change, Changes};
use crate::text::table;
use serde_json::{Value, json};

/// What is said about the function, in a sentence or two.
fn verdict(changes: &Changes) -> String {
    let c = &changes.comparison;
    let mut text = match &c.function {
        Verdict::Structure => "Same function: the graphs are equal in structure (proved).".to_owned(),
        Verdict::Evaluation { samples, worst } => format!(
            "Same function as far as evaluated: loss, outputs, metrics, gradients and entry points agree at {samples} random \
             samples (largest relative difference {worst:.0e}); the graphs differ in structure, so this is no proof."
        ),
        Verdict::Different(how) => format!("Different function: {}.", how.join("; ")),
    };
    if !matches!(c.function, Verdict::Different(_)) {
        if changes.settings.iter().any(|s| s.name == "precision") {
            text.push_str(" It is computed in another precision.");
        }
        if !c.same_update {
            text.push_str(" It is trained differently: the formulas of the update changed.");
        }
        if !c.same_start {
            text.push_str(" Its parameters begin with other values.");
        }
        if changes.is_empty() && c.renamed.is_empty() {
            text.push_str(" Nothing else changed but the text.");
        }
    }
    text
}

fn renamed(changes: &Changes) -> Option<String> {
    let pairs: Vec<String> = changes.comparison.renamed.iter().map(|(a, b)| format!("{a} → {b}")).collect();
    (!pairs.is_empty()).then(|| format!("Renamed: {}.", pairs.join(", ")))
}

/// The change of a count, as a part of it.
fn delta(change: &Change) -> String {
    let parse = |t: &Option<String>| -> Option<f64> {
        let text = t.as_ref()?.replace(',', "");
        let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
        let scale = match unit {
            "KiB" => 1024.0,
            "MiB" => 1024.0 * 1024.0,
            "GiB" => 1024.0 * 1024.0 * 1024.0,
            _ => 1.0,
        };
        number.parse::<f64>().ok().map(|n| n * scale)
    };
    match (parse(&change.old), parse(&change.new)) {
        (Some(a), Some(b)) if a == b => String::new(),
        (Some(a), Some(b)) if a > 0.0 => format!("{:+.1} %", 100.0 * (b - a) / a),
        _ => String::new(),
    }
}

fn cell(value: &Option<String>) -> String {
    value.clone().unwrap_or_else(|| "-".to_owned())
}

/// For a terminal.
pub fn text(changes: &Changes) -> String {
    let mut out = format!("{} → {}\n\n{}\n", changes.names.0, changes.names.1, verdict(changes));
    out.extend(renamed(changes).map(|line| line + "\n"));
    if changes.is_empty() {
        return out;
    }
    let rows = |list: &[Change]| -> Vec<Vec<String>> {
        list.iter().map(|c| vec![c.name.clone(), cell(&c.old), cell(&c.new), delta(c)]).collect()
    };
    let totals = table(&["", "before", "after", ""], &rows(&changes.totals), &[false, true, true, true]);
    out.push_str(&format!("\n{totals}"));
    for (title, list) in [("Layers", &changes.layers), ("Training", &changes.settings)] {
        if !list.is_empty() {
            let rows: Vec<Vec<String>> =
                list.iter().map(|c| vec![c.name.clone(), cell(&c.old), cell(&c.new)]).collect();
            out.push_str(&format!("\n{title}\n\n{}", table(&["", "before", "after"], &rows, &[false; 3])));
        }
    }
    for (title, list) in changes.equations.iter().filter(|(_, list)| !list.is_empty()) {
        out.push_str(&format!("\n{title}\n\n"));
        for change in list {
            out.extend(change.old.iter().map(|e| format!("  - {}\n", e.replace('\n', "\n    "))));
            out.extend(change.new.iter().map(|e| format!("  + {}\n", e.replace('\n', "\n    "))));
        }
    }
    out
}

/// A cell of a Markdown table.
fn code(value: &Option<String>) -> String {
    match value {
        Some(text) => {
            let text = text.replace('|', "\\|").replace('\n', "<br>");
            // Formulas with grave accents would end the span.
            if text.contains('`') { text } else { format!("`{text}`") }
        }
        None => "–".to_owned(),
    }
}

/// For a comment on a pull request or the summary of a job.
pub fn markdown(changes: &Changes) -> String {
    let mut out = format!("### `{}` → `{}`\n\n**{}**\n", changes.names.0, changes.names.1, verdict(changes));
    out.extend(renamed(changes).map(|line| format!("\n{line}\n")));
    if changes.is_empty() {
        return out;
    }
    out.push_str("\n| | before | after | |\n|---|---:|---:|---:|\n");
    for c in &changes.totals {
        out.push_str(&format!("| {} | {} | {} | {} |\n", c.name, cell(&c.old), cell(&c.new), delta(c)));
    }
    for (title, list) in [("Layers", &changes.layers), ("Training", &changes.settings)] {
        if !list.is_empty() {
            out.push_str(&format!("\n#### {title}\n\n| | before | after |\n|---|---|---|\n"));
            for c in list {
                out.push_str(&format!("| `{}` | {} | {} |\n", c.name, cell(&c.old), cell(&c.new)));
            }
        }
    }
    for (title, list) in changes.equations.iter().filter(|(_, list)| !list.is_empty()) {
        out.push_str(&format!("\n#### {title}\n\n| before | after |\n|---|---|\n"));
        for c in list {
            out.push_str(&format!("| {} | {} |\n", code(&c.old), code(&c.new)));
        }
    }
    out
}

/// For programs: one object.
pub fn json(changes: &Changes) -> String {
    let list = |list: &[Change]| -> Vec<Value> {
        list.iter().map(|c| json!({"name": c.name, "before": c.old, "after": c.new})).collect()
    };
    let c = &changes.comparison;
    let function = match &c.function {
        Verdict::Structure => json!({"same": true, "by": "structure"}),
        Verdict::Evaluation { samples, worst } => {
            json!({"same": true, "by": "evaluation", "samples": samples, "largest_relative_difference": worst})
        }
        Verdict::Different(how) => json!({"same": false, "how": how}),
    };
    let equations: serde_json::Map<String, Value> =
        changes.equations.iter().map(|(title, l)| (title.to_lowercase().replace(' ', "_"), json!(list(l)))).collect();
    let renamed: Vec<Value> = c.renamed.iter().map(|(a, b)| json!({"before": a, "after": b})).collect();
    let object = json!({
        "old": changes.names.0,
        "new": changes.names.1,
        "function": function,
        "same_update": c.same_update,
        "same_initial_values": c.same_start,
        "renamed": renamed,
        "totals": list(&changes.totals),
        "layers": list(&changes.layers),
        "training": list(&changes.settings),
        "equations": equations,
    });
    format!("{object:#}\n")
}
