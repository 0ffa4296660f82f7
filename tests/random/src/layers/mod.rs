//! Random models made of library layers: a tree of entries of a table with random attributes.
//!
//! Every entry computes the shape that it gives, so a model is well typed by construction: what
//! does not fit has no text, and the compiler has to take whatever has one. A model can be written
//! in two ways, [`Style::Rolled`] with `for`, layers, models as layers and scans, and
//! [`Style::Flat`] with all of that written out by hand; [`pair`] holds one to the other.

mod heads;
mod images;
mod library;
mod make;
pub mod pair;
mod pen;
mod sequences;
mod shrink;

pub use make::make;
pub use pen::Style;
pub use shrink::shrink;

use heads::Head;
use pen::{Pen, Shape, numbers};

/// A model: an input, a chain of nodes, a loss.
#[derive(Clone, Debug)]
pub struct Net {
    /// Its number, of which its name is made.
    pub seed: u64,
    batch: usize,
    input: Input,
    nodes: Vec<Node>,
    head: Head,
    optimizer: String,
    double: bool,
}

/// What a model is given.
#[derive(Clone, Debug)]
enum Input {
    /// Numbers.
    Real(Shape),
    /// A sequence of so many integers below the second, as rows of a table of the width that is the
    /// third; or one-hot where that is 0.
    Tokens(usize, usize, usize),
}

/// A part of a model.
#[derive(Clone, Debug)]
enum Node {
    /// An entry of the table, by its place, with its attributes: small numbers, of which 0 is the
    /// simplest.
    Call(usize, Vec<usize>),
    /// What its nodes give, and what they are given.
    Residual(Vec<Node>),
    /// Two chains that are given the same, and how their results go together.
    Branches(Vec<Node>, Vec<Node>, usize),
    /// So many turns of a `for`.
    Repeat(usize, Vec<Node>),
    /// A layer of its own.
    Layer(Vec<Node>),
    /// A model of its own, which is called as a layer.
    Model(Vec<Node>),
    /// One dense layer with one set of weights, so many times.
    Shared(usize),
}

/// An entry of the table of layers.
struct Entry {
    /// How many values each attribute has.
    limits: &'static [usize],
    /// What to write, with `$` for the value that it is given and `#` where a label can stand, and
    /// the shape that it gives; nothing where it does not fit.
    apply: fn(&[usize], &[usize], &mut Pen) -> Written,
}

/// The text, or the name, of a value and its shape; nothing where something does not fit.
type Written = Option<(String, Shape)>;

/// All entries.
fn entries() -> impl Iterator<Item = &'static Entry> {
    library::ENTRIES.iter().chain(images::ENTRIES).chain(sequences::ENTRIES)
}

/// The most elements that a value may have for each sample.
const ROOM: usize = 150;

impl Net {
    /// The source; nothing if some part does not fit.
    pub fn text(&self, style: Style) -> Option<String> {
        self.written(&mut Pen::new(style, self.batch))
    }

    /// The source with nothing that draws.
    fn without_draws(&self, style: Style) -> Option<String> {
        let mut pen = Pen::new(style, self.batch);
        pen.draws = false;
        self.written(&mut pen)
    }

    /// How much there is to compile, in bytes of text; without end where some part does not fit.
    fn length(&self, style: Style) -> usize {
        let mut pen = Pen::new(style, self.batch);
        self.written(&mut pen).map_or(usize::MAX, |text| text.len() + pen.more)
    }

    /// Whether anything in it has parameters.
    fn learns(&self) -> bool {
        let mut pen = Pen::new(Style::Rolled, self.batch);
        let _ = self.written(&mut pen);
        pen.learns
    }

    fn written(&self, pen: &mut Pen) -> Option<String> {
        let (value, shape) = self.begin(pen);
        let (value, shape) = write_all(&self.nodes, value, shape, pen)?;
        self.head.write(&value, &shape, pen)?;
        pen.line(&format!("optimizer {};", self.optimizer));
        if self.double {
            pen.line("precision f64;");
        }
        pen.line(&format!("train {{ batch = {}; }}", self.batch));
        Some(format!("{}model M{} {{\n{}}}\n", pen.items, self.seed, pen.lines))
    }

