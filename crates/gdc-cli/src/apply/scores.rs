//! What outputs say about targets: confusion matrices and errors.

use crate::fault::{Fault, Outcome};
use crate::text::table;
use crate::train::data::classes::Classes;
use crate::train::field::{Field, Role, Values};
use crate::train::glue;
use crate::train::progress::number;
use gdc_driver::Output;
use gdc_ir::program::Elem;
use serde_json::{Value, json};

/// More classes than these are not shown as a matrix.
const SHOWN: usize = 30;

/// One output for all samples.
pub struct Prediction {
    /// As declared.
    pub name: String,
    /// Of one sample.
    pub shape: Vec<usize>,
    /// Whether it is a class itself.
    pub whole: bool,
    /// For a class: its values lie in `low..high`.
    range: Option<(i64, i64)>,
    /// The names of classes: of its values if it is one itself, and else of its elements.
    pub names: Vec<String>,
    /// Sample after sample.
    pub values: Vec<f64>,
}

impl Prediction {
    /// Takes apart what a program wrote.
    pub fn all(output: &Output, entry: Option<&str>, samples: usize, written: &[f64]) -> Outcome<Vec<Prediction>> {
        let buffers = glue::outputs(output, entry.into());
        let width: usize = buffers.iter().map(|b| b.shape.iter().product::<usize>()).sum();
        if written.len() != width * samples {
            return Err(Fault::input("the program wrote too few predictions: a mistake of gdc"));
        }
        let mut start = 0;
        let mut all = Vec::new();
        for buffer in buffers {
            let len: usize = buffer.shape.iter().product();
            let rows = written.chunks_exact(width.max(1));
            let values = rows.flat_map(|row| row[start..start + len].iter().copied()).collect();
            start += len;
            all.push(Prediction {
                name: buffer.name.clone(),
                shape: buffer.shape.clone(),
                whole: matches!(buffer.elem, Elem::U32 | Elem::I32 | Elem::U64),
                range: buffer.range,
                names: Vec::new(),
                values,
            });
        }
        Ok(all)
    }

    /// Elements of one sample.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The elements of a sample.
    pub fn sample(&self, i: usize) -> &[f64] {
        &self.values[i * self.len()..(i + 1) * self.len()]
    }

    /// Takes over the names of the only field that has as many classes as this output has
    /// elements, or values if it is a class itself.
    pub fn name_classes(&mut self, fields: &[Field], classes: &Classes) {
        let size = match (self.whole, self.range) {
            (true, Some((low, high))) => usize::try_from(high - low).ok(),
            (true, None) => None,
            (false, _) => (self.shape.len() == 1).then(|| self.shape[0]),
        };
        let names = size.and_then(|size| classes.of_size(fields, size));
        self.names = names.map(<[String]>::to_vec).unwrap_or_default();
    }

    /// The name of the class that a value is.
    pub fn class_name(&self, value: f64) -> Option<&str> {
        let low = self.range.map_or(0, |(low, _)| low);
        let place = usize::try_from(value as i64 - low).ok().filter(|_| self.whole)?;
        self.names.get(place).map(String::as_str)
    }

    /// For naming its elements.
    pub fn as_field(&self) -> Field {
        Field { name: self.name.clone(), role: Role::Input, shape: self.shape.clone(), elem: Elem::F32, range: None }
    }
}

/// What an output says about a target.
pub enum Finding {
    /// Classes: `counts[target][predicted]`.
    Classes {
        /// The target.
        target: String,
        /// The output.
        output: String,
        /// What the classes are called.
        names: Vec<String>,
        /// The lowest class.
        low: i64,
        /// Samples by target and prediction.
        counts: Vec<Vec<u64>>,
    },
    /// Numbers.
    Errors {
        /// The target.
        target: String,
        /// The output.
        output: String,
        /// Mean absolute error.
        absolute: f64,
        /// Root mean square error.
        square: f64,
        /// The share of the target's variance that is explained.
        explained: f64,
    },
}

/// Every output is held against every target that it fits.
pub fn find(fields: &[Field], columns: &[Values], predictions: &[Prediction], known: &Classes) -> Vec<Finding> {
    let mut found = Vec::new();
    for (field, values) in fields.iter().zip(columns).filter(|(f, _)| f.role == Role::Target) {
        let truth = values.to_f64();
        for prediction in predictions {
            found.extend(match field.range {
                Some(range) if field.shape.is_empty() => classes(field, range, &truth, prediction, known),
                _ if field.shape == prediction.shape => Some(numbers(field, &truth, prediction)),
                _ => None,
            });
            if let Some(finding) = two_classes(field, &truth, prediction) {
                found.push(finding);
            }
        }
    }
    found
}

