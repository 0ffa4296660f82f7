//! The inputs and targets of a model as data must bring them, and the numbers brought.

use gdc_ir::Ty;
use gdc_ir::graph::{Entry, Model, Named, NodeId, Precision};
use gdc_ir::program::Elem;
use std::fmt;

/// Whether a field is given for prediction too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Always given.
    Input,
    /// Given for training and evaluation.
    Target,
}

/// One input or target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// As declared.
    pub name: String,
    /// Input or target.
    pub role: Role,
    /// Of one sample.
    pub shape: Vec<usize>,
    /// As the generated program stores it.
    pub elem: Elem,
    /// For integers: values lie in `low..high`.
    pub range: Option<(i64, i64)>,
}

impl Field {
    /// The inputs, then the targets, in declared order.
    pub fn all(model: &Model) -> Vec<Field> {
        let inputs = model.inputs.iter().map(|&n| Field::new(model, n, Role::Input));
        inputs.chain(model.targets.iter().map(|&n| Field::new(model, n, Role::Target))).collect()
    }

    /// The inputs of an entry point, in order.
    pub fn of_entry(model: &Model, entry: &Entry) -> Vec<Field> {
        let own = |input: &Named| Field { name: input.name.clone(), ..Field::new(model, input.node, Role::Input) };
        entry.inputs.iter().map(own).collect()
    }

    fn new(model: &Model, id: NodeId, role: Role) -> Field {
        let node = model.graph.node(id);
        let elem = match node.ty {
            Ty::Real if model.precision == Precision::F64 => Elem::F64,
            Ty::Real => Elem::F32,
            Ty::Bool => Elem::Bool,
            Ty::Int if node.range.is_some_and(|(low, _)| low < 0) => Elem::I32,
            Ty::Int => Elem::U32,
        };
        let skip = usize::from(node.per_sample);
        let shape = node.shape.get(skip..).unwrap_or(&[]).to_vec();
        Field { name: node.name.clone(), role, shape, elem, range: node.range }
    }

    /// The number of elements of one sample.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Random numbers that the field can hold: normal for inputs, between 0 and 1 for targets,
    /// which may be probabilities.
    pub fn made_up(&self, samples: usize, seed: u64, site: u64) -> Values {
        let mut values = Values::for_field(self, samples * self.len());
        for i in 0..(samples * self.len()) as u64 {
            let even = gdc_interp::uniform(Precision::F64, seed, site, i);
            let number = match self.range {
                Some((low, high)) => low as f64 + (even * (high - low) as f64).floor(),
                None if self.elem == Elem::Bool => even.round(),
                None if self.role == Role::Target => even,
                None => gdc_interp::normal(Precision::F64, seed, site, i),
            };
            // In range by construction.
            drop(values.push(self, number));
        }
        values
    }

    /// `target label: [] in 0..10`, for messages.
    pub fn declared(&self) -> String {
        let role = match self.role {
            Role::Input => "input",
            Role::Target => "target",
        };
        let range = self.range.map(|(low, high)| format!(" in {low}..{high}")).unwrap_or_default();
        format!("{role} {}: {}{range}", self.name, Shape(&self.shape))
    }
}

/// Shows a shape as the language writes it: `[8, 8]`.
pub struct Shape<'a>(pub &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes: Vec<String> = self.0.iter().map(usize::to_string).collect();
        write!(f, "[{}]", axes.join(", "))
    }
}

/// The numbers of one field for all samples, sample after sample, row-major.
#[derive(Clone, PartialEq, Debug)]
pub enum Values {
    /// `f32`
    F32(Vec<f32>),
    /// `f64`
    F64(Vec<f64>),
    /// `u32`
    U32(Vec<u32>),
    /// `i32`
    I32(Vec<i32>),
    /// `bool`
    Bool(Vec<bool>),
}

