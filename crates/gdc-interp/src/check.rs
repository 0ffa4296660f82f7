//! The gradient check: a model's own gradients against central differences of its loss.
//!
//! Differences are taken in f64 at two step widths `h` and `h/2` and extrapolated, so that
//! their error is of order `h^4`. Where the loss is not smooth (`relu` at 0, a tie of `max`)
//! no difference is a derivative; such places are recognised, not tolerated: the two widths
//! then disagree about the slope or about the change of slope. The check tries again with a
//! tenth of the width, which steps inside of kinks that are merely near, and what remains is
//! reported as a kink and not compared. What stands inside of `detach` is held fixed.

use crate::error::Error;
use crate::eval::{Bindings, Values, evaluate, evaluate_from};
use crate::random::fold;
use crate::session::{Batch, Session};
use crate::tensor::Tensor;
use gdc_ir::{Graph, Model, NodeId};
use std::collections::BTreeSet;
use std::fmt;

/// How to check.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CheckOptions {
    /// The most elements of one parameter that are checked; beyond, a random choice.
    pub limit: usize,
    /// Chooses the elements.
    pub seed: u64,
    /// The first step width, for elements of size up to 1; larger ones take larger steps.
    pub width: f64,
}

impl Default for CheckOptions {
    fn default() -> Self {
        CheckOptions { limit: 64, seed: 0, width: 1e-3 }
    }
}

/// What the check found for one parameter.
#[derive(Clone, PartialEq, Debug)]
pub struct ParamReport {
    /// The parameter.
    pub name: String,
    /// How many elements it has.
    pub elements: usize,
    /// How many were compared.
    pub compared: usize,
    /// Places (row-major) at which the loss is not smooth, not compared.
    pub kinks: Vec<usize>,
    /// The largest relative error among those compared, see [`Report::floor`].
    pub worst: f64,
    /// Where (row-major) it is.
    pub worst_at: usize,
    /// The graph's derivative there.
    pub derivative: f64,
    /// The difference quotient there.
    pub difference: f64,
}

/// What the check found.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The loss at the point of the check.
    pub loss: f64,
    /// Errors are relative to the larger of derivative, difference and this: a thousandth of
    /// the largest derivative of all, since smaller ones drown in the loss's rounding.
    pub floor: f64,
    /// One for each parameter with a gradient, in the model's order.
    pub params: Vec<ParamReport>,
}

impl Report {
    /// The largest relative error.
    pub fn worst(&self) -> f64 {
        self.params.iter().map(|p| p.worst).fold(0.0, f64::max)
    }

    /// How many elements were compared.
    pub fn compared(&self) -> usize {
        self.params.iter().map(|p| p.compared).sum()
    }

