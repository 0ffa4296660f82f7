//! The text form of the tensor graph: equations in index notation, and whole models.
//!
//! Meant for people: comments in generated code, `gdc explain`, `--emit graph`, error
//! messages of the verifier. It is written with as few parentheses as the order of
//! evaluation allows, and depends on nothing but the graph.

use crate::expr::{Affine, Dist, Expr, ExprId, Var};
use crate::graph::{Graph, Leaf, Model, Node, NodeId, NodeKind, Precision, Until};
use crate::ops::{Notation, Op, Signature, Ty};
use std::collections::{BTreeMap, BTreeSet};

/// Above this many operators, parts that occur more than once get names of their own.
const NAME_PARTS_ABOVE: u64 = 60;

/// Binds looser than every operator: `if` and `else` read to the end of the brackets.
const LOOSEST: u8 = 1;
/// The precedences of `+` and `*` in the facts of [`Op`], for affine integers.
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const PREFIX: u8 = 7;
/// Names, literals, calls: never in need of parentheses.
const ATOM: u8 = 10;

/// A node as an equation, such as `h.y[b, j] = sum[i](x[b, i] * h.w[i, j])`; a leaf as its
/// declaration.
pub fn equation(graph: &Graph, id: NodeId) -> String {
    Printer::of_node(graph, id, false).statement(id)
}

/// An expression alone, its variables named by their hints.
pub fn expression(graph: &Graph, id: ExprId) -> String {
    let mut printer = Printer { graph, names: BTreeMap::new(), extents: false };
    printer.name_vars(&[id], graph.exprs.free_vars(id));
    printer.value(id)
}

/// A real number in the fewest digits that give it back, whole numbers without a point.
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A real number for people: as [`number`] where that is short, else as few digits as tell it from
/// other single-precision numbers.
fn readable(value: f64) -> String {
    let (exact, single) = (number(value), value as f32);
    if exact.len() <= 10 || single == 0.0 || single.is_infinite() {
        return exact;
    }
    let text = format!("{single:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A whole model: a header, every node in order of evaluation, and the roots.
pub fn print_model(model: &Model) -> String {
    let graph = &model.graph;
    let precision = match model.precision {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    };
    let mut out = String::new();
    for line in &model.docs {
        out += &format!("/// {}\n", line.trim());
    }
    out += &format!("model {} ({precision}, {} nodes)\n\n", model.name, graph.len());
    for (id, node) in graph.nodes() {
        let note = if node.per_sample && node.leaf().is_none() { "  // per sample" } else { "" };
        out += &format!("{}{note}\n", Printer::of_node(graph, id, true).statement(id));
    }
    out.push('\n');
    out += &roots(model);
    out += &settings(model);
    out
}

/// The lines that say what the nodes are for.
fn roots(model: &Model) -> String {
    let name = |id: NodeId| model.graph.node(id).name.as_str();
    let mut out = String::new();
    for kept in model.params.iter().chain(&model.states) {
        out += &format!("init {} = {}\n", name(kept.node), name(kept.init));
    }
    if let Some(loss) = model.loss {
        out += &format!("loss = {}\n", name(loss));
    }
    for output in &model.outputs {
        out += &format!("output {} = {}\n", output.name, name(output.node));
    }
    for metric in &model.metrics {
        out += &format!("metric {} = {}\n", metric.name, name(metric.node));
    }
    for gradient in &model.gradients {
        out += &format!("gradient of {} = {}\n", name(gradient.target), name(gradient.value));
    }
    for update in &model.updates {
        out += &format!("{} <- {}\n", name(update.target), name(update.value));
    }
    out
}

fn settings(model: &Model) -> String {
    let s = &model.settings;
    let mut parts: Vec<String> = Vec::new();
    let counts = [("batch", s.batch), ("epochs", s.epochs), ("steps", s.steps)];
    parts.extend(counts.iter().filter_map(|(name, v)| v.map(|v| format!("{name} = {v};"))));
    if let Some(Until::MeanLossBelow(x)) = s.until {
        parts.push(format!("until = mean_loss < {};", number(x)));
    }
    parts.push(format!("shuffle = {};", s.shuffle));
    parts.push(format!("drop_last = {};", s.drop_last));
    parts.push(format!("seed = {};", s.seed));
    parts.extend(s.threads.map(|t| format!("threads = {};", t.most.map_or("auto".to_owned(), |n| n.to_string()))));
    format!("train {{ {} }}\n", parts.join(" "))
}

/// What a leaf is called in its declaration.
fn leaf_name(leaf: Leaf) -> &'static str {
    match leaf {
        Leaf::Input => "input",
        Leaf::Target => "target",
        Leaf::Param => "param",
        Leaf::State => "state",
        Leaf::SampleWeight => "sample_weight",
        Leaf::Counter => "counter",
    }
}

/// `: int in 0..10`, or nothing for reals.
fn type_suffix(node: &Node) -> String {
    match (node.ty, node.range) {
        (Ty::Real, _) => String::new(),
        (Ty::Bool, _) => ": bool".to_owned(),
        (Ty::Int, None) => ": int".to_owned(),
        (Ty::Int, Some((low, high))) => format!(": int in {low}..{high}"),
    }
}

/// Text and how tightly it binds.
#[derive(Clone)]
struct Piece {
    text: String,
    binds: u8,
}

impl Piece {
    fn atom(text: impl Into<String>) -> Self {
        Piece { text: text.into(), binds: ATOM }
    }

    /// The text, in parentheses if it binds less tightly than needed.
    fn at_least(&self, binds: u8) -> String {
        if self.binds < binds { format!("({})", self.text) } else { self.text.clone() }
    }
}

/// Prints one statement or expression, with names for its variables.
struct Printer<'a> {
    graph: &'a Graph,
    names: BTreeMap<Var, String>,
    /// Whether variables are shown with their extents where they are bound.
    extents: bool,
}

