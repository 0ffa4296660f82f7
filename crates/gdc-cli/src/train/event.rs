//! What a worker says while it trains: one event per line of its standard output.

/// A loss with the metrics beside it.
#[derive(Clone, PartialEq, Debug)]
pub struct Score {
    /// The mean over the samples.
    pub loss: f64,
    /// In declared order, likewise.
    pub metrics: Vec<f64>,
}

/// Nanoseconds per call.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Times {
    /// Samples of a step.
    pub samples: u64,
    /// Of a training step.
    pub step: f64,
    /// Of the loss alone.
    pub loss: f64,
    /// Of the prediction of one sample; 0 where there is none.
    pub predict: f64,
    /// What one core of the machine does at most, in operations per nanosecond.
    pub peak: f64,
}

/// One line.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A step was taken; the loss is that before its update.
    Step {
        /// Its number, from 1.
        step: u64,
        /// Of its samples.
        loss: f64,
    },
    /// All samples were visited once more.
    Epoch {
        /// Its number, from 0.
        epoch: u64,
        /// Steps taken so far.
        steps: u64,
        /// Of its samples, each before its own step.
        score: Score,
    },
    /// The validation data were evaluated after an epoch.
    Validation(Score),
    /// The gradient of a parameter before a step, as the root of its mean square.
    Gradient {
        /// The step.
        step: u64,
        /// The parameter.
        name: String,
        /// Over its elements.
        size: f64,
    },
    /// The lowest loss so far, whose weights were written.
    Best {
        /// Its epoch, from 0.
        epoch: u64,
        /// Of the validation data, or else of the training data.
        loss: f64,
    },
    /// The whole state was written.
    Checkpoint {
        /// After this epoch, from 0.
        epoch: u64,
        /// Steps taken so far.
        steps: u64,
        /// Epochs since the best one.
        stale: u64,
    },
    /// How long calls take.
    Time(Times),
    /// It ended by itself, for this reason: `epochs`, `steps`, `until`, `patience`, or since it
    /// was no training.
    End(String),
    /// Training could not go on.
    Error(String),
}

impl Event {
    /// Reads a line; `None` for what is no event.
    pub fn parse(line: &str) -> Option<Event> {
        let (kind, rest) = line.split_once(' ')?;
        let mut words = rest.split(' ');
        let event = match kind {
            "step" => Event::Step { step: words.next()?.parse().ok()?, loss: words.next()?.parse().ok()? },
            "epoch" => {
                let (epoch, steps) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                return Some(Event::Epoch { epoch, steps, score: score(words)? });
            }
            "gradient" => Event::Gradient {
                step: words.next()?.parse().ok()?,
                name: words.next()?.to_owned(),
                size: words.next()?.parse().ok()?,
            },
            "best" => Event::Best { epoch: words.next()?.parse().ok()?, loss: words.next()?.parse().ok()? },
            "checkpoint" => Event::Checkpoint {
                epoch: words.next()?.parse().ok()?,
                steps: words.next()?.parse().ok()?,
                stale: words.next()?.parse().ok()?,
            },
            "time" => {
                let samples = words.next()?.parse().ok()?;
                let mut next = || words.next()?.parse().ok();
                Event::Time(Times { samples, step: next()?, loss: next()?, predict: next()?, peak: next()? })
            }
            "validation" => return Some(Event::Validation(score(words)?)),
            "end" => return Some(Event::End(rest.to_owned())),
            "error" => return Some(Event::Error(rest.to_owned())),
            _ => return None,
        };
        words.next().is_none().then_some(event)
    }
}

fn score<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Score> {
    let loss = words.next()?.parse().ok()?;
    let metrics = words.map(|w| w.parse().ok()).collect::<Option<_>>()?;
    Some(Score { loss, metrics })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_or_refused_whole() {
        assert_eq!(Event::parse("step 3 0.5"), Some(Event::Step { step: 3, loss: 0.5 }));
        let score = Score { loss: 0.25, metrics: vec![1.0] };
        assert_eq!(Event::parse("epoch 0 10 0.25 1"), Some(Event::Epoch { epoch: 0, steps: 10, score }));
        assert_eq!(Event::parse("validation 1"), Some(Event::Validation(Score { loss: 1.0, metrics: vec![] })));
        assert_eq!(Event::parse("error no samples"), Some(Event::Error("no samples".into())));
        for line in ["", "step", "step 1", "step 1 2 3", "epoch 1 2", "epoch 1 2 x", "hello world"] {
            assert_eq!(Event::parse(line), None, "{line}");
        }
        assert!(matches!(Event::parse("step 1 NaN"), Some(Event::Step { loss, .. }) if loss.is_nan()));
    }
}
