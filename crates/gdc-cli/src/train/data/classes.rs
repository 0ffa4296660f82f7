//! Names of classes: words that stand in data in place of the integers of an input or target,
//! and which integer each of them is.

use super::super::field::Field;
use crate::fault::{Fault, Outcome};
use crate::text::quoted;
use std::collections::{BTreeMap, BTreeSet};

/// The names of each field that has them; the first is the lowest of the field's integers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Classes {
    names: BTreeMap<String, Vec<String>>,
    /// Whether they come from elsewhere, so that data cannot bring new ones.
    settled: bool,
}

impl Classes {
    /// What an earlier training settled, as [`Classes::note`] wrote it; `None` where that cannot be
    /// read. Without a note names are unknown, and cannot be learnt.
    pub fn from_note(note: Option<&str>) -> Option<Classes> {
        let names = note.map_or_else(|| Some(BTreeMap::new()), |text| serde_json::from_str(text).ok())?;
        Some(Classes { names, settled: true })
    }

    /// For a file of weights; none where there are no names.
    pub fn note(&self) -> Option<String> {
        let object = || serde_json::to_string(&self.names).ok();
        if self.names.is_empty() { None } else { object() }
    }

    /// From now on nothing is added.
    pub fn settle(&mut self) {
        self.settled = true;
    }

    /// From now on fields without names can get them from data.
    pub fn learn(&mut self) {
        self.settled = false;
    }

    /// The names of a field.
    pub fn of(&self, field: &str) -> Option<&[String]> {
        self.names.get(field).map(Vec::as_slice)
    }

    /// The names of the only field that has so many classes, for an output of that size.
    pub fn of_size(&self, fields: &[Field], size: usize) -> Option<&[String]> {
        let fits = |f: &&Field| f.range.is_some_and(|(low, high)| usize::try_from(high - low) == Ok(size));
        let mut all = fields.iter().filter(|f| f.shape.is_empty()).filter(fits);
        match (all.next(), all.next()) {
            (Some(field), None) => self.of(&field.name),
            _ => None,
        }
    }

    /// The number of a word.
    pub fn number(&self, field: &Field, word: &str) -> Option<f64> {
        let place = self.of(&field.name)?.iter().position(|n| n == word)?;
        Some(field.range.map_or(0, |(low, _)| low) as f64 + place as f64)
    }

    /// Takes in the words that data hold for a field, and says what each became.
    ///
    /// # Errors
    ///
    /// The weights know no names, or others; or there are more names than classes.
    pub fn meet(&mut self, field: &Field, words: &BTreeSet<String>, notes: &mut Vec<String>) -> Outcome {
        let Some((low, high)) = field.range else { return Ok(()) };
        let list = |names: &mut dyn Iterator<Item = &String>| {
            let all: Vec<String> = names.map(|n| quoted(n)).collect();
            let more = if all.len() > 12 { format!(" and {} more", all.len() - 12) } else { String::new() };
            format!("{}{more}", all[..all.len().min(12)].join(", "))
        };
        let declared = field.declared();
        if let Some(known) = self.of(&field.name) {
            let unknown: Vec<&String> = words.iter().filter(|w| !known.contains(w)).collect();
            return match unknown.as_slice() {
                [] => Ok(()),
                some => Err(Fault::input(format!(
                    "`{declared}` has names that the training data did not have: {}; known are {}",
                    list(&mut some.iter().copied()),
                    list(&mut known.iter())
                ))),
            };
        }
        if self.settled {
            return Err(Fault::input(format!(
                "`{declared}` holds names ({}), and the weights were trained with numbers: write {low} to {} in their \
                 place",
                list(&mut words.iter()),
                high - 1
            )));
        }
        if words.len() as i64 > high - low {
            return Err(Fault::input(format!(
                "`{declared}` has {} classes, and the data {} names for them: {}",
                high - low,
                words.len(),
                list(&mut words.iter())
            )));
        }
        let (numbers, others): (Vec<&String>, Vec<&String>) = words.iter().partition(|w| w.parse::<f64>().is_ok());
        if !numbers.is_empty() && (words.len() as i64) < high - low {
            return Err(Fault::input(format!(
                "`{declared}` holds words ({}) and numbers ({}): which is meant?",
                list(&mut others.into_iter()),
                list(&mut numbers.into_iter())
            )));
        }
        let named: Vec<String> = (low..).zip(words).map(|(k, name)| format!("{} is {k}", quoted(name))).collect();
        notes.push(format!("the names of `{}`, in alphabetical order: {}", field.name, named.join(", ")));
        if (words.len() as i64) < high - low {
            notes.push(format!("`{declared}` has {} classes, of which {} are named", high - low, words.len()));
        }
        self.names.insert(field.name.clone(), words.iter().cloned().collect());
        Ok(())
    }
}
