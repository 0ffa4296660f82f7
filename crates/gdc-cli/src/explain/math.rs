//! Equations of the tensor graph as formulas of mathematics, for whatever draws them.

pub use super::forms::shown;
use super::forms::{factors, part, sum, without_share, written};
use super::names::Names;
use gdc_ir::graph::{Leaf, Model};
use gdc_ir::{Affine, Dist, Expr, ExprId, Graph, NodeId, NodeKind, Op, Red, Var};
use std::collections::{BTreeMap, BTreeSet};

/// Formulas of more parts than these name those that occur more than once.
const NAME_PARTS_ABOVE: u64 = 90;

/// A formula.
#[derive(Clone, PartialEq, Debug)]
pub enum Math {
    /// A number, as it is shown.
    Number(String),
    /// A tensor's element, an index, a name.
    Symbol(Symbol),
    /// Terms, those with `true` subtracted.
    Sum(Vec<(bool, Math)>),
    /// Factors.
    Product(Vec<Math>),
    /// Above, below.
    Fraction(Box<Math>, Box<Math>),
    /// Base, exponent.
    Power(Box<Math>, Box<Math>),
    /// A named function of some arguments.
    Call(&'static str, Vec<Math>),
    /// The square root.
    Root(Box<Math>),
    /// Opening and closing sign around a formula: `|x|`, `⌊x⌋`, and `[c]`, which is 1 where `c` holds.
    Between(&'static str, Box<Math>, &'static str),
    /// Left, sign, right: `=`, `≠`, `<`, `≤`, `∧`, `∨`.
    Relation(Box<Math>, &'static str, Box<Math>),
    /// Not.
    Not(Box<Math>),
    /// The first where the condition holds, else the second.
    Cases(Box<Math>, Box<Math>, Box<Math>),
    /// A reduction over indices.
    Big(Red, Vec<String>, Box<Math>),
    /// An element that may lie outside, and what then stands for it.
    Padded(Box<Math>, Box<Math>),
}

/// A name with its indices.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Symbol {
    /// The last part of a tensor's name, or an index variable.
    pub base: String,
    /// The parts before it.
    pub layer: String,
    /// Whether it is the derivative of the loss by that tensor.
    pub partial: bool,
    /// Which sample, for what each sample has its own of.
    pub sample: Option<Box<Math>>,
    /// The other indices.
    pub at: Vec<Math>,
}

/// How the two sides belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// Is.
    Is,
    /// Becomes.
    Becomes,
    /// Is added to, for all values of the indices.
    Gains,
}

/// One statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Equation {
    /// Left side.
    pub left: Math,
    /// Between.
    pub sign: Sign,
    /// Right side.
    pub right: Math,
    /// Names used on the right, and what they stand for, in order.
    pub parts: Vec<(Math, Math)>,
}

/// A name without indices.
pub fn name(text: &str) -> Math {
    Math::Symbol(Symbol { base: text.to_owned(), ..Symbol::default() })
}

/// An integer.
pub fn whole(number: i64) -> Math {
    Math::Number(number.to_string())
}

fn is_zero(graph: &Graph, e: ExprId) -> bool {
    matches!(graph.exprs.get(e), Expr::Real(bits) if bits.get() == 0.0)
}

