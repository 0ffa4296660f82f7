//! Models and trainers in any format of `serde` (feature `serde`): a map from the name of
//! each tensor to its numbers in row-major order.
//!
//! A field of a struct of one's own takes `#[serde(with = "gdc::serde")]`; alone,
//! [`Tensors`] wraps a reference for writing, and [`load`] reads into a model.
//!
//! ```
//! gdc::network! {
//!     model Line {
//!         input x: [];
//!         target y: [];
//!         param w = 2.0;
//!         output p = w * x;
//!         loss (p - y)^2;
//!         optimizer sgd(lr = 0.1);
//!         train { batch = 1; }
//!     }
//! }
//!
//! # fn main() -> Result<(), serde_json::Error> {
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Robot {
//!     name: String,
//!     #[serde(with = "gdc::serde")]
//!     controller: Line,
//! }
//!
//! let robot = Robot { name: "r2".into(), controller: Line::new(0) };
//! let text = serde_json::to_string(&robot)?;
//! assert_eq!(text, r#"{"name":"r2","controller":{"w":[2.0]}}"#);
//! assert_eq!(serde_json::from_str::<Robot>(&text)?.controller.w, 2.0);
//! # Ok(())
//! # }
//! ```

use crate::rt::NamedTensors;
use core::fmt;
use core::marker::PhantomData;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use std::format;
use std::prelude::rust_2024::*;

/// Writes a model through a reference.
pub struct Tensors<'a, M>(pub &'a M);

impl<M: NamedTensors<Real: serde::Serialize>> serde::Serialize for Tensors<'_, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, serializer)
    }
}

/// Writes the tensors of a model.
///
/// # Errors
///
/// Those of the format.
pub fn serialize<M, S>(model: &M, serializer: S) -> Result<S::Ok, S::Error>
where
    M: NamedTensors<Real: serde::Serialize>,
    S: Serializer,
{
    let mut count = 0;
    model.tensors(&mut |_, _, _| count += 1);
    let mut map = serializer.serialize_map(Some(count))?;
    let mut result = Ok(());
    model.tensors(&mut |name, _, values| {
        if result.is_ok() {
            result = map.serialize_entry(name, values);
        }
    });
    result?;
    map.end()
}

/// Reads the tensors of a model.
///
/// # Errors
///
/// Those of the format; or a tensor is missing, unknown or of another length.
pub fn deserialize<'de, M, D>(deserializer: D) -> Result<M, D::Error>
where
    M: NamedTensors<Real: Deserialize<'de>>,
    D: Deserializer<'de>,
{
    let mut model = M::zero();
    load(&mut model, deserializer)?;
    Ok(model)
}

/// Reads the tensors into a model that is there.
///
/// # Errors
///
/// As for [`deserialize`]. Tensors before the error have been read then.
pub fn load<'de, M, D>(model: &mut M, deserializer: D) -> Result<(), D::Error>
where
    M: NamedTensors<Real: Deserialize<'de>>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(Into { model, done: Vec::new() })
}

/// Puts what a map holds into a model.
struct Into<'a, M> {
    model: &'a mut M,
    done: Vec<String>,
}

impl<'de, M: NamedTensors<Real: Deserialize<'de>>> Visitor<'de> for Into<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from names of tensors to their numbers")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let mut outcome = None;
            self.model.tensors_mut(&mut |found, _, values| {
                if found == name && outcome.is_none() {
                    outcome = Some(map.next_value_seed(Numbers { name: &name, values, format: PhantomData }));
                }
            });
            outcome.ok_or_else(|| A::Error::custom(format!("the model has no `{name}`")))??;
            self.done.push(name);
        }
        let mut missing = None;
        self.model.tensors(&mut |name, _, _| {
            if missing.is_none() && !self.done.iter().any(|d| d == name) {
                missing = Some(name.to_string());
            }
        });
        missing.map_or(Ok(()), |name| Err(A::Error::custom(format!("`{name}` is missing"))))
    }
}

/// Fills one tensor.
struct Numbers<'a, 'de, R> {
    name: &'a str,
    values: &'a mut [R],
    format: PhantomData<&'de ()>,
}

impl<'de, R: Deserialize<'de>> DeserializeSeed<'de> for Numbers<'_, 'de, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, R: Deserialize<'de>> Visitor<'de> for Numbers<'_, 'de, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} numbers of `{}`", self.values.len(), self.name)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let wanted = self.values.len();
        for (i, value) in self.values.iter_mut().enumerate() {
            *value = seq
                .next_element()?
                .ok_or_else(|| A::Error::custom(format!("`{}` has {i} numbers, but {wanted} are needed", self.name)))?;
        }
        match seq.next_element::<R>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom(format!("`{}` has more than {wanted} numbers", self.name))),
        }
    }
}
