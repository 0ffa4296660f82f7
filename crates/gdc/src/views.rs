//! Views of `ndarray` as the slices that generated code takes (feature `ndarray`).

use crate::{Sample, rt};
use ndarray::{ArrayBase, Data, Dimension};

/// The samples along the first axis of an array, without copying. The other axes must be
/// those of the sample.
///
/// ```
/// use ndarray::array;
///
/// let x = array![[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// assert_eq!(gdc::view::<[f32; 2], _, _>(&x)?, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
/// assert!(gdc::view::<[f32; 3], _, _>(&x).is_err());
/// assert!(gdc::view::<[f32; 3], _, _>(&x.t()).is_err(), "not in row-major order");
/// # Ok::<(), gdc::rt::Error>(())
/// ```
///
/// # Errors
///
/// The array's other extents are not those of `T`; or its elements do not lie in row-major
/// order without gaps, which `as_standard_layout` mends.
pub fn view<T, S, D>(array: &ArrayBase<S, D>) -> Result<&[T], rt::Error>
where
    T: Sample,
    S: Data<Elem = T::Number>,
    D: Dimension,
{
    let wrong = |name, expected, found| rt::Error::LengthMismatch { name, expected, found };
    let mut axis = 1;
    let mut outcome = Ok(());
    T::extents(&mut |extent| {
        let found = array.shape().get(axis).copied().unwrap_or(0);
        if outcome.is_ok() && found != extent {
            outcome = Err(wrong("axis", extent, found));
        }
        axis += 1;
    });
    outcome?;
    if array.ndim() != axis {
        return Err(wrong("number of axes", axis, array.ndim()));
    }
    match array.as_slice() {
        Some(flat) => T::cast(flat),
        None => Err(wrong("contiguous row-major elements", array.len(), 0)),
    }
}
