//! The order in which a graph is evaluated: node by node, but what depends on itself through
//! recurrences together, step by step.

use crate::expr::{Expr, ExprId, Var};
use crate::graph::{Graph, NodeId, NodeKind};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// What is evaluated at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// A node by itself.
    One(NodeId),
    /// The nodes of a scan that depend on what it carries.
    Loop(Loop),
}

/// Nodes that are evaluated together, one step after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loop {
    /// How many steps.
    pub steps: usize,
    /// Whether the last step comes first.
    pub reverse: bool,
    /// In the order of one step, each with its axis of steps.
    pub members: Vec<(NodeId, usize)>,
}

/// Why nodes that depend on each other cannot be evaluated step by step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tangle {
    /// This node reads another step than the one that it belongs to.
    OtherStep(NodeId),
    /// This recurrence has other steps than the ones around it.
    OtherLoop(NodeId),
}

/// The parts of some nodes in an order of evaluation; without recurrences, the nodes as they are.
///
/// # Errors
/// A circle that is no scan.
pub fn parts(graph: &Graph, nodes: &[NodeId]) -> Result<Vec<Part>, Tangle> {
    components(nodes, |id| graph.inputs(id))
        .into_iter()
        .map(|component| match component.as_slice() {
            &[one] if !graph.inputs(one).contains(&one) => Ok(Part::One(one)),
            _ => as_loop(graph, &component).map(Part::Loop),
        })
        .collect()
}

/// Groups of nodes that depend on each other, ascending, in an order of evaluation that departs
/// from that of the ids only where it must.
pub fn components(nodes: &[NodeId], inputs: impl Fn(NodeId) -> Vec<NodeId>) -> Vec<Vec<NodeId>> {
    let place: BTreeMap<NodeId, usize> = nodes.iter().enumerate().map(|(k, &id)| (id, k)).collect();
    let edges: Vec<Vec<usize>> =
        nodes.iter().map(|&id| inputs(id).iter().filter_map(|i| place.get(i).copied()).collect()).collect();
    if edges.iter().enumerate().all(|(k, inputs)| inputs.iter().all(|&i| i < k)) {
        return nodes.iter().map(|&id| vec![id]).collect();
    }
    let of = connected(&edges);
    let count = of.iter().max().map_or(0, |m| m + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (k, &c) in of.iter().enumerate() {
        members[c].push(k);
    }
    let mut waits: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    let mut readers: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    for (k, inputs) in edges.iter().enumerate() {
        for &i in inputs.iter().filter(|&&i| of[i] != of[k]) {
            waits[of[k]].insert(of[i]);
            readers[of[i]].insert(of[k]);
        }
    }
    // The ready one with the least node comes first.
    let mut ready: BinaryHeap<std::cmp::Reverse<(usize, usize)>> = BinaryHeap::new();
    let push = |ready: &mut BinaryHeap<_>, c: usize| ready.push(std::cmp::Reverse((members[c][0], c)));
    (0..count).filter(|&c| waits[c].is_empty()).for_each(|c| push(&mut ready, c));
    let mut out = Vec::with_capacity(count);
    while let Some(std::cmp::Reverse((_, c))) = ready.pop() {
        out.push(members[c].iter().map(|&k| nodes[k]).collect());
        for &r in &readers[c] {
            waits[r].remove(&c);
            if waits[r].is_empty() {
                push(&mut ready, r);
            }
        }
    }
    out
}

/// Strongly connected components: the number of each node's. Tarjan's algorithm (Tarjan, 1972),
/// without recursion, since graphs are deep.
fn connected(edges: &[Vec<usize>]) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let n = edges.len();
    let (mut index, mut low, mut of) = (vec![UNSEEN; n], vec![0; n], vec![UNSEEN; n]);
    let (mut stack, mut seen, mut found) = (Vec::new(), 0, 0);
    for start in 0..n {
        if index[start] != UNSEEN {
            continue;
        }
        let mut calls = vec![(start, 0)];
        while let Some((k, edge)) = calls.pop() {
            if edge == 0 {
                (index[k], low[k]) = (seen, seen);
                seen += 1;
                stack.push(k);
            }
            match edges[k].get(edge) {
                Some(&i) => {
                    calls.push((k, edge + 1));
                    if index[i] == UNSEEN {
                        calls.push((i, 0));
                    } else if of[i] == UNSEEN {
                        low[k] = low[k].min(index[i]);
                    }
                }
                None => {
                    if low[k] == index[k] {
                        while let Some(i) = stack.pop() {
                            of[i] = found;
                            if i == k {
                                break;
                            }
                        }
                        found += 1;
                    }
                    if let Some(&(caller, _)) = calls.last() {
                        low[caller] = low[caller].min(low[k]);
                    }
                }
            }
        }
    }
    of
}