impl<'a> Printer<'a> {
    /// A printer that has named the variables of a node in the order in which it binds them.
    fn of_node(graph: &'a Graph, id: NodeId, extents: bool) -> Self {
        let mut printer = Printer { graph, names: BTreeMap::new(), extents };
        match &graph.node(id).kind {
            NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => {}
            NodeKind::Compute { axes, reduce, body } => {
                let over = reduce.iter().flat_map(|r| r.over.iter().copied());
                let vars = axes.iter().copied().chain(over).chain(graph.exprs.free_vars(*body));
                printer.name_vars(&[*body], vars);
            }
            NodeKind::Scatter { domain, at, body } => {
                let mut roots = at.clone();
                roots.push(*body);
                let free: Vec<Var> = roots.iter().flat_map(|&e| graph.exprs.free_vars(e)).collect();
                printer.name_vars(&roots, domain.iter().copied().chain(free));
            }
        }
        printer
    }

    /// Names variables by their hints, with a number where a name is taken by an earlier
    /// variable or by a tensor of the same statement.
    fn name_vars(&mut self, roots: &[ExprId], vars: impl IntoIterator<Item = Var>) {
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for &root in roots {
            let reads = self.graph.exprs.read_nodes(root);
            taken.extend(reads.into_iter().map(|n| self.graph.node(n).name.clone()));
        }
        for var in vars {
            if self.names.contains_key(&var) {
                continue;
            }
            let hint = self.graph.exprs.var(var).name.as_str();
            let hint = if hint.is_empty() { "i" } else { hint };
            let mut name = hint.to_owned();
            let mut k = 2;
            while !taken.insert(name.clone()) {
                name = format!("{hint}{k}");
                k += 1;
            }
            self.names.insert(var, name);
        }
    }

    /// A variable where it is used.
    fn var(&self, var: Var) -> String {
        self.names.get(&var).cloned().unwrap_or_else(|| format!("{var:?}"))
    }

