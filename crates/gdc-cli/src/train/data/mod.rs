//! Training data from files: which file brings which field, and that all bring the same
//! number of samples.

pub mod classes;
mod csv;
mod idx;
pub mod npy;

use super::field::{Field, Values};
use crate::fault::{Fault, Outcome};
use classes::Classes;
use std::path::{Path, PathBuf};

/// One `--data` argument: `FILE`, `NAME=FILE` or `NAME=FILE.npz:ARRAY`.
#[derive(Clone, PartialEq, Debug)]
pub struct DataArg {
    /// The field that the file is for; all that no other argument names, where absent.
    pub field: Option<String>,
    /// The file.
    pub path: PathBuf,
    /// The array of an NPZ file; the field's name where absent.
    pub array: Option<String>,
}

impl DataArg {
    /// Reads an argument. A name is an identifier before `=`, with dots allowed.
    pub fn parse(text: &str) -> Result<DataArg, String> {
        let named = text.split_once('=').filter(|(name, _)| is_name(name));
        let (field, path) = match named {
            Some((name, path)) => (Some(name.to_owned()), path),
            None => (None, text),
        };
        let (path, array) = match path.rsplit_once(".npz:") {
            Some((stem, array)) => (format!("{stem}.npz"), Some(array.to_owned())),
            None => (path.to_owned(), None),
        };
        if path.is_empty() {
            return Err("no file is named".to_owned());
        }
        if array.is_some() && field.is_none() {
            return Err("an array is chosen for one field: write NAME=FILE.npz:ARRAY".to_owned());
        }
        Ok(DataArg { field, path: PathBuf::from(path), array })
    }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.all(|c| c.is_alphanumeric() || c == '_')
}

/// Samples for every field of a model.
#[derive(Debug, PartialEq)]
pub struct Dataset {
    /// How many; at least one.
    pub samples: usize,
    /// In the order of the fields asked for.
    pub columns: Vec<Values>,
    /// What a user may want to know about how the files were read.
    pub notes: Vec<String>,
}

/// One field's numbers and how many samples they are.
type Column = (usize, Values);

/// Loads all fields. `option` is the name of the command's option, for messages.
pub fn load(option: &str, args: &[DataArg], fields: &[Field], classes: &mut Classes) -> Outcome<Dataset> {
    check_names(option, args, fields)?;
    let mut notes = Vec::new();
    let mut columns: Vec<Option<(Column, &Path)>> = fields.iter().map(|_| None).collect();
    for arg in args {
        let wanted: Vec<usize> = (0..fields.len()).filter(|&i| brings(arg, args, &fields[i])).collect();
        let chosen: Vec<&Field> = wanted.iter().map(|&i| &fields[i]).collect();
        let brought = load_file(arg, &chosen, classes, &mut notes)?;
        for (i, column) in wanted.into_iter().zip(brought) {
            columns[i] = Some((column, &arg.path));
        }
    }
    let mut found: Vec<(Column, &Path)> = Vec::with_capacity(fields.len());
    for (field, column) in fields.iter().zip(columns) {
        match column {
            Some(column) => found.push(column),
            None => return Err(Fault::call(format!("no {option} brings `{}`", field.declared()))),
        }
    }
    agree(fields, &found)?;
    let samples = found.first().map_or(0, |((n, _), _)| *n);
    let columns = found.into_iter().map(|((_, values), _)| values).collect();
    Ok(Dataset { samples, columns, notes })
}

/// Whether the argument is the one that brings the field.
fn brings(arg: &DataArg, args: &[DataArg], field: &Field) -> bool {
    match &arg.field {
        Some(name) => *name == field.name,
        None => !args.iter().any(|a| a.field.as_ref() == Some(&field.name)),
    }
}

