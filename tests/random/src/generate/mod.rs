//! Random specs: well typed by construction, small, and with values of moderate size.

mod index;
mod library;
mod scalar;
mod settings;
pub(crate) use settings::{OPTIMIZERS, TRANSFORMS};
mod whole;

use crate::random::Random;
use crate::spec::{Part, Size, SizeId, Spec, Stmt};

/// A value that statements can use.
#[derive(Clone, Debug)]
struct Tensor {
    name: String,
    shape: Vec<SizeId>,
    /// Whether it differs between samples.
    per_sample: bool,
    /// Whether an output must not read it.
    target: bool,
    /// The range of an integer.
    int: Option<SizeId>,
    param: bool,
    used: bool,
}

/// A function of numbers that the spec defines, and how many it takes.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    arity: usize,
}

/// A spec in the making.
struct Maker {
    random: Random,
    spec: Spec,
    tensors: Vec<Tensor>,
    functions: Vec<Function>,
    /// Names given so far.
    names: usize,
    /// Whether the model asks for `training`, under which `predict` is another graph.
    trains: bool,
}

/// Names that mean something elsewhere, and nothing here.
const AWKWARD: &[&str] = &[
    "type", "match", "r", "rt", "gdc", "core", "simd", "seed", "self_", "Some", "f32", "usize", "weight", "samples",
    "loop", "move", "ref", "dyn", "async", "a_b", "Self_", "model_", "grad_", "ß", "λ", "out", "step_", "new", "std",
    "u8", "Ok", "data", "forward", "batch", "lanes", "main", "abs_", "tanh_", "w", "b", "init", "predict",
];

/// The spec of a seed.
pub fn generate(seed: u64) -> Spec {
    let mut maker = Maker::new(seed);
    maker.leaves();
    for _ in 0..maker.random.within(2, 7) {
        maker.statement();
    }
    maker.ends();
    maker.spec
}

