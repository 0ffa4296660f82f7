//! What the user sees while a model trains: a bar on a terminal, and one line per epoch.

use super::event::Score;
use super::history::EpochRecord;
use super::plan::Plan;
use crate::files::print;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Instant;

/// The display of one training.
pub struct Progress {
    start: Instant,
    plan: Plan,
    metrics: Vec<String>,
    bar: Option<ProgressBar>,
    quiet: bool,
    /// The last epoch, for the bar.
    label: String,
    /// The last epoch's line, if it was not printed.
    pending: Option<String>,
}

impl Progress {
    /// Nothing is drawn where standard error is no terminal, nor with `quiet`.
    pub fn new(plan: &Plan, metrics: Vec<String>, quiet: bool) -> Progress {
        // The bar draws on standard error, so that the lines of results stay apart.
        let bar = (!quiet).then(|| match plan.steps {
            Some(steps) => ProgressBar::new(steps).with_style(style("{bar:30} {msg}  {eta} left")),
            None => ProgressBar::new_spinner().with_style(style("{spinner} {pos} steps  {msg}")),
        });
        Progress { start: Instant::now(), plan: plan.clone(), metrics, bar, quiet, label: String::new(), pending: None }
    }

    /// Shows a step's loss in the bar.
    pub fn step(&self, step: u64, loss: f64) {
        let Some(bar) = &self.bar else { return };
        bar.set_position(step);
        let per_second =
            step.saturating_sub(self.plan.job.start.step) as f64 / self.start.elapsed().as_secs_f64().max(1e-9);
        let rate = if self.plan.batch > 1 {
            format!("{} samples/s", short(per_second * self.plan.batch as f64))
        } else {
            format!("{} steps/s", short(per_second))
        };
        bar.set_message(format!("{}  loss {}  {rate}", self.label, number(loss)));
    }

    /// Prints an epoch's line on standard output; with `quiet` only the last one is printed,
    /// by [`Progress::finish`].
    pub fn epoch(&mut self, record: &EpochRecord) {
        let (unit, limit) = if self.plan.samples { ("epoch", self.plan.epochs) } else { ("step", self.plan.steps) };
        let of = limit.map(|n| format!("/{n}")).unwrap_or_default();
        let epoch = format!("{unit} {}{of}", record.epoch);
        let mut line = format!("{epoch}  {}", self.score("loss", &record.training));
        if let Some(score) = &record.validation {
            line.push_str(&format!("  {}", self.score("validation loss", score)));
        }
        self.label = epoch;
        self.pending = None;
        if self.quiet || !self.plan.samples && !self.is_tenth(record.epoch) {
            self.pending = Some(line);
            return;
        }
        match &self.bar {
            Some(bar) => bar.suspend(|| print(&format!("{line}\n"))),
            None => print(&format!("{line}\n")),
        }
    }

    /// Without samples every step is an epoch; a tenth of them is shown, the last always.
    fn is_tenth(&self, step: u64) -> bool {
        step.is_multiple_of(self.plan.steps.unwrap_or(1000).div_ceil(10))
    }

    fn score(&self, name: &str, score: &Score) -> String {
        let mut text = format!("{name} {}", number(score.loss));
        for (metric, value) in self.metrics.iter().zip(&score.metrics) {
            text.push_str(&format!("  {metric} {}", number(*value)));
        }
        text
    }

    /// A line on standard error that does not disturb the bar.
    pub fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if let Some(line) = self.pending.take() {
            print(&format!("{line}\n"));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

/// Four significant digits, with an exponent where that is shorter.
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    match magnitude {
        -4..=3 => format!("{value:.*}", (3 - magnitude) as usize),
        4..=6 => format!("{value:.0}"),
        _ => format!("{value:.3e}"),
    }
}

/// A curve in one line of text, of at most `width` signs; logarithmic where values span much.
/// Empty for fewer than two finite values.
pub fn sparkline(values: &[f64], width: usize) -> String {
    const SIGNS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let count = values.len().min(width);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.iter().filter(|v| v.is_finite()) {
        (low, high) = (low.min(*value), high.max(*value));
    }
    if count < 2 || low > high {
        return String::new();
    }
    let logarithmic = low > 0.0 && high / low > 30.0;
    let scaled = |v: f64| if logarithmic { v.ln() } else { v };
    let (bottom, span) = (scaled(low), scaled(high) - scaled(low));
    let sign = |k: usize| {
        let value = values[k * (values.len() - 1) / (count - 1)];
        let part = if span > 0.0 { (scaled(value) - bottom) / span } else { 0.0 };
        if value.is_finite() { SIGNS[((part * 7.0).round() as usize).min(7)] } else { '?' }
    };
    (0..count).map(sign).collect()
}

/// A rate in thousands or millions.
fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.1}M", v / 1e6),
        v if v >= 1e3 => format!("{:.1}k", v / 1e3),
        v => format!("{v:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_fits_in_a_line() {
        assert_eq!(sparkline(&[8.0, 4.0, 1.0], 40), "█▄▁");
        assert_eq!(sparkline(&[1000.0, 32.0, 1.0], 40), "█▅▁");
        assert_eq!(sparkline(&[1.0, f64::NAN, 2.0], 40), "▁?█");
        assert_eq!(sparkline(&[1.0; 100], 10), "▁▁▁▁▁▁▁▁▁▁");
        assert_eq!(sparkline(&[1.0], 40), "");
    }

    #[test]
    fn numbers_are_short_and_keep_their_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.123456, "0.1235"),
            (0.000123456, "0.0001235"),
            (1.23456, "1.235"),
            (123.456, "123.5"),
            (123456.7, "123457"),
            (1.5e-7, "1.500e-7"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