/// The value of a node as an equation; `None` for what comes from outside.
pub fn equation(model: &Model, names: &Names, id: NodeId) -> Option<Equation> {
    let graph = &model.graph;
    let mut writer =
        Writer { graph, names, places: BTreeMap::new(), taken: BTreeSet::new(), chosen: 0, parts: BTreeMap::new() };
    let left = |at: Vec<Math>| names.symbol(graph, id, at);
    let (left, sign, right) = match &graph.node(id).kind {
        NodeKind::Leaf(_) => return None,
        NodeKind::Literal(values) => {
            let list: Vec<Math> = values.iter().take(8).map(|v| Math::Number(shown(*v))).collect();
            let more = (values.len() > list.len()).then(|| name("…"));
            (left(Vec::new()), Sign::Is, Math::Call("", list.into_iter().chain(more).collect()))
        }
        NodeKind::Reshape(source) => {
            (left(Vec::new()), Sign::Is, Math::Call("reshape", vec![names.symbol(graph, *source, Vec::new())]))
        }
        // Where it is read stands what the step before left; what is left to say is what the first
        // step begins with.
        NodeKind::Recurrence { init, next, axis, reverse } => {
            let node = graph.node(id);
            let mut places: Vec<Math> = ["i", "j", "k", "l", "m"].into_iter().map(name).collect();
            places.resize_with(node.shape.len().saturating_sub(1), || name("…"));
            if let (true, Some(first)) = (node.per_sample, places.first_mut()) {
                *first = name("b");
            }
            let right = match &graph.node(*init).kind {
                NodeKind::Compute { reduce: None, body, .. } if matches!(graph.exprs.get(*body), Expr::Real(_)) => {
                    writer.expr(*body)
                }
                _ => names.symbol(graph, *init, places.clone()),
            };
            let steps = node.shape.get(*axis).map_or(0, |&n| n as i64);
            places.insert((*axis).min(places.len()), whole(if *reverse { steps } else { -1 }));
            (names.symbol(graph, *next, places), Sign::Is, right)
        }
        NodeKind::Compute { axes, reduce, body } => {
            let over = reduce.iter().flat_map(|r| r.over.iter());
            axes.iter().chain(over).for_each(|&v| writer.bind(v));
            let places = axes.iter().map(|v| writer.var(*v)).collect();
            let right = writer.statement(reduce.as_ref().map(|r| (r.op, r.over.as_slice())), *body, true);
            (left(places), Sign::Is, right)
        }
        NodeKind::Scatter { domain, at, body } => {
            domain.iter().for_each(|&v| writer.bind(v));
            let places = at.iter().map(|&e| writer.expr(e)).collect();
            (left(places), Sign::Gains, writer.statement(None, *body, true))
        }
    };
    let parts = writer.named_parts();
    Some(Equation { left, sign, right, parts })
}

/// Writes the expressions of one statement.
struct Writer<'a> {
    graph: &'a Graph,
    names: &'a Names,
    places: BTreeMap<Var, Math>,
    taken: BTreeSet<String>,
    /// How many choices around this place are 0 otherwise.
    chosen: usize,
    /// Expressions that have a name of their own, with their formulas once written.
    parts: BTreeMap<ExprId, (String, Option<Math>)>,
}