impl Values {
    /// None yet, with room for `capacity` of them.
    pub fn for_field(field: &Field, capacity: usize) -> Values {
        match field.elem {
            Elem::F32 => Values::F32(Vec::with_capacity(capacity)),
            Elem::F64 => Values::F64(Vec::with_capacity(capacity)),
            Elem::U32 | Elem::U64 => Values::U32(Vec::with_capacity(capacity)),
            Elem::I32 => Values::I32(Vec::with_capacity(capacity)),
            Elem::Bool => Values::Bool(Vec::with_capacity(capacity)),
        }
    }

    /// Adds a number after checking that the field can hold it; the error says why not.
    pub fn push(&mut self, field: &Field, number: f64) -> Result<(), String> {
        if number.is_nan() {
            return Err("a missing number (NaN)".to_owned());
        }
        if number.is_infinite() {
            return Err(format!("{number}, which is not finite"));
        }
        if let Some((low, high)) = field.range {
            if number.fract() != 0.0 {
                return Err(format!("{number}, which is not an integer"));
            }
            if number < low as f64 || number >= high as f64 {
                return Err(format!("{number}, which is not in {low}..{high}"));
            }
        }
        match self {
            Values::F32(list) if (number as f32).is_finite() => list.push(number as f32),
            Values::F32(_) => return Err(format!("{number:e}, which is too large for f32")),
            Values::F64(list) => list.push(number),
            Values::U32(list) => list.push(whole(number)?),
            Values::I32(list) => list.push(whole(number)?),
            Values::Bool(list) if number == 0.0 || number == 1.0 => list.push(number == 1.0),
            Values::Bool(_) => return Err(format!("{number}, which is neither 0 nor 1")),
        }
        Ok(())
    }

    /// The first `n` elements.
    pub fn head(&self, n: usize) -> Values {
        match self {
            Values::F32(list) => Values::F32(list[..n.min(list.len())].to_vec()),
            Values::F64(list) => Values::F64(list[..n.min(list.len())].to_vec()),
            Values::U32(list) => Values::U32(list[..n.min(list.len())].to_vec()),
            Values::I32(list) => Values::I32(list[..n.min(list.len())].to_vec()),
            Values::Bool(list) => Values::Bool(list[..n.min(list.len())].to_vec()),
        }
    }

    /// The samples at some places, each of `len` elements.
    pub fn select(&self, places: &[usize], len: usize) -> Values {
        fn pick<T: Copy>(list: &[T], places: &[usize], len: usize) -> Vec<T> {
            places.iter().flat_map(|&i| list[i * len..(i + 1) * len].iter().copied()).collect()
        }
        match self {
            Values::F32(list) => Values::F32(pick(list, places, len)),
            Values::F64(list) => Values::F64(pick(list, places, len)),
            Values::U32(list) => Values::U32(pick(list, places, len)),
            Values::I32(list) => Values::I32(pick(list, places, len)),
            Values::Bool(list) => Values::Bool(pick(list, places, len)),
        }
    }

    /// All elements as `f64`; false is 0 and true 1.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Values::F32(list) => list.iter().map(|&v| f64::from(v)).collect(),
            Values::F64(list) => list.clone(),
            Values::U32(list) => list.iter().map(|&v| f64::from(v)).collect(),
            Values::I32(list) => list.iter().map(|&v| f64::from(v)).collect(),
            Values::Bool(list) => list.iter().map(|&v| f64::from(u8::from(v))).collect(),
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(list) => list.len(),
            Values::F64(list) => list.len(),
            Values::U32(list) => list.len(),
            Values::I32(list) => list.len(),
            Values::Bool(list) => list.len(),
        }
    }
}

fn whole<T: TryFrom<i64>>(number: f64) -> Result<T, String> {
    let refused = || format!("{number}, which is not an integer that fits");
    if number.fract() != 0.0 || number.abs() > 9.0e15 {
        return Err(refused());
    }
    T::try_from(number as i64).map_err(|_| refused())
}

