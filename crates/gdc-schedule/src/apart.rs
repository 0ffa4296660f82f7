//! What two sets of roots both need is computed for each of them: a routine that stands alone
//! reads nothing that another one left.

use gdc_ir::rewrite::redirect;
use gdc_ir::{Graph, NodeId, NodeKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Ends the names of copies, as no name of a spec does; what people read goes without it.
pub(crate) const MARK: char = '\'';

/// The nodes in place of `own` that need no statement which `others` need too. Leaves are
/// everybody's.
pub(crate) fn set_apart(graph: &mut Graph, own: &[NodeId], others: &[NodeId]) -> Vec<NodeId> {
    let shared: BTreeSet<NodeId> = graph.reachable(others.iter().copied()).into_iter().collect();
    let needed = graph.reachable(own.iter().copied());
    let mut copied: BTreeSet<NodeId> = BTreeSet::new();
    // What a recurrence carries is copied once what its steps leave is.
    loop {
        let before = copied.len();
        for &id in needed.iter().filter(|id| graph.node(**id).leaf().is_none()) {
            if shared.contains(&id) || graph.inputs(id).iter().any(|i| copied.contains(i)) {
                copied.insert(id);
            }
        }
        if copied.len() == before {
            break;
        }
    }
    let mut copies: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let mut open: Vec<(NodeId, NodeId)> = Vec::new();
    for id in copied {
        let mut node = graph.node(id).clone();
        let mut memo = HashMap::new();
        match &mut node.kind {
            NodeKind::Leaf(_) | NodeKind::Literal(_) => {}
            NodeKind::Reshape(source) => *source = copies.get(source).copied().unwrap_or(*source),
            NodeKind::Recurrence { init, next, .. } => {
                open.push((NodeId(graph.len() as u32), *next));
                *init = copies.get(init).copied().unwrap_or(*init);
            }
            NodeKind::Compute { body, .. } => *body = redirect(graph, *body, &copies, &mut memo),
            NodeKind::Scatter { at, body, .. } => {
                *body = redirect(graph, *body, &copies, &mut memo);
                for place in at {
                    *place = redirect(graph, *place, &copies, &mut memo);
                }
            }
        }
        node.name.push(MARK);
        let copy = graph.add(node);
        copies.insert(id, copy);
    }
    for (recurrence, next) in open {
        graph.close(recurrence, copies.get(&next).copied().unwrap_or(next));
    }
    own.iter().map(|id| copies.get(id).copied().unwrap_or(*id)).collect()
}
