//! The value of a string literal token.

use proc_macro2::{Delimiter, TokenTree};

/// The value of `token` if it is a string literal, `"..."` or `r"..."`, perhaps as a fragment of
/// `macro_rules!`; `None` for anything else.
pub fn string(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Literal(literal) => value(&literal.to_string()),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let mut inside = group.stream().into_iter();
            let only = inside.next()?;
            if inside.next().is_some() { None } else { string(&only) }
        }
        _ => None,
    }
}

/// The value of a literal as Rust writes it.
fn value(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let inside = raw.trim_matches('#').strip_prefix('"')?.strip_suffix('"')?;
        return Some(inside.to_string());
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next()? {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            '0' => text.push('\0'),
            'x' => {
                let digits: String = rest.by_ref().take(2).collect();
                text.push(char::from(u8::from_str_radix(&digits, 16).ok()?));
            }
            'u' => {
                let digits: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let digits = digits.strip_prefix('{')?.replace('_', "");
                text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
            }
            // A line that ends in a backslash goes on at the next one's first character.
            '\n' | '\r' => {
                let trimmed = rest.as_str().trim_start();
                rest = trimmed.chars();
            }
            other => text.push(other),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn values_of_string_literals() {
        assert_eq!(value(r#""a.gd""#).as_deref(), Some("a.gd"));
        assert_eq!(value(r###"r#"a"b\n"#"###).as_deref(), Some("a\"b\\n"));
        assert_eq!(value(r#""\\ \" \' \n \x41 \u{1F600} \u{e9}""#).as_deref(), Some("\\ \" ' \n A 😀 é"));
        assert_eq!(value("\"a\\\n   b\"").as_deref(), Some("ab"));
        assert_eq!(value("12"), None);
        assert_eq!(value("b\"bytes\""), None);
        assert_eq!(value("'c'"), None);
    }
}