/// How many samples an array of shape `found` holds for the field: its first axis, if the
/// others are the field's or the same elements grouped otherwise (`[64]` for `[8, 8]`). The
/// error names both shapes.
pub fn samples_of(field: &Field, found: &[usize], place: &str) -> Result<usize, String> {
    let Some((&samples, rest)) = found.split_first() else {
        return Err(format!(
            "{place} is a single number; `{}` needs an array whose first axis is the samples",
            field.declared()
        ));
    };
    if regroups(rest, &field.shape) {
        return Ok(samples);
    }
    let (wanted, brought) = (field.len(), rest.iter().product::<usize>());
    let help = if found == field.shape {
        " (the axis of samples is missing: write the one sample as the first of its axis)"
    } else if wanted == brought {
        " (the same number of elements, but the axes differ in more than grouping)"
    } else {
        ""
    };
    Err(format!(
        "{place} holds {} = {samples} samples of {} ({brought} numbers each), but `{}` takes {} ({wanted} numbers){help}",
        Shape(found),
        Shape(rest),
        field.declared(),
        Shape(&field.shape),
    ))
}

/// Whether one shape merges neighbouring axes of the other, so that the elements in
/// row-major order mean the same.
pub fn regroups(a: &[usize], b: &[usize]) -> bool {
    let (a, b) = (strides(a), strides(b));
    let within = |x: &[usize], y: &[usize]| x.iter().all(|s| y.contains(s));
    a.last() == b.last() && (within(&a, &b) || within(&b, &a))
}

/// The products of the first 1, 2, ... axes, and 1 for none.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut product = 1usize;
    let products = shape.iter().map(|&n| {
        product = product.saturating_mul(n);
        product
    });
    std::iter::once(1).chain(products).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn real(name: &str, shape: &[usize]) -> Field {
        Field { name: name.into(), role: Role::Input, shape: shape.to_vec(), elem: Elem::F32, range: None }
    }

    pub fn class(name: &str, classes: i64) -> Field {
        let range = Some((0, classes));
        Field { name: name.into(), role: Role::Target, shape: vec![], elem: Elem::U32, range }
    }

    #[test]
    fn groupings_of_the_same_elements_fit() {
        for (a, b) in [(&[64][..], &[8, 8][..]), (&[8, 8, 1], &[8, 8]), (&[], &[1]), (&[2, 12], &[2, 3, 4])] {
            assert!(regroups(a, b) && regroups(b, a), "{a:?} {b:?}");
        }
        for (a, b) in [(&[4, 16][..], &[16, 4][..]), (&[63], &[8, 8]), (&[2], &[])] {
            assert!(!regroups(a, b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_wrong_shape_names_both_sides() {
        let error = samples_of(&real("image", &[8, 8]), &[100, 8, 9], "x.npy").unwrap_err();
        assert_eq!(
            error,
            "x.npy holds [100, 8, 9] = 100 samples of [8, 9] (72 numbers each), \
             but `input image: [8, 8]` takes [8, 8] (64 numbers)"
        );
        let error = samples_of(&real("image", &[8, 8]), &[8, 8], "x.npy").unwrap_err();
        assert!(error.contains("axis of samples is missing"), "{error}");
    }

    #[test]
    fn numbers_are_checked() {
        let label = class("label", 10);
        let mut values = Values::for_field(&label, 0);
        assert_eq!(values.push(&label, 9.0), Ok(()));
        assert_eq!(values.push(&label, 10.0), Err("10, which is not in 0..10".into()));
        assert_eq!(values.push(&label, -1.0), Err("-1, which is not in 0..10".into()));
        assert_eq!(values.push(&label, 0.5), Err("0.5, which is not an integer".into()));
        assert_eq!(values.push(&label, f64::NAN), Err("a missing number (NaN)".into()));
        assert_eq!(values, Values::U32(vec![9]));
        let x = real("x", &[]);
        let mut values = Values::for_field(&x, 0);
        assert_eq!(values.push(&x, 1e39), Err("1e39, which is too large for f32".into()));
        assert_eq!(values.push(&x, 0.5), Ok(()));
        assert_eq!(values, Values::F32(vec![0.5]));
    }
}
