//! CSV files: which columns are which element of which field, and their numbers.
//!
//! Columns are found by name. A scalar `x` is the column `x`; element `[2, 5]` of
//! `image: [8, 8]` is `image[2,5]`, `image.2.5` or `image_2_5`, or by its flat place
//! `image[21]`, `image.21`, `image_21` or `image21` (from 0, or all of them from 1). Fields
//! that no column names take the columns that are left, in order, if their number is right;
//! a file without a header is read in that way altogether.

use super::super::field::{Field, Values};
use super::classes::Classes;
use super::{Column, places_of};
use crate::fault::{At, Fault, Outcome};
use csv::StringRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// More names than these are not collected: no message would show them.
const MOST_NAMES: usize = 100_000;
/// How many bad cells are shown before the rest is only counted.
const SHOWN: usize = 5;

/// Loads the fields from one file, in their order. Integers may be written as names.
pub fn load(path: &Path, fields: &[&Field], classes: &mut Classes, notes: &mut Vec<String>) -> Outcome<Vec<Column>> {
    let text = std::fs::read(path).at("read", path)?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    if text.is_empty() {
        return Err(Fault::input(format!("{} is empty", path.display())));
    }
    let reader = || {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter(text))
            .trim(csv::Trim::All)
            .from_reader(text)
    };
    let mut whole = reader();
    let mut reader = reader();
    let mut first = StringRecord::new();
    reader.read_record(&mut first).map_err(|e| broken(path, &e))?;
    let header = is_header(&first, fields);
    let places =
        if header { by_name(path, &first, fields, notes)? } else { by_order(path, first.len(), fields, notes)? };
    let named = names(&mut whole, header, fields, &places).map_err(|e| broken(path, &e))?;
    for (field, words) in fields.iter().zip(&named).filter_map(|(f, w)| Some((f, w.as_ref()?))) {
        classes.meet(field, words, notes).map_err(|fault| fault.of(path))?;
    }
    let named = named.iter().map(Option::is_some).collect();
    let mut table = Table { named, ..Table::new(fields, places, first.len(), classes) };
    if !header {
        table.row(&first, 1);
    }
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| broken(path, &e))? {
        let line = record.position().map_or(0, csv::Position::line);
        table.row(&record, line);
    }
    table.finish(path)
}

fn broken(path: &Path, error: &csv::Error) -> Fault {
    Fault::input(format!("{} is not a table that can be read: {error}", path.display()))
}

/// The first of comma, semicolon and tab that the first line holds.
fn delimiter(text: &[u8]) -> u8 {
    let line = text.split(|&b| b == b'\n').next().unwrap_or(text);
    [b',', b';', b'\t'].into_iter().find(|d| line.contains(d)).unwrap_or(b',')
}

/// Whether the first line names columns: nothing in it is a number, or something in it is
/// the name of a field or of one of its elements, or it counts 0, 1, 2, 3 as data frames do.
fn is_header(first: &StringRecord, fields: &[&Field]) -> bool {
    let number = |cell: &str| cell.parse::<f64>().is_ok();
    first.iter().all(|cell| !number(cell))
        || first.iter().any(|cell| fields.iter().any(|f| cell == f.name || !number(cell) && cell.starts_with(&f.name)))
        || first.len() > 3 && first.iter().enumerate().all(|(i, cell)| cell == i.to_string())
}

/// The column of each element of each field, from a header.
fn by_name(path: &Path, header: &StringRecord, fields: &[&Field], notes: &mut Vec<String>) -> Outcome<Vec<Vec<usize>>> {
    let mut columns: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, name) in header.iter().enumerate() {
        if columns.insert(name, i).is_some() && !name.is_empty() {
            return Err(Fault::input(format!("{} has two columns `{name}`", path.display())));
        }
    }
    let mut missing = Vec::new();
    let mut places: Vec<Option<Vec<usize>>> = Vec::with_capacity(fields.len());
    for field in fields {
        places.push(match named(field, &columns) {
            Named::All(places) => Some(places),
            Named::None => None,
            Named::Some(absent) => {
                missing.push(format!("`{}` lacks {absent}", field.declared()));
                None
            }
        });
    }
    if !missing.is_empty() {
        return Err(Fault::input(format!("{}: columns are missing: {}", path.display(), missing.join("; "))));
    }
    take_the_rest(path, header, fields, places, notes)
}

/// What a header names of a field.
enum Named {
    All(Vec<usize>),
    None,
    /// Some elements; says which are absent.
    Some(String),
}

