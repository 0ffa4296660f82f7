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
    /// How many steps came before those, in a training that goes on.
    pub first_step: u64,
}

impl History {
    /// Reads [`History::epochs_csv`] of a model with these metrics; `None` for anything else.
    pub fn from_csv(text: &str, metrics: &[String]) -> Option<History> {
        let mut lines = text.lines();
        let columns = lines.next()?.split(',').count();
        let width = 1 + metrics.len();
        let validated = match columns.checked_sub(2)? {
            n if n == width => false,
            n if n == 2 * width => true,
            _ => return None,
        };
        let score = |words: &[&str]| {
            let values: Option<Vec<f64>> = words.iter().map(|w| w.parse().ok()).collect();
            values.and_then(|v| Some(Score { loss: *v.first()?, metrics: v.get(1..)?.to_vec() }))
        };
        let mut history = History { metrics: metrics.to_vec(), ..History::default() };
        for line in lines {
            let words: Vec<&str> = line.split(',').collect();
            let record = EpochRecord {
                epoch: words.first()?.parse().ok()?,
                steps: words.get(1)?.parse().ok()?,
                training: score(words.get(2..2 + width)?)?,
                validation: if validated { Some(score(words.get(2 + width..)?)?) } else { None },
            };
            history.epochs.push(record);
        }
        Some(history)
    }

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
        let number = |i: usize| self.first_step + i as u64 + 1;
        let lines = self.steps.iter().enumerate().map(|(i, loss)| format!("{},{loss}\n", number(i)));
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
        let history =
            History { metrics: vec!["accuracy".into()], epochs: vec![record], steps: vec![1.0, 0.1], first_step: 0 };
        assert_eq!(
            history.epochs_csv(),
            "epoch,steps,loss,accuracy,validation_loss,validation_accuracy\n1,10,0.1,0.5,0.2,0.5\n"
        );
        assert_eq!(history.steps_csv(), "step,loss\n1,1\n2,0.1\n");
        let again = History::from_csv(&history.epochs_csv(), &history.metrics).unwrap();
        assert_eq!(again.epochs, history.epochs);
        assert!(History::from_csv("epoch,steps,loss\n1,2,0.5\n", &history.metrics).is_none());
    }
}
