//! Reasons to end training early, for the callback of `fit`.

use core::ops::ControlFlow;

/// Stops when a number, such as the loss on samples that are held back, has not fallen for
/// some epochs.
///
/// ```
/// use gdc::EarlyStopping;
///
/// let mut stopping = EarlyStopping::new(2);
/// let stopped = [1.0, 0.5, 0.6, 0.7, 0.1].iter().position(|&loss| stopping.observe(loss).is_break());
/// assert_eq!(stopped, Some(3));
/// assert_eq!(stopping.best(), Some((1, 0.5)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    patience: u64,
    least_change: f64,
    seen: u64,
    best: Option<(u64, f64)>,
}

impl EarlyStopping {
    /// Stops after `patience` observations in a row that are no better than the best before.
    pub const fn new(patience: u64) -> Self {
        EarlyStopping { patience, least_change: 0.0, seen: 0, best: None }
    }

    /// Counts as better only what is lower than the best by more than this.
    pub const fn least_change(self, least_change: f64) -> Self {
        EarlyStopping { least_change, ..self }
    }

    /// Takes the next number; says whether to stop. NaN is never better.
    pub fn observe(&mut self, value: impl Into<f64>) -> ControlFlow<()> {
        let value = value.into();
        let number = self.seen;
        self.seen += 1;
        if !value.is_nan() && self.best.is_none_or(|(_, best)| value < best - self.least_change) {
            self.best = Some((number, value));
        }
        // Before anything was good, the waiting starts with the first observation.
        let waited = self.seen - self.best.map_or(0, |(at, _)| at + 1);
        match waited >= self.patience.max(1) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Whether the last number was the best so far: the moment to keep the model.
    pub fn improved(&self) -> bool {
        self.best.is_some_and(|(at, _)| at + 1 == self.seen)
    }

    /// The number of the best observation, from 0, and its value.
    pub fn best(&self) -> Option<(u64, f64)> {
        self.best
    }
}
