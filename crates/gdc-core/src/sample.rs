//! The model of one sample: outputs only, without the batch axis. `predict` is made of it.

use crate::build::{Build, made};
use gdc_ir::{Entry, Expr, ExprId, Graph, Model, Named, Node, NodeId, NodeKind, rewrite};
use std::collections::{BTreeMap, HashMap};

/// Takes the batch axis off everything that the outputs need.
pub fn one_sample(model: &Model) -> Model {
    without_batch(model, &model.inputs, &model.outputs)
}

/// The same of an entry point: its inputs and its value, by the names that they have there.
pub fn one_sample_of(model: &Model, entry: &Entry) -> Model {
    let inputs: Vec<NodeId> = entry.inputs.iter().map(|i| i.node).collect();
    let output = Named { name: entry.name.clone(), node: entry.output };
    let mut own = without_batch(model, &inputs, &[output]);
    for (id, input) in own.inputs.clone().into_iter().zip(&entry.inputs) {
        own.graph.rename(id, input.name.clone());
    }
    own
}

fn without_batch(model: &Model, inputs: &[NodeId], outputs: &[Named]) -> Model {
    let roots = outputs.iter().map(|o| o.node).chain(inputs.iter().copied()).chain(model.params.iter().map(|p| p.node));
    let mut graph = Graph::default();
    graph.exprs = model.graph.exprs.clone();
    let mut map: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let needed = model.graph.reachable(roots);
    for &id in &needed {
        let node = model.graph.node(id);
        let skip = usize::from(node.per_sample);
        let kind = match &node.kind {
            NodeKind::Reshape(source) => NodeKind::Reshape(map[source]),
            NodeKind::Recurrence { init, axis, reverse, .. } => {
                // What its steps leave comes later, and is stated once all are there.
                let own = NodeId(graph.len() as u32);
                NodeKind::Recurrence { init: map[init], next: own, axis: axis - skip, reverse: *reverse }
            }
            NodeKind::Compute { axes, reduce, body } => NodeKind::Compute {
                axes: axes[skip..].to_vec(),
                reduce: reduce.clone(),
                body: strip(&mut graph, *body, model, &map),
            },
            NodeKind::Scatter { domain, at, body } => NodeKind::Scatter {
                domain: domain.iter().copied().filter(|&v| !model.graph.exprs.var(v).batch).collect(),
                at: at[skip..].iter().map(|&e| strip(&mut graph, e, model, &map)).collect(),
                body: strip(&mut graph, *body, model, &map),
            },
            NodeKind::Leaf(_) | NodeKind::Literal(_) => node.kind.clone(),
        };
        let shape = node.shape[skip..].to_vec();
        map.insert(id, graph.add(Node { kind, shape, per_sample: false, ..node.clone() }));
    }
    for id in needed {
        if let NodeKind::Recurrence { next, .. } = model.graph.node(id).kind {
            graph.close(map[&id], map[&next]);
        }
    }
    let named = |list: &[Named]| list.iter().map(|n| Named { name: n.name.clone(), node: map[&n.node] }).collect();
    Model {
        name: model.name.clone(),
        docs: model.docs.clone(),
        precision: model.precision,
        inputs: inputs.iter().map(|i| map[i]).collect(),
        params: model.params.iter().map(|k| gdc_ir::Kept { node: map[&k.node], init: map[&k.node] }).collect(),
        outputs: named(outputs),
        settings: gdc_ir::Settings { batch: None, ..model.settings.clone() },
        graph,
        ..Model::default()
    }
}

/// Reads of per-sample tensors lose their first place.
fn strip(graph: &mut Graph, e: ExprId, model: &Model, map: &BTreeMap<NodeId, NodeId>) -> ExprId {
    rewrite(graph, e, &mut HashMap::new(), |graph, old_expr, new| match new {
        Expr::Read { node, at, otherwise } => {
            let old = model.graph.node(node);
            let skip = usize::from(old.per_sample);
            graph.exprs.read(map[&node], old.ty, at[skip..].to_vec(), otherwise)
        }
        new => {
            let ty = graph.exprs.ty(old_expr);
            made(&mut graph.exprs, new, ty)
        }
    })
}
