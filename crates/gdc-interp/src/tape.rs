//! A scalar expression as a list of steps, each computed once at a point.
//!
//! Expressions share parts and can be deep, so they are neither walked as trees nor by
//! recursion.

use crate::eval::Environment;
use crate::random;
use crate::scalar::{Scalar, apply};
use crate::tensor::View;
use gdc_ir::{Dist, Expr, ExprId, Exprs, NodeId, Op, Var};
use std::collections::BTreeMap;
use std::fmt;

enum Step<'a> {
    Constant(Scalar),
    /// Coefficients of the point's coordinates, and the constant part.
    Affine(Vec<(usize, i64)>, i64),
    Read {
        tensor: View<'a>,
        at: Vec<usize>,
        otherwise: Option<usize>,
    },
    Op(Op, Vec<usize>),
    /// `v + k (x - x')` with `k` and `x'` as they are at the point that is disturbed: worth `v`
    /// there, with the slope `k`.
    Stated {
        v: usize,
        x: usize,
        fixed: usize,
        k: usize,
    },
    Random {
        dist: Dist,
        site: u64,
        element: usize,
    },
}

/// The steps of some expressions over the same variables.
pub(crate) struct Tape<'a> {
    steps: Vec<Step<'a>>,
    roots: Vec<usize>,
    env: &'a Environment<'a>,
}

/// An expression, and whether it stands inside of a `detach`.
type Key = (ExprId, bool);

/// Why there are no steps for an expression.
pub(crate) enum Unknown {
    /// A variable that is not bound.
    Variable(Var),
    /// A node that was not computed.
    Node(NodeId),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Variable(var) => write!(f, "the variable {var:?}, which it does not bind"),
            Unknown::Node(node) => write!(f, "{node:?}, which is not computed before"),
        }
    }
}

impl<'a> Tape<'a> {
    /// Expressions over the coordinates of `vars`, reading the tensors of `env`.
    pub(crate) fn new(
        exprs: &Exprs,
        roots: &[ExprId],
        vars: &[Var],
        env: &'a Environment<'a>,
    ) -> Result<Self, Unknown> {
        let mut tape = Tape { steps: Vec::new(), roots: Vec::new(), env };
        let mut places: BTreeMap<Key, usize> = BTreeMap::new();
        for &root in roots {
            let mut stack = vec![((root, false), false)];
            while let Some((key, parts_done)) = stack.pop() {
                if places.contains_key(&key) {
                    continue;
                }
                let (id, frozen) = key;
                let inner = frozen || matches!(exprs.get(id), Expr::Op(Op::Detach, _));
                if parts_done {
                    let place = |e: &ExprId| places.get(&(*e, inner)).copied().unwrap_or_default();
                    let step = match exprs.get(id) {
                        Expr::Op(Op::Stated, args) if let [v, x, k] = **args => {
                            let frozen = |e: &ExprId| places.get(&(*e, true)).copied().unwrap_or_default();
                            Step::Stated { v: place(&v), x: place(&x), fixed: frozen(&x), k: frozen(&k) }
                        }
                        other => step(other, frozen, vars, env, &place)?,
                    };
                    places.insert(key, tape.steps.len());
                    tape.steps.push(step);
                } else {
                    stack.push((key, true));
                    if let Expr::Op(Op::Stated, args) = exprs.get(id) {
                        stack.extend(args.iter().map(|&c| ((c, true), false)));
                    }
                    stack.extend(exprs.children(id).into_iter().map(|c| ((c, inner), false)));
                }
            }
            tape.roots.extend(places.get(&(root, false)));
        }
        Ok(tape)
    }

