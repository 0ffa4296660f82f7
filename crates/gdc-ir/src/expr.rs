//! Scalar expressions over index variables and reads of tensors, hash-consed: equal
//! expressions have equal ids, so that comparing them is comparing numbers.

use crate::graph::NodeId;
use crate::ops::{Op, Ty};
use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// An interned expression of an [`Exprs`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExprId(pub u32);

/// An index variable: a name and a range `0..extent`, see [`Exprs::var`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Var(pub u32);

impl fmt::Debug for ExprId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

impl fmt::Debug for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// A real constant, compared and hashed by its bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bits(u64);

impl Bits {
    /// Keeps the value; both zeros are one, and so are all NaNs.
    pub fn new(value: f64) -> Self {
        let value = if value == 0.0 {
            0.0
        } else if value.is_nan() {
            f64::NAN
        } else {
            value
        };
        Bits(value.to_bits())
    }

    /// The value.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.get())
    }
}

/// `constant + sum of coefficient * variable`, variables ascending, no zero coefficient.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Affine {
    /// The coefficients.
    pub terms: Vec<(Var, i64)>,
    /// The constant part.
    pub constant: i64,
}

impl Affine {
    /// A constant.
    pub fn constant(constant: i64) -> Self {
        Affine { terms: Vec::new(), constant }
    }

    /// One variable.
    pub fn var(var: Var) -> Self {
        Affine { terms: vec![(var, 1)], constant: 0 }
    }

    /// The variable, if it is nothing but one.
    pub fn as_var(&self) -> Option<Var> {
        match (self.terms.as_slice(), self.constant) {
            ([(v, 1)], 0) => Some(*v),
            _ => None,
        }
    }

    /// The constant, if it has no variable.
    pub fn as_constant(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// The coefficient of a variable.
    pub fn coefficient(&self, var: Var) -> i64 {
        self.terms.iter().find(|(v, _)| *v == var).map_or(0, |(_, c)| *c)
    }

    /// `self + scale * other`; `None` on overflow.
    pub fn add_scaled(&self, other: &Affine, scale: i64) -> Option<Affine> {
        let mut terms = self.terms.clone();
        for &(v, c) in &other.terms {
            let c = c.checked_mul(scale)?;
            match terms.iter_mut().find(|(w, _)| *w == v) {
                Some((_, d)) => *d = d.checked_add(c)?,
                None => terms.push((v, c)),
            }
        }
        terms.retain(|(_, c)| *c != 0);
        terms.sort_unstable();
        let constant = self.constant.checked_add(other.constant.checked_mul(scale)?)?;
        Some(Affine { terms, constant })
    }

    /// `scale * self`; `None` on overflow.
    pub fn scaled(&self, scale: i64) -> Option<Affine> {
        Affine::default().add_scaled(self, scale)
    }
}

/// Which distribution a draw follows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dist {
    /// Uniform in [0, 1).
    Uniform,
    /// Normal with mean 0 and standard deviation 1.
    Normal,
}

/// A scalar expression. Its free variables are index variables.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Expr {
    /// A real constant.
    Real(Bits),
    /// A truth value.
    Bool(bool),
    /// An integer, affine in index variables. All integer arithmetic that stays affine is
    /// in this form, so `2*p + i - 1` and `i - 1 + p*2` are one expression.
    Int(Affine),
    /// The element of a tensor at integer places, one per axis.
    Read {
        /// The tensor.
        node: NodeId,
        /// One integer expression for each axis.
        at: Box<[ExprId]>,
        /// The value where a place falls outside; `None` where none can.
        otherwise: Option<ExprId>,
    },
    /// An operator on expressions.
    Op(Op, Box<[ExprId]>),
    /// A random draw that depends on the seed, the site and the element alone.
    Random {
        /// Its distribution.
        dist: Dist,
        /// Tells this place of the program from all others.
        site: u64,
        /// An integer expression: which element of the site.
        element: ExprId,
    },
}

/// A named index range.
#[derive(Clone, Debug)]
pub struct VarInfo {
    /// For equations and loop variables; need not be unique.
    pub name: String,
    /// It runs over `0..extent`.
    pub extent: usize,
    /// Whether it runs over the samples of a batch.
    pub batch: bool,
}

