//! Statements over whole tensors, and what training and derivatives as values add.

use super::{Maker, Tensor, name, text};
use crate::spec::{Part, Size, SizeId, Stmt};

const MAPPED: &[(&str, &str)] = &[
    ("tanh(", ")"),
    ("sigmoid(", ")"),
    ("relu(", ")"),
    ("gelu_tanh(", ")"),
    ("0.5 * ", ""),
    ("", " - 0.25"),
    ("softplus(", ")"),
    ("", " |> silu"),
    ("", "^2"),
    ("selu(", ")"),
    ("celu(", ", alpha = 0.7)"),
    ("hard_sigmoid(", ")"),
    ("hard_tanh(", ")"),
    ("relu6(", ")"),
    ("detach(", ")"),
];

const OF_ROWS: &[(&str, &str)] =
    &[("softmax(", ")"), ("log_softmax(", ")"), ("softmax(2 * ", ")"), ("", " |> log_softmax |> exp")];

const TO_NUMBER: &[(&str, &str)] = &[
    ("mean(", ")"),
    ("lse(", ")"),
    ("0.3 * sum(", ")"),
    ("max(", ")"),
    ("min(", ")"),
    ("norm(", ")"),
    ("rms(", ")"),
    ("mean(", "^2)"),
];

impl Maker {
    pub(super) fn whole(&mut self) {
        match self.random.below(12) {
            0 | 1 => self.mapped(),
            2 | 3 => self.aligned(),
            4 => self.of_rows(),
            5 => self.end_in_a_number(),
            6 => self.reshaped(),
            7 => self.sliced(),
            8 => self.multiplied(),
            9 => self.joined(),
            10 => self.padded(),
            _ => self.branches(),
        }
    }

    /// `let y = BEFORE x AFTER;`
    fn around(&mut self, before: &str, of: &str, after: &str, shape: Vec<SizeId>) {
        let y = self.name("v");
        let parts = vec![text(&format!("let {y} = {before}")), name(of), text(&format!("{after};"))];
        self.bind(&y, shape, parts);
    }

    fn mapped(&mut self) {
        let Some(t) = self.base(0) else { return };
        let (before, after) = *self.random.pick(MAPPED);
        self.around(before, &t.name, after, t.shape);
    }

    /// Two tensors, of which the one with fewer axes is shared along the others.
    fn aligned(&mut self) {
        let Some(a) = self.base(0) else { return };
        let fits = |t: &Tensor| a.shape.ends_with(&t.shape);
        let Some(b) = self.real(&fits) else { return };
        let y = self.name("v");
        let (first, second) = if self.random.chance(50) { (&a, &b) } else { (&b, &a) };
        let op = *self.random.pick(&["+", "-", "*"]);
        let parts = vec![
            text(&format!("let {y} = ")),
            name(&first.name),
            text(&format!(" {op} ")),
            name(&second.name),
            text(";"),
        ];
        self.bind(&y, a.shape.clone(), parts);
    }

    fn of_rows(&mut self) {
        let Some(t) = self.base(1) else { return };
        let (before, after) = *self.random.pick(OF_ROWS);
        self.around(before, &t.name, after, t.shape);
    }

    fn end_in_a_number(&mut self) {
        let Some(t) = self.base(1) else { return };
        let (before, after) = *self.random.pick(TO_NUMBER);
        self.around(before, &t.name, after, Vec::new());
    }

    fn reshaped(&mut self) {
        let Some(t) = self.base(1) else { return };
        match self.random.below(3) {
            0 => {
                let flat = self.new_size(Size::Product(t.shape.clone()));
                self.around("flatten(", &t.name, ")", vec![flat]);
            }
            1 if t.shape.len() == 2 => self.around("transpose(", &t.name, ")", vec![t.shape[1], t.shape[0]]),
            _ => {
                let mut shape = t.shape.clone();
                shape.reverse();
                let y = self.name("v");
                let mut parts = vec![text(&format!("let {y} = reshape(")), name(&t.name), text(", ")];
                parts.extend(Self::shape_parts(&shape));
                parts.push(text(");"));
                self.bind(&y, shape, parts);
            }
        }
    }

    fn sliced(&mut self) {
        let Some(t) = self.base(1) else { return };
        let n = self.spec.size(t.shape[0]);
        match self.random.below(3) {
            0 => self.around("", &t.name, "[0]", t.shape[1..].to_vec()),
            1 => {
                let axes = ".., ".repeat(t.shape.len() - 1);
                let last = t.shape.len() - 1;
                self.around("", &t.name, &format!("[{axes}0]"), t.shape[..last].to_vec());
            }
            _ => {
                let from = self.random.below(n);
                let to = self.random.within(from + 1, n);
                let size = self.new_size(Size::Base(to - from));
                let shape = [size].into_iter().chain(t.shape[1..].iter().copied()).collect();
                let y = self.name("v");
                // The end follows the size, so that both shrink together.
                let mut parts = vec![text(&format!("let {y} = ")), name(&t.name)];
                if from == 0 {
                    parts.extend([text("[0.."), Part::Size(size), text("];")]);
                } else {
                    parts.extend([text(&format!("[{from}..{from} + ")), Part::Size(size), text("];")]);
                }
                self.bind(&y, shape, parts);
            }
        }
    }

