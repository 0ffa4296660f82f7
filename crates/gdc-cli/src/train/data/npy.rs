//! NPY and NPZ files, as NumPy writes them. Every numeric type becomes f64 on the way.

use super::super::field::{Field, samples_of};
use super::{Column, fill};
use crate::fault::{At, Fault, Outcome};
use ndarray::ArrayD;
use ndarray_npy::{NpzReader, ReadDataError, ReadNpyError, ReadNpyExt, ReadNpzError, ReadableElement};
use py_literal::Value as PyValue;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// A number of any type that a file may hold.
#[derive(Clone, Copy)]
struct Number(f64);

impl ReadableElement for Number {
    fn read_to_end_exact_vec<R: Read>(reader: R, descriptor: &PyValue, len: usize) -> Result<Vec<Self>, ReadDataError> {
        let wrong = || ReadDataError::WrongDescriptor(descriptor.clone());
        let PyValue::String(text) = descriptor else { return Err(wrong()) };
        let Some((width, decode)) = decoder(text) else { return Err(wrong()) };
        // The length comes from the file: reading piece by piece keeps a wrong one from
        // reserving memory that nothing fills.
        let mut reader = BufReader::new(reader);
        let mut numbers = Vec::new();
        let mut cell = [0u8; 8];
        for _ in 0..len {
            reader.read_exact(&mut cell[..width]).map_err(|e| match e.kind() {
                std::io::ErrorKind::UnexpectedEof => ReadDataError::MissingData,
                _ => ReadDataError::Io(e),
            })?;
            numbers.push(Number(decode(&cell[..width])));
        }
        match reader.bytes().count() {
            0 => Ok(numbers),
            extra => Err(ReadDataError::ExtraBytes(extra)),
        }
    }
}

type Decode = fn(&[u8]) -> f64;

/// Bytes per element and how to read them, for a type descriptor such as `<f4`.
fn decoder(descriptor: &str) -> Option<(usize, Decode)> {
    macro_rules! int_or_float {
        ($ty:ty, $from:ident) => {
            |bytes| <$ty>::$from(bytes.try_into().unwrap_or_default()) as f64
        };
    }
    let (order, kind) = descriptor.split_at_checked(1)?;
    let big = match order {
        "<" | "|" => false,
        ">" => true,
        "=" => cfg!(target_endian = "big"),
        _ => return None,
    };
    Some(match (kind, big) {
        ("b1", _) => (1, |bytes| f64::from(bytes[0] != 0)),
        ("u1", _) => (1, |bytes| f64::from(bytes[0])),
        ("i1", _) => (1, |bytes| f64::from(bytes[0] as i8)),
        ("u2", false) => (2, int_or_float!(u16, from_le_bytes)),
        ("u2", true) => (2, int_or_float!(u16, from_be_bytes)),
        ("i2", false) => (2, int_or_float!(i16, from_le_bytes)),
        ("i2", true) => (2, int_or_float!(i16, from_be_bytes)),
        ("u4", false) => (4, int_or_float!(u32, from_le_bytes)),
        ("u4", true) => (4, int_or_float!(u32, from_be_bytes)),
        ("i4", false) => (4, int_or_float!(i32, from_le_bytes)),
        ("i4", true) => (4, int_or_float!(i32, from_be_bytes)),
        ("u8", false) => (8, int_or_float!(u64, from_le_bytes)),
        ("u8", true) => (8, int_or_float!(u64, from_be_bytes)),
        ("i8", false) => (8, int_or_float!(i64, from_le_bytes)),
        ("i8", true) => (8, int_or_float!(i64, from_be_bytes)),
        ("f4", false) => (4, int_or_float!(f32, from_le_bytes)),
        ("f4", true) => (4, int_or_float!(f32, from_be_bytes)),
        ("f8", false) => (8, int_or_float!(f64, from_le_bytes)),
        ("f8", true) => (8, int_or_float!(f64, from_be_bytes)),
        _ => return None,
    })
}