    /// How many elements could not be, because the loss is not smooth there.
    pub fn kinks(&self) -> usize {
        self.params.iter().map(|p| p.kinks.len()).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for p in &self.params {
            let (name, compared, elements) = (&p.name, p.compared, p.elements);
            write!(f, "{name}: {compared} of {elements} compared, largest relative error {:.1e}", p.worst)?;
            if p.worst > 0.0 {
                write!(f, " at {} ({:e} against {:e})", p.worst_at, p.derivative, p.difference)?;
            }
            if !p.kinks.is_empty() {
                write!(f, ", {} at kinks", p.kinks.len())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Compares the gradients of a model with differences, at the values of a session.
///
/// # Errors
/// As [`Session::loss`].
pub fn gradient_check(
    model: &Model,
    session: &Session<'_>,
    batch: &Batch,
    options: CheckOptions,
) -> Result<Report, Error> {
    let graph = &model.graph;
    let loss = model.loss.ok_or(Error::NoLoss)?;
    let bindings = session.bindings(batch)?;
    let roots = model.gradients.iter().map(|g| g.value).chain([loss]);
    let values = evaluate(graph, roots, &bindings)?;
    let at_point = values.scalar(loss)?;

    let mut largest = 0.0f64;
    for gradient in &model.gradients {
        let derivatives = values.shared(gradient.value)?.to_vec();
        largest = derivatives.into_iter().map(f64::abs).fold(largest, f64::max);
    }
    let floor = (1e-3 * largest).max(1e-8);

    let mut params = Vec::new();
    for gradient in &model.gradients {
        let probe = Probe::new(graph, loss, gradient.target, &bindings, &values, session)?;
        let derivatives = values.shared(gradient.value)?.to_vec();
        params.push(probe.check(&derivatives, floor, options)?);
    }
    Ok(Report { loss: at_point, floor, params })
}

/// The loss as a function of one element of one parameter.
struct Probe<'a> {
    graph: &'a Graph,
    loss: NodeId,
    param: NodeId,
    point: Vec<f64>,
    bindings: &'a Bindings,
    values: &'a Values,
    /// The nodes between the parameter and the loss, which have to be computed again.
    changing: Vec<NodeId>,
    at_point: f64,
}

impl<'a> Probe<'a> {
    fn new(
        graph: &'a Graph,
        loss: NodeId,
        param: NodeId,
        bindings: &'a Bindings,
        values: &'a Values,
        session: &Session<'_>,
    ) -> Result<Self, Error> {
        let name = &graph.node(param).name;
        let point = session.get(name).ok_or_else(|| Error::NoSuch(name.clone()))?.to_vec();
        let mut changed = BTreeSet::from([param]);
        let needed = graph.reachable([loss]);
        // What a recurrence carries can change only once what its steps leave does.
        loop {
            let before = changed.len();
            for &id in &needed {
                if graph.inputs(id).iter().any(|i| changed.contains(i)) {
                    changed.insert(id);
                }
            }
            if changed.len() == before {
                break;
            }
        }
        let changing = needed.into_iter().filter(|id| changed.contains(id)).collect();
        let at_point = values.scalar(loss)?;
        Ok(Probe { graph, loss, param, point, bindings, values, changing, at_point })
    }

    /// The loss with one element moved.
    fn at(&self, element: usize, by: f64) -> Result<f64, Error> {
        let mut moved = self.point.clone();
        moved[element] += by;
        let mut bindings = self.bindings.clone();
        bindings.bind(self.param, Tensor::real(&self.graph.node(self.param).shape, moved)?);
        let known = self.values.clone();
        evaluate_from(self.graph, &self.changing, &bindings, known, self.values)?.scalar(self.loss)
    }

    /// The derivative by differences, `None` at a kink.
    fn difference(&self, element: usize, width: f64, floor: f64) -> Result<Option<f64>, Error> {
        let mut h = width * self.point[element].abs().max(1.0);
        for _ in 0..4 {
            let (wide, narrow) = (self.slopes(element, h)?, self.slopes(element, 0.5 * h)?);
            let extrapolated = (4.0 * narrow.mean - wide.mean) / 3.0;
            // A smooth loss halves the change of slope, and changes the mean slope little; what
            // is left is of order h^2 and h^3. Rounding errs by some units of the loss over h.
            let rounding = 16.0 * f64::EPSILON * self.at_point.abs() / h;
            let allowed = 1e-7 * extrapolated.abs().max(floor) + rounding;
            let bend = (narrow.change - 0.5 * wide.change).abs();
            if (narrow.mean - wide.mean).abs() <= allowed && bend <= allowed {
                return Ok(Some(extrapolated));
            }
            h *= 0.1;
        }
        Ok(None)
    }

    /// The mean slope and the change of slope over `h` to both sides.
    fn slopes(&self, element: usize, h: f64) -> Result<Slopes, Error> {
        let (above, below) = (self.at(element, h)?, self.at(element, -h)?);
        Ok(Slopes {
            mean: (above - below) / (2.0 * h),
            change: ((above - self.at_point) - (self.at_point - below)) / h,
        })
    }

    fn check(&self, derivatives: &[f64], floor: f64, options: CheckOptions) -> Result<ParamReport, Error> {
        let mut report = ParamReport {
            name: self.graph.node(self.param).name.clone(),
            elements: self.point.len(),
            compared: 0,
            kinks: Vec::new(),
            worst: 0.0,
            worst_at: 0,
            derivative: 0.0,
            difference: 0.0,
        };
        for element in choose(self.point.len(), options.limit, options.seed) {
            let derivative = derivatives.get(element).copied().unwrap_or(f64::NAN);
            let Some(difference) = self.difference(element, options.width, floor)? else {
                report.kinks.push(element);
                continue;
            };
            report.compared += 1;
            let size = derivative.abs().max(difference.abs()).max(floor);
            let error = (derivative - difference).abs() / size;
            // A derivative that is not a number is as wrong as can be.
            let error = if error.is_nan() { f64::INFINITY } else { error };
            if error > report.worst {
                (report.worst, report.worst_at) = (error, element);
                (report.derivative, report.difference) = (derivative, difference);
            }
        }
        Ok(report)
    }
}

struct Slopes {
    mean: f64,
    change: f64,
}

/// At most `limit` of `0..n`, ascending: those with the least hashes.
fn choose(n: usize, limit: usize, seed: u64) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    if n > limit {
        all.sort_by_key(|&i| fold(seed, i as u64));
        all.truncate(limit);
        all.sort_unstable();
    }
    all
}

#[cfg(test)]
mod tests;