/// A class for each sample: the output's own, or the place of its largest element.
fn classes(
    field: &Field,
    (low, high): (i64, i64),
    truth: &[f64],
    prediction: &Prediction,
    known: &Classes,
) -> Option<Finding> {
    let count = usize::try_from(high - low).ok()?;
    let choose: fn(&[f64]) -> usize = if prediction.whole && prediction.shape.is_empty() {
        |sample| sample[0] as usize
    } else if prediction.shape == [count] {
        |sample| {
            let mut best = 0;
            sample.iter().enumerate().for_each(|(k, v)| best = if *v > sample[best] { k } else { best });
            best
        }
    } else {
        return None;
    };
    let mut counts = vec![vec![0; count]; count];
    for (i, &target) in truth.iter().enumerate() {
        let row = counts.get_mut((target as i64 - low) as usize)?;
        *row.get_mut(choose(prediction.sample(i)))? += 1;
    }
    let name = |k: i64| {
        let known = known.of(&field.name).and_then(|names| names.get(usize::try_from(k - low).ok()?));
        known.cloned().unwrap_or_else(|| k.to_string())
    };
    let names = (low..high).map(name).collect();
    Some(Finding::Classes { target: field.name.clone(), output: prediction.name.clone(), names, low, counts })
}

/// A probability held against 0 and 1 counts as the class that it is nearer to.
fn two_classes(field: &Field, truth: &[f64], prediction: &Prediction) -> Option<Finding> {
    let fits = field.range.is_none() && field.len() == 1 && prediction.len() == 1;
    let is_class = truth.iter().all(|v| *v == 0.0 || *v == 1.0) && truth.contains(&0.0) && truth.contains(&1.0);
    let is_share = prediction.values.iter().all(|v| (0.0..=1.0).contains(v));
    if !(fits && is_class && is_share) {
        return None;
    }
    let mut counts = vec![vec![0; 2]; 2];
    truth.iter().zip(&prediction.values).for_each(|(t, p)| counts[*t as usize][usize::from(*p > 0.5)] += 1);
    let names = vec!["0".to_owned(), "1".to_owned()];
    Some(Finding::Classes { target: field.name.clone(), output: prediction.name.clone(), names, low: 0, counts })
}

fn numbers(field: &Field, truth: &[f64], prediction: &Prediction) -> Finding {
    let n = truth.len().max(1) as f64;
    let mean = truth.iter().sum::<f64>() / n;
    let sum = |f: &dyn Fn(f64, f64) -> f64| truth.iter().zip(&prediction.values).map(|(t, p)| f(*t, *p)).sum::<f64>();
    let square = sum(&|t, p| (t - p) * (t - p));
    Finding::Errors {
        target: field.name.clone(),
        output: prediction.name.clone(),
        absolute: sum(&|t, p| (t - p).abs()) / n,
        square: (square / n).sqrt(),
        explained: 1.0 - square / sum(&|t, _| (t - mean) * (t - mean)),
    }
}

/// Precision, recall, F1 and the number of samples of a class; NaN where there is nothing to
/// divide by.
fn of_class(counts: &[Vec<u64>], k: usize) -> (f64, f64, f64, u64) {
    let right = counts[k][k] as f64;
    let predicted: u64 = counts.iter().map(|row| row[k]).sum();
    let support: u64 = counts[k].iter().sum();
    let (precision, recall) = (right / predicted as f64, right / support as f64);
    (precision, recall, 2.0 * right / (predicted + support) as f64, support)
}

fn accuracy(counts: &[Vec<u64>]) -> f64 {
    let right: u64 = (0..counts.len()).map(|k| counts[k][k]).sum();
    right as f64 / counts.iter().flatten().sum::<u64>().max(1) as f64
}

