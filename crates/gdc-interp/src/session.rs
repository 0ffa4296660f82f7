//! Training and predicting, as the generated program of the same model does it.

use crate::error::Error;
use crate::eval::{Bindings, Values, evaluate};
use crate::tensor::Tensor;
use gdc_ir::{Kept, Model, Named, NodeId, Update};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Some samples: inputs and targets by name, each of the shape `[samples, ...]`.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// How many; ignored by a model without inputs.
    pub samples: usize,
    /// By the names of the inputs and targets.
    pub values: BTreeMap<String, Tensor>,
}

impl Batch {
    /// No samples, for models without inputs.
    pub fn none() -> Self {
        Batch::default()
    }

    /// A number of samples without values yet.
    pub fn of(samples: usize) -> Self {
        Batch { samples, values: BTreeMap::new() }
    }

    /// Adds an input or target.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Tensor>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }
}

/// A model in training: parameters, states, and the number of updates.
#[derive(Clone, Debug)]
pub struct Session<'m> {
    model: &'m Model,
    kept: BTreeMap<NodeId, Arc<Tensor>>,
    /// How many updates were made.
    pub counter: i64,
    /// The seed of random draws.
    pub seed: u64,
}

impl<'m> Session<'m> {
    /// A session with initial values.
    ///
    /// # Errors
    /// Initial values that cannot be computed, which the verifier excludes.
    pub fn new(model: &'m Model, seed: u64) -> Result<Self, Error> {
        let mut session = Session { model, kept: BTreeMap::new(), counter: 0, seed };
        // A state can begin as a copy of a parameter, so parameters come first.
        session.initialise(&model.params)?;
        session.initialise(&model.states)?;
        Ok(session)
    }

    fn initialise(&mut self, list: &[Kept]) -> Result<(), Error> {
        let values = evaluate(&self.model.graph, list.iter().map(|k| k.init), &self.leaves())?;
        for kept in list {
            self.kept.insert(kept.node, values.shared(kept.init)?);
        }
        Ok(())
    }

    /// Parameters, states and the counter.
    fn leaves(&self) -> Bindings {
        let mut bindings = Bindings::new(self.seed, self.model.precision);
        for (&node, value) in &self.kept {
            bindings.bind(node, value.clone());
        }
        if let Some(counter) = self.model.counter {
            bindings.bind(counter, Tensor::integer(self.counter));
        }
        bindings
    }

    /// All leaves for some samples: lanes that they do not fill copy the first sample and
    /// have the weight 0. Inputs and targets that the batch lacks stay without a value.
    ///
    /// # Errors
    /// A wrong number of samples, names that the model lacks, wrong shapes or types.
    pub fn bindings(&self, batch: &Batch) -> Result<Bindings, Error> {
        let model = self.model;
        let mut bindings = self.leaves();
        let lanes: Vec<NodeId> = model.inputs.iter().chain(&model.targets).copied().collect();
        for name in batch.values.keys() {
            if !lanes.iter().any(|&id| model.graph.node(id).name == *name) {
                return Err(Error::NoSuch(name.clone()));
            }
        }
        for &id in &lanes {
            let node = model.graph.node(id);
            let Some(value) = batch.values.get(&node.name) else { continue };
            let full = node.shape.first().copied().unwrap_or(0);
            self.check_samples(full, batch.samples)?;
            let mut expected = node.shape.clone();
            if let Some(first) = expected.first_mut() {
                *first = batch.samples;
            }
            if value.shape() != expected {
                let (name, found) = (node.name.clone(), value.shape().to_vec());
                return Err(Error::Shape { name, expected, found });
            }
            bindings.bind(id, value.padded(full));
        }
        if let Some(weight) = model.sample_weight {
            let full = model.graph.node(weight).len();
            self.check_samples(full, batch.samples)?;
            let share = 1.0 / batch.samples as f64;
            let weights = (0..full).map(|i| if i < batch.samples { share } else { 0.0 }).collect();
            bindings.bind(weight, Tensor::real(&[full], weights)?);
        }
        Ok(bindings)
    }

    fn check_samples(&self, batch: usize, given: usize) -> Result<(), Error> {
        if given == 0 || given > batch { Err(Error::Samples { batch, given }) } else { Ok(()) }
    }

    /// The values of any nodes of the model for some samples, all lanes of them.
    ///
    /// # Errors
    /// As [`evaluate`] and [`Session::bindings`].
    pub fn evaluate(&self, batch: &Batch, roots: &[NodeId]) -> Result<Values, Error> {
        evaluate(&self.model.graph, roots.iter().copied(), &self.bindings(batch)?)
    }

