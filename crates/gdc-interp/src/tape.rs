//! A scalar expression as a list of steps, each computed once at a point.
//!
//! Expressions share parts and can be deep, so they are neither walked as trees nor by
//! recursion.

use crate::eval::Environment;
use crate::random;
use crate::scalar::{Scalar, apply};
use gdc_ir::{Dist, Expr, ExprId, Exprs, NodeId, Op, Var};
use std::collections::BTreeMap;

enum Step {
    Constant(Scalar),
    /// Coefficients of the point's coordinates, and the constant part.
    Affine(Vec<(usize, i64)>, i64),
    Read { node: NodeId, at: Vec<usize>, otherwise: Option<usize>, frozen: bool },
    Op(Op, Vec<usize>),
    Random { dist: Dist, site: u64, element: usize },
}

/// The steps of some expressions over the same variables.
pub(crate) struct Tape {
    steps: Vec<Step>,
    roots: Vec<usize>,
}

/// An expression, and whether it stands inside of a `detach`.
type Key = (ExprId, bool);

impl Tape {
    /// Expressions over the coordinates of `vars`; an error names a variable that is not
    /// among them.
    pub(crate) fn new(exprs: &Exprs, roots: &[ExprId], vars: &[Var]) -> Result<Self, Var> {
        let mut tape = Tape { steps: Vec::new(), roots: Vec::new() };
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
                    let step = Self::step(exprs.get(id), frozen, vars, &place)?;
                    places.insert(key, tape.steps.len());
                    tape.steps.push(step);
                } else {
                    stack.push((key, true));
                    stack.extend(exprs.children(id).into_iter().map(|c| ((c, inner), false)));
                }
            }
            tape.roots.extend(places.get(&(root, false)));
        }
        Ok(tape)
    }

    fn step(expr: &Expr, frozen: bool, vars: &[Var], place: &dyn Fn(&ExprId) -> usize) -> Result<Step, Var> {
        Ok(match expr {
            Expr::Real(bits) => Step::Constant(Scalar::Real(bits.get())),
            Expr::Bool(value) => Step::Constant(Scalar::Bool(*value)),
            Expr::Int(affine) => {
                let slot = |&(v, c): &(Var, i64)| {
                    let slot = vars.iter().position(|&w| w == v).ok_or(v)?;
                    Ok((slot, c))
                };
                Step::Affine(affine.terms.iter().map(slot).collect::<Result<_, Var>>()?, affine.constant)
            }
            Expr::Read { node, at, otherwise } => Step::Read {
                node: *node,
                at: at.iter().map(place).collect(),
                otherwise: otherwise.as_ref().map(place),
                frozen,
            },
            Expr::Op(op, args) => Step::Op(*op, args.iter().map(place).collect()),
            Expr::Random { dist, site, element } => {
                Step::Random { dist: *dist, site: *site, element: place(element) }
            }
        })
    }

    /// Computes all steps at a point; `None` if the types of the graph are wrong.
    pub(crate) fn run(&self, point: &[usize], env: &Environment<'_>, values: &mut Vec<Scalar>) -> Option<()> {
        values.clear();
        let mut args: Vec<Scalar> = Vec::new();
        let mut places: Vec<usize> = Vec::new();
        for step in &self.steps {
            let value = match step {
                Step::Constant(value) => *value,
                Step::Affine(terms, constant) => {
                    let add = |sum: i64, &(slot, c): &(usize, i64)| {
                        sum.wrapping_add(c.wrapping_mul(point[slot] as i64))
                    };
                    Scalar::Int(terms.iter().fold(*constant, add))
                }
                Step::Read { node, at, otherwise, frozen } => {
                    places.clear();
                    let mut known = true;
                    let mut inside = true;
                    for &place in at {
                        match values[place] {
                            Scalar::Int(i) => match usize::try_from(i) {
                                Ok(i) => places.push(i),
                                Err(_) => inside = false,
                            },
                            Scalar::Outside => known = false,
                            Scalar::Real(_) | Scalar::Bool(_) => return None,
                        }
                    }
                    let found = if inside && known { env.tensor(*node, *frozen)?.get(&places) } else { None };
                    match (found, otherwise) {
                        (Some(value), _) => value,
                        (None, Some(e)) if known => values[*e],
                        (None, _) => Scalar::Outside,
                    }
                }
                Step::Op(op, parts) => {
                    args.clear();
                    args.extend(parts.iter().map(|&p| values[p]));
                    apply(*op, &args)?
                }
                Step::Random { dist, site, element } => match values[*element] {
                    Scalar::Int(i) => {
                        Scalar::Real(random::draw(env.precision, *dist, env.seed, *site, i as u64))
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
