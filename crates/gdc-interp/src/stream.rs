//! The streaming form of a model, one time after the other.

use crate::error::Error;
use crate::eval::{Bindings, evaluate};
use crate::session::Session;
use crate::tensor::Tensor;
use gdc_ir::{Leaf, Model, NodeId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A streaming form in use: its parameters, and what it carries.
#[derive(Clone, Debug)]
pub struct Stream<'m> {
    step: &'m Model,
    model: Bindings,
    carried: BTreeMap<NodeId, Arc<Tensor>>,
}

impl<'m> Stream<'m> {
    /// Before the first time. `step` is the model of one time, whose states are what is carried;
    /// everything else that it keeps is found by its name in a session of the whole model.
    ///
    /// # Errors
    /// The session lacks something, or a first value cannot be computed.
    pub fn start(step: &'m Model, session: &Session<'_>) -> Result<Self, Error> {
        let mut model = Bindings::new(session.seed, step.precision);
        let carried = |id: NodeId| step.states.iter().any(|k| k.node == id);
        for (id, node) in step.graph.nodes().filter(|(id, _)| !carried(*id)) {
            if matches!(node.leaf(), Some(Leaf::Param | Leaf::State)) {
                let value = session.get(&node.name).ok_or_else(|| Error::NoSuch(node.name.clone()))?;
                model.bind(id, value.clone());
            }
        }
        let values = evaluate(&step.graph, step.states.iter().map(|k| k.init), &model)?;
        let carried = step.states.iter().map(|k| Ok((k.node, values.shared(k.init)?))).collect::<Result<_, Error>>()?;
        Ok(Stream { step, model, carried })
    }

    /// The outputs at the next time by name, for the inputs at that time.
    ///
    /// # Errors
    /// An input is missing or does not fit; then nothing has changed.
    pub fn step(&mut self, inputs: &BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>, Error> {
        let step = self.step;
        let mut bindings = self.model.clone();
        for (&id, value) in &self.carried {
            bindings.bind(id, value.clone());
        }
        for &id in &step.inputs {
            let name = &step.graph.node(id).name;
            bindings.bind(id, inputs.get(name).ok_or_else(|| Error::Unbound(name.clone()))?.clone());
        }
        let roots = step.outputs.iter().map(|o| o.node).chain(step.updates.iter().map(|u| u.value));
        let values = evaluate(&step.graph, roots, &bindings)?;
        let next = step.updates.iter().map(|u| Ok((u.target, values.shared(u.value)?)));
        self.carried = next.collect::<Result<_, Error>>()?;
        step.outputs.iter().map(|o| Ok((o.name.clone(), (*values.shared(o.node)?).clone()))).collect()
    }
}