/// The arena of expressions and index variables.
#[derive(Clone, Debug, Default)]
pub struct Exprs {
    list: Vec<Expr>,
    types: Vec<Ty>,
    /// The index variables of each, and the tensors that it reads, ascending: passes ask for them
    /// at every part of an expression, where finding them anew would be a walk each time.
    vars_of: Vec<Arc<[Var]>>,
    reads_of: Vec<Arc<[NodeId]>>,
    ids: HashMap<(Expr, Ty), ExprId>,
    vars: Vec<VarInfo>,
}

impl Exprs {
    /// A new index variable.
    pub fn fresh(&mut self, name: impl Into<String>, extent: usize, batch: bool) -> Var {
        self.vars.push(VarInfo { name: name.into(), extent, batch });
        Var(self.vars.len() as u32 - 1)
    }

    /// Gives all variables that run over the samples another extent.
    pub(crate) fn set_batch(&mut self, samples: usize) {
        for var in self.vars.iter_mut().filter(|v| v.batch) {
            var.extent = samples;
        }
    }

    /// What a variable is called and where it runs.
    pub fn var(&self, var: Var) -> &VarInfo {
        &self.vars[var.0 as usize]
    }

    /// The extent of a variable.
    pub fn extent(&self, var: Var) -> usize {
        self.var(var).extent
    }

    /// The expression of an id.
    pub fn get(&self, id: ExprId) -> &Expr {
        &self.list[id.0 as usize]
    }

    /// The type of an expression.
    pub fn ty(&self, id: ExprId) -> Ty {
        self.types[id.0 as usize]
    }

    /// How many expressions there are; ids are below it.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Interns an expression as it is. `ty` is the type of the node for a read, and is
    /// ignored for everything else, which has a type of its own.
    pub fn intern(&mut self, expr: Expr, read_ty: Ty) -> ExprId {
        let ty = match &expr {
            Expr::Real(_) | Expr::Random { .. } => Ty::Real,
            Expr::Bool(_) => Ty::Bool,
            Expr::Int(_) => Ty::Int,
            Expr::Read { .. } => read_ty,
            Expr::Op(op, args) => {
                let types: Vec<Ty> = args.iter().map(|&a| self.ty(a)).collect();
                // The verifier reports an operator whose arguments do not fit.
                op.result(&types).unwrap_or(Ty::Real)
            }
        };
        // The type is part of the key: while a pass moves nodes to a new graph, a node's
        // number means one tensor in the old and another in the new.
        let key = (expr, ty);
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        let id = ExprId(self.list.len() as u32);
        let (mut vars, mut reads) = (Vec::new(), Vec::new());
        match &key.0 {
            Expr::Int(a) => vars.extend(a.terms.iter().map(|(v, _)| *v)),
            Expr::Read { node, .. } => reads.push(*node),
            Expr::Real(_) | Expr::Bool(_) | Expr::Op(..) | Expr::Random { .. } => {}
        }
        let parts = parts(&key.0);
        self.vars_of.push(union(vars, parts.iter().map(|p| &self.vars_of[p.0 as usize])));
        self.reads_of.push(union(reads, parts.iter().map(|p| &self.reads_of[p.0 as usize])));
        self.list.push(key.0.clone());
        self.types.push(ty);
        self.ids.insert(key, id);
        id
    }

    /// A real constant.
    pub fn real(&mut self, value: f64) -> ExprId {
        self.intern(Expr::Real(Bits::new(value)), Ty::Real)
    }

    /// A truth value.
    pub fn bool(&mut self, value: bool) -> ExprId {
        self.intern(Expr::Bool(value), Ty::Bool)
    }

    /// An integer constant.
    pub fn int(&mut self, value: i64) -> ExprId {
        self.affine(Affine::constant(value))
    }

    /// An index variable as an integer.
    pub fn index(&mut self, var: Var) -> ExprId {
        self.affine(Affine::var(var))
    }

