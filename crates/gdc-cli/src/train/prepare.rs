//! What happens to data before training: splitting off validation data, and normalisation.

use super::data::Dataset;
use super::field::{Field, Role, Values};
use super::weights::{Slot, Tensor};
use crate::fault::{Fault, Outcome};
use gdc_ir::graph::Precision;
use gdc_ir::program::Elem;

/// The site of the draws that choose validation samples.
const SITE: u64 = 0x0073_706c_6974;
/// What tensors of a normalisation are called in a file of weights.
const PREFIX: &str = "normalise/";

/// Splits off a part of the samples, chosen by the seed; both keep their order.
pub fn split(data: Dataset, fields: &[Field], part: f64, seed: u64) -> Outcome<(Dataset, Dataset)> {
    let n = data.samples;
    let held = ((n as f64 * part).round() as usize).max(1);
    if held >= n {
        return Err(Fault::input(format!("{n} samples are too few to keep {held} of them for validation")));
    }
    let draw = |i: usize| gdc_interp::uniform(Precision::F64, seed, SITE, i as u64);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| draw(a).total_cmp(&draw(b)).then(a.cmp(&b)));
    let mut chosen = order[..held].to_vec();
    chosen.sort_unstable();
    let others: Vec<usize> = (0..n).filter(|i| chosen.binary_search(i).is_err()).collect();
    let take = |places: &[usize], notes| Dataset {
        samples: places.len(),
        columns: fields.iter().zip(&data.columns).map(|(f, v)| v.select(places, f.len())).collect(),
        notes,
    };
    Ok((take(&others, data.notes.clone()), take(&chosen, Vec::new())))
}

/// Mean and standard deviation of each element of an input.
#[derive(Clone, PartialEq, Debug)]
pub struct Normalisation {
    /// The input.
    pub name: String,
    shape: Vec<usize>,
    /// In the precision of the input.
    mean: Vec<f64>,
    /// Likewise; 1 for an element that never varies.
    deviation: Vec<f64>,
}

impl Normalisation {
    /// Of the inputs of some names, over the training data; `all` means every input of reals.
    pub fn of(names: &[String], fields: &[Field], data: &Dataset) -> Outcome<Vec<Normalisation>> {
        let is_real = |f: &Field| matches!(f.elem, Elem::F32 | Elem::F64);
        let real = |f: &Field| f.role == Role::Input && f.range.is_none() && is_real(f);
        for name in names.iter().filter(|n| *n != "all") {
            match fields.iter().find(|f| f.name == *name) {
                Some(field) if real(field) => {}
                Some(field) => {
                    return Err(Fault::call(format!(
                        "--normalize {name}: `{}` is no input of real numbers",
                        field.declared()
                    )));
                }
                None => return Err(Fault::call(format!("--normalize {name}: the model has no `{name}`"))),
            }
        }
        let wanted = |f: &Field| real(f) && names.iter().any(|n| *n == f.name || n == "all");
        let columns = fields.iter().zip(&data.columns).filter(|(f, _)| wanted(f));
        Ok(columns.map(|(f, v)| Normalisation::measured(f, &v.to_f64(), data.samples)).collect())
    }

    fn measured(field: &Field, values: &[f64], samples: usize) -> Normalisation {
        let len = field.len();
        let n = samples.max(1) as f64;
        let over =
            |k: usize, f: &dyn Fn(f64) -> f64| values.iter().skip(k).step_by(len).map(|v| f(*v)).sum::<f64>() / n;
        let mean: Vec<f64> = (0..len).map(|k| over(k, &|v| v)).collect();
        let deviation = (0..len).map(|k| over(k, &|v| (v - mean[k]) * (v - mean[k])).sqrt());
        let narrow = field.elem == Elem::F32;
        let rounded = |x: f64| if narrow { f64::from(x as f32) } else { x };
        let deviation = deviation.map(|d| if d > 0.0 { rounded(d) } else { 1.0 }).collect();
        let mean = mean.iter().map(|m| rounded(*m)).collect();
        Normalisation { name: field.name.clone(), shape: field.shape.clone(), mean, deviation }
    }

