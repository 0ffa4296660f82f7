//! `gdc diff`: what a reviewer must know about a changed spec.

mod same;
mod show;
mod side;

use crate::cli::{DiffArgs, DiffFormat};
use crate::explain::math::Equation;
use crate::explain::sections::Section;
use crate::explain::unicode;
use crate::fault::Outcome;
use crate::files::print;
use same::{Comparison, compare};
use side::Side;
use std::collections::BTreeMap;

/// Compares two specs and prints what changed.
pub fn run(args: &DiffArgs) -> Outcome {
    let old = Side::read(&args.old, args.model.clone())?;
    let new = Side::read(&args.new, args.model.clone())?;
    let changes = Changes::between(&old, &new);
    print(&match args.format {
        DiffFormat::Text => show::text(&changes),
        DiffFormat::Markdown => show::markdown(&changes),
        DiffFormat::Json => show::json(&changes),
    });
    Ok(())
}

/// A value before and after; none where it was not there.
pub struct Change {
    /// What.
    pub name: String,
    /// Before.
    pub old: Option<String>,
    /// After.
    pub new: Option<String>,
}

/// Everything that changed.
pub struct Changes {
    /// What the two sides are called.
    pub names: (String, String),
    /// Whether the function is the same.
    pub comparison: Comparison,
    /// Layers: shape and parameters.
    pub layers: Vec<Change>,
    /// Parameters, memory and cost, also those that are as before.
    pub totals: Vec<Change>,
    /// Equations by section.
    pub equations: Vec<(String, Vec<Change>)>,
    /// Settings of training.
    pub settings: Vec<Change>,
}

impl Changes {
    fn between(old: &Side, new: &Side) -> Changes {
        let comparison = compare(&old.explained.output.model, &new.explained.output.model);
        let (a, b) = (&old.explained, &new.explained);
        let update = |s: &Side| -> Vec<Equation> {
            s.explained.update.iter().flat_map(|u| u.equations.iter().cloned()).collect()
        };
        let mut equations = sections(&a.forward, &b.forward);
        let own = |title: &str, a: &[Equation], b: &[Equation]| (title.to_owned(), changed(formulas(a), formulas(b)));
        equations.extend([
            own("Backward", &a.backward, &b.backward),
            own("Update", &update(old), &update(new)),
            own("Initial values", &a.initial, &b.initial),
        ]);
        equations.extend(sections(&a.points, &b.points));
        Changes {
            names: (old.name.clone(), new.name.clone()),
            comparison,
            layers: changed(old.layers(), new.layers()),
            totals: all(old.totals(), new.totals()),
            equations,
            settings: changed(old.settings(), new.settings()),
        }
    }

    /// Whether there is anything to tell.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
            && self.settings.is_empty()
            && self.equations.iter().all(|(_, list)| list.is_empty())
            && self.totals.iter().all(|c| c.old == c.new)
    }
}

/// Names with values, in order.
type Facts = Vec<(String, String)>;

/// The changes under each head, of those of both sides.
fn sections(old: &[Section], new: &[Section]) -> Vec<(String, Vec<Change>)> {
    let facts = |list: &[Section], title: &str| {
        let own = list.iter().find(|s| s.title == title);
        own.map_or_else(Facts::new, |s| {
            let notes = s.notes.iter().map(|note| (note.split(':').next().unwrap_or(note).to_owned(), note.clone()));
            notes.chain(formulas(&s.equations)).collect()
        })
    };
    let mut titles: Vec<&String> = old.iter().map(|s| &s.title).collect();
    for section in new {
        if !titles.contains(&&section.title) {
            titles.push(&section.title);
        }
    }
    titles.into_iter().map(|t| (t.clone(), changed(facts(old, t), facts(new, t)))).collect()
}

/// Equations by their left sides.
fn formulas(list: &[Equation]) -> Facts {
    list.iter().map(|e| (unicode::formula(&e.left), unicode::equation(e))).collect()
}

/// The facts that differ: in the order of the new ones, those that are gone where they were.
fn changed(old: Facts, new: Facts) -> Vec<Change> {
    all(old, new).into_iter().filter(|c| c.old != c.new).collect()
}

fn all(old: Facts, new: Facts) -> Vec<Change> {
    let after: BTreeMap<&str, &str> = new.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let before: BTreeMap<&str, &str> = old.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let mut list: Vec<Change> = Vec::new();
    let change = |name: &str| Change {
        name: name.to_owned(),
        old: before.get(name).map(|v| (*v).to_owned()),
        new: after.get(name).map(|v| (*v).to_owned()),
    };
    let mut rest = new.iter().peekable();
    for (name, _) in &old {
        if !after.contains_key(name.as_str()) {
            list.push(change(name));
            continue;
        }
        while let Some((next, _)) = rest.next_if(|(n, _)| !before.contains_key(n.as_str())) {
            list.push(change(next));
        }
        list.push(change(name));
        rest.next_if(|(n, _)| before.contains_key(n.as_str()));
    }
    list.extend(rest.filter(|(n, _)| !before.contains_key(n.as_str())).map(|(n, _)| change(n)));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_removed_and_changed_facts_are_told_in_order() {
        let facts = |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect::<Facts>();
        let list = changed(facts(&[("a", "1"), ("b", "2"), ("c", "3")]), facts(&[("a", "1"), ("n", "0"), ("c", "4")]));
        let told: Vec<(&str, Option<&str>, Option<&str>)> =
            list.iter().map(|c| (c.name.as_str(), c.old.as_deref(), c.new.as_deref())).collect();
        assert_eq!(told, [("b", Some("2"), None), ("n", None, Some("0")), ("c", Some("3"), Some("4"))]);
    }
}