/// For people.
pub fn text(samples: usize, loss: f64, metrics: &[(String, f64)], found: &[Finding]) -> String {
    let mut out = format!("samples  {samples}\nloss     {}\n", number(loss));
    metrics.iter().for_each(|(name, value)| out.push_str(&format!("{name:<8} {}\n", number(*value))));
    for finding in found {
        match finding {
            Finding::Errors { target, output, absolute, square, explained } => out.push_str(&format!(
                "\n`{output}` against `{target}`: mean absolute error {}, root mean square error {}, R² {}\n",
                number(*absolute),
                number(*square),
                number(*explained)
            )),
            Finding::Classes { target, output, names, counts, .. } => {
                out.push_str(&format!("\n`{output}` against `{target}`: {:.2} % right\n\n", 100.0 * accuracy(counts)));
                out.push_str(&class_table(names, counts));
                if counts.len() <= SHOWN {
                    out.push_str(&format!("\nrows: {target}, columns: predicted\n{}", matrix(names, counts)));
                }
            }
        }
    }
    out
}

fn class_table(names: &[String], counts: &[Vec<u64>]) -> String {
    let share = |x: f64| if x.is_finite() { format!("{x:.4}") } else { "-".to_owned() };
    let rows: Vec<Vec<String>> = (0..counts.len())
        .map(|k| {
            let (precision, recall, f1, support) = of_class(counts, k);
            vec![names[k].clone(), share(precision), share(recall), share(f1), support.to_string()]
        })
        .collect();
    table(&["class", "precision", "recall", "F1", "samples"], &rows, &[true; 5])
}

fn matrix(names: &[String], counts: &[Vec<u64>]) -> String {
    let head: Vec<&str> = std::iter::once("").chain(names.iter().map(String::as_str)).collect();
    let cell = |n: &u64| if *n == 0 { "·".to_owned() } else { n.to_string() };
    let rows: Vec<Vec<String>> = names
        .iter()
        .zip(counts)
        .map(|(name, row)| std::iter::once(name.clone()).chain(row.iter().map(cell)).collect())
        .collect();
    table(&head, &rows, &vec![true; head.len()])
}

/// For programs: one object on one line.
pub fn json(samples: usize, loss: f64, metrics: &[(String, f64)], found: &[Finding]) -> String {
    let metrics: serde_json::Map<String, Value> = metrics.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
    let found: Vec<Value> = found
        .iter()
        .map(|finding| match finding {
            Finding::Errors { target, output, absolute, square, explained } => json!({
                "target": target, "output": output,
                "mean_absolute_error": absolute, "root_mean_square_error": square, "r2": explained,
            }),
            Finding::Classes { target, output, names, low, counts } => {
                let classes: Vec<Value> = (0..counts.len())
                    .map(|k| {
                        let (precision, recall, f1, support) = of_class(counts, k);
                        let class = low + k as i64;
                        json!({"class": class, "name": names[k], "precision": precision, "recall": recall, "f1": f1, "samples": support})
                    })
                    .collect();
                json!({
                    "target": target, "output": output, "accuracy": accuracy(counts),
                    "confusion": counts, "classes": classes,
                })
            }
        })
        .collect();
    format!("{}\n", json!({"samples": samples, "loss": loss, "metrics": metrics, "comparisons": found}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::field::tests::class;

    fn prediction(shape: &[usize], values: &[f64]) -> Prediction {
        Prediction {
            name: "p".into(),
            shape: shape.to_vec(),
            whole: false,
            range: None,
            names: Vec::new(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn the_largest_output_is_the_class_and_counts_follow() {
        let field = class("label", 2);
        let p = prediction(&[2], &[0.9, 0.1, 0.4, 0.6, 0.8, 0.2]);
        let found = find(&[field], &[Values::U32(vec![0, 1, 1])], &[p], &Classes::default());
        let [Finding::Classes { counts, .. }] = found.as_slice() else { panic!() };
        assert_eq!(counts, &[vec![1, 0], vec![1, 1]]);
        assert_eq!(of_class(counts, 1), (1.0, 0.5, 2.0 / 3.0, 2));
        assert!((accuracy(counts) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn numbers_have_errors_and_a_share_explained() {
        let field = Field { role: Role::Target, ..crate::train::field::tests::real("y", &[]) };
        let found = find(
            &[field],
            &[Values::F32(vec![1.0, 2.0, 3.0])],
            &[prediction(&[], &[1.0, 2.0, 4.0])],
            &Classes::default(),
        );
        let [Finding::Errors { absolute, square, explained, .. }] = found.as_slice() else { panic!() };
        assert!((absolute - 1.0 / 3.0).abs() < 1e-12 && (square * square - 1.0 / 3.0).abs() < 1e-12);
        assert!((explained - 0.5).abs() < 1e-12);
    }
}