fn check_names(option: &str, args: &[DataArg], fields: &[Field]) -> Outcome {
    let declared = || fields.iter().map(|f| format!("`{}`", f.declared())).collect::<Vec<_>>().join(", ");
    for (i, arg) in args.iter().enumerate() {
        if args[..i].iter().any(|a| a.field == arg.field) {
            return Err(Fault::call(match &arg.field {
                Some(name) => format!("{option} brings `{name}` twice"),
                None => format!(
                    "{option} names two files for all fields, {} and {}: write NAME=FILE for one field each",
                    args[0].path.display(),
                    arg.path.display()
                ),
            }));
        }
        if let Some(name) = &arg.field
            && !fields.iter().any(|f| f.name == *name)
        {
            return Err(Fault::call(format!("{option} {name}=...: the model has no `{name}`; it has {}", declared())));
        }
    }
    Ok(())
}

/// Every field has samples, and the same number of them.
fn agree(fields: &[Field], found: &[(Column, &Path)]) -> Outcome {
    let Some(((samples, _), first_path)) = found.first() else { return Ok(()) };
    for (field, ((n, _), path)) in fields.iter().zip(found) {
        if *n == 0 {
            return Err(Fault::input(format!("{} holds no samples", path.display())));
        }
        if n != samples {
            return Err(Fault::input(format!(
                "`{}` has {samples} samples ({}) and `{}` has {n} ({})",
                fields[0].name,
                first_path.display(),
                field.name,
                path.display()
            )));
        }
    }
    Ok(())
}

/// The formats, known by a file's first bytes, or else by its name.
enum Format {
    Csv,
    Npy,
    Npz,
    Idx,
    Gzip,
}

fn format_of(path: &Path, start: &[u8]) -> Format {
    if start.starts_with(b"\x93NUMPY") {
        Format::Npy
    } else if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        Format::Npz
    } else if start.starts_with(&[0x1f, 0x8b]) {
        Format::Gzip
    } else if start.len() >= 4 && start[..2] == [0, 0] && idx::is_type(start[2]) {
        Format::Idx
    } else {
        match path.extension().and_then(|e| e.to_str()) {
            Some("npy") => Format::Npy,
            Some("npz") => Format::Npz,
            Some("idx") => Format::Idx,
            _ => Format::Csv,
        }
    }
}

/// Loads the fields from one file, in their order.
fn load_file(arg: &DataArg, fields: &[&Field], classes: &mut Classes, notes: &mut Vec<String>) -> Outcome<Vec<Column>> {
    let path = &arg.path;
    let start = first_bytes(path).map_err(|e| Fault::input(format!("cannot read {}: {e}", path.display())))?;
    let one = |format: &str| match fields {
        [field] => Ok(*field),
        _ => Err(Fault::call(format!(
            "{} is {format} file, which holds one array, and the model has {} fields to fill: \
             write NAME=FILE for each of {}",
            path.display(),
            fields.len(),
            fields.iter().map(|f| format!("`{}`", f.name)).collect::<Vec<_>>().join(", ")
        ))),
    };
    match format_of(path, &start) {
        Format::Csv => csv::load(path, fields, classes, notes),
        Format::Npy => Ok(vec![npy::load_npy(path, one("an NPY")?)?]),
        Format::Npz => npy::load_npz(path, arg.array.as_deref(), fields),
        Format::Idx => Ok(vec![idx::load(path, one("an IDX")?)?]),
        Format::Gzip => Err(Fault::input(format!("{} is compressed: unpack it first (gunzip)", path.display()))),
    }
}

fn first_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(8).read_to_end(&mut start)?;
    Ok(start)
}

/// Fills a field from an array in row-major order, whose shape was checked before.
fn fill(field: &Field, samples: usize, place: &str, numbers: impl Iterator<Item = f64>) -> Outcome<Column> {
    let mut values = Values::for_field(field, samples * field.len());
    for (i, number) in numbers.enumerate() {
        values.push(field, number).map_err(|why| {
            let len = field.len().max(1);
            Fault::input(format!("{place}, sample {}: `{}` is {why}", i / len, element_name(field, i % len)))
        })?;
    }
    if values.len() != samples * field.len() {
        return Err(Fault::input(format!("{place} ends early: {} numbers of {}", values.len(), samples * field.len())));
    }
    Ok((samples, values))
}

