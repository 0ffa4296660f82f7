//! Warnings about gradients that explode, vanish or are no numbers, naming the parameter.

use super::progress::number;
use std::collections::{BTreeMap, BTreeSet};

/// A gradient this much larger than at the first look, and larger than [`LARGE`], explodes.
const GROWTH: f64 = 100.0;
const LARGE: f64 = 100.0;
/// A gradient that is this small beside the largest of the same step vanishes.
const SHARE: f64 = 1e-5;
/// More names than these are not listed.
const LISTED: usize = 6;

/// Remembers the size of each parameter's gradient and what was said about it.
#[derive(Default)]
pub struct Gradients {
    /// At the first look.
    first: BTreeMap<String, f64>,
    /// Of the step that is being looked at.
    step: u64,
    sizes: Vec<(String, f64)>,
    said: BTreeSet<(&'static str, String)>,
}

impl Gradients {
    /// Takes the root mean square of a parameter's gradient before a step; warnings about the
    /// step before it, once it is complete.
    pub fn take(&mut self, step: u64, name: &str, size: f64) -> Vec<String> {
        let warnings = if step == self.step { Vec::new() } else { self.finish() };
        self.step = step;
        self.sizes.push((name.to_owned(), size));
        warnings
    }

    /// Warnings about the last step that was looked at. Each is given once for a parameter.
    pub fn finish(&mut self) -> Vec<String> {
        let sizes = std::mem::take(&mut self.sizes);
        let step = self.step;
        let largest = sizes.iter().map(|(_, s)| *s).filter(|s| s.is_finite()).fold(0.0, f64::max);
        let mut found: BTreeMap<&'static str, Vec<(String, f64)>> = BTreeMap::new();
        for (name, size) in sizes {
            let first = *self.first.entry(name.clone()).or_insert(size);
            let kind = if !size.is_finite() {
                "broken"
            } else if size > LARGE && size > GROWTH * first {
                "exploding"
            } else if size < SHARE * largest {
                if size == 0.0 { "absent" } else { "vanishing" }
            } else {
                continue;
            };
            if self.said.insert((kind, name.clone())) {
                found.entry(kind).or_default().push((name, size));
            }
        }
        found.into_iter().map(|(kind, list)| warning(kind, step, &list, largest)).collect()
    }
}

fn warning(kind: &str, step: u64, list: &[(String, f64)], largest: f64) -> String {
    let mut names: Vec<String> = list.iter().take(LISTED).map(|(name, _)| format!("`{name}`")).collect();
    if list.len() > LISTED {
        names.push(format!("and {} more", list.len() - LISTED));
    }
    let names = names.join(", ");
    let size = number(list.first().map_or(0.0, |(_, s)| *s));
    match kind {
        "broken" => format!(
            "at step {step} the gradient of {names} is no finite number: a smaller learning rate or \
             `transform clip_global_norm(1.0);` may help"
        ),
        "exploding" => format!(
            "at step {step} the gradient of {names} has grown to {size} (root mean square): it explodes; a \
             smaller learning rate or `transform clip_global_norm(1.0);` may help"
        ),
        "absent" => format!("at step {step} the gradient of {names} is zero: nothing is learnt there"),
        _ => format!(
            "at step {step} the gradient of {names} is {size} and the largest of the model {}: it vanishes on its \
             way; normalisation, residual connections or another activation may help",
            number(largest)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_said_once_and_names_its_parameters() {
        let mut gradients = Gradients::default();
        let look = |g: &mut Gradients, step, sizes: [f64; 3]| -> Vec<String> {
            let names = ["a.w", "b.w", "c.w"];
            let mut all: Vec<String> = names.iter().zip(sizes).flat_map(|(n, s)| g.take(step, n, s)).collect();
            all.extend(g.finish());
            all
        };
        assert_eq!(look(&mut gradients, 1, [1.0, 0.5, 1e-3]), Vec::<String>::new());
        let said = look(&mut gradients, 2, [500.0, 0.5, 1e-9]);
        assert_eq!(said.len(), 2);
        assert!(said[0].contains("step 2") && said[0].contains("`a.w`") && said[0].contains("explodes"), "{said:?}");
        assert!(said[1].contains("`c.w`") && said[1].contains("vanishes"), "{said:?}");
        assert_eq!(look(&mut gradients, 3, [500.0, 0.5, 1e-9]), Vec::<String>::new());
        let said = look(&mut gradients, 4, [f64::NAN, f64::INFINITY, 0.0]);
        assert!(said.iter().any(|s| s.contains("`a.w`, `b.w` is no finite number")), "{said:?}");
    }

    #[test]
    fn small_gradients_of_all_are_no_warning() {
        let mut gradients = Gradients::default();
        assert!(gradients.take(1, "a", 1e-12).is_empty());
        assert!(gradients.take(1, "b", 1e-13).is_empty());
        assert!(gradients.finish().is_empty());
    }
}