    /// Variables where they are bound.
    fn bound(&self, vars: &[Var]) -> String {
        let one = |&v: &Var| {
            if self.extents { format!("{}: {}", self.var(v), self.graph.exprs.extent(v)) } else { self.var(v) }
        };
        vars.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// A node as a statement.
    fn statement(&self, id: NodeId) -> String {
        let node = self.graph.node(id);
        let ty = if self.extents { type_suffix(node) } else { String::new() };
        match &node.kind {
            NodeKind::Leaf(leaf) => {
                format!("{} {}: {:?}{}", leaf_name(*leaf), node.name, node.shape, leaf_range(node))
            }
            NodeKind::Literal(values) => {
                format!("{}{}{ty} = {}", node.name, self.shape(node), literal(values))
            }
            NodeKind::Reshape(source) => {
                let source = &self.graph.node(*source).name;
                format!("{}{}{ty} = reshape({source})", node.name, self.shape(node))
            }
            NodeKind::Recurrence { init, next, axis, reverse } => {
                self.recurrence(node, *init, *next, *axis, *reverse) + &ty
            }
            NodeKind::Compute { axes, reduce, body } => {
                let left = bracketed(&node.name, &self.bound(axes));
                let value = match reduce {
                    None => self.value(*body),
                    Some(r) => self.reduction(r.op.name(), &r.over, *body),
                };
                format!("{left}{ty} = {value}")
            }
            NodeKind::Scatter { domain, at, body } => {
                let at: Vec<String> = at.iter().map(|&e| self.value(e)).collect();
                let left = bracketed(&node.name, &at.join(", "));
                let shape = if self.extents { format!(": {:?}", node.shape) } else { String::new() };
                format!("{left}{shape}{ty} += {} over [{}]", self.value(*body), self.bound(domain))
            }
        }
    }

    /// `h[b, t, i] = next[b, t - 1, i] else init[b, i]`, as a padded read is written.
    fn recurrence(&self, node: &Node, init: NodeId, next: NodeId, axis: usize, reverse: bool) -> String {
        const NAMES: [&str; 6] = ["i", "j", "k", "l", "m", "n"];
        let own = |k: usize| match k {
            _ if k == axis => "t",
            0 if node.per_sample => "b",
            _ => NAMES[(k - usize::from(k > axis) - usize::from(node.per_sample)) % NAMES.len()],
        };
        let places = |of: &dyn Fn(usize) -> Option<String>| -> String {
            (0..node.shape.len()).filter_map(of).collect::<Vec<_>>().join(", ")
        };
        let left = places(&|k| {
            let extent = if self.extents { format!(": {}", node.shape[k]) } else { String::new() };
            Some(format!("{}{extent}", own(k)))
        });
        let before = places(&|k| {
            Some(
                if k != axis {
                    own(k)
                } else if reverse {
                    "t + 1"
                } else {
                    "t - 1"
                }
                .to_owned(),
            )
        });
        let first = places(&|k| (k != axis).then(|| own(k).to_owned()));
        let name = |id: NodeId| self.graph.node(id).name.as_str();
        let (left, before) = (bracketed(&node.name, &left), bracketed(name(next), &before));
        format!("{left} = {before} else {}", bracketed(name(init), &first))
    }

    /// The extents of a node without axes of its own, where extents are shown.
    fn shape(&self, node: &Node) -> String {
        if self.extents { format!("{:?}", node.shape) } else { String::new() }
    }

    fn reduction(&self, name: &str, over: &[Var], body: ExprId) -> String {
        let bound = self.bound(over);
        let (value, parts) = self.split(body);
        format!("{name}[{bound}]({value}){}", where_clause(&parts))
    }

    /// An expression with its named parts after it.
    fn value(&self, root: ExprId) -> String {
        let (value, parts) = self.split(root);
        format!("{value}{}", where_clause(&parts))
    }

    /// An expression, and the parts that it names because it would be too long without.
    fn split(&self, root: ExprId) -> (String, Vec<String>) {
        let exprs = &self.graph.exprs;
        let named = self.parts_to_name(root);
        let mut pieces: BTreeMap<ExprId, Piece> = BTreeMap::new();
        let mut parts = Vec::new();
        exprs.walk(root, &mut |id| {
            let mut piece = self.piece(id, &pieces);
            if named.contains(&id) {
                let name = format!("t{}", parts.len() + 1);
                parts.push(format!("{name} = {}", piece.text));
                piece = Piece::atom(name);
            }
            pieces.insert(id, piece);
        });
        (pieces.remove(&root).map(|p| p.text).unwrap_or_default(), parts)
    }

    /// The operators that occur more than once, if the whole is large.
    fn parts_to_name(&self, root: ExprId) -> BTreeSet<ExprId> {
        let exprs = &self.graph.exprs;
        let mut sizes: BTreeMap<ExprId, u64> = BTreeMap::new();
        let mut uses: BTreeMap<ExprId, u32> = BTreeMap::new();
        exprs.walk(root, &mut |id| {
            let mut size = 1u64;
            for child in exprs.children(id) {
                *uses.entry(child).or_default() += 1;
                size = size.saturating_add(sizes.get(&child).copied().unwrap_or(1));
            }
            sizes.insert(id, size);
        });
        if sizes.get(&root).is_none_or(|&s| s <= NAME_PARTS_ABOVE) {
            return BTreeSet::new();
        }
        let worth = |id: &ExprId| matches!(exprs.get(*id), Expr::Op(..)) && exprs.ty(*id) != Ty::Int;
        uses.into_iter().filter(|(id, n)| *n > 1 && worth(id)).map(|(id, _)| id).collect()
    }

    /// One expression, given the text of its parts.
    fn piece(&self, id: ExprId, parts: &BTreeMap<ExprId, Piece>) -> Piece {
        let part = |e: ExprId| parts.get(&e).cloned().unwrap_or_else(|| Piece::atom("?"));
        let list = |es: &[ExprId]| es.iter().map(|&e| part(e).text).collect::<Vec<_>>().join(", ");
        match self.graph.exprs.get(id) {
            Expr::Real(bits) => signed(readable(bits.get())),
            Expr::Bool(value) => Piece::atom(value.to_string()),
            Expr::Int(affine) => self.affine(affine),
            Expr::Read { node, at, otherwise } => {
                let read = bracketed(&self.graph.node(*node).name, &list(at));
                match otherwise {
                    None => Piece::atom(read),
                    Some(e) => {
                        let text = format!("{read} else {}", part(*e).at_least(PREFIX));
                        Piece { text, binds: LOOSEST }
                    }
                }
            }
            // 1 where it holds and 0 elsewhere is the truth value as a number.
            Expr::Op(Op::Select, args) if self.is_real(args[1], 1.0) && self.is_real(args[2], 0.0) => part(args[0]),
            Expr::Op(op, args) => operator(*op, &args.iter().map(|&a| part(a)).collect::<Vec<_>>()),
            Expr::Random { dist, site, element } => {
                let name = match dist {
                    Dist::Uniform => "uniform",
                    Dist::Normal => "normal",
                };
                Piece::atom(format!("{name}({}, site = {site:#x})", part(*element).text))
            }
        }
    }

    fn is_real(&self, id: ExprId, value: f64) -> bool {
        self.graph.exprs.as_real(id) == Some(value)
    }

    /// Positive terms first, so that `n - i` is not written `-i + n`.
    fn affine(&self, affine: &Affine) -> Piece {
        let term = |&(v, c): &(Var, i64)| {
            let name = self.var(v);
            let size = c.unsigned_abs();
            (c < 0, if size == 1 { name } else { format!("{size}*{name}") }, size != 1)
        };
        let mut terms: Vec<(bool, String, bool)> = affine.terms.iter().map(term).collect();
        if affine.constant != 0 || terms.is_empty() {
            terms.push((affine.constant < 0, affine.constant.unsigned_abs().to_string(), false));
        }
        terms.sort_by_key(|(negative, _, _)| *negative);
        let binds = match terms.as_slice() {
            [(true, ..)] => PREFIX,
            [(false, _, true)] => PRODUCT,
            [_] => ATOM,
            _ => SUM,
        };
        let mut text = String::new();
        for (k, (negative, term, _)) in terms.iter().enumerate() {
            text += match (k, negative) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            };
            text += term;
        }
        Piece { text, binds }
    }
}

