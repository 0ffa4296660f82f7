//! A spec as a list of statements that know what they define and use, so that some can be left
//! out, expressions replaced by parts of themselves, and sizes reduced.

use std::collections::BTreeSet;
use std::fmt::Write;

/// A size, by its place in [`Spec::sizes`].
pub type SizeId = usize;

/// The extent of an axis.
#[derive(Clone, Debug)]
pub enum Size {
    /// Some number.
    Base(usize),
    /// Places of a window: `(of + 2 pad - kernel) / stride + 1`.
    Window(SizeId, usize, usize, usize),
    /// All of them multiplied.
    Product(Vec<SizeId>),
    /// One after another.
    Sum(SizeId, SizeId),
    /// One, and some more.
    More(SizeId, usize),
}

/// A piece of a statement's text.
#[derive(Clone, Debug)]
pub enum Part {
    /// Words.
    Text(String),
    /// A name that another statement defines.
    Name(String),
    /// A size as a number.
    Size(SizeId),
    /// An expression that can be made smaller.
    Expr(Expr),
}

/// A scalar expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A number or index.
    Leaf(String),
    /// An element, or a whole tensor where there is no place.
    Read {
        /// The tensor's name.
        tensor: String,
        /// The places: names of indices, or arithmetic.
        at: Vec<String>,
        /// What it yields outside.
        outside: Option<String>,
    },
    /// Words with expressions between them; any of these may stand for the whole.
    Node(Vec<String>, Vec<Expr>),
}

/// A statement of the model, or an item beside it.
#[derive(Clone, Debug, Default)]
pub struct Stmt {
    /// The text.
    pub parts: Vec<Part>,
    /// The names that others may use.
    pub defines: Vec<String>,
    /// Whether it stands outside of the model.
    pub item: bool,
    /// Whether it stays when others go.
    pub needed: bool,
}

/// A model with all that it needs.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The model's name.
    pub name: String,
    /// All sizes.
    pub sizes: Vec<Size>,
    /// Samples of a step.
    pub batch: usize,
    /// The statements and items in order.
    pub stmts: Vec<Stmt>,
}

impl Expr {
    /// Words around expressions.
    pub fn node(words: &[&str], args: Vec<Expr>) -> Expr {
        assert_eq!(words.len(), args.len() + 1, "{words:?}");
        Expr::Node(words.iter().map(|w| (*w).to_owned()).collect(), args)
    }

    /// Calls `visit` with all reads.
    pub fn reads(&self, visit: &mut dyn FnMut(&str, &[String])) {
        match self {
            Expr::Leaf(_) => {}
            Expr::Read { tensor, at, .. } => visit(tensor, at),
            Expr::Node(_, args) => args.iter().for_each(|a| a.reads(visit)),
        }
    }

    /// How many expressions it is made of.
    pub fn len(&self) -> usize {
        match self {
            Expr::Leaf(_) | Expr::Read { .. } => 1,
            Expr::Node(_, args) => 1 + args.iter().map(Expr::len).sum::<usize>(),
        }
    }

    /// Never.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// What can stand for the expression at place `at` (in order of visits): its parts, or a
    /// number.
    pub fn smaller(&self, at: usize) -> Vec<Expr> {
        if at == 0 {
            let mut list = match self {
                Expr::Leaf(_) => return Vec::new(),
                Expr::Read { .. } => Vec::new(),
                Expr::Node(_, args) => args.clone(),
            };
            list.push(Expr::Leaf("0.5".to_owned()));
            return list;
        }
        let Expr::Node(words, args) = self else { return Vec::new() };
        let mut before = 1;
        for (k, arg) in args.iter().enumerate() {
            if at < before + arg.len() {
                let with = |new: Expr| {
                    let mut args = args.clone();
                    args[k] = new;
                    Expr::Node(words.clone(), args)
                };
                return arg.smaller(at - before).into_iter().map(with).collect();
            }
            before += arg.len();
        }
        Vec::new()
    }

    fn write(&self, out: &mut String) {
        match self {
            Expr::Leaf(text) => out.push_str(text),
            Expr::Read { tensor, at, outside } => {
                let open = if outside.is_some() { "(" } else { "" };
                let _ = write!(out, "{open}{tensor}");
                if !at.is_empty() {
                    let _ = write!(out, "[{}]", at.join(", "));
                }
                if let Some(value) = outside {
                    let _ = write!(out, " else {value})");
                }
            }
            Expr::Node(words, args) => {
                for (word, arg) in words.iter().zip(args) {
                    out.push_str(word);
                    arg.write(out);
                }
                out.push_str(words.last().map_or("", |w| w));
            }
        }
    }
}

impl Stmt {
    /// The names that it needs.
    pub fn uses(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for part in &self.parts {
            match part {
                Part::Name(name) => names.extend([name.clone()]),
                Part::Expr(e) => e.reads(&mut |tensor, _| names.extend([tensor.to_owned()])),
                Part::Text(_) | Part::Size(_) => {}
            }
        }
        names
    }
}

impl Spec {
    /// A size as a number; 0 where there is none.
    pub fn size(&self, id: SizeId) -> usize {
        match &self.sizes[id] {
            Size::Base(n) => *n,
            Size::Window(of, kernel, stride, pad) => {
                (self.size(*of) + 2 * pad).checked_sub(*kernel).map_or(0, |room| room / stride + 1)
            }
            Size::Product(list) => list.iter().map(|&s| self.size(s)).product(),
            Size::Sum(a, b) => self.size(*a) + self.size(*b),
            Size::More(a, n) => self.size(*a) + n,
        }
    }

    fn write(&self, stmt: &Stmt, out: &mut String) {
        for part in &stmt.parts {
            match part {
                Part::Text(text) | Part::Name(text) => out.push_str(text),
                Part::Size(id) => {
                    let _ = write!(out, "{}", self.size(*id));
                }
                Part::Expr(e) => e.write(out),
            }
        }
    }

    /// The source.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for stmt in self.stmts.iter().filter(|s| s.item) {
            self.write(stmt, &mut out);
            out.push('\n');
        }
        let _ = writeln!(out, "model {} {{", self.name);
        for stmt in self.stmts.iter().filter(|s| !s.item) {
            out.push_str("    ");
            self.write(stmt, &mut out);
            out.push('\n');
        }
        let _ = writeln!(out, "    train {{ batch = {}; }}\n}}", self.batch);
        out
    }
}
