//! How long to train and in which order: the options of the call over the settings of the spec.

use super::worker::{Job, Start};
use crate::cli::TrainArgs;
use gdc_ir::graph::{Model, Until};
use std::path::Path;

/// What is to be done, and how much that is.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// For the worker.
    pub job: Job,
    /// Epochs at most, where there is a limit.
    pub epochs: Option<u64>,
    /// Steps at most, by number of steps or of epochs, where there is a limit.
    pub steps: Option<u64>,
    /// Samples of a full step; 1 for a model without inputs.
    pub batch: u64,
    /// Whether the model has samples: without, an epoch is one step.
    pub samples: bool,
}

impl Plan {
    /// An option of the call replaces the limits of the spec, both of them. A spec without
    /// limits is trained for one epoch.
    pub fn new(args: &TrainArgs, model: &Model, samples: usize, start: Start) -> Plan {
        let settings = &model.settings;
        let (epochs, steps) = match (args.epochs, args.steps) {
            (None, None) => (settings.epochs.map(|n| n as u64), settings.steps.map(|n| n as u64)),
            given => given,
        };
        let epochs = if epochs.is_none() && steps.is_none() { Some(1) } else { epochs };
        let has_samples = !model.inputs.is_empty() || !model.targets.is_empty();
        let batch = settings.batch.unwrap_or(1).max(1);
        let per_epoch = match (has_samples, settings.drop_last && samples > batch) {
            (false, _) => 1,
            (true, false) => samples.div_ceil(batch),
            (true, true) => samples / batch,
        };
        let by_epochs = epochs.and_then(|n| n.checked_mul(per_epoch as u64));
        let job = Job {
            epochs: epochs.unwrap_or(u64::MAX),
            steps,
            until: settings.until.map(|Until::MeanLossBelow(x)| x),
            shuffle: settings.shuffle && !args.no_shuffle,
            seed: args.seed.unwrap_or(settings.seed),
            drop_last: settings.drop_last,
            all_steps: args.history_steps.is_some(),
            gradients: args.dump_gradients.is_some(),
            start,
            keep_best: args.keep_best || args.patience.is_some(),
            patience: args.patience,
            min_delta: args.min_delta,
            checkpoint_every: checkpoint_file(args).map(|_| args.checkpoint_every),
            watch: true,
            ..Job::default()
        };
        Plan {
            job,
            epochs,
            steps: by_epochs.into_iter().chain(steps).min(),
            batch: if has_samples { batch as u64 } else { 1 },
            samples: has_samples,
        }
    }
}

/// Where checkpoints are written: a training that goes on writes the one that it came from.
pub fn checkpoint_file(args: &TrainArgs) -> Option<&Path> {
    args.checkpoint.as_deref().or(args.resume.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use gdc_ir::graph::Settings;

    fn plan(words: &[&str], settings: Settings, samples: usize) -> Plan {
        let words = ["gdc", "train", "m.gd"].iter().chain(words);
        let crate::cli::Command::Train(args) = crate::cli::Cli::parse_from(words).command else { panic!() };
        let mut model = Model { settings, ..Model::default() };
        if samples > 0 {
            model.inputs.push(gdc_ir::NodeId(0));
        }
        Plan::new(&args, &model, samples, Start::default())
    }

    #[test]
    fn options_replace_settings() {
        let settings = Settings { batch: Some(32), epochs: Some(30), shuffle: true, ..Settings::default() };
        let spec = plan(&[], settings.clone(), 100);
        assert_eq!((spec.epochs, spec.steps, spec.job.steps, spec.job.shuffle), (Some(30), Some(120), None, true));
        let given = plan(&["--steps", "7", "--no-shuffle", "--seed", "9"], settings.clone(), 100);
        assert_eq!((given.epochs, given.steps, given.job.epochs), (None, Some(7), u64::MAX));
        assert_eq!((given.job.shuffle, given.job.seed), (false, 9));
        let dropped = plan(&["--epochs", "2"], Settings { drop_last: true, ..settings }, 100);
        assert_eq!(dropped.steps, Some(6));
    }

    #[test]
    fn a_model_without_inputs_takes_a_step_per_epoch() {
        let settings = Settings { steps: Some(100), ..Settings::default() };
        let plan_ = plan(&[], settings, 0);
        assert_eq!((plan_.steps, plan_.batch, plan_.samples), (Some(100), 1, false));
        assert_eq!(plan(&[], Settings::default(), 0).steps, Some(1));
    }
}