/// Nodes that depend on each other as a loop over steps: which axis of each runs over them.
fn as_loop(graph: &Graph, members: &[NodeId]) -> Result<Loop, Tangle> {
    let mut steps: Option<(usize, bool)> = None;
    let mut axes: BTreeMap<NodeId, usize> = BTreeMap::new();
    for &id in members {
        if let NodeKind::Recurrence { axis, reverse, .. } = graph.node(id).kind {
            let own = (graph.node(id).shape.get(axis).copied().unwrap_or(0), reverse);
            if *steps.get_or_insert(own) != own {
                return Err(Tangle::OtherLoop(id));
            }
            axes.insert(id, axis);
        }
    }
    let Some((steps, reverse)) = steps else { return Err(Tangle::OtherStep(members[0])) };
    for &id in members {
        if axes.contains_key(&id) {
            continue;
        }
        let axis = step_axis(graph, id, &axes, steps).ok_or(Tangle::OtherStep(id))?;
        axes.insert(id, axis);
    }
    for &id in members {
        if let NodeKind::Recurrence { init, next, axis, .. } = graph.node(id).kind
            && (axes.contains_key(&init) || axes.get(&next).is_some_and(|&a| a != axis))
        {
            return Err(Tangle::OtherLoop(id));
        }
    }
    let members = members.iter().filter_map(|&id| Some((id, *axes.get(&id)?))).collect();
    Ok(Loop { steps, reverse, members })
}

/// The axis of a statement that runs over the steps, given those of the members that it reads:
/// all are read at one and the same variable, which is that axis.
fn step_axis(graph: &Graph, id: NodeId, axes: &BTreeMap<NodeId, usize>, steps: usize) -> Option<usize> {
    let exprs = &graph.exprs;
    let (roots, reshaped): (Vec<ExprId>, Option<NodeId>) = match &graph.node(id).kind {
        NodeKind::Compute { body, .. } => (vec![*body], None),
        NodeKind::Scatter { at, body, .. } => (at.iter().copied().chain([*body]).collect(), None),
        NodeKind::Reshape(source) => (Vec::new(), Some(*source)),
        NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Recurrence { .. } => return None,
    };
    if let Some(source) = reshaped {
        let before: usize = graph.node(source).shape[..*axes.get(&source)?].iter().product();
        let shape = &graph.node(id).shape;
        return (0..shape.len()).find(|&k| shape[k] == steps && shape[..k].iter().product::<usize>() == before);
    }
    let mut found: Option<Option<Var>> = None;
    for root in roots {
        exprs.walk(root, &mut |e| {
            if let Expr::Read { node, at, .. } = exprs.get(e)
                && let Some(place) = axes.get(node).and_then(|&a| at.get(a))
            {
                let var = exprs.as_var(*place);
                found = Some(if found.is_none_or(|f| f == var) { var } else { None });
            }
        });
    }
    let var = found.flatten().filter(|&v| exprs.extent(v) == steps)?;
    match &graph.node(id).kind {
        NodeKind::Compute { axes, .. } => axes.iter().position(|&v| v == var),
        NodeKind::Scatter { at, .. } => at.iter().position(|&e| exprs.as_var(e) == Some(var)),
        NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Recurrence { .. } | NodeKind::Reshape(_) => None,
    }
}
