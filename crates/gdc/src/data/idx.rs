//! IDX files, the format in which the MNIST digits were published: two zero bytes, a type,
//! the number of axes, the extents as big-endian u32, then big-endian elements.

use super::{Array, Error};
use std::format;
use std::path::Path;
use std::prelude::rust_2024::*;

/// Reads an IDX file. Bytes stay in `0..=255`.
///
/// # Errors
///
/// The file cannot be read, or is no whole IDX file.
pub fn read_idx(path: impl AsRef<Path>) -> Result<Array, Error> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|e| Error::new(path, e))?;
    parse(&bytes).map_err(|what| Error::new(path, what))
}

fn parse(bytes: &[u8]) -> Result<Array, String> {
    let [0, 0, kind, axes, rest @ ..] = bytes else {
        return Err("no IDX file: it does not start with two zero bytes, a type and a number of axes".into());
    };
    let width = match kind {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        _ => return Err(format!("no IDX file: 0x{kind:02x} is no type of the format")),
    };
    let (extents, data) = rest.split_at_checked(usize::from(*axes) * 4).ok_or("it ends within its extents")?;
    let (extents, _) = extents.as_chunks::<4>();
    let shape: Vec<usize> = extents.iter().map(|&c| u32::from_be_bytes(c) as usize).collect();
    let wanted = shape.iter().try_fold(width, |n: usize, &extent| n.checked_mul(extent));
    if wanted != Some(data.len()) {
        return Err(format!("its extents {shape:?} do not fit the {} bytes that follow", data.len()));
    }
    let values: Vec<f64> = data.chunks_exact(width).map(|chunk| number(*kind, chunk)).collect();
    Array::new(shape, values).map_err(|e| std::string::ToString::to_string(&e))
}

/// An element, exactly.
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
