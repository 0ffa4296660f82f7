//! Equations of the tensor graph as formulas of mathematics, for whatever draws them.

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

fn whole(number: i64) -> Math {
    Math::Number(number.to_string())
}

/// Numbers in six significant digits: what readers compare with their book.
pub fn shown(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "nan"
        } else if value > 0.0 {
            "∞"
        } else {
            "-∞"
        }
        .to_owned();
    }
    if (value.abs() - std::f64::consts::PI).abs() < 1e-12 {
        return if value < 0.0 { "-π" } else { "π" }.to_owned();
    }
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    let text = format!("{rounded}");
    if text.len() > 9 && rounded != 0.0 { format!("{rounded:e}") } else { text }
}

/// The value of a node as an equation; `None` for what comes from outside.
pub fn equation(model: &Model, names: &Names, id: NodeId) -> Option<Equation> {
    let graph = &model.graph;
    let mut writer = Writer { graph, names, places: BTreeMap::new(), taken: BTreeSet::new(), parts: BTreeMap::new() };
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
        // What a step leaves enters the next one; the first begins with the other value.
        NodeKind::Recurrence { init, next, reverse, .. } => {
            let before = name(if *reverse { "t + 1" } else { "t - 1" });
            let parts = vec![names.symbol(graph, *next, vec![before]), names.symbol(graph, *init, Vec::new())];
            (left(vec![name("t")]), Sign::Is, Math::Call("carried", parts))
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
            Expr::Real(bits) => Math::Number(shown(bits.get())),
            Expr::Bool(value) => name(if *value { "true" } else { "false" }),
            Expr::Int(affine) => self.affine(affine),
            Expr::Read { node, at, otherwise } => {
                let read = self.read(*node, at);
                match otherwise {
                    None => read,
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
        let places: Vec<Math> = at.iter().map(|&e| self.expr(e)).collect();
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
        let list: Vec<Math> = args.iter().map(|&a| self.expr(a)).collect();
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

/// An operator with its arguments.
fn written(op: Op, mut args: Vec<Math>) -> Math {
    let b = if args.len() > 1 { args.remove(1) } else { name("?") };
    let a = if args.is_empty() { name("?") } else { args.remove(0) };
    let relation = |sign, a, b| Math::Relation(Box::new(a), sign, Box::new(b));
    let one = |function, a| Math::Call(function, vec![a]);
    match op {
        Op::Neg => sum(vec![(true, a)]),
        Op::Add => sum(vec![(false, a), (false, b)]),
        Op::Sub => sum(vec![(false, a), (true, b)]),
        Op::Mul => product(a, b),
        Op::Div => Math::Fraction(Box::new(a), Box::new(b)),
        Op::Pow => Math::Power(Box::new(a), Box::new(b)),
        Op::Min => Math::Call("min", vec![a, b]),
        Op::Max => Math::Call("max", vec![a, b]),
        Op::Abs => Math::Between("|", Box::new(a), "|"),
        Op::Sign => one("sign", a),
        Op::Floor => Math::Between("⌊", Box::new(a), "⌋"),
        Op::Ceil => Math::Between("⌈", Box::new(a), "⌉"),
        Op::Round => one("round", a),
        Op::Sqrt => Math::Root(Box::new(a)),
        Op::Exp => one("exp", a),
        Op::Expm1 => sum(vec![(false, one("exp", a)), (true, whole(1))]),
        Op::Log => one("log", a),
        Op::Log1p => one("log", sum(vec![(false, whole(1)), (false, a)])),
        Op::Sin => one("sin", a),
        Op::Cos => one("cos", a),
        Op::Tanh => one("tanh", a),
        Op::Sigmoid => one("σ", a),
        // log(1 + exp a), which is how books write it.
        Op::Softplus => one("log", sum(vec![(false, whole(1)), (false, one("exp", a))])),
        Op::Erf => one("erf", a),
        Op::Eq => relation("=", a, b),
        Op::Ne => relation("≠", a, b),
        // The weight of a sample is above 0 if the sample was given, as all are that are counted.
        Op::Lt if a == whole(0) && b == Math::Fraction(Box::new(whole(1)), Box::new(name("n"))) => name("true"),
        Op::Lt => relation("<", a, b),
        Op::Le => relation("≤", a, b),
        Op::And => relation("∧", a, b),
        Op::Or => relation("∨", a, b),
        Op::Not => Math::Not(Box::new(a)),
        Op::Select => cases(a, b, args.pop().unwrap_or_else(|| name("?"))),
        Op::ToReal => match a {
            a if a == name("true") => whole(1),
            a @ (Math::Relation(..) | Math::Not(_)) => Math::Between("[", Box::new(a), "]"),
            a => a,
        },
        Op::IntDiv => Math::Between("⌊", Box::new(Math::Fraction(Box::new(a), Box::new(b))), "⌋"),
        Op::IntMod => Math::Relation(Box::new(a), "mod", Box::new(b)),
        Op::Detach | Op::Stated => a,
    }
}

/// `if c { 1 } else { 0 }` is `[c]`.
fn cases(condition: Math, then: Math, otherwise: Math) -> Math {
    if condition == name("true") {
        return then;
    }
    if then == whole(1) && otherwise == whole(0) {
        return Math::Between("[", Box::new(condition), "]");
    }
    Math::Cases(Box::new(condition), Box::new(then), Box::new(otherwise))
}

/// A sum without sums in it, and without a negative number after a plus.
fn sum(terms: Vec<(bool, Math)>) -> Math {
    let mut flat = Vec::new();
    for (negative, term) in terms {
        match term {
            Math::Sum(inner) if !negative => flat.extend(inner),
            Math::Number(text) if text.starts_with('-') && !flat.is_empty() => {
                flat.push((!negative, Math::Number(text[1..].to_owned())));
            }
            term => flat.push((negative, term)),
        }
    }
    match flat.as_slice() {
        [(false, only)] => only.clone(),
        _ => Math::Sum(flat),
    }
}

/// A product without products in it; a factor `1/d` becomes a denominator.
fn product(a: Math, b: Math) -> Math {
    let mut above = Vec::new();
    let mut below = None;
    flatten(a, &mut above, &mut below);
    flatten(b, &mut above, &mut below);
    // u * u is u^2.
    if let [x, y] = above.as_slice()
        && x == y
    {
        above = vec![Math::Power(Box::new(x.clone()), Box::new(whole(2)))];
    }
    above.sort_by_key(|m| !matches!(m, Math::Number(_)));
    let Some(below) = below else { return factors(above) };
    // The share of a sample stands before its sum, with what else is constant.
    if matches!(above.last(), Some(Math::Big(..))) && below == name("n") {
        let rest = above.split_off(usize::from(matches!(above.first(), Some(Math::Number(_)))));
        let share = Math::Fraction(Box::new(factors(above)), Box::new(below));
        return factors(std::iter::once(share).chain(rest).collect());
    }
    Math::Fraction(Box::new(factors(above)), Box::new(below))
}

/// A formula that is a share of one sample, `a/n`, as a number over `n` and the rest.
fn without_share(value: Math) -> (Option<Math>, Math) {
    match value {
        Math::Fraction(top, below) if *below == name("n") => (Some(Math::Fraction(Box::new(whole(1)), below)), *top),
        Math::Product(mut list) => match list.first() {
            Some(Math::Fraction(_, below)) if **below == name("n") => {
                let share = list.remove(0);
                (Some(share), factors(list))
            }
            _ => (None, Math::Product(list)),
        },
        other => (None, other),
    }
}

/// The factors of a formula; the first denominator is taken out.
fn flatten(factor: Math, above: &mut Vec<Math>, below: &mut Option<Math>) {
    match factor {
        Math::Product(list) => list.into_iter().for_each(|f| flatten(f, above, below)),
        Math::Fraction(top, d) if below.is_none() && (*top == whole(1) || *d == name("n")) => {
            *below = Some(*d);
            if *top != whole(1) {
                flatten(*top, above, below);
            }
        }
        other => above.push(other),
    }
}

fn factors(mut list: Vec<Math>) -> Math {
    match list.len() {
        0 => whole(1),
        1 => list.remove(0),
        _ => Math::Product(list),
    }
}
