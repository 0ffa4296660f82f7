//! NPY and NPZ, NumPy's files of one and of several arrays.

use super::{Array, Error};
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

/// Tries each type of element in turn.
fn any_type(source: &mut impl Source) -> Result<Array, String> {
    macro_rules! first_of {
        ($($element:ty => $convert:expr),* $(,)?) => {
            $(if let Some(array) = source.of::<$element>()? {
                return whole(array, $convert);
            })*
        };
    }
    first_of! {
        f32 => Some,
        f64 => |x| Some(x as f32),
        u8 => |x| Some(f32::from(x)),
        i8 => |x| Some(f32::from(x)),
        u16 => |x| Some(f32::from(x)),
        i16 => |x| Some(f32::from(x)),
        u32 => |x| exact(i128::from(x)),
        i32 => |x| exact(i128::from(x)),
        u64 => |x| exact(i128::from(x)),
        i64 => |x| exact(i128::from(x)),
        bool => |x| Some(f32::from(u8::from(x))),
    }
    Err("its elements are neither real numbers, integers nor booleans".to_owned())
}

fn exact(n: i128) -> Option<f32> {
    (n as f32 as i128 == n).then_some(n as f32)
}

fn whole<T: Copy>(array: ArrayD<T>, convert: impl Fn(T) -> Option<f32>) -> Result<Array, String> {
    // Iteration is row-major, in whichever order the file keeps the elements.
    let values = array.iter().map(|&x| convert(x)).collect::<Option<Vec<f32>>>();
    let values = values.ok_or("it holds an integer that f32 cannot hold exactly")?;
    Array::new(array.shape().to_vec(), values).map_err(|e| e.to_string())
}