/// Loads one field from an NPY file.
pub fn load_npy(path: &Path, field: &Field) -> Outcome<Column> {
    let file = File::open(path).at("read", path)?;
    let place = path.display().to_string();
    let array = ArrayD::<Number>::read_npy(file).map_err(|e| explain(&place, &e))?;
    column(field, &place, &array)
}

/// A named array: extents and numbers in row-major order.
pub type Named = (String, Vec<usize>, Vec<f64>);

/// All arrays of an NPZ file, by name.
pub fn load_all(path: &Path) -> Outcome<Vec<Named>> {
    let file = File::open(path).at("read", path)?;
    let broken = |e: ReadNpzError| Fault::input(format!("{} is not a whole NPZ file: {e}", path.display()));
    let mut archive = NpzReader::new(BufReader::new(file)).map_err(broken)?;
    let mut arrays = Vec::new();
    for name in archive.names().map_err(broken)? {
        let place = format!("{}:{name}", path.display());
        let array: ArrayD<Number> = archive.by_name(&name).map_err(|e| match e {
            ReadNpzError::Npy(e) => explain(&place, &e),
            other => broken(other),
        })?;
        arrays.push((name, array.shape().to_vec(), array.iter().map(|n| n.0).collect()));
    }
    Ok(arrays)
}

/// Loads fields from an NPZ file: the array of a field's name, or `array` where it is given.
pub fn load_npz(path: &Path, array: Option<&str>, fields: &[&Field]) -> Outcome<Vec<Column>> {
    let file = File::open(path).at("read", path)?;
    let broken = |e: ReadNpzError| Fault::input(format!("{} is not a whole NPZ file: {e}", path.display()));
    let mut archive = NpzReader::new(BufReader::new(file)).map_err(broken)?;
    let names = archive.names().map_err(broken)?;
    let missing: Vec<String> = fields
        .iter()
        .filter(|f| !names.iter().any(|n| n == array.unwrap_or(&f.name)))
        .map(|f| format!("`{}` (for `{}`)", array.unwrap_or(&f.name), f.declared()))
        .collect();
    if !missing.is_empty() {
        let first = fields.first().map_or("NAME", |f| &f.name);
        return Err(Fault::input(format!(
            "{} has no array {}; it has {}\n  help: write {first}={}:ARRAY to choose one",
            path.display(),
            missing.join(" nor "),
            names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "),
            path.display()
        )));
    }
    let mut columns = Vec::with_capacity(fields.len());
    for field in fields {
        let name = array.unwrap_or(&field.name);
        let place = format!("{}:{name}", path.display());
        let array: ArrayD<Number> = archive.by_name(name).map_err(|e| match e {
            ReadNpzError::Npy(e) => explain(&place, &e),
            other => broken(other),
        })?;
        columns.push(column(field, &place, &array)?);
    }
    Ok(columns)
}

/// Iterating an array goes in logical order, so Fortran order needs no care here.
fn column(field: &Field, place: &str, array: &ArrayD<Number>) -> Outcome<Column> {
    let samples = samples_of(field, array.shape(), place).map_err(Fault::Input)?;
    fill(field, samples, place, array.iter().map(|n| n.0))
}