    /// An affine integer.
    pub fn affine(&mut self, affine: Affine) -> ExprId {
        self.intern(Expr::Int(affine), Ty::Int)
    }

    /// The value, if it is a real constant.
    pub fn as_real(&self, id: ExprId) -> Option<f64> {
        match self.get(id) {
            Expr::Real(b) => Some(b.get()),
            _ => None,
        }
    }

    /// The affine form, if it is an affine integer.
    pub fn as_affine(&self, id: ExprId) -> Option<&Affine> {
        match self.get(id) {
            Expr::Int(a) => Some(a),
            _ => None,
        }
    }

    /// The variable, if it is nothing but one.
    pub fn as_var(&self, id: ExprId) -> Option<Var> {
        self.as_affine(id).and_then(Affine::as_var)
    }

    /// The value, if it is an integer constant.
    pub fn as_int(&self, id: ExprId) -> Option<i64> {
        self.as_affine(id).and_then(Affine::as_constant)
    }

    /// The direct parts of an expression, in order.
    pub fn children(&self, id: ExprId) -> Vec<ExprId> {
        parts(self.get(id))
    }

    /// Visits an expression and all its parts once each, parts first.
    pub fn walk(&self, root: ExprId, visit: &mut impl FnMut(ExprId)) {
        let mut seen = std::collections::HashSet::new();
        let mut stack = vec![(root, false)];
        while let Some((id, done)) = stack.pop() {
            if done {
                visit(id);
            } else if seen.insert(id) {
                stack.push((id, true));
                stack.extend(self.children(id).into_iter().rev().map(|c| (c, false)));
            }
        }
    }

    /// Whether a part of an expression is what `look` is after. `look` sees each part at most
    /// once: it has found it (`Break`), or says with which of its parts to go on.
    pub fn any(&self, root: ExprId, mut look: impl FnMut(ExprId) -> ControlFlow<(), Vec<ExprId>>) -> bool {
        let (mut left, mut seen) = (vec![root], std::collections::HashSet::from([root]));
        while let Some(id) = left.pop() {
            match look(id) {
                ControlFlow::Break(()) => return true,
                ControlFlow::Continue(parts) => left.extend(parts.into_iter().filter(|&part| seen.insert(part))),
            }
        }
        false
    }

    /// The index variables in an expression, ascending.
    pub fn free_vars(&self, root: ExprId) -> Vec<Var> {
        self.vars_of[root.0 as usize].to_vec()
    }

    /// The tensors that an expression reads, ascending.
    pub fn read_nodes(&self, root: ExprId) -> Vec<NodeId> {
        self.reads_of[root.0 as usize].to_vec()
    }

    /// The least and greatest value of an affine form over its variables' ranges.
    /// A variable of extent 0 counts as if it stood at 0.
    pub fn interval(&self, affine: &Affine) -> (i64, i64) {
        let (mut low, mut high) = (affine.constant, affine.constant);
        for &(v, c) in &affine.terms {
            let last = c.saturating_mul(self.extent(v).saturating_sub(1) as i64);
            if last < 0 {
                low = low.saturating_add(last);
            } else {
                high = high.saturating_add(last);
            }
        }
        (low, high)
    }
}

/// The expressions that an expression is made of directly.
fn parts(expr: &Expr) -> Vec<ExprId> {
    match expr {
        Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) => Vec::new(),
        Expr::Read { at, otherwise, .. } => at.iter().copied().chain(*otherwise).collect(),
        Expr::Op(_, args) => args.to_vec(),
        Expr::Random { element, .. } => vec![*element],
    }
}

/// All elements of some ascending lists and of `own`, ascending; one of the lists itself where it
/// has them all.
fn union<'a, T: Copy + Ord + 'a>(own: Vec<T>, lists: impl Iterator<Item = &'a Arc<[T]>> + Clone) -> Arc<[T]> {
    let mut all = own;
    all.extend(lists.clone().flat_map(|list| list.iter().copied()));
    all.sort_unstable();
    all.dedup();
    let mut lists = lists;
    lists.find(|list| list.len() == all.len()).cloned().unwrap_or_else(|| all.into())
}
