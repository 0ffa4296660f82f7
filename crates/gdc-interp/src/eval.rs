//! The values of nodes: each computed once, in the order of the graph.

use crate::error::Error;
use crate::reduce::reduce;
use crate::scalar::Scalar;
use crate::tape::Tape;
use crate::tensor::Tensor;
use gdc_ir::order::Part;
use gdc_ir::{ExprId, Graph, NodeId, NodeKind, Precision, Reduce, Ty, Var};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the leaves are, and what random draws depend on.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    leaves: BTreeMap<NodeId, Arc<Tensor>>,
    /// The seed of random draws.
    pub seed: u64,
    /// The number type whose random draws are made; all else is f64.
    pub precision: Precision,
}

impl Bindings {
    /// No leaves yet.
    pub fn new(seed: u64, precision: Precision) -> Self {
        Bindings { leaves: BTreeMap::new(), seed, precision }
    }

    /// Gives a leaf its value.
    pub fn bind(&mut self, leaf: NodeId, value: impl Into<Arc<Tensor>>) {
        self.leaves.insert(leaf, value.into());
    }
}

/// The values of nodes.
#[derive(Clone, Debug, Default)]
pub struct Values(pub(crate) BTreeMap<NodeId, Arc<Tensor>>);

impl Values {
    /// The value of a node, if it was computed.
    pub fn get(&self, node: NodeId) -> Option<&Tensor> {
        self.0.get(&node).map(|v| &**v)
    }

    /// The value of a node that was asked for.
    pub(crate) fn shared(&self, node: NodeId) -> Result<Arc<Tensor>, Error> {
        self.0.get(&node).cloned().ok_or_else(|| Error::Malformed(format!("{node:?} was not computed")))
    }

    /// The single real number that a node is.
    pub(crate) fn scalar(&self, node: NodeId) -> Result<f64, Error> {
        let wrong = || Error::Malformed(format!("{node:?} is not one real number"));
        self.get(node).and_then(Tensor::as_scalar).ok_or_else(wrong)
    }
}

/// What the steps of an expression can see.
pub(crate) struct Environment<'a> {
    pub(crate) values: Values,
    /// What `detach` sees, where that is not the value itself.
    frozen: Option<&'a Values>,
    pub(crate) seed: u64,
    pub(crate) precision: Precision,
}

impl Environment<'_> {
    pub(crate) fn tensor(&self, node: NodeId, frozen: bool) -> Option<&Tensor> {
        let base = if frozen { self.frozen.and_then(|f| f.get(node)) } else { None };
        base.or_else(|| self.values.get(node))
    }
}

/// The values of `roots` and of all nodes that they need.
///
/// # Errors
/// A leaf without a value or with one that does not fit; a read outside of a tensor; a graph
/// that does not verify.
pub fn evaluate(graph: &Graph, roots: impl IntoIterator<Item = NodeId>, bindings: &Bindings) -> Result<Values, Error> {
    run(graph, &graph.reachable(roots), bindings, Values::default(), None)
}

/// The values of `nodes`, given those of nodes that they read, where `detach` sees the
/// values of `frozen`.
pub(crate) fn evaluate_from(
    graph: &Graph,
    nodes: &[NodeId],
    bindings: &Bindings,
    known: Values,
    frozen: &Values,
) -> Result<Values, Error> {
    run(graph, nodes, bindings, known, Some(frozen))
}

fn run(
    graph: &Graph,
    nodes: &[NodeId],
    bindings: &Bindings,
    known: Values,
    frozen: Option<&Values>,
) -> Result<Values, Error> {
    let mut env = Environment { values: known, frozen, seed: bindings.seed, precision: bindings.precision };
    let parts = gdc_ir::order::parts(graph, nodes)
        .map_err(|tangle| Error::Malformed(format!("the graph depends on itself: {tangle:?}")))?;
    for part in parts {
        match part {
            Part::One(id) => {
                let value = one(graph, id, bindings, &env)?;
                env.values.0.insert(id, value);
            }
            Part::Loop(steps) => crate::steps::evaluate(graph, &steps, &mut env)?,
        }
    }
    Ok(env.values)
}

/// The value of a node, given those that it reads.
fn one(graph: &Graph, id: NodeId, bindings: &Bindings, env: &Environment<'_>) -> Result<Arc<Tensor>, Error> {
    let node = graph.node(id);
    Ok(match &node.kind {
        NodeKind::Leaf(_) => {
            let value = bindings.leaves.get(&id).ok_or_else(|| Error::Unbound(node.name.clone()))?;
            value.fits(node)?;
            value.standard().map_or_else(|| value.clone(), Arc::new)
        }
        NodeKind::Literal(values) => {
            let scalar = |&x: &f64| match node.ty {
                Ty::Real => Scalar::Real(x),
                Ty::Int => Scalar::Int(x as i64),
                Ty::Bool => Scalar::Bool(x != 0.0),
            };
            Arc::new(Tensor::of_scalars(node, &values.iter().map(scalar).collect::<Vec<_>>())?)
        }
        NodeKind::Reshape(source) => Arc::new(env.values.shared(*source)?.reshaped(&node.shape)?),
        NodeKind::Compute { axes, reduce, body } => {
            let statement = Statement { graph, id, env, fixed: None };
            Arc::new(statement.compute(axes, reduce.as_ref(), *body)?)
        }
        NodeKind::Scatter { domain, at, body } => {
            Arc::new(Statement { graph, id, env, fixed: None }.scatter(domain, at, *body)?)
        }
        // One that does not depend on itself: its next values are all there.
        NodeKind::Recurrence { init, next, axis, reverse } => {
            Arc::new(env.values.shared(*next)?.delayed(&*env.values.shared(*init)?, *axis, *reverse)?)
        }
    })
}