/// An operator on its arguments.
fn operator(op: Op, args: &[Piece]) -> Piece {
    let facts = op.facts();
    match (facts.notation, args) {
        (Notation::Silent, [a, ..]) => a.clone(),
        (Notation::Prefix(sign, binds), [a]) => {
            // An equal prefix inside is bracketed too: `-(-x)`.
            Piece { text: format!("{sign}{}", a.at_least(binds + 1)), binds }
        }
        (Notation::Infix(sign, binds), [a, b]) => infix(op, sign, binds, a, b),
        (Notation::If, [c, a, b]) => {
            Piece { text: format!("if {} {{ {} }} else {{ {} }}", c.text, a.text, b.text), binds: LOOSEST }
        }
        // Calls, and (of a graph that does not verify) operators with a wrong number of
        // arguments.
        (Notation::Call | Notation::Silent | Notation::Prefix(..) | Notation::Infix(..) | Notation::If, _) => {
            let args: Vec<&str> = args.iter().map(|a| a.text.as_str()).collect();
            Piece::atom(format!("{}({})", facts.name, args.join(", ")))
        }
    }
}

fn infix(op: Op, sign: &str, binds: u8, a: &Piece, b: &Piece) -> Piece {
    // Sums and products group to the left, powers to the right, comparisons not at all;
    // for `&&` and `||` the grouping changes nothing.
    let (left, right) = match op.facts().signature {
        Signature::Compare => (binds + 1, binds + 1),
        Signature::Logic => (binds, binds),
        Signature::Real | Signature::Number | Signature::Choice | Signature::Convert | Signature::Int => {
            if op == Op::Pow { (binds + 1, binds) } else { (binds, binds + 1) }
        }
    };
    let mut b_text = b.at_least(right);
    // `a < -b` would read as an update, and `a - -b` as nothing at all.
    if b_text.starts_with('-') && matches!(op, Op::Lt | Op::Add | Op::Sub) {
        b_text = format!("({b_text})");
    }
    let gap = if op == Op::Pow { "" } else { " " };
    Piece { text: format!("{}{gap}{sign}{gap}{b_text}", a.at_least(left)), binds }
}

fn signed(text: String) -> Piece {
    let binds = if text.starts_with('-') { PREFIX } else { ATOM };
    Piece { text, binds }
}

/// `name[inside]`, or only the name of a scalar.
fn bracketed(name: &str, inside: &str) -> String {
    if inside.is_empty() { name.to_owned() } else { format!("{name}[{inside}]") }
}

fn where_clause(parts: &[String]) -> String {
    if parts.is_empty() { String::new() } else { format!(" where {}", parts.join(", ")) }
}

fn leaf_range(node: &Node) -> String {
    match node.range {
        Some((low, high)) => format!(" in {low}..{high}"),
        None if node.ty == Ty::Real => String::new(),
        None => type_suffix(node),
    }
}

fn literal(values: &[f64]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = values.iter().take(SHOWN).map(|&v| number(v)).collect();
    if values.len() > SHOWN {
        format!("[{}, ... {} in all]", shown.join(", "), values.len())
    } else {
        format!("[{}]", shown.join(", "))
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
