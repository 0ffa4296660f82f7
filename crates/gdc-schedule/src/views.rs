//! How the axes of two shapes with the same elements in row-major order correspond.

use std::ops::Range;

/// The finest grouping of both shapes' axes such that corresponding groups have equally many
/// elements. Every axis is in one group.
pub(crate) fn matching(a: &[usize], b: &[usize]) -> Vec<(Range<usize>, Range<usize>)> {
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let (from_i, from_j) = (i, j);
        let (mut left, mut right) = (1usize, 1usize);
        let take = |shape: &[usize], k: &mut usize, product: &mut usize| {
            if let Some(&n) = shape.get(*k) {
                *product = product.saturating_mul(n);
                *k += 1;
            }
        };
        take(a, &mut i, &mut left);
        take(b, &mut j, &mut right);
        while left != right && (i < a.len() || j < b.len()) {
            if (left < right && i < a.len()) || j >= b.len() {
                take(a, &mut i, &mut left);
            } else {
                take(b, &mut j, &mut right);
            }
        }
        out.push((from_i..i, from_j..j));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_the_finest() {
        assert_eq!(matching(&[32, 8, 8], &[32, 64]), [(0..1, 0..1), (1..3, 1..2)]);
        assert_eq!(matching(&[6, 4], &[2, 12]), [(0..2, 0..2)]);
        assert_eq!(matching(&[3], &[1, 3]), [(0..1, 0..2)]);
        assert_eq!(matching(&[3, 1], &[3]), [(0..1, 0..1), (1..2, 1..1)]);
        assert_eq!(matching(&[], &[1]), [(0..0, 0..1)]);
    }
}