    /// `x @ w`
    fn multiplied(&mut self) {
        let Some(t) = self.base(1) else { return };
        let Some(&last) = t.shape.last() else { return };
        let out = self.size();
        if self.volume(&[last, out]) > 120 {
            return;
        }
        let w = self.param(vec![last, out]);
        let y = self.name("v");
        let shape = t.shape[..t.shape.len() - 1].iter().copied().chain([out]).collect();
        let parts = vec![text(&format!("let {y} = ")), name(&t.name), text(" @ "), name(&w.name), text(";")];
        self.bind(&y, shape, parts);
    }

    fn joined(&mut self) {
        let Some(a) = self.base(1) else { return };
        let before = a.shape[..a.shape.len() - 1].to_vec();
        let fits = |t: &Tensor| t.shape.len() == a.shape.len() && t.shape.starts_with(&before);
        let Some(b) = self.real(&fits) else { return };
        let y = self.name("v");
        let (function, shape) = if a.shape == b.shape && self.random.chance(40) {
            let two = self.new_size(Size::Base(2));
            ("stack", a.shape.iter().copied().chain([two]).collect())
        } else {
            let joined = self.new_size(Size::Sum(a.shape[a.shape.len() - 1], b.shape[b.shape.len() - 1]));
            ("concat", before.iter().copied().chain([joined]).collect::<Vec<_>>())
        };
        if self.volume(&shape) > self.room() {
            return;
        }
        let parts = vec![text(&format!("let {y} = {function}(")), name(&a.name), text(", "), name(&b.name), text(");")];
        self.bind(&y, shape, parts);
    }

    fn padded(&mut self) {
        let Some(t) = self.base(1) else { return };
        let (before, after) = (self.random.below(3), self.random.below(3));
        let Some(&last) = t.shape.last() else { return };
        let wider = self.new_size(Size::More(last, before + after));
        let shape: Vec<SizeId> = t.shape[..t.shape.len() - 1].iter().copied().chain([wider]).collect();
        if self.volume(&shape) <= self.room() {
            self.around("pad(", &t.name, &format!(", {before}, {after}, value = 0.5)"), shape);
        }
    }

    /// Blocks and `if`s as values.
    fn branches(&mut self) {
        let Some(t) = self.base(0) else { return };
        let words = *self.random.pick(&[
            ("if ", " > 0.1 { ", " * 2 } else { 0.3 }"),
            ("{ let part = ", "; part * tanh(", ") }"),
            ("if 2 > 3 { ", " } else { sin(", ") }"),
        ]);
        let y = self.name("v");
        let parts = vec![
            text(&format!("let {y} = {}", words.0)),
            name(&t.name),
            text(words.1),
            name(&t.name),
            text(&format!("{};", words.2)),
        ];
        self.bind(&y, t.shape, parts);
    }

    /// Repetition, states, derivatives as values, layers with parameters that calls share.
    pub(super) fn special(&mut self) {
        match self.random.below(6) {
            0 => self.repeated(),
            1 => self.state(),
            2 | 3 => self.derivative(),
            4 => self.shared_layer(),
            _ => self.own_layer(),
        }
    }

    /// `for i in 0..2 { h <- h + (h |> dense(n) |> tanh); }`
    fn repeated(&mut self) {
        let Some(t) = self.base(1) else { return };
        let Some(&n) = t.shape.last() else { return };
        if self.spec.size(n) > 8 {
            return;
        }
        let h = self.name("r");
        let turns = self.random.within(1, 3);
        let body = *self.random.pick(&[" |> dense(", " |> layer_norm |> dense("]);
        let parts = vec![
            text(&format!("let {h} = ")),
            name(&t.name),
            text(&format!("; for i in 0..{turns} {{ {h} <- {h} + ({h}{body}")),
            Part::Size(n),
            text(") |> tanh); }"),
        ];
        self.bind(&h, t.shape, parts);
    }

