//! How alike two words are, for suggestions.

/// What takes one word to another; the smaller, the more alike they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Edits {
    /// Letters to insert, delete, replace or swap with their neighbour.
    pub letters: usize,
    /// Of words as many letters away, the one that begins as the first does comes first:
    /// few mistakes are made in a word's first letter.
    pub begins_differently: bool,
}

/// Letters of a word that are looked at, so that a word of a megabyte costs nothing.
const LIMIT: usize = 64;

/// The edits between two words: the distance of Damerau and Levenshtein, no letter being edited twice.
///
/// Of words beyond 64 letters, the first 64 are compared.
pub fn edits(a: &str, b: &str) -> Edits {
    let letters = |word: &str| word.chars().take(LIMIT).collect::<Vec<char>>();
    let (a, b) = (letters(a), letters(b));
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    Edits { letters: rows[a.len()][b.len()], begins_differently: a.first() != b.first() }
}

/// The name closest to `name`, if one is close enough to be what was meant: a third of
/// its letters may be wrong, so that a word of one or two letters is close to nothing.
pub fn suggest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().take(LIMIT + 1).count();
    if length > LIMIT {
        return None;
    }
    let near = candidates.map(|c| (edits(name, c), c)).filter(|(d, c)| d.letters <= length / 3 && *c != name);
    near.min().map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        let count = |a, b| edits(a, b).letters;
        assert_eq!([count("unit", "units"), count("dnese", "dense"), count("relu", "relu")], [1, 1, 0]);
        assert_eq!([count("", "abc"), count("kitten", "sitting")], [3, 3]);
    }

    #[test]
    fn the_word_that_begins_alike_is_suggested() {
        assert_eq!(suggest("unit", ["init", "units"].into_iter()), Some("units"));
        assert_eq!(suggest("ab", ["a", "abc"].into_iter()), None);
        assert_eq!(suggest(&"x".repeat(1 << 20), ["y"].into_iter()), None);
    }
}