fn named(field: &Field, columns: &BTreeMap<&str, usize>) -> Named {
    if field.shape.is_empty() || field.len() == 1 {
        if let Some(&place) = columns.get(field.name.as_str()) {
            return Named::All(vec![place]);
        }
        if field.shape.is_empty() {
            return Named::None;
        }
    }
    let mut best: Option<(usize, Vec<String>)> = None;
    for style in STYLES {
        let names: Vec<String> = (0..field.len()).map(|i| style(field, i)).collect();
        let absent: Vec<String> = names.iter().filter(|n| !columns.contains_key(n.as_str())).cloned().collect();
        if absent.is_empty() {
            return Named::All(names.iter().filter_map(|n| columns.get(n.as_str()).copied()).collect());
        }
        let found = names.len() - absent.len();
        if found > 0 && best.as_ref().is_none_or(|(most, _)| found > *most) {
            best = Some((found, absent));
        }
    }
    match best {
        Some((found, absent)) => Named::Some(format!(
            "{}{} of its {} columns",
            absent.iter().take(3).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "),
            if absent.len() > 3 { format!(" and {} more", absent.len() - 3) } else { String::new() },
            found + absent.len()
        )),
        None => Named::None,
    }
}

type Style = fn(&Field, usize) -> String;

/// The ways in which an element's column may be named.
const STYLES: &[Style] = &[
    |f, i| format!("{}[{}]", f.name, joined(f, i, ",")),
    |f, i| format!("{}[{}]", f.name, joined(f, i, ", ")),
    |f, i| format!("{}[{}]", f.name, joined(f, i, "][")),
    |f, i| format!("{}.{}", f.name, joined(f, i, ".")),
    |f, i| format!("{}_{}", f.name, joined(f, i, "_")),
    |f, i| format!("{}[{i}]", f.name),
    |f, i| format!("{}.{i}", f.name),
    |f, i| format!("{}_{i}", f.name),
    |f, i| format!("{}{i}", f.name),
    |f, i| format!("{}.{}", f.name, i + 1),
    |f, i| format!("{}_{}", f.name, i + 1),
    |f, i| format!("{}{}", f.name, i + 1),
];

fn joined(field: &Field, flat: usize, with: &str) -> String {
    places_of(&field.shape, flat).iter().map(usize::to_string).collect::<Vec<_>>().join(with)
}

/// Gives the columns that nothing names to the fields that no column names, if that comes
/// out even.
fn take_the_rest(
    path: &Path,
    header: &StringRecord,
    fields: &[&Field],
    places: Vec<Option<Vec<usize>>>,
    notes: &mut Vec<String>,
) -> Outcome<Vec<Vec<usize>>> {
    let used: Vec<usize> = places.iter().flatten().flatten().copied().collect();
    let mut left: Vec<usize> = (0..header.len()).filter(|i| !used.contains(i)).collect();
    let unnamed: Vec<&Field> = fields.iter().zip(&places).filter(|(_, p)| p.is_none()).map(|(f, _)| *f).collect();
    let names = |list: &[usize]| {
        let shown: Vec<String> =
            list.iter().take(6).map(|&i| format!("`{}`", header.get(i).unwrap_or_default())).collect();
        let more = if list.len() > 6 { format!(" and {} more", list.len() - 6) } else { String::new() };
        format!("{}{more}", shown.join(", "))
    };
    if unnamed.is_empty() {
        if !left.is_empty() {
            notes.push(format!("{}: not used: {}", path.display(), names(&left)));
        }
        return Ok(places.into_iter().flatten().collect());
    }
    let wanted: usize = unnamed.iter().map(|f| f.len()).sum();
    if wanted != left.len() {
        let mut text = format!("{}: no columns for", path.display());
        for field in &unnamed {
            text.push_str(&format!("\n  `{}`: expected {}", field.declared(), expected(field)));
        }
        let given = if left.is_empty() { "no column is left".to_owned() } else { format!("left are {}", names(&left)) };
        return Err(Fault::input(format!("{text}\n  {given} ({} of the {wanted} needed)", left.len())));
    }
    let mut all = Vec::with_capacity(fields.len());
    for (field, places) in fields.iter().zip(places) {
        all.push(places.unwrap_or_else(|| {
            let taken: Vec<usize> = left.drain(..field.len()).collect();
            notes.push(format!("{}: `{}` is read from {}", path.display(), field.declared(), names(&taken)));
            taken
        }));
    }
    Ok(all)
}