impl Writer<'_> {
    /// Gives a variable a name that no other of the statement has.
    fn bind(&mut self, var: Var) {
        let hint = self.graph.exprs.var(var).name.clone();
        let hint = if hint.is_empty() { "i".to_owned() } else { hint };
        let mut text = hint.clone();
        let letters = ["i", "j", "k", "l", "m", "p", "q", "r"];
        let mut others = letters.iter().map(|l| (*l).to_owned()).chain((2..).map(|k| format!("{hint}{k}")));
        while !self.taken.insert(text.clone()) {
            text = others.next().unwrap_or_default();
        }
        self.places.insert(var, name(&text));
    }

    fn var(&self, var: Var) -> Math {
        self.places.get(&var).cloned().unwrap_or_else(|| name("?"))
    }

    fn statement(&mut self, reduce: Option<(Red, &[Var])>, body: ExprId, outermost: bool) -> Math {
        if outermost {
            self.choose_parts(body);
        }
        let value = self.expr(body);
        let Some((op, over)) = reduce else { return value };
        let vars: Vec<String> = over
            .iter()
            .map(|&v| match self.var(v) {
                Math::Symbol(s) => s.base,
                _ => String::new(),
            })
            .collect();
        let big = |body: Math| Math::Big(op, vars.clone(), Box::new(body));
        let over_samples = over.iter().any(|&v| self.graph.exprs.var(v).batch);
        if op == Red::Sum && over_samples {
            if value == whole(1) && over.len() == 1 {
                return name("n");
            }
            // Each sample's share 1/n does not depend on the sample: it stands before the sum.
            return match without_share(value) {
                (Some(share), rest) => factors(vec![share, big(rest)]),
                (None, value) => big(value),
            };
        }
        big(value)
    }

    /// In a large formula, what occurs more than once is written once.
    fn choose_parts(&mut self, root: ExprId) {
        let exprs = &self.graph.exprs;
        let mut sizes: BTreeMap<ExprId, u64> = BTreeMap::new();
        let mut uses: BTreeMap<ExprId, u32> = BTreeMap::new();
        let mut order = Vec::new();
        exprs.walk(root, &mut |id| {
            let mut size = 1u64;
            for child in exprs.children(id) {
                *uses.entry(child).or_default() += 1;
                size = size.saturating_add(sizes.get(&child).copied().unwrap_or(1));
            }
            sizes.insert(id, size);
            order.push(id);
        });
        if sizes.get(&root).is_none_or(|&s| s <= NAME_PARTS_ABOVE) {
            return;
        }
        for id in order {
            let shared = uses.get(&id).is_some_and(|&n| n > 1);
            if shared && matches!(exprs.get(id), Expr::Op(..)) && exprs.ty(id) != gdc_ir::Ty::Int {
                let text = format!("t{}", self.parts.len() + 1);
                self.parts.insert(id, (text, None));
            }
        }
    }

    fn named_parts(&mut self) -> Vec<(Math, Math)> {
        let ids: Vec<ExprId> = self.parts.keys().copied().collect();
        for id in ids {
            if self.parts.get(&id).is_some_and(|(_, math)| math.is_none()) {
                let math = self.fresh_expr(id);
                if let Some(part) = self.parts.get_mut(&id) {
                    part.1 = Some(math);
                }
            }
        }
        self.parts.values().filter_map(|(text, math)| Some((name(text), math.clone()?))).collect()
    }

    fn expr(&mut self, id: ExprId) -> Math {
        if let Some((text, _)) = self.parts.get(&id) {
            return name(text);
        }
        self.fresh_expr(id)
    }

    fn fresh_expr(&mut self, id: ExprId) -> Math {
        let graph = self.graph;
        match graph.exprs.get(id) {
            Expr::Real(bits) => Math::Number(part(bits.get())),
            Expr::Bool(value) => name(if *value { "true" } else { "false" }),
            Expr::Int(affine) => self.affine(affine),
            Expr::Read { node, at, otherwise } => {
                let read = self.read(*node, at);
                match otherwise {
                    None => read,
                    // The condition of the choice says where it is.
                    Some(e) if self.chosen > 0 && is_zero(graph, *e) => read,
                    Some(e) => Math::Padded(Box::new(read), Box::new(self.expr(*e))),
                }
            }
            Expr::Op(op, args) => self.operator(*op, args),
            Expr::Random { dist, element, .. } => {
                let element = self.expr(*element);
                let base = match dist {
                    Dist::Uniform => "U",
                    Dist::Normal => "N",
                };
                Math::Symbol(Symbol { base: base.to_owned(), at: vec![element], ..Symbol::default() })
            }
        }
    }

    /// The place that is `by` further.
    fn beside(&mut self, place: ExprId, by: i64) -> Math {
        let graph = self.graph;
        match graph.exprs.get(place) {
            Expr::Int(affine) => self.affine(&Affine { constant: affine.constant + by, ..affine.clone() }),
            _ => sum(vec![(false, self.expr(place)), (by < 0, whole(by.abs()))]),
        }
    }

    fn affine(&mut self, affine: &Affine) -> Math {
        let mut terms: Vec<(bool, Math)> = Vec::new();
        for &(v, c) in &affine.terms {
            let size = c.unsigned_abs();
            let var = self.var(v);
            let term = if size == 1 { var } else { Math::Product(vec![Math::Number(size.to_string()), var]) };
            terms.push((c < 0, term));
        }
        if affine.constant != 0 || terms.is_empty() {
            terms.push((affine.constant < 0, Math::Number(affine.constant.unsigned_abs().to_string())));
        }
        terms.sort_by_key(|(negative, _)| *negative);
        sum(terms)
    }

    /// An element; a node that only one statement reads, and that has no name of the user's, is
    /// written out in its place.
    fn read(&mut self, node: NodeId, at: &[ExprId]) -> Math {
        let graph = self.graph;
        if graph.node(node).leaf() == Some(Leaf::SampleWeight) {
            return Math::Fraction(Box::new(whole(1)), Box::new(name("n")));
        }
        let mut places: Vec<Math> = at.iter().map(|&e| self.expr(e)).collect();
        if let NodeKind::Recurrence { next, axis, reverse, .. } = &graph.node(node).kind {
            if let Some((place, step)) = places.get_mut(*axis).zip(at.get(*axis)) {
                *place = self.beside(*step, if *reverse { 1 } else { -1 });
            }
            return self.names.symbol(graph, *next, places);
        }
        let inlined = self.names.is_inlined(node);
        let NodeKind::Compute { axes, reduce, body } = &graph.node(node).kind else {
            return self.names.symbol(graph, node, places);
        };
        if !inlined {
            return self.names.symbol(graph, node, places);
        }
        let kept: Vec<Option<Math>> = axes.iter().zip(places).map(|(&v, place)| self.places.insert(v, place)).collect();
        let over: Vec<Var> = reduce.iter().flat_map(|r| r.over.iter().copied()).collect();
        over.iter().for_each(|&v| self.bind(v));
        let math = self.statement(reduce.as_ref().map(|r| (r.op, r.over.as_slice())), *body, false);
        for (&v, old) in axes.iter().zip(kept) {
            match old {
                Some(place) => self.places.insert(v, place),
                None => self.places.remove(&v),
            };
        }
        math
    }

    fn operator(&mut self, op: Op, args: &[ExprId]) -> Math {
        if let (Op::Exp, [arg]) = (op, args)
            && let Some(share) = self.softmax(*arg)
        {
            return share;
        }
        let chooses = matches!((op, args), (Op::Select, [_, _, none]) if is_zero(self.graph, *none));
        let list: Vec<Math> = (0..)
            .zip(args)
            .map(|(k, &a)| {
                let within = usize::from(chooses && k == 1);
                self.chosen += within;
                let math = self.expr(a);
                self.chosen -= within;
                math
            })
            .collect();
        written(op, list)
    }

    /// `exp(a - log Σ exp(b))` as `exp(a) / Σ exp(b)`.
    fn softmax(&mut self, arg: ExprId) -> Option<Math> {
        let graph = self.graph;
        let Expr::Op(Op::Sub, parts) = graph.exprs.get(arg) else { return None };
        let (a, b) = (parts[0], parts[1]);
        let Expr::Read { node, at, otherwise: None } = graph.exprs.get(b) else { return None };
        let NodeKind::Compute { axes, reduce: Some(reduce), body } = &graph.node(*node).kind else { return None };
        if reduce.op != Red::Lse {
            return None;
        }
        let above = self.expr(a);
        let places: Vec<Math> = at.iter().map(|&e| self.expr(e)).collect();
        axes.iter().zip(places).for_each(|(&v, place)| drop(self.places.insert(v, place)));
        reduce.over.iter().for_each(|&v| self.bind(v));
        let term = Math::Call("exp", vec![self.expr(*body)]);
        let vars = reduce.over.iter().filter_map(|&v| match self.var(v) {
            Math::Symbol(s) => Some(s.base),
            _ => None,
        });
        let below = Math::Big(Red::Sum, vars.collect(), Box::new(term));
        Some(Math::Fraction(Box::new(Math::Call("exp", vec![above])), Box::new(below)))
    }
}