    /// The mean loss of the samples.
    ///
    /// # Errors
    /// As [`Session::evaluate`], and if the model has no loss.
    pub fn loss(&self, batch: &Batch) -> Result<f64, Error> {
        let loss = self.model.loss.ok_or(Error::NoLoss)?;
        self.evaluate(batch, &[loss])?.scalar(loss)
    }

    /// The outputs by name, `[samples, ...]` where they are per sample. Needs no targets.
    ///
    /// # Errors
    /// As [`Session::evaluate`].
    pub fn predict(&self, batch: &Batch) -> Result<BTreeMap<String, Tensor>, Error> {
        self.named(batch, &self.model.outputs)
    }

    /// The metrics by name.
    ///
    /// # Errors
    /// As [`Session::evaluate`].
    pub fn metrics(&self, batch: &Batch) -> Result<BTreeMap<String, f64>, Error> {
        let values = self.named(batch, &self.model.metrics)?;
        Ok(values.into_iter().filter_map(|(name, v)| v.as_scalar().map(|x| (name, x))).collect())
    }

    fn named(&self, batch: &Batch, list: &[Named]) -> Result<BTreeMap<String, Tensor>, Error> {
        let roots: Vec<NodeId> = list.iter().map(|n| n.node).collect();
        let values = self.evaluate(batch, &roots)?;
        let mut result = BTreeMap::new();
        for named in list {
            let value = values.shared(named.node)?;
            let per_sample = self.model.graph.node(named.node).per_sample;
            let value = if per_sample { value.head(batch.samples) } else { (*value).clone() };
            result.insert(named.name.clone(), value);
        }
        Ok(result)
    }

    /// `dL/dp` by the names of the parameters.
    ///
    /// # Errors
    /// As [`Session::evaluate`].
    pub fn gradients(&self, batch: &Batch) -> Result<BTreeMap<String, Tensor>, Error> {
        let name = |u: &Update| self.model.graph.node(u.target).name.clone();
        let next = self.next(batch, &self.model.gradients)?.1;
        Ok(self.model.gradients.iter().zip(next).map(|(u, v)| (name(u), (*v).clone())).collect())
    }

    /// One update. Returns the mean loss before it. All next values are computed from the old
    /// ones before any is kept.
    ///
    /// # Errors
    /// As [`Session::loss`]; then nothing has changed.
    pub fn step(&mut self, batch: &Batch) -> Result<f64, Error> {
        let (loss, next) = self.next(batch, &self.model.updates)?;
        let loss = loss.ok_or(Error::NoLoss)?;
        for (update, value) in self.model.updates.iter().zip(next) {
            self.kept.insert(update.target, value);
        }
        self.counter += 1;
        Ok(loss)
    }

    /// The loss, and the values of some updates in their order.
    fn next(&self, batch: &Batch, list: &[Update]) -> Result<(Option<f64>, Vec<Arc<Tensor>>), Error> {
        let roots: Vec<NodeId> = list.iter().map(|u| u.value).chain(self.model.loss).collect();
        let values = self.evaluate(batch, &roots)?;
        let loss = self.model.loss.map(|l| values.scalar(l)).transpose()?;
        let next = list.iter().map(|u| values.shared(u.value)).collect::<Result<_, _>>()?;
        Ok((loss, next))
    }

    /// The names of all parameters and states, in order of creation.
    pub fn names(&self) -> impl Iterator<Item = &'m str> {
        let model = self.model;
        model.params.iter().chain(&model.states).map(|k| model.graph.node(k.node).name.as_str())
    }

    /// A parameter or state by its name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.find(name).and_then(|id| self.kept.get(&id)).map(|v| &**v)
    }

    /// Sets a parameter or state.
    ///
    /// # Errors
    /// No such name, or a value of another shape or type.
    pub fn set(&mut self, name: &str, value: impl Into<Tensor>) -> Result<(), Error> {
        let id = self.find(name).ok_or_else(|| Error::NoSuch(name.to_owned()))?;
        let value = value.into();
        value.fits(self.model.graph.node(id))?;
        self.kept.insert(id, Arc::new(value));
        Ok(())
    }

    fn find(&self, name: &str) -> Option<NodeId> {
        let graph = &self.model.graph;
        let mut kept = self.model.params.iter().chain(&self.model.states);
        kept.find(|k| graph.node(k.node).name == name).map(|k| k.node)
    }
}

#[cfg(test)]
mod tests;
