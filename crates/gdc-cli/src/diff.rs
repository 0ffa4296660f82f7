//! A short line-by-line difference of two texts.

/// The number of changed lines that are shown.
const SHOWN: usize = 24;
/// The number of unchanged lines shown before a change.
const CONTEXT: usize = 2;
/// Texts whose changed middle has more cells than this are compared place by place, since
/// the table of the exact comparison would not fit.
const CELLS: usize = 4_000_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line<'a> {
    Same(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// Lines that only `old` has with `-` in front, those that only `new` has with `+`, a few
/// unchanged ones around with a blank, and how many changes are left out.
pub fn short_diff(old: &str, new: &str) -> String {
    let lines = compare(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let mut text = String::new();
    let (mut shown, mut left_out, mut old_line, mut last) = (0, 0, 1, None);
    for (i, line) in lines.iter().enumerate() {
        if !matches!(line, Line::Same(_)) {
            if shown < SHOWN {
                if last.is_none_or(|l| l + 1 < i) {
                    let context = i.saturating_sub(CONTEXT).max(last.map_or(0, |l| l + 1))..i;
                    text.push_str(&format!("@@ line {} @@\n", old_line - context.len()));
                    for c in context {
                        push(&mut text, lines[c]);
                    }
                }
                push(&mut text, *line);
                last = Some(i);
                shown += 1;
            } else {
                left_out += 1;
            }
        }
        if !matches!(line, Line::New(_)) {
            old_line += 1;
        }
    }
    if left_out > 0 {
        text.push_str(&format!("... and {left_out} more changed lines\n"));
    }
    if text.is_empty() && old != new {
        text.push_str("(they differ in line ends only)\n");
    }
    text
}

fn push(text: &mut String, line: Line) {
    let (mark, line) = match line {
        Line::Same(l) => (' ', l),
        Line::Old(l) => ('-', l),
        Line::New(l) => ('+', l),
    };
    text.push(mark);
    text.push_str(line);
    text.push('\n');
}

/// Equal first and last lines, and between them a longest common subsequence.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old_rest[..old_rest.len() - tail], &new_rest[..new_rest.len() - tail]);
    let mut lines: Vec<Line> = old[..head].iter().map(|l| Line::Same(l)).collect();
    if a.len().saturating_mul(b.len()) > CELLS {
        lines.extend(a.iter().map(|l| Line::Old(l)));
        lines.extend(b.iter().map(|l| Line::New(l)));
    } else {
        common_subsequence(a, b, &mut lines);
    }
    lines.extend(old_rest[a.len()..].iter().map(|l| Line::Same(l)));
    lines
}

fn common_subsequence<'a>(a: &[&'a str], b: &[&'a str], lines: &mut Vec<Line<'a>>) {
    let width = b.len() + 1;
    let mut length = vec![0u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            length[i * width + j] = if a[i] == b[j] {
                length[(i + 1) * width + j + 1] + 1
            } else {
                length[(i + 1) * width + j].max(length[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push(Line::Same(a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || i < a.len() && length[(i + 1) * width + j] >= length[i * width + j + 1] {
            lines.push(Line::Old(a[i]));
            i += 1;
        } else {
            lines.push(Line::New(b[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_differ_in_nothing() {
        assert_eq!(short_diff("a\nb\n", "a\nb\n"), "");
    }

    #[test]
    fn one_changed_line_is_shown_with_its_number() {
        let text = short_diff("a\nb\nc\nd\ne\n", "a\nb\nc\nX\ne\n");
        assert_eq!(text, "@@ line 2 @@\n b\n c\n-d\n+X\n");
    }

    #[test]
    fn far_changes_stand_apart() {
        let text = short_diff("1\n2\n3\n4\n5\n6\n7\n", "0\n2\n3\n4\n5\n6\n8\n");
        assert_eq!(text, "@@ line 1 @@\n-1\n+0\n@@ line 5 @@\n 5\n 6\n-7\n+8\n");
    }

    #[test]
    fn long_differences_are_cut() {
        let old: String = (0..100).map(|i| format!("a{i}\n")).collect();
        let new: String = (0..100).map(|i| format!("b{i}\n")).collect();
        assert!(short_diff(&old, &new).ends_with("... and 176 more changed lines\n"));
    }
}
