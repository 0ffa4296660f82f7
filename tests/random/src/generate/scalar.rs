//! Scalar expressions: smooth and not, of moderate size wherever their arguments are.

use super::{Function, Maker, Tensor};
use crate::spec::{Expr, Part, SizeId, Stmt};

/// An index that can be used.
#[derive(Clone, Debug)]
pub(super) struct Var {
    pub(super) name: String,
    pub(super) size: SizeId,
}

const ONE: &[&[&str]] = &[
    &["tanh(", ")"],
    &["sigmoid(", ")"],
    &["sin(", ")"],
    &["cos(", ")"],
    &["exp(0.5 * ", ")"],
    &["softplus(", ")"],
    &["erf(", ")"],
    &["expm1(0.3 * ", ")"],
    &["log(1.5 + ", "^2)"],
    &["log1p(", "^2)"],
    &["sqrt(0.5 + ", "^2)"],
    &["abs(", ")"],
    &["(-", ")"],
    &["", "^2"],
    &["", "^3"],
    &["1 / (1 + ", "^2)"],
    &["(1.3 + ", "^2)^0.7"],
    &["1.7^", ""],
    &["relu(", ")"],
    &["gelu(", ")"],
    &["silu(", ")"],
    &["leaky_relu(", ", slope = 0.2)"],
    &["elu(", ")"],
    &["mish(", ")"],
    &["hard_swish(", ")"],
    &["softsign(", ")"],
    &["log_sigmoid(", ")"],
    &["clamp(", ", -0.8, 0.9)"],
    &["log(sigmoid(", "))"],
    &["exp(-", "^2)"],
    &["detach(", ")"],
    &["floor(3 * ", ") / 3"],
    &["round(2 * ", ") / 2"],
    &["sign(", ")"],
    &["ceil(1.5 * ", ")"],
];

const TWO: &[&[&str]] = &[
    &["(", " + ", ")"],
    &["(", " + ", ")"],
    &["(", " - ", ")"],
    &["", " * ", ""],
    &["", " * ", ""],
    &["", " / (1.5 + ", "^2)"],
    &["max(", ", ", ")"],
    &["min(", ", ", ")"],
    &["(0.5 + ", "^2)^tanh(", ")"],
    &["binary_cross_entropy(tanh(", "), ", ")"],
];

const CONDITIONS: &[&[&str]] = &[
    &["", " < ", ""],
    &["", " > ", ""],
    &["", " <= ", " + 0.2"],
    &["", " > 0.1 && ", " < 0.7"],
    &["", " > 0.3 || ", " < (-0.2)"],
    &["!(", " > ", ")"],
];

impl Maker {
    /// An expression of at most some depth over the indices.
    pub(super) fn expr(&mut self, vars: &[Var], depth: usize) -> Expr {
        if depth == 0 || self.random.chance(12) {
            return self.atom(vars);
        }
        match self.random.below(100) {
            0..38 => {
                let words = *self.random.pick(ONE);
                Expr::node(words, vec![self.operand(vars, depth - 1)])
            }
            38..76 => {
                let words = *self.random.pick(TWO);
                Expr::node(words, vec![self.operand(vars, depth - 1), self.operand(vars, depth - 1)])
            }
            76..84 => {
                let condition = *self.random.pick(CONDITIONS);
                let words = [&format!("(if {}", condition[0]), condition[1], &format!("{} {{ ", condition[2])];
                let words = [words[0], words[1], words[2], " } else { ", " })"];
                let args = (0..4).map(|k| self.expr(vars, if k < 2 { 0 } else { depth - 1 })).collect();
                Expr::node(&words, args)
            }
            84..87 if !vars.is_empty() => {
                let (i, j) = (self.random.pick(vars).name.clone(), self.random.pick(vars).name.clone());
                let test = self.random.pick(&["==", "<=", "!="]).to_owned();
                let words = [format!("(if {i} {test} {j} {{ "), " } else { ".to_owned(), " })".to_owned()];
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                Expr::node(&words, vec![self.expr(vars, depth - 1), self.expr(vars, depth - 1)])
            }
            87..93 if !self.functions.is_empty() => {
                let Function { name, arity } = self.random.pick(&self.functions.clone()).clone();
                let mut words = vec!["(".to_owned()];
                words.extend((1..arity).map(|_| ", ".to_owned()));
                words.push(")".to_owned());
                let args = (0..arity).map(|_| self.expr(vars, depth - 1)).collect();
                // The function's name is a read, so that the spec knows who needs it.
                let call = Expr::Node(words, args);
                let callee = Expr::Read { tensor: name, at: Vec::new(), outside: None };
                Expr::node(&["", "", ""], vec![callee, call])
            }
            93..96 => self.inner_reduction(vars, depth),
            96 | 97 => {
                // A name of its own, since no name shadows another.
                self.names += 1;
                let once = format!("once{}", self.names);
                let words = [format!("{{ let {once} = "), format!("; {once} * sigmoid("), format!(") + {once} }}")];
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                Expr::node(&words, vec![self.expr(vars, depth - 1), self.expr(vars, depth - 1)])
            }
            _ => Expr::node(&["(", ")"], vec![self.expr(vars, depth - 1)]),
        }
    }