/// One statement in index notation.
pub(crate) struct Statement<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) id: NodeId,
    pub(crate) env: &'a Environment<'a>,
    /// A variable that stands still, and where.
    pub(crate) fixed: Option<(Var, usize)>,
}

impl Statement<'_> {
    fn name(&self) -> String {
        self.graph.node(self.id).name.clone()
    }

    fn wrong_types(&self) -> Error {
        Error::Malformed(format!("the types of {} do not fit", self.name()))
    }

    fn outside(&self, point: &[usize]) -> Error {
        Error::Outside { name: self.name(), point: point.to_vec() }
    }

    fn tape(&self, roots: &[ExprId], vars: &[Var]) -> Result<Tape<'_>, Error> {
        Tape::new(&self.graph.exprs, roots, vars, self.env)
            .map_err(|unknown| Error::Malformed(format!("{} uses {unknown}", self.name())))
    }

    /// Where variables run; one that stands still has one place.
    fn extents(&self, vars: &[Var]) -> Vec<usize> {
        let still = |v: Var| self.fixed.is_some_and(|(var, _)| var == v);
        vars.iter().map(|&v| if still(v) { 1 } else { self.graph.exprs.extent(v) }).collect()
    }

    fn compute(&self, axes: &[Var], over: Option<&Reduce>, body: ExprId) -> Result<Tensor, Error> {
        Tensor::of_scalars(self.graph.node(self.id), &self.elements(axes, over, body)?)
    }

    /// The elements of a computed tensor in row-major order.
    pub(crate) fn elements(&self, axes: &[Var], over: Option<&Reduce>, body: ExprId) -> Result<Vec<Scalar>, Error> {
        let inner = over.map_or(&[][..], |r| &r.over);
        let vars: Vec<Var> = axes.iter().chain(inner).copied().collect();
        let tape = self.tape(&[body], &vars)?;
        let inner = self.extents(inner);
        let mut values = Vec::new();
        let mut operands = Vec::new();
        let mut point: Vec<usize> = Vec::new();
        let mut result = Vec::new();
        let still = self.fixed.and_then(|(var, at)| Some((vars.iter().position(|&v| v == var)?, at)));
        for_each_point(&self.extents(axes), |outer| {
            let outer = &moved(outer, still);
            operands.clear();
            point.clear();
            point.extend_from_slice(outer);
            for_each_point(&inner, |place| {
                point.truncate(outer.len());
                point.extend_from_slice(place);
                tape.run(&point, &mut values).ok_or_else(|| self.wrong_types())?;
                operands.push(tape.root(0, &values));
                Ok(())
            })?;
            let value = match over {
                Some(r) => reduce(r.op, &operands),
                None => operands.first().copied(),
            };
            match value {
                Some(Scalar::Outside) => Err(self.outside(outer)),
                Some(value) => {
                    result.push(value);
                    Ok(())
                }
                None => Err(self.wrong_types()),
            }
        })?;
        Ok(result)
    }

    pub(crate) fn scatter(&self, domain: &[Var], at: &[ExprId], body: ExprId) -> Result<Tensor, Error> {
        let node = self.graph.node(self.id);
        let mut roots = at.to_vec();
        roots.push(body);
        let tape = self.tape(&roots, domain)?;
        let mut values = Vec::new();
        let mut sums = ndarray::ArrayD::<f64>::zeros(node.shape.as_slice());
        let still = self.fixed.and_then(|(var, at)| Some((domain.iter().position(|&v| v == var)?, at)));
        for_each_point(&self.extents(domain), |point| {
            let point = &moved(point, still);
            tape.run(point, &mut values).ok_or_else(|| self.wrong_types())?;
            let mut place = Vec::with_capacity(at.len());
            for k in 0..at.len() {
                match tape.root(k, &values) {
                    // A negative place lies outside of every axis.
                    Scalar::Int(i) => place.push(usize::try_from(i).unwrap_or(usize::MAX)),
                    Scalar::Outside => return Err(self.outside(point)),
                    Scalar::Real(_) | Scalar::Bool(_) => return Err(self.wrong_types()),
                }
            }
            let Some(sum) = sums.get_mut(place.as_slice()) else { return Ok(()) };
            match tape.root(at.len(), &values) {
                Scalar::Real(x) => *sum += x,
                Scalar::Outside => return Err(self.outside(point)),
                Scalar::Int(_) | Scalar::Bool(_) => return Err(self.wrong_types()),
            }
            Ok(())
        })?;
        Ok(Tensor::Real(sums))
    }
}

/// A point with a coordinate moved to where its variable stands still.
fn moved(point: &[usize], still: Option<(usize, usize)>) -> Vec<usize> {
    let mut point = point.to_vec();
    if let Some((k, at)) = still
        && let Some(place) = point.get_mut(k)
    {
        *place = at;
    }
    point
}

/// Visits the points of a box in row-major order; a box without axes has one.
pub(crate) fn for_each_point(
    extents: &[usize],
    mut visit: impl FnMut(&[usize]) -> Result<(), Error>,
) -> Result<(), Error> {
    if extents.contains(&0) {
        return Ok(());
    }
    let mut point = vec![0; extents.len()];
    loop {
        visit(&point)?;
        let Some(axis) = (0..extents.len()).rev().find(|&k| point[k] + 1 < extents[k]) else {
            return Ok(());
        };
        point[axis] += 1;
        point[axis + 1..].fill(0);
    }
}

#[cfg(test)]
mod tests;