    /// A running mean, before and after its update.
    fn state(&mut self) {
        let Some(t) = self.base(0).filter(|t| t.per_sample && !t.target) else { return };
        let (s, y) = (self.name("running"), self.name("v"));
        let function = *self.random.pick(&["across_mean", "across_sum", "across_max"]);
        let mut parts = vec![text(&format!("state {s}: "))];
        parts.extend(Self::shape_parts(&t.shape));
        parts.extend([text(&format!(" = 0.1; {s} <- 0.8 * {s} + 0.1 * detach({function}(")), name(&t.name)]);
        parts.extend([text(&format!(")); let {y} = ")), name(&t.name), text(&format!(" * {s} + tanh({s});"))]);
        self.bind(&y, t.shape, parts);
        // It depends on other samples, which an output must not, as little as on a target.
        if let Some(made) = self.tensors.last_mut() {
            made.target = true;
        }
    }

    /// The derivative of some number, that is part of the loss.
    fn derivative(&mut self) {
        let Some(t) = self.base(0).filter(|t| t.int.is_none()) else { return };
        let (whole, g) = (self.name("e"), self.name("g"));
        let (before, after) = *self.random.pick(&[
            ("mean(sin(", ") * 1.5)"),
            ("mean(tanh(", ")^2)"),
            ("lse(", " * 0.7)"),
            ("sum(sigmoid(", ")) * 0.4"),
            ("mean(exp(0.5 * ", "))"),
        ]);
        let (before, after) = if t.shape.is_empty() { ("tanh(1.3 * ", ")") } else { (before, after) };
        let parts = vec![
            text(&format!("let {whole} = {before}")),
            name(&t.name),
            text(&format!("{after}; let {g} = grad({whole}, ")),
            name(&t.name),
            text(");"),
        ];
        self.bind(&g, t.shape, parts);
        if let (Some(last), Some(stmt)) = (self.tensors.last().cloned(), self.spec.stmts.last_mut()) {
            stmt.defines.push(whole.clone());
            self.add(Tensor { name: whole, shape: Vec::new(), used: false, ..last });
        }
    }

    /// `layer enc = dense(3); let a = enc(x); let b = enc(2 * x);`
    fn shared_layer(&mut self) {
        let Some(t) = self.base(1) else { return };
        let units = self.size();
        let shape: Vec<SizeId> = t.shape[..t.shape.len() - 1].iter().copied().chain([units]).collect();
        let Some(&last) = t.shape.last() else { return };
        if self.volume(&[last, units]) > 120 || self.volume(&shape) > self.room() {
            return;
        }
        let (enc, a, b) = (self.name("enc"), self.name("v"), self.name("v"));
        let parts = vec![
            text(&format!("layer {enc} = dense(")),
            Part::Size(units),
            text(&format!("); let {a} = tanh({enc}(")),
            name(&t.name),
            text(&format!(")); let {b} = {enc}(sin(")),
            name(&t.name),
            text(&format!(")) * {a};")),
        ];
        self.bind(&b, shape.clone(), parts);
        if let (Some(last), Some(stmt)) = (self.tensors.last().cloned(), self.spec.stmts.last_mut()) {
            stmt.defines.push(a.clone());
            self.add(Tensor { name: a, used: false, ..last });
        }
    }

    /// A layer of the spec's own, with parameters, a default and a block.
    fn own_layer(&mut self) {
        let layer = self.name("own");
        let depth = self.random.within(0, 2);
        let vars = [];
        let tensors = std::mem::take(&mut self.tensors);
        let functions = std::mem::take(&mut self.functions);
        let scalar = |name: &str| Tensor {
            name: name.to_owned(),
            shape: Vec::new(),
            per_sample: true,
            target: false,
            int: None,
            param: false,
            used: false,
        };
        self.tensors = vec![scalar("z"), scalar("gain")];
        let body = self.expr(&vars, depth);
        (self.tensors, self.functions) = (tensors, functions);
        let bias = *self.random.pick(&["true", "false"]);
        let parts = vec![
            text(&format!("layer {layer}(x: [n], units: int, bias: bool = {bias}) -> [units] {{ ")),
            text("param w: [n, units] = normal(0, 0.4); param gain = 0.7; let z = x @ w; "),
            text("if bias { param b: [units] = uniform(-0.5, 0.5); b + "),
            Part::Expr(body.clone()),
            text(" } else { z + "),
            Part::Expr(body),
            text(" } }"),
        ];
        self.spec.stmts.push(Stmt { parts, defines: vec![layer.clone()], item: true, needed: false });
        let Some(t) = self.base(1) else { return };
        let units = self.size();
        let Some(&last) = t.shape.last() else { return };
        let shape: Vec<SizeId> = t.shape[..t.shape.len() - 1].iter().copied().chain([units]).collect();
        if self.volume(&[last, units]) > 120 || self.volume(&shape) > self.room() {
            return;
        }
        let y = self.name("v");
        let parts = vec![
            text(&format!("let {y} = ")),
            name(&t.name),
            text(" |> "),
            name(&layer),
            text("("),
            Part::Size(units),
            text(");"),
        ];
        self.bind(&y, shape, parts);
    }
}