/// `image[2, 5]` for the flat place of an element.
pub fn element_name(field: &Field, flat: usize) -> String {
    if field.shape.is_empty() {
        return field.name.clone();
    }
    let places: Vec<String> = places_of(&field.shape, flat).iter().map(usize::to_string).collect();
    format!("{}[{}]", field.name, places.join(", "))
}

/// The index along each axis of a flat place.
pub fn places_of(shape: &[usize], flat: usize) -> Vec<usize> {
    let mut rest = flat;
    let mut places: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&n| {
            let place = rest % n.max(1);
            rest /= n.max(1);
            place
        })
        .collect();
    places.reverse();
    places
}

#[cfg(test)]
mod tests {
    use super::super::field::tests::{class, real};
    use super::*;

    #[test]
    fn arguments_name_fields_files_and_arrays() {
        let arg = DataArg::parse("image=a/b=c.npz:x_train").unwrap();
        assert_eq!(arg.field.as_deref(), Some("image"));
        assert_eq!(arg.path, Path::new("a/b=c.npz"));
        assert_eq!(arg.array.as_deref(), Some("x_train"));
        assert_eq!(DataArg::parse("a/b=c.csv").unwrap().field, None);
        assert!(DataArg::parse("x=").is_err());
        assert!(DataArg::parse("a.npz:x").is_err());
    }

    #[test]
    fn names_are_checked_before_files_are_read() {
        let fields = [real("x", &[]), class("y", 2)];
        let args = [DataArg::parse("z=none.npy").unwrap()];
        let fault = load("--data", &args, &fields, &mut Classes::default()).unwrap_err();
        assert_eq!(
            fault,
            Fault::call("--data z=...: the model has no `z`; it has `input x: []`, `target y: [] in 0..2`")
        );
    }

    #[test]
    fn a_field_that_nothing_brings_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, "x\n1\n").unwrap();
        let args = [DataArg { field: Some("x".into()), path, array: None }];
        let fault = load("--data", &args, &[real("x", &[]), class("y", 2)], &mut Classes::default()).unwrap_err();
        assert_eq!(fault, Fault::call("no --data brings `target y: [] in 0..2`"));
    }

    #[test]
    fn sample_counts_must_agree() {
        let folder = tempfile::tempdir().unwrap();
        let (x, y) = (folder.path().join("x.csv"), folder.path().join("y.csv"));
        std::fs::write(&x, "x\n1\n2\n").unwrap();
        std::fs::write(&y, "y\n1\n").unwrap();
        let args = [
            DataArg { field: Some("x".into()), path: x, array: None },
            DataArg { field: Some("y".into()), path: y, array: None },
        ];
        let fault = load("--data", &args, &[real("x", &[]), class("y", 2)], &mut Classes::default()).unwrap_err();
        assert!(matches!(fault, Fault::Input(m) if m.contains("`x` has 2 samples") && m.contains("`y` has 1")));
    }

    #[test]
    fn compressed_and_missing_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gz");
        std::fs::write(&path, [0x1f, 0x8b, 8, 0, 0]).unwrap();
        let args = [DataArg { field: None, path, array: None }];
        let fault = load("--data", &args, &[real("x", &[])], &mut Classes::default()).unwrap_err();
        assert!(matches!(fault, Fault::Input(m) if m.contains("gunzip")));
        let args = [DataArg::parse("/no/such/file.csv").unwrap()];
        let fault = load("--data", &args, &[real("x", &[])], &mut Classes::default()).unwrap_err();
        assert!(matches!(fault, Fault::Input(m) if m.starts_with("cannot read")));
    }
}
