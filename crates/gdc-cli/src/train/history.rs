//! The record of a training: what each epoch and each step came to, as CSV.

use super::event::Score;

/// One epoch.
#[derive(Clone, PartialEq, Debug)]
pub struct EpochRecord {
    /// From 1.
    pub epoch: u64,
    /// Steps taken so far.
    pub steps: u64,
    /// On the training data, each sample before its own step.
    pub training: Score,
    /// On the validation data, after the epoch.
    pub validation: Option<Score>,
}

/// Everything that was recorded.
#[derive(Default, Debug)]
pub struct History {
    /// Names of the metrics, in declared order.
    pub metrics: Vec<String>,
    /// In order.
    pub epochs: Vec<EpochRecord>,
    /// The loss before each update, where asked for.
    pub steps: Vec<f64>,
}

impl History {
    /// `epoch,steps,loss,METRIC...,validation_loss,validation_METRIC...`
    pub fn epochs_csv(&self) -> String {
        let mut text = String::from("epoch,steps,loss");
        let validated = self.epochs.iter().any(|e| e.validation.is_some());
        self.metrics.iter().for_each(|m| text.push_str(&format!(",{m}")));
        if validated {
            text.push_str(",validation_loss");
            self.metrics.iter().for_each(|m| text.push_str(&format!(",validation_{m}")));
        }
        text.push('\n');
        for record in &self.epochs {
            text.push_str(&format!("{},{}", record.epoch, record.steps));
            push_score(&mut text, &record.training);
            if let Some(score) = &record.validation {
                push_score(&mut text, score);
            }
            text.push('\n');
        }
        text
    }

    /// `step,loss`
    pub fn steps_csv(&self) -> String {
        let lines = self.steps.iter().enumerate().map(|(i, loss)| format!("{},{loss}\n", i + 1));
        std::iter::once("step,loss\n".to_owned()).chain(lines).collect()
    }
}

fn push_score(text: &mut String, score: &Score) {
    for value in std::iter::once(&score.loss).chain(&score.metrics) {
        text.push_str(&format!(",{value}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_have_a_header_and_exact_numbers() {
        let score = |loss| Score { loss, metrics: vec![0.5] };
        let record = EpochRecord { epoch: 1, steps: 10, training: score(0.1), validation: Some(score(0.2)) };
        let history = History { metrics: vec!["accuracy".into()], epochs: vec![record], steps: vec![1.0, 0.1] };
        assert_eq!(
            history.epochs_csv(),
            "epoch,steps,loss,accuracy,validation_loss,validation_accuracy\n1,10,0.1,0.5,0.2,0.5\n"
        );
        assert_eq!(history.steps_csv(), "step,loss\n1,1\n2,0.1\n");
    }
}
