//! How a model ends: its loss, its output, a metric.

use super::pen::{Pen, at, numbers, word};

/// Which loss, and its attributes.
#[derive(Clone, Debug)]
pub struct Head {
    pub kind: usize,
    pub attributes: Vec<usize>,
}

/// Kinds of losses.
pub const KINDS: usize = 8;

/// How many values each attribute has: which loss of its kind, its number, output, metric.
pub const LIMITS: &[usize] = &[10, 3, 3, 2];

const OF_CLASSES: &[&str] = &[
    "cross_entropy($, label)",
    "cross_entropy($, label, smoothing = 0.1)",
    "focal($, label, gamma = 1.5)",
    "weighted_cross_entropy($, label, ones_of)",
    "weighted_cross_entropy($, label, ones_of, smoothing = 0.2)",
];

const OF_PAIRS: &[&str] = &[
    "mse($, y)",
    "half_mse($, y)",
    "mae($, y)",
    "huber($, y, delta = 0.5)",
    "log_cosh($, y)",
    "quantile($, y, q = 0.3)",
    "poisson(tanh($), y)",
    "poisson_of(softplus($), y^2)",
    "squared_hinge($, y)",
    "gaussian_nll($, y, tanh($))",
];

const OF_VECTORS: &[&str] = &[
    "cosine_distance($, y, eps = 0.01)",
    "cosine_embedding($, y, 1, eps = 0.01)",
    "cosine_embedding($, y, -1, margin = 0.2, eps = 0.01)",
    "kl_divergence_logits($, y)",
    "kl_divergence_logits(y, $)",
    "kl_divergence(softmax(y), softmax($) + 0.1)",
    "contrastive($, y, 1)",
    "contrastive($, y, 0, margin = 2)",
    "triplet($, y, 0.5 - y)",
];

const OF_ONE: &[&str] = &["mean(softplus($))", "kl_normal($, tanh($)) / 8", "mean(sin($ + 0.4))", "rms($ + 0.3)"];

impl Head {
    /// Writes targets, loss, output and metric; nothing if the kind does not fit.
    pub fn write(&self, value: &str, shape: &[usize], pen: &mut Pen) -> Option<()> {
        let (&n, before) = shape.split_last()?;
        let which = at(&self.attributes, 0);
        let mean = |text: &str| if before.is_empty() { text.to_owned() } else { format!("mean({text})") };
        let loss = match self.kind {
            1 => {
                (n > 1).then_some(())?;
                // One number has no brackets.
                let shape = if before.is_empty() { String::new() } else { format!("{} ", numbers(before)) };
                pen.line(&format!("target label: {shape}in 0..{n};"));
                let weights: Vec<String> = (0..n).map(|k| format!("{}", 0.5 + 0.25 * k as f64)).collect();
                mean(&word(OF_CLASSES, which).replace("ones_of", &format!("[{}]", weights.join(", "))))
            }
            2 | 3 => {
                pen.line(&format!("target y: {};", numbers(shape)));
                word(OF_PAIRS, which).to_owned()
            }
            4 => {
                pen.line(&format!("target y: {} in 0..2;", numbers(shape)));
                let call = word(&["binary_cross_entropy(y, $)", "binary_focal(y, $, gamma = 1.5)"], which);
                format!("mean({call})")
            }
            5 => {
                (n > 1).then_some(())?;
                pen.line(&format!("target y: {};", numbers(shape)));
                mean(word(OF_VECTORS, which))
            }
            6 => word(OF_ONE, which).to_owned(),
            7 => {
                // Of one sample it is 0.
                (before.is_empty() && pen.batch > 2).then_some(())?;
                "info_nce($, sin(2 * $), temperature = 0.5)".to_owned()
            }
            _ => "mean($^2)".to_owned(),
        };
        let label = word(&["", "part = "], at(&self.attributes, 1));
        pen.line(&format!("loss {label}{};", loss.replace('$', value)));
        match at(&self.attributes, 2) {
            1 => pen.line(&format!("output o = softmax({value});")),
            2 => pen.line(&format!("output o = sum({value});")),
            _ => pen.line(&format!("output o = {value};")),
        }
        if at(&self.attributes, 3) == 1 {
            let metric = match self.kind {
                1 if before.is_empty() => format!("accuracy({value}, label)"),
                2 => format!("mean_absolute_error({value}, y)"),
                _ => format!("mean({value})"),
            };
            pen.line(&format!("metric measure = {metric};"));
        }
        Some(())
    }
}
