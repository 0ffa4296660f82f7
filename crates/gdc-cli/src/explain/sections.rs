//! Equations under the heads that say when they hold: in training, in predictions, in an entry
//! point, at one time of a stream.

use super::layers::Parts;
use super::math::{self, Equation, Math, Sign};
use super::names::Names;
use super::unicode;
use crate::text::shape;
use gdc_driver::Output;
use gdc_ir::NodeId;
use gdc_ir::graph::Model;
use std::collections::BTreeSet;

/// Some equations.
pub struct Section {
    /// When they hold.
    pub title: String,
    /// What is said before them.
    pub notes: Vec<String>,
    /// In order of evaluation.
    pub equations: Vec<Equation>,
}

impl Section {
    /// For a terminal.
    pub fn lines(&self) -> Vec<String> {
        if self.equations.is_empty() {
            return Vec::new();
        }
        self.notes.iter().cloned().chain(self.equations.iter().map(unicode::equation)).collect()
    }
}

/// What leads from inputs to results. A model that does one thing in training and another in a
/// prediction, such as dropout, has equations of both, apart from those that they share.
pub fn forward(model: &Model, names: &Names, parts: &Parts) -> Vec<Section> {
    let reach = |roots: Vec<NodeId>| model.graph.reachable(roots).into_iter().collect::<BTreeSet<NodeId>>();
    let results = || model.outputs.iter().chain(&model.metrics).map(|n| n.node);
    let trained = reach(model.loss.into_iter().chain(model.gradients.iter().map(|g| g.value)).collect());
    let predicted = reach(results().chain(model.evaluation).collect());
    // What only an entry point needs is told there.
    let told =
        parts.forward.iter().filter(|id| trained.contains(id) || predicted.contains(id) || is_given(model, **id));
    let told: Vec<NodeId> = told.copied().collect();
    let section = |title: &str, wanted: &dyn Fn(NodeId) -> bool| Section {
        title: title.to_owned(),
        notes: Vec::new(),
        equations: equations(model, names, told.iter().copied().filter(|id| wanted(*id))),
    };
    if model.evaluation.is_none() {
        return vec![section("Forward", &|_| true)];
    }
    let (in_both, in_one) = (|id: &NodeId| trained.contains(id) && predicted.contains(id), "Forward, only while");
    let sections = vec![
        section("Forward", &|id| in_both(&id)),
        section(&format!("{in_one} training"), &|id| !predicted.contains(&id)),
        section(&format!("{in_one} predicting and evaluating"), &|id| !trained.contains(&id)),
    ];
    sections.into_iter().filter(|s| !s.equations.is_empty()).collect()
}

fn is_given(model: &Model, id: NodeId) -> bool {
    model.graph.node(id).leaf().is_some()
}

/// The entry points, and what the stream does at one time.
pub fn points(output: &Output) -> Vec<Section> {
    let given = |model: &Model| {
        let one = |id: &NodeId| {
            let node = model.graph.node(*id);
            format!(
                "{}{}",
                node.name,
                if node.shape.is_empty() { String::new() } else { format!(": {}", shape(&node.shape)) }
            )
        };
        model.inputs.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let mut sections: Vec<Section> = Vec::new();
    for (entry, model) in output.model.entries.iter().zip(&output.entries) {
        let title = format!("Entry point {}({})", entry.name, given(model));
        let (notes, equations) = whole(model);
        sections.push(Section { title, notes, equations });
    }
    if let Some(model) = &output.stream {
        let carried: Vec<String> = model
            .states
            .iter()
            .map(|k| model.graph.node(k.node))
            .map(|n| {
                format!("{} {}", n.name, if n.shape.is_empty() { "(a number)".to_owned() } else { shape(&n.shape) })
            })
            .collect();
        let note = match carried.as_slice() {
            [] => "carried from one time to the next: nothing".to_owned(),
            some => format!("carried from one time to the next: {}", some.join(", ")),
        };
        let title = format!("Stream: one step, given {}", given(model));
        let (notes, equations) = whole(model);
        sections.push(Section { title, notes: [vec![note], notes].concat(), equations });
    }
    sections
}

/// All that a model of one sample computes, under the names of its results; and which of them
/// have another name there.
fn whole(model: &Model) -> (Vec<String>, Vec<Equation>) {
    let mut model = model.clone();
    let mut notes = Vec::new();
    for (i, output) in model.outputs.clone().iter().enumerate() {
        let node = model.graph.node(output.node);
        let is_next = model.updates.iter().any(|u| u.value == output.node);
        let is_free = model.graph.find(&output.name).is_none();
        if node.name == output.name {
            continue;
        }
        if node.leaf().is_none() && !is_next && is_free && model.outputs[..i].iter().all(|o| o.node != output.node) {
            model.graph.rename(output.node, output.name.clone());
        } else {
            let target = model.updates.iter().find(|u| u.value == output.node).map_or(output.node, |u| u.target);
            let (layer, base) = Names::new(&model, false).parts(&model.graph.node(target).name);
            let dot = if layer.is_empty() { "" } else { "." };
            notes.push(format!("{} is {}{layer}{dot}{base}", output.name, if is_next { "the new " } else { "" }));
        }
    }
    let model = &model;
    let names = Names::new(model, true);
    let results = model.outputs.iter().map(|o| o.node).chain(model.updates.iter().map(|u| u.value));
    let needed = model.graph.reachable(results);
    (notes, equations(model, &names, needed.into_iter()))
}

/// The equations of some nodes; those of next values say whose they are.
fn equations(model: &Model, names: &Names, ids: impl Iterator<Item = NodeId>) -> Vec<Equation> {
    let one = |id: NodeId| {
        let mut equation = math::equation(model, names, id)?;
        let update = model.updates.iter().find(|u| u.value == id);
        if let (Some(update), Math::Symbol(left)) = (update, &mut equation.left) {
            equation.sign = Sign::Becomes;
            (left.layer, left.base) = names.parts(&model.graph.node(update.target).name);
        }
        Some(equation)
    };
    ids.filter(|id| !names.is_inlined(*id)).filter_map(one).collect()
}
