//! NPY and NPZ, NumPy's files of one and of several arrays.

use super::{Array, Error, Precision};
use ndarray::{ArrayD, IxDyn, OwnedRepr};
use ndarray_npy::{NpzReader, ReadNpyError, ReadNpzError, ReadableElement};
use std::format;
use std::io::{Cursor, Read, Seek};
use std::path::Path;
use std::prelude::rust_2024::*;

/// Reads an NPY file.
///
/// # Errors
///
/// The file cannot be read, is no NPY file, or holds elements other than real numbers,
/// integers and booleans.
pub fn read_npy(path: impl AsRef<Path>) -> Result<Array, Error> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|e| Error::new(path, e))?;
    any_type(&mut Bytes(&bytes)).map_err(|what| Error::new(path, what))
}

/// Reads the array `name` of an NPZ file.
///
/// # Errors
///
/// As for [`read_npy`]; or there is no array of that name, and the error lists those there are.
pub fn read_npz(path: impl AsRef<Path>, name: &str) -> Result<Array, Error> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|e| Error::new(path, e))?;
    let mut zip = NpzReader::new(Cursor::new(bytes.as_slice())).map_err(|e| Error::new(path, e))?;
    let names = zip.names().map_err(|e| Error::new(path, e))?;
    if !names.iter().any(|n| n == name) {
        return Err(Error::new(path, format!("it has no array `{name}`, but {}", names.join(", "))));
    }
    any_type(&mut Member { zip, name }).map_err(|what| Error::new(path, format!("`{name}`: {what}")))
}

/// Something that can be asked for an array again with another type of element.
trait Source {
    /// The array; no array if its elements are of another type.
    fn of<T: ReadableElement>(&mut self) -> Result<Option<ArrayD<T>>, String>;
}

struct Bytes<'a>(&'a [u8]);

impl Source for Bytes<'_> {
    fn of<T: ReadableElement>(&mut self) -> Result<Option<ArrayD<T>>, String> {
        match <ArrayD<T> as ndarray_npy::ReadNpyExt>::read_npy(self.0) {
            Ok(array) => Ok(Some(array)),
            Err(ReadNpyError::WrongDescriptor(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

struct Member<'a, R: Read + Seek> {
    zip: NpzReader<R>,
    name: &'a str,
}

impl<R: Read + Seek> Source for Member<'_, R> {
    fn of<T: ReadableElement>(&mut self) -> Result<Option<ArrayD<T>>, String> {
        match self.zip.by_name::<OwnedRepr<T>, IxDyn>(self.name) {
            Ok(array) => Ok(Some(array)),
            Err(ReadNpzError::Npy(ReadNpyError::WrongDescriptor(_))) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Tries each type of element in turn. Reals keep their precision, and integers are `f32` where
/// that holds all of them exactly, else `f64`.
fn any_type(source: &mut impl Source) -> Result<Array, String> {
    macro_rules! first_of {
        ($($element:ty => $convert:expr),* $(,)?) => {
            $(if let Some(array) = source.of::<$element>()? {
                return whole(array, $convert);
            })*
        };
    }
    if let Some(array) = source.of::<f32>()? {
        return flat(&array, array.iter().copied().collect());
    }
    if let Some(array) = source.of::<f64>()? {
        return flat(&array, array.iter().copied().collect());
    }
    first_of! {
        u8 => i128::from,
        i8 => i128::from,
        u16 => i128::from,
        i16 => i128::from,
        u32 => i128::from,
        i32 => i128::from,
        u64 => i128::from,
        i64 => i128::from,
        bool => i128::from,
    }
    Err("its elements are neither real numbers, integers nor booleans".to_owned())
}

fn whole<T: Copy>(array: ArrayD<T>, convert: impl Fn(T) -> i128) -> Result<Array, String> {
    // Iteration is row-major, in whichever order the file keeps the elements.
    let values: Vec<i128> = array.iter().map(|&x| convert(x)).collect();
    let narrow = values.iter().map(|&n| (n as f32 as i128 == n).then_some(n as f32)).collect::<Option<Vec<f32>>>();
    if let Some(narrow) = narrow {
        return flat(&array, narrow);
    }
    let wide = values.iter().map(|&n| (n as f64 as i128 == n).then_some(n as f64)).collect::<Option<Vec<f64>>>();
    flat(&array, wide.ok_or("it holds an integer that f64 cannot hold exactly")?)
}

/// Numbers under the extents of the array that they come from.
fn flat<T, P: Precision>(array: &ArrayD<T>, values: Vec<P>) -> Result<Array, String> {
    Array::new(array.shape().to_vec(), values).map_err(|e| e.to_string())
}