fn expected(field: &Field) -> String {
    match field.len() {
        1 => format!("a column `{}`", field.name),
        n if field.shape.is_empty() || n == 0 => format!("a column `{}`", field.name),
        n => format!("{n} columns `{}` to `{}`", STYLES[0](field, 0), STYLES[0](field, n - 1)),
    }
}

/// Columns in declared order, for a file without a header.
fn by_order(path: &Path, columns: usize, fields: &[&Field], notes: &mut Vec<String>) -> Outcome<Vec<Vec<usize>>> {
    let order: Vec<String> = fields.iter().map(|f| format!("`{}` ({})", f.declared(), f.len())).collect();
    let wanted: usize = fields.iter().map(|f| f.len()).sum();
    if wanted != columns {
        return Err(Fault::input(format!(
            "{} has no header and {columns} columns; {} need {wanted}",
            path.display(),
            order.join(", then ")
        )));
    }
    notes.push(format!("{} has no header: its columns are {}", path.display(), order.join(", then ")));
    let mut next = 0..columns;
    Ok(fields.iter().map(|f| next.by_ref().take(f.len()).collect()).collect())
}

/// The numbers read so far, and what was wrong.
struct Table<'a> {
    fields: &'a [&'a Field],
    places: Vec<Vec<usize>>,
    width: usize,
    values: Vec<Values>,
    /// Which fields hold names.
    named: Vec<bool>,
    classes: &'a Classes,
    rows: usize,
    errors: Vec<String>,
    wrong: usize,
}

impl<'a> Table<'a> {
    fn new(fields: &'a [&'a Field], places: Vec<Vec<usize>>, width: usize, classes: &'a Classes) -> Self {
        let values = fields.iter().map(|f| Values::for_field(f, 0)).collect();
        let named = vec![false; fields.len()];
        Table { fields, places, width, values, named, classes, rows: 0, errors: Vec::new(), wrong: 0 }
    }

    fn row(&mut self, record: &StringRecord, line: u64) {
        self.rows += 1;
        if record.len() != self.width {
            let text = format!("line {line} has {} columns instead of {}", record.len(), self.width);
            return self.error(text);
        }
        let mut wrong = Vec::new();
        let fields = self.fields.iter().zip(&self.named).zip(&self.places).zip(&mut self.values);
        for (((field, named), places), values) in fields {
            for (k, &column) in places.iter().enumerate() {
                let cell = record.get(column).unwrap_or_default();
                let name = if *named && !is_missing(cell) { self.classes.number(field, cell) } else { None };
                if let Err(why) = name.map_or_else(|| number(cell), Ok).and_then(|n| values.push(field, n)) {
                    let name = super::element_name(field, k);
                    wrong.push(format!("line {line} (row {}), column {}: `{name}` is {why}", self.rows, column + 1));
                }
            }
        }
        wrong.into_iter().for_each(|text| self.error(text));
    }

    fn error(&mut self, text: String) {
        self.wrong += 1;
        if self.errors.len() < SHOWN {
            self.errors.push(text);
        }
    }

    fn finish(self, path: &Path) -> Outcome<Vec<Column>> {
        if self.wrong == 0 {
            let rows = self.rows;
            return Ok(self.values.into_iter().map(|v| (rows, v)).collect());
        }
        let more = match self.wrong - self.errors.len() {
            0 => String::new(),
            n => format!("\n  and {n} more"),
        };
        Err(Fault::input(format!("{}:\n  {}{more}", path.display(), self.errors.join("\n  "))))
    }
}

/// The words that fields of integers hold, where not all that one holds are numbers.
fn names(
    reader: &mut csv::Reader<&[u8]>,
    header: bool,
    fields: &[&Field],
    places: &[Vec<usize>],
) -> Result<Vec<Option<BTreeSet<String>>>, csv::Error> {
    let mut found: Vec<(bool, BTreeSet<String>)> = fields.iter().map(|_| (false, BTreeSet::new())).collect();
    let wanted: Vec<usize> = (0..fields.len()).filter(|&i| fields[i].range.is_some()).collect();
    let mut record = StringRecord::new();
    let mut skip = header;
    while !wanted.is_empty() && reader.read_record(&mut record)? {
        if std::mem::take(&mut skip) {
            continue;
        }
        for &i in &wanted {
            let (is_named, words) = &mut found[i];
            for cell in places[i].iter().filter_map(|&column| record.get(column)).filter(|cell| !is_missing(cell)) {
                *is_named |= number(cell).is_err();
                if !words.contains(cell) && words.len() <= MOST_NAMES {
                    words.insert(cell.to_owned());
                }
            }
        }
    }
    Ok(found.into_iter().map(|(is_named, words)| is_named.then_some(words)).collect())
}

