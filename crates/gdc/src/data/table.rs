//! CSV tables with a header: columns by name, rows as samples.

use super::Error;
use crate::rt::Float;
use std::format;
use std::path::{Path, PathBuf};
use std::prelude::rust_2024::*;
use std::str::FromStr;

/// A table of numbers and words, read whole.
///
/// ```no_run
/// use gdc::data::Table;
///
/// let table = Table::read_csv("iris.csv")?;
/// let x: Vec<[f32; 2]> = table.numbers(["sepal_length", "sepal_width"])?;
/// let (species, names) = table.classes("species")?;
/// # Ok::<(), gdc::data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    columns: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads a file whose first line names the columns.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a row has more or fewer cells than the first.
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let wrong = |e: csv::Error| Error::new(path, e);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(wrong)?;
        let columns = reader.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<Result<_, _>>().map_err(wrong)?;
        Ok(Table { path: path.to_owned(), columns, rows })
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The numbers of some columns, a sample for each row, as `f32` or `f64`.
    ///
    /// # Errors
    ///
    /// There is no such column, or a cell is not a finite number; the error names its line.
    pub fn numbers<T: Float + FromStr, const N: usize>(&self, columns: [&str; N]) -> Result<Vec<[T; N]>, Error> {
        let mut places = [0; N];
        for (place, name) in places.iter_mut().zip(columns) {
            *place = self.place(name)?;
        }
        let mut samples = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let mut sample = [T::default(); N];
            for (value, &place) in sample.iter_mut().zip(&places) {
                *value = self.number(row, place)?;
            }
            samples.push(sample);
        }
        Ok(samples)
    }

    /// One column of words or numbers as classes, numbered in the order of their first
    /// appearance, and the words.
    ///
    /// # Errors
    ///
    /// There is no such column.
    pub fn classes(&self, column: &str) -> Result<(Vec<u32>, Vec<String>), Error> {
        let place = self.place(column)?;
        let mut names: Vec<String> = Vec::new();
        let mut classes = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let word = row.get(place).unwrap_or_default();
            let class = names.iter().position(|n| n == word).unwrap_or_else(|| {
                names.push(word.to_owned());
                names.len() - 1
            });
            classes.push(class as u32);
        }
        Ok((classes, names))
    }

    fn place(&self, name: &str) -> Result<usize, Error> {
        self.columns.iter().position(|c| c == name).ok_or_else(|| {
            Error::new(&self.path, format!("there is no column `{name}`; there are {}", self.columns.join(", ")))
        })
    }

    fn number<T: Float + FromStr>(&self, row: &csv::StringRecord, place: usize) -> Result<T, Error> {
        let cell = row.get(place).unwrap_or_default();
        cell.parse().ok().filter(|x: &T| x.to_f64().is_finite()).ok_or_else(|| {
            let line = row.position().map_or("?".to_owned(), |p| p.line().to_string());
            let column = self.columns.get(place).map_or("", String::as_str);
            Error::new(&self.path, format!("line {line}: `{column}` is `{cell}`, not a number"))
        })
    }
}
