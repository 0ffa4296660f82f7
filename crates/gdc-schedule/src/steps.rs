//! Recurrences in a plan: the statements that fill their buffers, and the loops over steps.

use crate::plan::{Carried, Plan};
use gdc_ir::order::{Part, components, parts};
use gdc_ir::{NodeId, NodeKind};
use std::collections::{BTreeMap, BTreeSet};

impl Plan {
    /// Sees to it that the first value of each recurrence, and what its steps leave, are
    /// statements that can write into its buffer: copies, where they serve something else.
    pub fn fill_recurrences(&mut self) {
        let needed = self.graph.reachable(self.roots.iter().map(|r| r.node));
        let mut readers: BTreeMap<NodeId, usize> = BTreeMap::new();
        for input in needed.iter().flat_map(|&id| self.graph.inputs(id)) {
            *readers.entry(input).or_default() += 1;
        }
        let mut taken: BTreeSet<NodeId> = self.roots.iter().map(|r| self.source(r.node)).collect();
        for id in needed {
            let NodeKind::Recurrence { init, mut next, axis, reverse } = self.graph.node(id).kind else { continue };
            let statement = |plan: &Plan, id: NodeId| {
                matches!(plan.graph.node(id).kind, NodeKind::Compute { .. } | NodeKind::Scatter { .. })
            };
            if !statement(self, next) || !taken.insert(next) {
                let name = format!("{}.next", self.graph.node(id).name);
                next = self.copy_of(next, &name);
                self.graph.close(id, next);
                taken.insert(next);
            }
            let mut first = init;
            if !statement(self, first) || readers.get(&first) != Some(&1) || !taken.insert(first) {
                let name = format!("{}.first", self.graph.node(id).name);
                first = self.copy_of(first, &name);
                taken.insert(first);
            }
            self.held.extend([first, next]);
            self.carried.insert(id, Carried { first, next, axis, reverse });
        }
    }

    /// Orders the statements, and finds out which are computed step by step.
    pub fn find_loops(&mut self) {
        let roots = self.roots.iter().map(|r| r.node).chain(self.carried.values().map(|c| c.first));
        let needed = self.graph.reachable(roots);
        let found = components(&needed, |id| match self.carried.get(&id) {
            Some(carried) => vec![carried.first, carried.next],
            None => self.graph.inputs(id),
        });
        for component in found {
            if component.len() > 1
                && let Ok([Part::Loop(steps)]) = parts(&self.graph, &component).as_deref()
            {
                let number = self.loops.len();
                self.loop_of.extend(steps.members.iter().map(|&(id, axis)| (id, (number, axis))));
                self.loops.push(steps.clone());
            }
            self.order.extend(component);
        }
    }

    /// The statements that a reader of a recurrence needs: within its loop only what the first
    /// step begins with, since the step before has been taken.
    pub fn shown_by(&self, reader: NodeId, recurrence: NodeId) -> Vec<NodeId> {
        let Some(carried) = self.carried.get(&recurrence) else { return Vec::new() };
        let scan = |id: NodeId| self.loop_of.get(&id).map(|(scan, _)| *scan);
        let inside = scan(recurrence).is_some() && scan(recurrence) == scan(reader);
        if inside { vec![carried.first] } else { vec![carried.first, carried.next] }
    }
}
