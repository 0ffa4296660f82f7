//! IDX files, the format of the MNIST digits: two zero bytes, a type, the number of axes,
//! the extents as big-endian u32, then the elements in big-endian row-major order.

use super::super::field::{Field, samples_of};
use super::{Column, fill};
use crate::fault::{At, Fault, Outcome};
use std::path::Path;

/// Whether a type byte is one of the format's.
pub fn is_type(byte: u8) -> bool {
    width(byte).is_some()
}

/// Bytes per element.
fn width(kind: u8) -> Option<usize> {
    match kind {
        0x08 | 0x09 => Some(1),
        0x0b => Some(2),
        0x0c | 0x0d => Some(4),
        0x0e => Some(8),
        _ => None,
    }
}

/// Loads one field. Numbers are taken as they are: bytes stay in `0..=255`.
pub fn load(path: &Path, field: &Field) -> Outcome<Column> {
    let bytes = std::fs::read(path).at("read", path)?;
    let place = path.display().to_string();
    let (kind, shape, data) =
        split(&bytes).map_err(|why| Fault::input(format!("{place} is not a whole IDX file: {why}")))?;
    let samples = samples_of(field, &shape, &place).map_err(Fault::Input)?;
    let width = width(kind).unwrap_or(1);
    fill(field, samples, &place, data.chunks_exact(width).map(|chunk| number(kind, chunk)))
}

/// The type byte, the extents and the bytes of the elements.
fn split(bytes: &[u8]) -> Result<(u8, Vec<usize>, &[u8]), String> {
    let [0, 0, kind, axes, rest @ ..] = bytes else {
        return Err("it does not start with two zero bytes, a type and a number of axes".to_owned());
    };
    let width = width(*kind).ok_or_else(|| format!("0x{kind:02x} is no type of the format"))?;
    let axes = usize::from(*axes);
    let (extents, data) =
        rest.split_at_checked(axes * 4).ok_or_else(|| format!("it ends within its {axes} extents"))?;
    let shape: Vec<usize> =
        extents.chunks_exact(4).map(|c| c.iter().fold(0, |n, &b| n << 8 | usize::from(b))).collect();
    let wanted = shape.iter().try_fold(width, |n, &extent| n.checked_mul(extent));
    if wanted != Some(data.len()) {
        let wanted = wanted.map_or("too many to count".to_owned(), |n| n.to_string());
        return Err(format!("its extents {shape:?} need {wanted} bytes of elements, and {} follow", data.len()));
    }
    Ok((*kind, shape, data))
}

fn number(kind: u8, chunk: &[u8]) -> f64 {
    let bits = chunk.iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
    match kind {
        0x09 => f64::from(bits as u8 as i8),
        0x0b => f64::from(bits as u16 as i16),
        0x0c => f64::from(bits as u32 as i32),
        0x0d => f64::from(f32::from_bits(bits as u32)),
        0x0e => f64::from_bits(bits),
        _ => bits as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::field::Values;
    use super::super::super::field::tests::{class, real};
    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn bytes_become_numbers() {
        let (_folder, path) = file(&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 255]);
        let (samples, values) = load(&path, &real("image", &[2])).unwrap();
        assert_eq!((samples, values), (2, Values::F32(vec![1.0, 2.0, 3.0, 255.0])));
    }

    #[test]
    fn wider_types_are_big_endian() {
        let mut bytes = vec![0, 0, 0x0c, 1, 0, 0, 0, 2];
        bytes.extend((-5i32).to_be_bytes());
        bytes.extend(70_000i32.to_be_bytes());
        let (_folder, path) = file(&bytes);
        assert_eq!(load(&path, &real("x", &[])).unwrap().1, Values::F32(vec![-5.0, 70_000.0]));
    }

    #[test]
    fn a_truncated_file_says_how_much_is_missing() {
        let (_folder, path) = file(&[0, 0, 8, 1, 0, 0, 0, 3, 1, 2]);
        let fault = load(&path, &class("label", 10)).unwrap_err();
        assert!(
            matches!(fault, Fault::Input(m) if m.ends_with("its extents [3] need 3 bytes of elements, and 2 follow"))
        );
        let (_folder, path) = file(&[0, 0, 8, 2, 0, 0]);
        let fault = load(&path, &class("label", 10)).unwrap_err();
        assert!(matches!(fault, Fault::Input(m) if m.ends_with("it ends within its 2 extents")));
    }

    #[test]
    fn a_bad_label_names_its_sample() {
        let (_folder, path) = file(&[0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 10]);
        let fault = load(&path, &class("label", 10)).unwrap_err();
        assert!(matches!(fault, Fault::Input(m) if m.ends_with("sample 2: `label` is 10, which is not in 0..10")));
    }
}