    /// Computes all steps at a point; `None` if the types of the graph are wrong.
    pub(crate) fn run(&self, point: &[usize], values: &mut Vec<Scalar>) -> Option<()> {
        values.clear();
        for step in &self.steps {
            let value = match step {
                Step::Constant(value) => *value,
                Step::Affine(terms, constant) => {
                    let add =
                        |sum: i64, &(slot, c): &(usize, i64)| sum.wrapping_add(c.wrapping_mul(point[slot] as i64));
                    Scalar::Int(terms.iter().fold(*constant, add))
                }
                Step::Read { tensor, at, otherwise } => read(tensor, at, *otherwise, values)?,
                Step::Op(op, parts) => match **parts {
                    [a] => apply(*op, &[values[a]])?,
                    [a, b] => apply(*op, &[values[a], values[b]])?,
                    [a, b, c] => apply(*op, &[values[a], values[b], values[c]])?,
                    _ => return None,
                },
                Step::Stated { v, x, fixed, k } => match (values[*v], values[*x], values[*fixed], values[*k]) {
                    // Without the term where it is 0, also for a slope that is infinite there.
                    (v, Scalar::Real(x), Scalar::Real(fixed), _) if x == fixed => v,
                    (Scalar::Real(v), Scalar::Real(x), Scalar::Real(fixed), Scalar::Real(k)) => {
                        Scalar::Real(v + k * (x - fixed))
                    }
                    _ => return None,
                },
                Step::Random { dist, site, element } => match values[*element] {
                    Scalar::Int(i) => {
                        let Environment { seed, precision, .. } = *self.env;
                        Scalar::Real(random::draw(precision, *dist, seed, *site, i as u64))
                    }
                    Scalar::Outside => Scalar::Outside,
                    Scalar::Real(_) | Scalar::Bool(_) => return None,
                },
            };
            values.push(value);
        }
        Some(())
    }

    /// The value of the root of this number, of what [`Tape::run`] computed.
    pub(crate) fn root(&self, number: usize, values: &[Scalar]) -> Scalar {
        values[self.roots[number]]
    }
}

/// One expression, given the numbers of the steps of its parts.
fn step<'a>(
    expr: &Expr,
    frozen: bool,
    vars: &[Var],
    env: &'a Environment<'a>,
    place: &dyn Fn(&ExprId) -> usize,
) -> Result<Step<'a>, Unknown> {
    Ok(match expr {
        Expr::Real(bits) => Step::Constant(Scalar::Real(bits.get())),
        Expr::Bool(value) => Step::Constant(Scalar::Bool(*value)),
        Expr::Int(affine) => {
            let slot = |&(v, c): &(Var, i64)| {
                let slot = vars.iter().position(|&w| w == v).ok_or(Unknown::Variable(v))?;
                Ok((slot, c))
            };
            Step::Affine(affine.terms.iter().map(slot).collect::<Result<_, Unknown>>()?, affine.constant)
        }
        Expr::Read { node, at, otherwise } => Step::Read {
            tensor: env.tensor(*node, frozen).ok_or(Unknown::Node(*node))?.view(),
            at: at.iter().map(place).collect(),
            otherwise: otherwise.as_ref().map(place),
        },
        Expr::Op(op, args) => Step::Op(*op, args.iter().map(place).collect()),
        Expr::Random { dist, site, element } => Step::Random { dist: *dist, site: *site, element: place(element) },
    })
}

/// An element of a tensor at places that were computed; `None` if these are no integers.
fn read(tensor: &View<'_>, at: &[usize], otherwise: Option<usize>, values: &[Scalar]) -> Option<Scalar> {
    if at.len() != tensor.shape.len() {
        return None;
    }
    let (mut offset, mut inside) = (0, true);
    for (&place, &extent) in at.iter().zip(tensor.shape) {
        match values[place] {
            Scalar::Int(i) if 0 <= i && i < extent as i64 => offset = offset * extent + i as usize,
            Scalar::Int(_) => inside = false,
            Scalar::Outside => return Some(Scalar::Outside),
            Scalar::Real(_) | Scalar::Bool(_) => return None,
        }
    }
    Some(match (inside, otherwise) {
        (true, _) => tensor.elements.get(offset).unwrap_or(Scalar::Outside),
        (false, Some(e)) => values[e],
        (false, None) => Scalar::Outside,
    })
}
