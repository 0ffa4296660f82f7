//! Where names are defined, by a scan that works on wrong texts too.

use gdc_syntax::scan;
use gdc_syntax::words::DEFINING_WORDS;
use std::ops::Range;

/// A definition.
#[derive(Clone, PartialEq, Debug)]
pub struct Definition {
    /// The word before it, or `argument`.
    pub kind: &'static str,
    /// The name.
    pub name: String,
    /// Its bytes.
    pub range: Range<usize>,
    /// The bytes in which it is known; all, for an item.
    pub scope: Option<Range<usize>>,
    /// The documentation before it.
    pub docs: Vec<String>,
    /// What stands between its keyword and its value or body.
    pub head: String,
}

/// All definitions of a text, in order.
pub fn definitions(text: &str) -> Vec<Definition> {
    let tokens = scan::tokens(text);
    let items: Vec<Range<usize>> = scan::items(text).into_iter().map(|(_, _, range)| range).collect();
    let mut found = Vec::new();
    let mut docs: Vec<String> = Vec::new();
    for (i, (word, range)) in tokens.iter().enumerate() {
        if let Some(line) = word.strip_prefix("///") {
            docs.push(line.trim().to_owned());
            continue;
        }
        let about = std::mem::take(&mut docs);
        let Some(kind) = DEFINING_WORDS.iter().find(|d| *d == word) else { continue };
        let item = items.iter().find(|r| r.contains(&range.start)).cloned();
        let is_item = item.as_ref().is_some_and(|r| is_head(&tokens, r, i));
        let scope = if is_item { None } else { item.clone() };
        let head = text.get(range.start..end_of_head(text, &tokens, i)).unwrap_or("").trim().to_owned();
        let mut add = |k: usize| {
            if let Some((name, range)) = tokens.get(k).filter(|(n, _)| is_name(n)) {
                let (name, range) = ((*name).to_owned(), range.clone());
                let (docs, head) = (about.clone(), head.clone());
                found.push(Definition { kind, name, range, scope: scope.clone(), docs, head });
            }
        };
        if tokens.get(i + 1).is_some_and(|(t, _)| *t == "(") {
            let names = (i + 2..tokens.len()).take_while(|k| tokens[*k].0 != ")");
            names.for_each(&mut add);
        } else {
            add(i + 1);
        }
        if is_item && matches!(*kind, "layer" | "fn" | "optimizer" | "transform") {
            found.extend(arguments(&tokens, i, item));
        }
    }
    found
}

/// Whether the token is the first of its item after the documentation.
fn is_head(tokens: &[(&str, Range<usize>)], item: &Range<usize>, i: usize) -> bool {
    let before = tokens[..i].iter().rev().take_while(|(_, r)| r.start >= item.start);
    before.into_iter().all(|(t, _)| t.starts_with("///") || t.starts_with("/**") || t.starts_with('#'))
}

/// Where what follows is a value or a body.
fn end_of_head(text: &str, tokens: &[(&str, Range<usize>)], i: usize) -> usize {
    let mut depth = 0i32;
    for (token, range) in &tokens[i..] {
        match *token {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "=" | "{" | ";" if depth <= 0 => return range.start,
            _ => {}
        }
    }
    text.len()
}

/// The names in the first parentheses after an item's name.
fn arguments(tokens: &[(&str, Range<usize>)], i: usize, scope: Option<Range<usize>>) -> Vec<Definition> {
    let mut found = Vec::new();
    if tokens.get(i + 2).is_none_or(|(t, _)| *t != "(") {
        return found;
    }
    let mut depth = 0;
    let mut first = false;
    for (token, range) in &tokens[i + 2..] {
        match *token {
            "(" | "[" | "{" => {
                depth += 1;
                first = depth == 1;
                continue;
            }
            ")" | "]" | "}" => depth -= 1,
            "," if depth == 1 => {
                first = true;
                continue;
            }
            name if first && is_name(name) => found.push(Definition {
                kind: "argument",
                name: name.to_owned(),
                range: range.clone(),
                scope: scope.clone(),
                docs: Vec::new(),
                head: format!("argument {name}"),
            }),
            _ => {}
        }
        first = false;
        if depth == 0 {
            break;
        }
    }
    found
}

/// Whether a token can be a name.
pub fn is_name(token: &str) -> bool {
    token.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
}

/// The definition that a name means at a place: the last one before it in its item, else the
/// last one of the item, else an item.
pub fn meant<'d>(all: &'d [Definition], name: &str, at: usize) -> Option<&'d Definition> {
    let named = || all.iter().filter(|d| d.name == name);
    let local = |d: &&Definition| d.scope.as_ref().is_some_and(|s| s.contains(&at));
    let before = named().filter(local).rfind(|d| d.range.start <= at);
    before.or_else(|| named().rfind(local)).or_else(|| named().find(|d| d.scope.is_none()))
}

/// The path of names around a byte, such as `h.dense.w`, up to the name that holds it; and the
/// bytes of that name.
pub fn path_at(text: &str, at: usize) -> Option<(String, String, Range<usize>)> {
    let tokens = scan::tokens(text);
    let i = tokens.iter().position(|(t, r)| r.start <= at && at <= r.end && is_name(t))?;
    let mut start = i;
    while start >= 2 && tokens[start - 1].0 == "." && is_name(tokens[start - 2].0) {
        start -= 2;
    }
    let path: Vec<&str> = tokens[start..=i].iter().step_by(2).map(|(t, _)| *t).collect();
    Some((path.join("."), tokens[i].0.to_owned(), tokens[i].1.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "/// Doubles.\nfn twice(z, k = 2) = k * z;\nmodel M {\n    let h = twice(1);\n    \
                        let (a, b) = (h, 2);\n    output o = a.w;\n";

    #[test]
    fn names_are_found_with_their_scope_also_in_a_text_that_is_cut_off() {
        let all = definitions(TEXT);
        let found: Vec<(&str, &str)> = all.iter().map(|d| (d.kind, d.name.as_str())).collect();
        let expected = [
            ("fn", "twice"),
            ("argument", "z"),
            ("argument", "k"),
            ("model", "M"),
            ("let", "h"),
            ("let", "a"),
            ("let", "b"),
            ("output", "o"),
        ];
        assert_eq!(found, expected);
        assert_eq!(all[0].docs, ["Doubles."]);
        assert_eq!(all[0].head, "fn twice(z, k = 2)");
        let at = TEXT.find("twice(1)").unwrap();
        assert_eq!(meant(&all, "twice", at).unwrap().range.start, 16);
        assert_eq!(meant(&all, "z", at), None);
        assert_eq!(meant(&all, "z", TEXT.find("* z").unwrap()).unwrap().kind, "argument");
    }

    #[test]
    fn paths_end_at_the_name_under_the_cursor() {
        let at = TEXT.find("a.w").unwrap();
        assert_eq!(path_at(TEXT, at + 2).unwrap().0, "a.w");
        assert_eq!(path_at(TEXT, at).unwrap().0, "a");
        assert_eq!(path_at(TEXT, TEXT.find(" = k").unwrap() + 1), None);
    }
}
