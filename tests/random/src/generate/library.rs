//! Layers of the library with random attributes.

use super::{Maker, Tensor, name, text};
use crate::spec::{Part, Size, SizeId};

impl Maker {
    pub(super) fn layer(&mut self) {
        match self.random.below(12) {
            0..3 => self.dense(),
            3..5 => self.convolution(),
            5 => self.pooling(),
            6 | 7 => self.normalisation(),
            8 => self.embedding(),
            9 => self.attention(),
            10 => self.dropout(),
            _ => self.gates(),
        }
    }

    /// `let y = x |> LAYER;` in parts.
    fn piped(&mut self, of: &Tensor, shape: Vec<SizeId>, layer: Vec<Part>) {
        if self.volume(&shape) > self.room().max(64) {
            return;
        }
        let y = self.name("l");
        let mut parts = vec![text(&format!("let {y} = ")), name(&of.name), text(" |> ")];
        parts.extend(layer);
        parts.push(text(";"));
        self.bind(&y, shape, parts);
    }

    fn dense(&mut self) {
        let Some(t) = self.base(1) else { return };
        let units = self.size();
        let Some((&last, rest)) = t.shape.split_last() else { return };
        if self.volume(&[last, units]) > 150 {
            return;
        }
        let shape = rest.iter().copied().chain([units]).collect();
        let attributes = *self.random.pick(&[
            "",
            "",
            ", bias = false",
            ", init = he_normal",
            ", init = glorot_normal, bias = true",
            ", init = lecun_uniform",
        ]);
        let then = *self.random.pick(&["", " |> tanh", " |> relu", " |> gelu", " |> sigmoid"]);
        self.piped(&t, shape, vec![text("dense("), Part::Size(units), text(&format!("{attributes}){then}"))]);
    }

    /// A tensor of three axes, made from another if there is none.
    fn image(&mut self) -> Option<Tensor> {
        let room = self.room();
        let volumes: Vec<(String, usize)> =
            self.tensors.iter().map(|t| (t.name.clone(), self.volume(&t.shape))).collect();
        let small = |t: &Tensor| volumes.iter().any(|(n, v)| *n == t.name && *v <= room);
        self.real(&|t| t.shape.len() == 3 && small(t))
    }

    fn convolution(&mut self) {
        let Some(t) = self.image() else { return self.dense() };
        let [h, w, c] = t.shape[..] else { return };
        let (rows, columns, channels) = (self.spec.size(h), self.spec.size(w), self.spec.size(c));
        let kernel = (self.random.within(1, 3), self.random.within(1, 3));
        let stride = (self.random.within(1, 2), self.random.within(1, 2));
        let pad = (self.random.below(kernel.0), self.random.below(kernel.1));
        if rows + 2 * pad.0 < kernel.0 || columns + 2 * pad.1 < kernel.1 {
            return self.dense();
        }
        let groups = if channels % 2 == 0 && self.random.chance(30) { 2 } else { 1 };
        let filters = groups * self.random.within(1, 3);
        let (p, q) = (
            self.new_size(Size::Window(h, kernel.0, stride.0, pad.0)),
            self.new_size(Size::Window(w, kernel.1, stride.1, pad.1)),
        );
        let f = self.new_size(Size::Base(filters));
        let more = if groups > 1 { ", groups = 2" } else { "" };
        let layer = vec![
            text("conv2d("),
            Part::Size(f),
            text(&format!(", kernel = {kernel:?}, stride = {stride:?}, padding = {pad:?}{more})")),
        ];
        self.piped(&t, vec![p, q, f], layer);
    }

    fn pooling(&mut self) {
        let Some(t) = self.image() else { return self.normalisation() };
        let [h, w, c] = t.shape[..] else { return };
        if self.random.chance(25) {
            return self.piped(&t, vec![c], vec![text("global_avg_pool")]);
        }
        let kernel = (self.random.within(1, 3), self.random.within(1, 3));
        let stride = (self.random.within(1, 3), self.random.within(1, 2));
        let pad = (kernel.0 / 2 * self.random.below(2), kernel.1 / 2 * self.random.below(2));
        if self.spec.size(h) + 2 * pad.0 < kernel.0 || self.spec.size(w) + 2 * pad.1 < kernel.1 {
            return self.normalisation();
        }
        let (p, q) = (
            self.new_size(Size::Window(h, kernel.0, stride.0, pad.0)),
            self.new_size(Size::Window(w, kernel.1, stride.1, pad.1)),
        );
        let pool = *self.random.pick(&["max_pool2d", "max_pool2d", "avg_pool2d"]);
        let layer = format!("{pool}({kernel:?}, stride = {stride:?}, padding = {pad:?})");
        self.piped(&t, vec![p, q, c], vec![text(&layer)]);
    }

    fn normalisation(&mut self) {
        let Some(t) = self.base(1) else { return };
        // Of one element, or of one sample, what is normalised is 0 and its derivative is noise.
        let wide = t.shape.last().is_some_and(|&n| self.spec.size(n) > 2);
        let layer = *self.random.pick(&["layer_norm", "rms_norm(eps = 0.01)", "layer_norm(eps = 0.1)"]);
        if self.random.chance(25) && self.spec.batch > 2 && t.per_sample && !t.target {
            self.trains = true;
            let layer = *self.random.pick(&["batch_norm", "batch_norm(momentum = 0.3, eps = 0.01)"]);
            return self.piped(&t, t.shape.clone(), vec![text(layer)]);
        }
        let layer = if wide { layer } else { "prelu(start = 0.3)" };
        self.piped(&t, t.shape.clone(), vec![text(layer)]);
    }

    fn embedding(&mut self) {
        let Some(id) = self.int() else { return self.dense() };
        let width = self.size();
        let Some(range) = id.int else { return };
        if self.volume(&[range, width]) > 120 {
            return;
        }
        let one_hot = self.random.chance(30);
        let last = if one_hot { range } else { width };
        let shape: Vec<SizeId> = id.shape.iter().copied().chain([last]).collect();
        if self.volume(&shape) > self.room() {
            return;
        }
        let layer =
            if one_hot { vec![text("one_hot")] } else { vec![text("embedding("), Part::Size(width), text(")")] };
        self.piped(&id, shape, layer);
    }

    fn attention(&mut self) {
        let Some(t) = self.real(&|t| t.shape.len() == 2) else { return self.dense() };
        let (rows, width) = (self.spec.size(t.shape[0]), self.spec.size(t.shape[1]));
        if rows > 6 || width > 8 || rows * width * self.spec.batch > 300 {
            return self.dense();
        }
        let heads = if width % 2 == 0 && self.random.chance(50) { 2 } else { 1 };
        self.piped(&t, t.shape.clone(), vec![text(&format!("attention({heads})"))]);
    }

    fn dropout(&mut self) {
        let Some(t) = self.base(0) else { return };
        self.trains = true;
        let layer = *self.random.pick(&["dropout(0.25)", "dropout(rate = 0.5)"]);
        self.piped(&t, t.shape.clone(), vec![text(layer)]);
    }

    fn gates(&mut self) {
        let Some(t) = self.base(1) else { return };
        let Some((&last, rest)) = t.shape.split_last() else { return };
        let n = self.spec.size(last);
        if n.is_multiple_of(2) && self.random.chance(60) {
            let half = self.new_size(Size::Window(last, 2, 2, 0));
            let shape = rest.iter().copied().chain([half]).collect();
            return self.piped(&t, shape, vec![text("glu")]);
        }
        self.piped(&t, t.shape.clone(), vec![text("prelu(shared = true)")]);
    }
}
