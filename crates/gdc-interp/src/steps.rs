//! Scans: the nodes that depend on what is carried, one step after the other.

use crate::error::Error;
use crate::eval::{Environment, Statement};
use crate::tensor::Tensor;
use gdc_ir::order::Loop;
use gdc_ir::{Graph, Node, NodeId, NodeKind};
use std::sync::Arc;

/// Evaluates the members of a loop. Elements of steps that are still to come are blank, and
/// nothing reads them.
pub(crate) fn evaluate(graph: &Graph, steps: &Loop, env: &mut Environment<'_>) -> Result<(), Error> {
    for &(id, _) in &steps.members {
        env.values.0.insert(id, Arc::new(Tensor::blank(graph.node(id))));
    }
    for k in 0..steps.steps {
        let t = if steps.reverse { steps.steps - 1 - k } else { k };
        for &(id, axis) in &steps.members {
            let step = one(graph, id, axis, t, k == 0, env)?;
            if let Some(value) = env.values.0.get_mut(&id) {
                Arc::make_mut(value).put_step(axis, t, &step)?;
            }
        }
    }
    Ok(())
}

/// One step of one member.
fn one(graph: &Graph, id: NodeId, axis: usize, t: usize, first: bool, env: &Environment<'_>) -> Result<Tensor, Error> {
    let node = graph.node(id);
    let lost = || Error::Malformed(format!("{} has no step {t}", node.name));
    let mut shape = node.shape.clone();
    shape.remove(axis);
    match &node.kind {
        NodeKind::Recurrence { init, .. } if first => Ok((*env.values.shared(*init)?).clone()),
        NodeKind::Recurrence { next, reverse, .. } => {
            let before = if *reverse { t + 1 } else { t - 1 };
            Ok(env.values.shared(*next)?.step(axis, before))
        }
        NodeKind::Compute { axes, reduce, body } => {
            let var = *axes.get(axis).ok_or_else(lost)?;
            let statement = Statement { graph, id, env, fixed: Some((var, t)) };
            let values = statement.elements(axes, reduce.as_ref(), *body)?;
            Tensor::of_scalars(&Node { shape, ..node.clone() }, &values)
        }
        NodeKind::Scatter { domain, at, body } => {
            let var = at.get(axis).and_then(|&e| graph.exprs.as_var(e)).ok_or_else(lost)?;
            let statement = Statement { graph, id, env, fixed: Some((var, t)) };
            Ok(statement.scatter(domain, at, *body)?.step(axis, t))
        }
        NodeKind::Reshape(source) => Ok(env.values.shared(*source)?.reshaped(&node.shape)?.step(axis, t)),
        NodeKind::Leaf(_) | NodeKind::Literal(_) => Err(lost()),
    }
}