    /// Declares the input.
    fn begin(&self, pen: &mut Pen) -> (String, Shape) {
        match &self.input {
            Input::Real(shape) => {
                pen.line(&format!("input x: {};", numbers(shape)));
                pen.fresh = true;
                pen.memory = (shape.len() == 2).then(|| ("x".to_owned(), shape.clone()));
                ("x".to_owned(), shape.clone())
            }
            &Input::Tokens(length, range, width) => {
                pen.line(&format!("input x: [{length}] in 0..{range};"));
                let (call, width) = match width {
                    0 => ("one_hot".to_owned(), range),
                    _ => (format!("embedding({width})"), width),
                };
                (pen.words, pen.learns) = (true, width > 0);
                pen.line(&format!("let e = x |> {call};"));
                pen.memory = Some(("e".to_owned(), vec![length, width]));
                ("e".to_owned(), vec![length, width])
            }
        }
    }

    /// How many elements a value has in all samples together, at most.
    fn room(batch: usize) -> usize {
        (900 / batch).min(ROOM)
    }
}

/// Writes nodes one after another: the name of what they give, and its shape.
fn write_all(nodes: &[Node], mut value: String, mut shape: Shape, pen: &mut Pen) -> Option<(String, Shape)> {
    for node in nodes {
        (value, shape) = node.write(&value, &shape, pen)?;
        pen.fresh = false;
        let size: usize = shape.iter().product();
        if size == 0 || size > Net::room(pen.batch) || shape.len() > 5 {
            return None;
        }
    }
    Some((value, shape))
}

impl Node {
    /// Writes a node: the name of what it gives, and its shape. Nothing if it does not fit.
    fn write(&self, value: &str, shape: &Shape, pen: &mut Pen) -> Option<(String, Shape)> {
        let inside = |nodes: &[Node], pen: &mut Pen| write_all(nodes, value.to_owned(), shape.clone(), pen);
        match self {
            Node::Call(entry, attributes) => {
                let (text, shape) = (entries().nth(*entry)?.apply)(shape, attributes, pen)?;
                Some((pen.bind(&text, value), shape))
            }
            Node::Residual(nodes) => {
                let (inner, found) = inside(nodes, pen)?;
                if found == *shape {
                    return Some((pen.bind(&format!("$ + {inner}"), value), found));
                }
                let (&last, before) = shape.split_last()?;
                let same = found.split_last().is_some_and(|(_, b)| b == before);
                same.then(|| (pen.bind(&format!("$ + ({inner} |> dense({last})#)"), value), shape.clone()))
            }
            Node::Branches(a, b, how) => {
                let ((a, left), (b, right)) = (inside(a, pen)?, inside(b, pen)?);
                joined(&a, &left, &b, &right, *how, pen)
            }
            Node::Repeat(turns, nodes) => repeated(*turns, nodes, value, shape, pen),
            Node::Layer(nodes) if pen.style == Style::Rolled => as_layer(nodes, value, shape, pen),
            Node::Model(nodes) if pen.style == Style::Rolled && !pen.in_layer => as_model(nodes, value, shape, pen),
            Node::Layer(nodes) | Node::Model(nodes) => {
                // What stands around a layer or model cannot be seen in it.
                let memory = pen.memory.take();
                let fresh = std::mem::replace(&mut pen.fresh, false);
                let written = inside(nodes, pen);
                (pen.memory, pen.fresh) = (memory, fresh);
                written
            }
            Node::Shared(times) => shared(*times, value, shape, pen),
        }
    }
}