    /// Subtracts the mean and divides by the deviation.
    pub fn apply(&self, fields: &[Field], columns: &mut [Values]) {
        for (field, values) in fields.iter().zip(columns) {
            let moments = self.mean.iter().zip(&self.deviation).cycle();
            match values {
                _ if field.name != self.name => {}
                Values::F32(list) => {
                    let narrow = moments.map(|(m, d)| (*m as f32, *d as f32));
                    list.iter_mut().zip(narrow).for_each(|(v, (m, d))| *v = (*v - m) / d);
                }
                Values::F64(list) => list.iter_mut().zip(moments).for_each(|(v, (m, d))| *v = (*v - m) / d),
                Values::U32(_) | Values::I32(_) | Values::Bool(_) => {}
            }
        }
    }

    /// As they stand in a file of weights.
    pub fn tensors(&self) -> [Tensor; 2] {
        let slot = |kind: &str| Slot { name: format!("{PREFIX}{}/{kind}", self.name), shape: self.shape.clone() };
        [
            Tensor { slot: slot("mean"), values: self.mean.clone() },
            Tensor { slot: slot("deviation"), values: self.deviation.clone() },
        ]
    }

    /// The slots that a file of weights may have for the inputs of a model.
    pub fn slots(fields: &[Field]) -> Vec<Slot> {
        let of = |f: &Field| {
            ["mean", "deviation"]
                .map(|kind| Slot { name: format!("{PREFIX}{}/{kind}", f.name), shape: f.shape.clone() })
        };
        fields.iter().filter(|f| f.role == Role::Input).flat_map(of).collect()
    }

    /// Takes the normalisations out of what a file of weights held.
    pub fn take(tensors: &mut Vec<Tensor>) -> Vec<Normalisation> {
        let (own, others): (Vec<Tensor>, Vec<Tensor>) =
            std::mem::take(tensors).into_iter().partition(|t| t.slot.name.starts_with(PREFIX));
        *tensors = others;
        let part = |t: &Tensor, kind: &str| {
            t.slot.name.strip_prefix(PREFIX).and_then(|n| n.strip_suffix(kind)).map(str::to_owned)
        };
        own.iter()
            .filter_map(|mean| {
                let name = part(mean, "/mean")?;
                let deviation = own.iter().find(|t| part(t, "/deviation").as_ref() == Some(&name))?;
                let (shape, mean) = (mean.slot.shape.clone(), mean.values.clone());
                Some(Normalisation { name, shape, mean, deviation: deviation.values.clone() })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::tests::{class, real};
    use super::*;

    fn data() -> (Vec<Field>, Dataset) {
        let fields = vec![real("x", &[2]), class("y", 5)];
        let columns = vec![Values::F32(vec![1.0, 7.0, 3.0, 7.0, 5.0, 7.0, 7.0, 7.0]), Values::U32(vec![0, 1, 2, 3])];
        (fields, Dataset { samples: 4, columns, notes: Vec::new() })
    }

    #[test]
    fn a_part_is_split_off_and_nothing_is_lost() {
        let (fields, data) = data();
        let (train, held) = split(data, &fields, 0.25, 3).unwrap();
        assert_eq!((train.samples, held.samples), (3, 1));
        let mut all = [train.columns[1].to_f64(), held.columns[1].to_f64()].concat();
        all.sort_by(f64::total_cmp);
        assert_eq!(all, [0.0, 1.0, 2.0, 3.0]);
        let label = held.columns[1].to_f64()[0];
        assert_eq!(held.columns[0].to_f64(), [1.0 + 2.0 * label, 7.0]);
    }

    #[test]
    fn columns_get_mean_0_and_deviation_1_and_constants_stay_finite() {
        let (fields, mut data) = data();
        let all = Normalisation::of(&["all".into()], &fields, &data).unwrap();
        assert_eq!(all.len(), 1);
        all[0].apply(&fields, &mut data.columns);
        let x = data.columns[0].to_f64();
        assert!((x[0] + x[2] + x[4] + x[6]).abs() < 1e-6 && (x[0] + 3.0 / 5.0_f64.sqrt()).abs() < 1e-6, "{x:?}");
        assert_eq!(x[1], 0.0);
        let mut tensors: Vec<Tensor> = all[0].tensors().into();
        assert_eq!(Normalisation::take(&mut tensors), all);
        assert!(tensors.is_empty());
        assert!(Normalisation::of(&["y".into()], &fields, &data).is_err());
        assert!(Normalisation::of(&["z".into()], &fields, &data).is_err());
    }
}