/// Whether a cell says that there is no value.
fn is_missing(cell: &str) -> bool {
    ["", "?", "na", "n/a", "nan", "null"].contains(&cell.to_lowercase().as_str())
}

fn number(cell: &str) -> Result<f64, String> {
    match cell {
        "" => Err("missing (the cell is empty)".to_owned()),
        "true" | "True" => Ok(1.0),
        "false" | "False" => Ok(0.0),
        _ if is_missing(cell) => Err(format!("missing (`{cell}`): leave the row out or fill it in")),
        _ => cell.parse().map_err(|_| format!("`{cell}`, which is not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::field::tests::{class, real};
    use super::*;

    fn read(text: &str, fields: &[&Field]) -> Result<(Vec<Column>, Vec<String>), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.csv");
        std::fs::write(&path, text).unwrap();
        let mut notes = Vec::new();
        match load(&path, fields, &mut Classes::default(), &mut notes) {
            Ok(columns) => Ok((columns, notes)),
            Err(Fault::Input(m) | Fault::Call(m)) => Err(m),
            Err(Fault::Shown) => Err(String::new()),
        }
    }

    fn values(text: &str, fields: &[&Field]) -> Vec<Values> {
        read(text, fields).unwrap().0.into_iter().map(|(_, v)| v).collect()
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let (x, y) = (real("x", &[2]), class("y", 3));
        let wanted = vec![Values::F32(vec![1.0, 2.0]), Values::U32(vec![0])];
        for header in ["y,x[0],x[1]", "y,x.0,x.1", "y,x_0,x_1", "y,x0,x1", "y,x1,x2", " y ,\"x[0]\", x[1]"] {
            assert_eq!(values(&format!("{header}\n0,1,2\n"), &[&x, &y]), wanted, "{header}");
        }
        assert_eq!(values("y;x0;x1\n0;1;2\n", &[&x, &y]), wanted);
        assert_eq!(values("\u{feff}y\tx0\tx1\r\n0\t1\t2\r\n", &[&x, &y]), wanted);
    }

    #[test]
    fn tensors_are_read_by_indices() {
        let x = real("x", &[2, 2]);
        let wanted = vec![Values::F32(vec![1.0, 2.0, 3.0, 4.0])];
        for header in [
            "x.0.0,x.0.1,x.1.0,x.1.1",
            "x_0_0,x_0_1,x_1_0,x_1_1",
            "x0,x1,x2,x3",
            "\"x[0,0]\",\"x[0,1]\",\"x[1,0]\",\"x[1,1]\"",
        ] {
            assert_eq!(values(&format!("{header}\n1,2,3,4\n"), &[&x]), wanted, "{header}");
        }
    }

    #[test]
    fn other_names_and_no_names_go_by_order() {
        let (x, y) = (real("x", &[2]), class("label", 3));
        let wanted = vec![Values::F32(vec![1.0, 2.0]), Values::U32(vec![0])];
        assert_eq!(values("1,2,0\n", &[&x, &y]), wanted);
        assert_eq!(values("label,pixel_a,pixel_b\n0,1,2\n", &[&x, &y]), wanted);
        let (_, notes) = read("label,pixel_a,pixel_b\n0,1,2\n", &[&x, &y]).unwrap();
        assert!(notes[0].ends_with("`input x: [2]` is read from `pixel_a`, `pixel_b`"), "{notes:?}");
        assert!(
            read("1,2\n", &[&x, &y])
                .unwrap_err()
                .contains("2 columns; `input x: [2]` (2), then `target label: [] in 0..3` (1) need 3")
        );
    }

    #[test]
    fn missing_columns_are_named() {
        let (x, y) = (real("x", &[3]), class("y", 3));
        let error = read("x0,x2,y\n1,2,0\n", &[&x, &y]).unwrap_err();
        assert!(error.ends_with("`input x: [3]` lacks `x1` of its 3 columns"), "{error}");
        let error = read("a,y\n1,0\n", &[&x, &y]).unwrap_err();
        assert!(error.contains("`input x: [3]`: expected 3 columns `x[0]` to `x[2]`"), "{error}");
        assert!(error.contains("left are `a` (1 of the 3 needed)"), "{error}");
        assert!(read("y,y\n1,0\n", &[&y]).unwrap_err().ends_with("has two columns `y`"));
    }

    #[test]
    fn bad_cells_are_named_with_row_and_value() {
        let (x, y) = (real("x", &[]), class("y", 3));
        let error = read("x,y\n1,0\n2,3\ncat,1\n,1\nnan,1\n1\n", &[&x, &y]).unwrap_err();
        for part in [
            "line 3 (row 2), column 2: `y` is 3, which is not in 0..3",
            "line 4 (row 3), column 1: `x` is `cat`, which is not a number",
            "line 5 (row 4), column 1: `x` is missing",
            "line 6 (row 5), column 1: `x` is missing (`nan`): leave the row out or fill it in",
            "line 7 has 1 columns instead of 2",
        ] {
            assert!(error.contains(part), "{part}\n{error}");
        }
        let error = read("x,y\n1,setosa\n2,NA\n3,\n", &[&x, &y]).unwrap_err();
        assert!(
            error.contains("line 3 (row 2), column 2: `y` is missing (`NA`)") && error.contains("line 4"),
            "{error}"
        );
        assert!(read("", &[&x]).unwrap_err().ends_with("is empty"));
    }

    #[test]
    fn many_bad_cells_are_counted() {
        let y = class("y", 2);
        let text = format!("y\n{}", "7\n".repeat(20));
        assert!(read(&text, &[&y]).unwrap_err().ends_with("and 15 more"));
    }

    #[test]
    fn unused_columns_are_noted() {
        let (_, notes) = read("id,x\n1,2\n", &[&real("x", &[])]).unwrap();
        assert!(notes[0].ends_with("not used: `id`"), "{notes:?}");
    }

    #[test]
    fn words_of_classes_are_numbered_in_alphabetical_order() {
        let (x, y) = (real("x", &[]), class("y", 3));
        let text = "x,y\r\n1,\"virginica, wild\"\r\n2,\"say \"\"hi\"\"\"\r\n3,setosa\r\n4,setosa\r\n";
        let (columns, notes) = read(text, &[&x, &y]).unwrap();
        assert_eq!(columns[1].1, Values::U32(vec![2, 0, 1, 1]));
        assert!(notes[0].contains("`say \"hi\"` is 0, `setosa` is 1, `virginica, wild` is 2"), "{notes:?}");
        let error = read("x,y\n1,a\n1,b\n1,c\n1,d\n", &[&x, &y]).unwrap_err();
        assert!(error.ends_with("has 3 classes, and the data 4 names for them: `a`, `b`, `c`, `d`"), "{error}");
        // Numbers beside words are names where they all have a class, and else a slip.
        assert_eq!(values("1,a\n2,7\n3,b\n", &[&x, &y])[1], Values::U32(vec![1, 0, 2]));
        let error = read("1,a\n2,2\n", &[&x, &y]).unwrap_err();
        assert!(error.ends_with("holds words (`a`) and numbers (`2`): which is meant?"), "{error}");
        let (_, notes) = read("x,y\n1,a\n", &[&x, &y]).unwrap();
        assert!(notes[1].contains("3 classes, of which 1 are named"), "{notes:?}");
    }

    #[test]
    fn names_that_are_settled_stay() {
        let y = class("y", 3);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.csv");
        let mut classes = Classes::default();
        let load_text = |classes: &mut Classes, text: &str| {
            std::fs::write(&path, text).unwrap();
            load(&path, &[&y], classes, &mut Vec::new()).map(|c| c[0].1.clone())
        };
        load_text(&mut classes, "y\nb\na\nc\n").unwrap();
        assert_eq!(load_text(&mut classes, "y\nc\n"), Ok(Values::U32(vec![2])));
        assert_eq!(load_text(&mut classes, "y\n0\n"), Ok(Values::U32(vec![0])));
        let Err(Fault::Input(error)) = load_text(&mut classes, "y\nc\nd\n") else { panic!() };
        assert!(error.contains("names that the training data did not have: `d`; known are `a`, `b`, `c`"), "{error}");
        assert_eq!(classes.number(&y, "b"), Some(1.0));
        let note = classes.note().unwrap();
        let mut again = Classes::from_note(Some(&note)).unwrap();
        assert_eq!(load_text(&mut again, "y\nb\n"), Ok(Values::U32(vec![1])));
        let Err(Fault::Input(error)) = load_text(&mut Classes::from_note(None).unwrap(), "y\nb\n") else { panic!() };
        assert!(error.contains("the weights were trained with numbers: write 0 to 2"), "{error}");
    }
}