impl Maker {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let batch = *random.pick(&[1, 1, 2, 3, 3, 4, 5, 7, 8, 16, 17, 20, 33]);
        let mut sizes = Vec::new();
        for _ in 0..random.within(3, 5) {
            sizes.push(Size::Base(*random.pick(&[1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 16, 17, 19])));
        }
        let spec = Spec { name: format!("M{seed}"), sizes, batch, stmts: Vec::new() };
        Maker { random, spec, tensors: Vec::new(), functions: Vec::new(), names: 0, trains: false }
    }

    /// A new name.
    fn name(&mut self, stem: &str) -> String {
        if self.random.chance(8) {
            let name = *self.random.pick(AWKWARD);
            let taken = |s: &Stmt| s.defines.iter().any(|d| d == name);
            if !self.spec.stmts.iter().any(taken) {
                return name.to_owned();
            }
        }
        self.names += 1;
        format!("{stem}{}", self.names)
    }

    fn push(&mut self, defines: &[&str], parts: Vec<Part>) {
        let defines = defines.iter().map(|d| (*d).to_owned()).collect();
        self.spec.stmts.push(Stmt { parts, defines, item: false, needed: false });
    }

    fn volume(&self, shape: &[SizeId]) -> usize {
        shape.iter().map(|&s| self.spec.size(s)).product()
    }

    /// One of the sizes that the spec began with.
    fn size(&mut self) -> SizeId {
        let bases: Vec<SizeId> =
            (0..self.spec.sizes.len()).filter(|&s| matches!(self.spec.sizes[s], Size::Base(_))).collect();
        *self.random.pick(&bases)
    }

    fn new_size(&mut self, size: Size) -> SizeId {
        self.spec.sizes.push(size);
        self.spec.sizes.len() - 1
    }

    /// A shape of at most `rank` axes that is not too large.
    fn shape(&mut self, rank: usize, most: usize) -> Vec<SizeId> {
        let mut shape = Vec::new();
        for _ in 0..self.random.within(0, rank) {
            let size = self.size();
            shape.push(size);
            if self.volume(&shape) > most {
                shape.pop();
            }
        }
        shape
    }

    /// Of a tensor of the batch: how many elements each sample may have.
    fn room(&self) -> usize {
        (1200 / self.spec.batch).clamp(20, 200)
    }

    fn add(&mut self, tensor: Tensor) {
        self.tensors.push(tensor);
    }

    /// A real value of some kind; what nothing uses yet is more likely.
    fn real(&mut self, wanted: &dyn Fn(&Tensor) -> bool) -> Option<Tensor> {
        let fits = |t: &&Tensor| t.int.is_none() && wanted(t);
        let fresh: Vec<usize> =
            (0..self.tensors.len()).filter(|&k| fits(&&self.tensors[k]) && !self.tensors[k].used).collect();
        let all: Vec<usize> = (0..self.tensors.len()).filter(|&k| fits(&&self.tensors[k])).collect();
        let list = if !fresh.is_empty() && self.random.chance(60) { fresh } else { all };
        if list.is_empty() {
            return None;
        }
        let k = *self.random.pick(&list);
        self.tensors[k].used = true;
        Some(self.tensors[k].clone())
    }

    fn int(&mut self) -> Option<Tensor> {
        let all: Vec<Tensor> = self.tensors.iter().filter(|t| t.int.is_some()).cloned().collect();
        if all.is_empty() { None } else { Some(self.random.pick(&all).clone()) }
    }

    /// Marks names as used; whether one is per sample, and whether one reads a target.
    fn facts_of(&mut self, names: &[String]) -> (bool, bool) {
        let (mut per_sample, mut target) = (false, false);
        for t in self.tensors.iter_mut().filter(|t| names.contains(&t.name)) {
            t.used = true;
            per_sample |= t.per_sample;
            target |= t.target;
        }
        (per_sample, target)
    }

    /// `let name...;` of which the facts follow from what it uses.
    fn bind(&mut self, name: &str, shape: Vec<SizeId>, parts: Vec<Part>) {
        let stmt = Stmt { parts, defines: vec![name.to_owned()], item: false, needed: false };
        let names: Vec<String> = stmt.uses().into_iter().collect();
        let (per_sample, target) = self.facts_of(&names);
        self.spec.stmts.push(stmt);
        self.add(Tensor { name: name.to_owned(), shape, per_sample, target, int: None, param: false, used: false });
    }

    /// A shape as text, in brackets.
    fn shape_parts(shape: &[SizeId]) -> Vec<Part> {
        let mut parts = vec![text("[")];
        for (k, &s) in shape.iter().enumerate() {
            if k > 0 {
                parts.push(text(", "));
            }
            parts.push(Part::Size(s));
        }
        parts.push(text("]"));
        parts
    }

    /// Inputs, targets, parameters.
    fn leaves(&mut self) {
        let room = self.room();
        let inputs = if self.random.chance(92) { self.random.within(1, 3) } else { 0 };
        for _ in 0..inputs {
            let shape = self.shape(3, room);
            self.leaf("input", "x", shape, false);
        }
        if inputs > 0 && self.random.chance(45) {
            let shape = self.shape(1, 20);
            self.leaf("input", "id", shape, true);
        }
        if inputs > 0 && self.random.chance(60) {
            let shape = self.shape(2, room);
            self.leaf("target", "y", shape, false);
        }
        if inputs > 0 && self.random.chance(40) {
            let shape = self.shape(1, 6);
            self.leaf("target", "label", shape, true);
        }
        for _ in 0..self.random.within(1, 2) {
            let shape = self.shape(3, 60);
            self.param(shape);
        }
    }

    fn leaf(&mut self, word: &str, stem: &str, shape: Vec<SizeId>, int: bool) {
        let name = self.name(stem);
        let mut parts = vec![text(&format!("{word} {name}: "))];
        // One number is written `[]`, or nothing before a range.
        if !(int && shape.is_empty()) {
            parts.extend(Self::shape_parts(&shape));
        }
        let range = int.then(|| self.size());
        if let Some(range) = range {
            parts.extend([text(" in 0.."), Part::Size(range)]);
        }
        parts.push(text(";"));
        self.push(&[&name], parts);
        let target = word == "target";
        self.add(Tensor { name, shape, per_sample: true, target, int: range, param: false, used: false });
    }

    fn param(&mut self, shape: Vec<SizeId>) -> Tensor {
        let name = self.name("w");
        let init =
            *self.random.pick(&["normal(0, 0.5)", "uniform(-1, 1)", "uniform(0.2, 0.9)", "truncated_normal(0, 0.6)"]);
        let mut parts = vec![text(&format!("param {name}: "))];
        parts.extend(Self::shape_parts(&shape));
        parts.push(text(&format!(" = {init};")));
        self.push(&[&name], parts);
        let tensor = Tensor { name, shape, per_sample: false, target: false, int: None, param: true, used: false };
        self.add(tensor.clone());
        tensor
    }

    fn statement(&mut self) {
        match self.random.below(100) {
            0..24 => self.map(),
            24..40 => self.reduce(),
            40..50 => self.contract(),
            50..54 => self.scatter(),
            54..60 => self.gather(),
            60..74 => self.whole(),
            74..94 => self.layer(),
            94..97 => self.function(),
            _ => self.special(),
        }
    }
}

fn text(words: &str) -> Part {
    Part::Text(words.to_owned())
}

fn name(words: &str) -> Part {
    Part::Name(words.to_owned())
}