    /// An expression that binds tightly.
    fn operand(&mut self, vars: &[Var], depth: usize) -> Expr {
        let e = self.expr(vars, depth);
        match &e {
            Expr::Node(words, _) if words[0].starts_with('(') && words.last().is_some_and(|w| w.ends_with(')')) => e,
            Expr::Node(..) => Expr::node(&["(", ")"], vec![e]),
            Expr::Leaf(_) | Expr::Read { .. } => e,
        }
    }

    /// `mean[k](...)` within an expression.
    fn inner_reduction(&mut self, vars: &[Var], depth: usize) -> Expr {
        let Some(t) = self.real(&|t| !t.shape.is_empty()) else { return self.atom(vars) };
        let axis = self.random.below(t.shape.len());
        if self.spec.size(t.shape[axis]) > 8 {
            return self.atom(vars);
        }
        self.names += 1;
        let bound = Var { name: format!("q{}", self.names), size: t.shape[axis] };
        let mut at: Vec<String> = t.shape.iter().map(|_| "0".to_owned()).collect();
        at[axis].clone_from(&bound.name);
        let read = Expr::Read { tensor: t.name, at, outside: None };
        let mut all = vars.to_vec();
        all.push(bound.clone());
        let rest = self.expr(&all, depth.min(2) - 1);
        let red = *self.random.pick(&["mean", "mean", "max", "min", "lse"]);
        let open = format!("{red}[{}](", bound.name);
        Expr::node(&[&open, " * tanh(", "))"], vec![read, rest])
    }

    /// A number, an index, or an element.
    pub(super) fn atom(&mut self, vars: &[Var]) -> Expr {
        match self.random.below(100) {
            0..10 => self.number(),
            10..15 if !vars.is_empty() => {
                let var = self.random.pick(vars).name.clone();
                Expr::Leaf(format!("({var} + 1) * 0.1"))
            }
            _ => self.element(vars).unwrap_or_else(|| self.number()),
        }
    }

    fn number(&mut self) -> Expr {
        let value = *self.random.pick(&["0.3", "1.5", "2", "0.75", "1", "0", "1e-2", "pi / 4"]);
        Expr::Leaf(format!("({value})"))
    }

    /// Some element of some tensor at the indices.
    fn element(&mut self, vars: &[Var]) -> Option<Expr> {
        let t = self.real(&|_| true)?;
        Some(self.element_of(&t, vars))
    }

    /// An element: each place an index of that size, a shifted one, or a number.
    pub(super) fn element_of(&mut self, t: &Tensor, vars: &[Var]) -> Expr {
        let mut outside = false;
        let mut at = Vec::new();
        for &size in &t.shape {
            let fitting: Vec<&Var> = vars.iter().filter(|v| v.size == size).collect();
            let n = self.spec.size(size);
            at.push(if !fitting.is_empty() && self.random.chance(80) {
                self.random.pick(&fitting).name.clone()
            } else if !vars.is_empty() && self.random.chance(50) {
                outside = true;
                let var = self.random.pick(vars).name.clone();
                let scale = self.random.pick(&["", "2*", "3*", "-"]).to_owned();
                let shift = self.random.pick(&[" - 1", " + 1", " + 2", " - 3"]).to_owned();
                format!("{scale}{var}{shift}")
            } else {
                // The size may become smaller, but never 0.
                if self.random.chance(70) || n == 1 { "0".to_owned() } else { format!("{}", self.random.below(n)) }
            });
        }
        let value = *self.random.pick(&["0", "0", "1", "0.5"]);
        Expr::Read { tensor: t.name.clone(), at, outside: outside.then(|| value.to_owned()) }
    }

    /// `fn f(a, b) = ...;`
    pub(super) fn function(&mut self) {
        let arity = self.random.within(1, 2);
        let name = self.name("f");
        let params: Vec<String> = (0..arity).map(|k| format!("z{k}")).collect();
        // The body reads the parameters alone.
        let tensors = std::mem::take(&mut self.tensors);
        for p in &params {
            let name = p.clone();
            self.add(Tensor {
                name,
                shape: Vec::new(),
                per_sample: true,
                target: false,
                int: None,
                param: false,
                used: false,
            });
        }
        let functions = std::mem::take(&mut self.functions);
        let depth = self.random.within(1, 3);
        let body = self.expr(&[], depth);
        self.functions = functions;
        self.tensors = tensors;
        // A read of a parameter must not look like one of a tensor.
        let parts =
            vec![Part::Text(format!("fn {name}({}) = ", params.join(", "))), Part::Expr(body), Part::Text(";".into())];
        self.spec.stmts.push(Stmt { parts, defines: vec![name.clone()], item: true, needed: false });
        self.functions.push(Function { name, arity });
    }
}