fn explain(place: &str, error: &ReadNpyError) -> Fault {
    Fault::input(match error {
        ReadNpyError::MissingData => format!("{place} ends before the last of the elements that its header announces"),
        ReadNpyError::ExtraBytes(n) => format!("{place} has {n} bytes after its last element"),
        ReadNpyError::WrongDescriptor(PyValue::String(text)) => {
            let help = match text.get(1..2) {
                Some("U" | "S" | "O") => "; class names are not supported yet: number the classes from 0",
                _ => "",
            };
            format!(
                "{place} holds elements of type `{text}`; bool, i8 to i64, u8 to u64, f32 and f64 can be read{help}"
            )
        }
        ReadNpyError::WrongDescriptor(_) => format!("{place} holds records; one array per field can be read"),
        other => format!("{place} is not a whole NPY file: {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::field::Values;
    use super::super::super::field::tests::{class, real};
    use super::*;
    use ndarray::{Array1, Array2, ShapeBuilder, array};
    use ndarray_npy::{NpzWriter, WriteNpyExt};

    fn npy(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn bytes_of(array: &impl WriteNpyExt) -> Vec<u8> {
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        bytes
    }

    fn message(fault: Fault) -> String {
        match fault {
            Fault::Input(m) | Fault::Call(m) => m,
            Fault::Shown => String::new(),
        }
    }

    #[test]
    fn every_type_is_converted() {
        let wanted = Values::F32(vec![0.0, 1.0, 1.0]);
        let files = [
            bytes_of(&array![0u8, 1, 1]),
            bytes_of(&array![0i32, 1, 1]),
            bytes_of(&array![0i64, 1, 1]),
            bytes_of(&array![0f32, 1.0, 1.0]),
            bytes_of(&array![0f64, 1.0, 1.0]),
            bytes_of(&array![false, true, true]),
        ];
        for bytes in files {
            let (_folder, path) = npy("x.npy", &bytes);
            assert_eq!(load_npy(&path, &real("x", &[])).unwrap(), (3, wanted.clone()));
        }
    }

    #[test]
    fn fortran_order_is_read_row_by_row() {
        let mut array = Array2::<f64>::zeros((2, 3).f());
        array.iter_mut().enumerate().for_each(|(i, v)| *v = i as f64);
        let (_folder, path) = npy("x.npy", &bytes_of(&array));
        let (_, values) = load_npy(&path, &real("x", &[3])).unwrap();
        assert_eq!(values, Values::F32(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    }

    #[test]
    fn truncated_long_and_foreign_files_are_refused() {
        let bytes = bytes_of(&array![1f64, 2.0]);
        let (_folder, path) = npy("x.npy", &bytes[..bytes.len() - 1]);
        assert!(message(load_npy(&path, &real("x", &[])).unwrap_err()).contains("ends before the last"));
        let (_folder, path) = npy("x.npy", &[&bytes[..], b"?"].concat());
        assert!(message(load_npy(&path, &real("x", &[])).unwrap_err()).contains("1 bytes after"));
        let (_folder, path) = npy("x.npy", b"\x93NUMPY\x01\x00");
        assert!(message(load_npy(&path, &real("x", &[])).unwrap_err()).contains("not a whole NPY"));
        let headed =
            |dict: &str| [&b"\x93NUMPY\x01\x00"[..], &[dict.len() as u8 + 1, 0], dict.as_bytes(), b"\n"].concat();
        let (_folder, path) = npy("x.npy", &headed("{'descr': '<U3', 'fortran_order': False, 'shape': (1,)}"));
        let text = message(load_npy(&path, &real("x", &[])).unwrap_err());
        assert!(text.contains("`<U3`") && text.contains("class names"), "{text}");
        let huge = headed("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,)}");
        let (_folder, path) = npy("x.npy", &huge);
        assert!(message(load_npy(&path, &real("x", &[])).unwrap_err()).contains("ends before the last"));
    }

    #[test]
    fn archives_are_read_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.npz");
        let mut writer = NpzWriter::new_compressed(File::create(&path).unwrap());
        writer.add_array("image", &Array2::<u8>::ones((2, 4))).unwrap();
        writer.add_array("y", &Array1::<i64>::from(vec![3, 4])).unwrap();
        writer.finish().unwrap();
        let (image, label) = (real("image", &[2, 2]), class("label", 5));
        let text = message(load_npz(&path, None, &[&image, &label]).unwrap_err());
        assert!(text.contains("no array `label`") && text.contains("it has `image`, `y`"), "{text}");
        let columns = load_npz(&path, Some("y"), &[&label]).unwrap();
        assert_eq!(columns, vec![(2, Values::U32(vec![3, 4]))]);
        assert_eq!(load_npz(&path, None, &[&image]).unwrap()[0].1, Values::F32(vec![1.0; 8]));
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(message(load_npz(&path, None, &[&image]).unwrap_err()).contains("not a whole NPZ"));
    }
}