/// Two values together.
fn joined(a: &str, left: &[usize], b: &str, right: &[usize], how: usize, pen: &mut Pen) -> Option<(String, Shape)> {
    let equal = left == right;
    let (&m, before) = left.split_last()?;
    let (&n, others) = right.split_last()?;
    let beside: Shape = before.iter().copied().chain([m + n]).collect();
    let (text, shape) = match how {
        0 if before == others => (format!("concat({a}, {b})"), beside),
        1 if equal => (format!("{a} * sigmoid({b})"), left.to_vec()),
        2 if equal => (format!("stack({a}, {b})"), left.iter().copied().chain([2]).collect()),
        3 if equal => (format!("max({a}, {b})"), left.to_vec()),
        4 if before == others && before.len() == 1 => (format!("(transpose({a}) @ {b}) / 2"), vec![m, n]),
        5 if left.len() == 2 && right.len() == 2 && m == n => {
            (format!("concat_rows({a}, {b})"), vec![left[0] + right[0], m])
        }
        _ => return None,
    };
    Some((pen.bind(&text, a), shape))
}

/// `for` with a value that goes through nodes in each turn, or the turns one after another.
fn repeated(turns: usize, nodes: &[Node], value: &str, shape: &Shape, pen: &mut Pen) -> Option<(String, Shape)> {
    let fresh = std::mem::replace(&mut pen.fresh, false);
    let written = if pen.style == Style::Flat {
        let mut current = value.to_owned();
        for _ in 0..turns {
            let (next, found) = write_all(nodes, current, shape.clone(), pen)?;
            current = (found == *shape).then_some(next)?;
        }
        (current, shape.clone())
    } else {
        let carried = pen.bind("$", value);
        let index = pen.name("i");
        pen.line(&format!("for {index} in 0..{turns} {{"));
        let (next, found) = write_all(nodes, carried.clone(), shape.clone(), pen)?;
        pen.line(&format!("{carried} <- {next};"));
        pen.line("}");
        ((found == *shape).then_some(carried)?, shape.clone())
    };
    pen.fresh = fresh;
    Some(written)
}

/// Nodes as the body of a layer.
fn as_layer(nodes: &[Node], value: &str, shape: &Shape, pen: &mut Pen) -> Option<(String, Shape)> {
    let name = pen.name("block");
    let axes: Vec<String> = (0..shape.len()).map(|k| format!("n{k}")).collect();
    let (body, result, found) = pen.apart(true, |pen| write_all(nodes, "z".to_owned(), shape.clone(), pen))?;
    pen.items += &format!("layer {name}(z: [{}]) {{\n{body}    {result}\n}}\n", axes.join(", "));
    Some((pen.bind(&format!("$ |> {name}#"), value), found))
}

/// Nodes as a model that is called.
fn as_model(nodes: &[Node], value: &str, shape: &Shape, pen: &mut Pen) -> Option<(String, Shape)> {
    let name = pen.name("Part");
    let (body, result, found) = pen.apart(false, |pen| write_all(nodes, "z".to_owned(), shape.clone(), pen))?;
    pen.items += &format!(
        "model {name} {{\n    input z: {};\n{body}    output o = {result};\n    loss mean({result});\n    \
         optimizer sgd();\n}}\n",
        numbers(shape)
    );
    Some((pen.bind(&format!("{name}($)#"), value), found))
}

/// One dense layer several times, or the same with parameters of the model.
fn shared(times: usize, value: &str, shape: &Shape, pen: &mut Pen) -> Option<(String, Shape)> {
    let n = *shape.last()?;
    pen.learns = true;
    let mut current = value.to_owned();
    let call = if pen.style == Style::Flat {
        let (w, b) = (pen.name("w"), pen.name("b"));
        pen.line(&format!("param {w}: [{n}, {n}] = glorot_uniform({n}, {n});"));
        pen.line(&format!("param {b}: [{n}] = zeros;"));
        format!("tanh($ @ {w} + {b})")
    } else {
        let layer = pen.name("f");
        pen.line(&format!("layer {layer} = dense({n});"));
        format!("tanh({layer}($))")
    };
    for _ in 0..times {
        current = pen.bind(&call, &current);
    }
    Some((current, shape.clone()))
}
