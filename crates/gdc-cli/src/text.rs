//! Numbers, shapes and tables as text for people.

/// `[8, 8]`
pub fn shape(extents: &[usize]) -> String {
    format!("[{}]", extents.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
}

/// `12,345`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count that need not be whole, such as operations per sample.
pub fn count(number: f64) -> String {
    if number == 0.0 {
        "-".to_owned()
    } else if number < 10.0 && number.fract() > 0.05 {
        format!("{number:.1}")
    } else {
        grouped(number.round() as u64)
    }
}

/// `16 B`, `3.2 KiB`, `1.5 MiB`
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let (mut value, mut unit) = (number as f64 / 1024.0, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Lines with columns under each other; `right` says which columns are numbers.
pub fn table(head: &[&str], rows: &[Vec<String>], right: &[bool]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count());
        cells.chain(head.get(column).map(|h| h.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let mut text = String::new();
        for (i, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            let (before, after) =
                if right.get(i).copied().unwrap_or(false) { (gap, String::new()) } else { (String::new(), gap) };
            text.push_str(&format!("{}{before}{cell}{after}", if i > 0 { "  " } else { "" }));
        }
        format!("{}\n", text.trim_end())
    };
    let rule: Vec<String> = widths.iter().map(|&w| "─".repeat(w)).collect();
    let mut text = line(head.to_vec());
    text.push_str(&line(rule.iter().map(String::as_str).collect()));
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}

/// A word as a message shows it, also where it holds a quote itself.
pub fn quoted(word: &str) -> String {
    format!("`{word}`")
}

/// A cell of a CSV file, in quotes where it needs them.
pub fn csv_cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) || text.trim() != text {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_sized() {
        assert_eq!(grouped(1234567), "1,234,567");
        assert_eq!(grouped(12), "12");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(count(0.25), "0.2");
        assert_eq!(count(1234.4), "1,234");
    }

    #[test]
    fn columns_stand_under_each_other() {
        let text =
            table(&["a", "n"], &[vec!["xyz".into(), "1".into()], vec!["b".into(), "100".into()]], &[false, true]);
        assert_eq!(text, "a      n\n───  ───\nxyz    1\nb    100\n");
    }
}
