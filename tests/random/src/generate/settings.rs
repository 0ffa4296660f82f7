//! How a spec ends: losses, outputs, metrics, optimizers.

use super::{Maker, Tensor, name, text};
use crate::spec::{Part, Stmt};

pub(crate) const OPTIMIZERS: &[&str] = &[
    "sgd(lr = 0.1)",
    "sgd(lr = 0.1)",
    "momentum(lr = 0.05, momentum = 0.8)",
    "nesterov(lr = 0.05)",
    "adagrad(lr = 0.05, eps = 1e-3)",
    "adadelta(eps = 1e-3)",
    "rmsprop(lr = 0.02, eps = 1e-2)",
    "rmsprop(lr = 0.02, eps = 0.1, centred = true)",
    "adam(lr = 0.02, eps = 1e-2)",
    "adam(lr = cosine(0.05, steps = 10), eps = 1e-2)",
    "adam(lr = warmup(exponential(0.05, factor = 0.9), steps = 3), beta1 = 0.8, eps = 1e-2)",
    "amsgrad(lr = 0.02, eps = 1e-2)",
    "adamax(lr = 0.02, eps = 1e-2)",
    "nadam(lr = 0.02, eps = 1e-2)",
    "adamw(lr = 0.02, eps = 1e-2, decay = 0.1)",
    "radam(lr = 0.02, eps = 1e-2)",
    "lamb(lr = 0.02, eps = 1e-2)",
    "adafactor(eps1 = 1e-2)",
];

pub(crate) const TRANSFORMS: &[&str] =
    &[" with clip_global_norm(0.5)", " with clip_norm(0.3)", " with clip_value(0.2)", " with weight_decay(0.05)"];

const PAIRS: &[&str] = &["mse", "half_mse", "huber", "log_cosh", "mae", "quantile", "squared_hinge", "poisson"];

impl Maker {
    pub(super) fn ends(&mut self) {
        self.losses();
        self.outputs();
        self.metrics();
        self.optimizers();
        if self.random.chance(20) {
            self.needed(vec![text("precision f64;")]);
        }
    }

    fn needed(&mut self, parts: Vec<Part>) {
        self.spec.stmts.push(Stmt { parts, defines: Vec::new(), item: false, needed: true });
    }

    /// A loss of everything that nothing else uses, and of pairs of equal shape.
    fn losses(&mut self) {
        let fresh: Vec<Tensor> = self.tensors.iter().filter(|t| !t.used && t.int.is_none()).cloned().collect();
        let mut count = 0;
        for t in fresh {
            count += usize::from(self.loss(&t, count));
        }
        if count == 0 || self.random.chance(30) {
            let real: Vec<Tensor> = self.tensors.iter().filter(|t| t.int.is_none()).cloned().collect();
            let t = self.random.pick(&real).clone();
            self.loss(&t, count);
        }
    }

    fn loss(&mut self, t: &Tensor, number: usize) -> bool {
        let label = if number > 0 || self.random.chance(10) { format!("loss part{number} = ") } else { "loss ".into() };
        let class = t.shape.last().and_then(|&n| {
            let fits = |i: &&Tensor| i.int == Some(n) && i.shape[..] == t.shape[..t.shape.len() - 1];
            self.tensors.iter().find(fits).cloned()
        });
        let paired = self.real(&|o| o.name != t.name && o.shape == t.shape);
        let parts = match (class, paired) {
            (Some(class), _) if self.random.chance(80) => {
                let call = *self.random.pick(&[
                    ("cross_entropy(", ""),
                    ("cross_entropy(", ", smoothing = 0.1"),
                    ("focal(", ", gamma = 1.5"),
                ]);
                let inner = [text(call.0), name(&t.name), text(", "), name(&class.name), text(&format!("{})", call.1))];
                if class.shape.is_empty() {
                    inner.to_vec()
                } else {
                    [text("mean(")].into_iter().chain(inner).chain([text(")")]).collect()
                }
            }
            (_, Some(other)) if self.random.chance(60) && t.per_sample => {
                let loss = *self.random.pick(PAIRS);
                // Rates are exponents here.
                let (a, b) = if loss == "poisson" { ("tanh(", ")") } else { ("", "") };
                vec![text(&format!("{loss}({a}")), name(&t.name), text(&format!("{b}, ")), name(&other.name), text(")")]
            }
            _ => {
                let (before, after) = *self.random.pick(&[
                    ("(", " - 0.3)^2"),
                    ("sin(", " + 0.4)"),
                    ("log(1 + ", "^2)"),
                    ("tanh(", ") * 1.5"),
                    ("softplus(", ")"),
                ]);
                let (open, close) = if t.shape.is_empty() { ("", "") } else { ("mean(", ")") };
                vec![text(&format!("{open}{before}")), name(&t.name), text(&format!("{after}{close}"))]
            }
        };
        let parts: Vec<Part> = [text(&label)].into_iter().chain(parts).chain([text(";")]).collect();
        self.spec.stmts.push(Stmt { parts, defines: Vec::new(), item: false, needed: false });
        true
    }

    fn outputs(&mut self) {
        let fits: Vec<Tensor> = self.tensors.iter().filter(|t| !t.target && t.per_sample).cloned().collect();
        for k in 0..self.random.within(1, 2) {
            if fits.is_empty() {
                return;
            }
            // The last ones are the most derived.
            let t = fits[fits.len() - 1 - self.random.below(fits.len().min(4))].clone();
            self.push(&[], vec![text(&format!("output o{k} = ")), name(&t.name), text(";")]);
        }
    }

    fn metrics(&mut self) {
        if !self.random.chance(40) {
            return;
        }
        let real: Vec<Tensor> = self.tensors.iter().filter(|t| t.int.is_none()).cloned().collect();
        let t = self.random.pick(&real).clone();
        let parts = if t.shape.is_empty() {
            vec![text("metric measure = "), name(&t.name), text(" > 0.1;")]
        } else {
            vec![text("metric measure = mean("), name(&t.name), text(");")]
        };
        self.push(&[], parts);
    }

    fn optimizers(&mut self) {
        let optimizer = *self.random.pick(OPTIMIZERS);
        let transform = if self.random.chance(30) { *self.random.pick(TRANSFORMS) } else { "" };
        self.needed(vec![text(&format!("optimizer {optimizer}{transform};"))]);
        let params: Vec<Tensor> = self.tensors.iter().filter(|t| t.param).cloned().collect();
        if params.len() > 1 && self.random.chance(25) {
            let (a, other) = (self.random.pick(&params).clone(), *self.random.pick(OPTIMIZERS));
            self.push(&[], vec![text(&format!("optimizer {other} for ")), name(&a.name), text(";")]);
        } else if params.len() > 1 && self.random.chance(15) {
            let a = self.random.pick(&params).clone();
            self.push(&[], vec![text("freeze "), name(&a.name), text(";")]);
        }
        if self.random.chance(10) {
            self.needed(vec![text("transform clip_value(0.4);")]);
        }
    }
}
