//! Statements in index notation: maps, reductions, contractions, scatters, gathers.

use super::scalar::Var;
use super::{Maker, Tensor, name, text};
use crate::spec::{Expr, Part, SizeId};

const REDUCTIONS: &[&str] = &["sum", "sum", "mean", "mean", "max", "min", "lse", "prod"];

impl Maker {
    /// Indices over sizes.
    fn vars(&mut self, shape: &[SizeId], stem: char) -> Vec<Var> {
        shape
            .iter()
            .map(|&size| {
                self.names += 1;
                Var { name: format!("{stem}{}", self.names), size }
            })
            .collect()
    }

    /// A tensor to begin with, of a bounded size.
    pub(super) fn base(&mut self, least: usize) -> Option<Tensor> {
        let room = self.room();
        let sizes: Vec<usize> = self.tensors.iter().map(|t| self.volume(&t.shape)).collect();
        let fits: Vec<String> =
            self.tensors.iter().zip(sizes).filter(|(_, v)| *v <= room).map(|(t, _)| t.name.clone()).collect();
        self.real(&|t| t.shape.len() >= least && fits.contains(&t.name))
    }

    /// `[i, j in 0..3]`: a range is stated where no bare read gives it, and sometimes where one does.
    fn places(&mut self, vars: &[Var], body: &Expr) -> Vec<Part> {
        let mut bare = Vec::new();
        body.reads(&mut |_, at| bare.extend(at.iter().cloned()));
        let mut parts = Vec::new();
        for (k, v) in vars.iter().enumerate() {
            parts.push(text(if k > 0 { ", " } else { "" }));
            parts.push(text(&v.name));
            if !bare.contains(&v.name) || self.random.chance(20) {
                parts.extend([text(" in 0.."), Part::Size(v.size)]);
            }
        }
        parts
    }

    /// `let y[i, j] = e;`
    pub(super) fn map(&mut self) {
        let Some(base) = self.base(0) else { return };
        let vars = self.vars(&base.shape, 'i');
        let mut out = vars.clone();
        if out.len() > 1 && self.random.chance(30) {
            out.reverse();
        }
        if self.random.chance(15) {
            let size = self.size();
            let shape: Vec<SizeId> = base.shape.iter().copied().chain([size]).collect();
            if self.volume(&shape) <= self.room() {
                out.extend(self.vars(&[size], 'i'));
            }
        }
        let depth = self.random.within(1, 3);
        let other = self.expr(&out, depth);
        let at = vars.iter().map(|v| v.name.clone()).collect();
        let read = Expr::Read { tensor: base.name, at, outside: None };
        let words = *self.random.pick(&[["", " + ", ""], ["", " * ", ""], ["tanh(", " - ", ")"]]);
        let body = Expr::node(&words, vec![read, Expr::node(&["(", ")"], vec![other])]);
        self.statement_of(out, body);
    }

    fn statement_of(&mut self, out: Vec<Var>, body: Expr) {
        let y = self.name("h");
        let shape = out.iter().map(|v| v.size).collect();
        let mut parts = vec![text(&format!("let {y}"))];
        if !out.is_empty() {
            parts.push(text("["));
            parts.extend(self.places(&out, &body));
            parts.push(text("]"));
        }
        parts.extend([text(" = "), Part::Expr(body), text(";")]);
        self.bind(&y, shape, parts);
    }

    /// `let y[i] = red[j, k](e);`, with a condition now and then.
    pub(super) fn reduce(&mut self) {
        let Some(base) = self.base(1) else { return };
        let vars = self.vars(&base.shape, 'j');
        let over = self.random.within(1, vars.len().min(2));
        let mut all = vars.clone();
        let mut bound: Vec<Var> = (0..over).map(|_| all.remove(self.random.below(all.len()))).collect();
        let mut red = *self.random.pick(REDUCTIONS);
        let elements: usize = bound.iter().map(|v| self.spec.size(v.size)).product();
        if red == "prod" && elements > 6 {
            red = "mean";
        }
        // A window: one more index, in places beside those of the output.
        if self.random.chance(20) && elements <= 8 {
            let size = self.size();
            if self.spec.size(size) <= 4 {
                bound.extend(self.vars(&[size], 'k'));
            }
        }
        let at = vars.iter().map(|v| v.name.clone()).collect();
        let read = Expr::Read { tensor: base.name, at, outside: None };
        let seen: Vec<Var> =
            vars.into_iter().chain(bound.iter().filter(|b| b.name.starts_with('k')).cloned()).collect();
        let depth = self.random.within(0, 2);
        let other = self.expr(&seen, depth);
        let words = *self.random.pick(&[["", " * ", ""], ["", " + ", ""], ["sin(", " + ", ")"]]);
        let mut inner = Expr::node(&words, vec![read, Expr::node(&["(", ")"], vec![other])]);
        if self.random.chance(15) && matches!(red, "sum" | "lse" | "max") && elements > 1 {
            // One index unlike another number: something always remains.
            let v = bound[0].name.clone();
            inner = Expr::node(&["", &format!(" if {v} != 1")], vec![inner]);
        }
        let ranges = self.places(&bound, &inner);
        let ranges: String = ranges
            .iter()
            .map(|p| match p {
                Part::Size(s) => self.spec.size(*s).to_string(),
                Part::Text(t) | Part::Name(t) => t.clone(),
                Part::Expr(_) => String::new(),
            })
            .collect();
        let scale = if red == "sum" { format!(" * {:?}", 1.0 / (elements as f64).sqrt()) } else { String::new() };
        let body = Expr::node(&[&format!("{red}[{ranges}]("), &format!("){scale}")], vec![inner]);
        self.statement_of(all, body);
    }

    /// `let y[i, k] = sum[j](x[i, j] * w[j, k]);` with a new parameter or another tensor.
    pub(super) fn contract(&mut self) {
        let Some(base) = self.base(1) else { return };
        let vars = self.vars(&base.shape, 'i');
        let bound = vars[self.random.below(vars.len())].clone();
        let extra = self.size();
        let mut wanted = vec![bound.size, extra];
        if self.volume(&wanted) > 120 {
            wanted.pop();
        }
        let turned = wanted.len() > 1 && self.random.chance(40);
        if turned {
            wanted.reverse();
        }
        let w = self.param(wanted.clone());
        let news = self.vars(&[extra], 'o');
        let mut at = vec![bound.name.clone()];
        if wanted.len() > 1 {
            at.push(news[0].name.clone());
        }
        if turned {
            at.reverse();
        }
        let mut out: Vec<Var> = vars.iter().filter(|v| v.name != bound.name).cloned().collect();
        if wanted.len() > 1 {
            out.extend(news);
        }
        let places = vars.iter().map(|v| v.name.clone()).collect();
        let x = Expr::Read { tensor: base.name, at: places, outside: None };
        let words = *self.random.pick(&[["", " * ", ""], ["tanh(", ") * ", ""], ["", " * ", "^2"]]);
        let body = Expr::node(&words, vec![x, Expr::Read { tensor: w.name, at, outside: None }]);
        let body = Expr::node(&[&format!("sum[{}](", bound.name), ")"], vec![body]);
        let body = match self.random.below(3) {
            0 => Expr::node(&["tanh(", ")"], vec![body]),
            _ => Expr::node(&["", " * 0.5"], vec![body]),
        };
        self.statement_of(out, body);
    }

    /// `let y[2*i - 1]: [n] += e else drop;`
    pub(super) fn scatter(&mut self) {
        let Some(base) = self.base(1) else { return };
        if base.shape.len() > 2 {
            return;
        }
        let vars = self.vars(&base.shape, 'i');
        let y = self.name("s");
        let mut places = Vec::new();
        let mut shape = Vec::new();
        let mut ints = Vec::new();
        for v in &vars {
            if let Some(id) = self.int().filter(|t| t.shape == [v.size]).filter(|_| self.random.chance(60)) {
                places.push(format!("{}[{}]", id.name, v.name));
                shape.push(id.int.unwrap_or(v.size));
                ints.push(id.name);
            } else if self.random.chance(60) {
                let scale = self.random.pick(&["", "2*", "3*"]).to_owned();
                let shift = self.random.pick(&[" - 1", " + 1", ""]).to_owned();
                places.push(format!("{scale}{}{shift}", v.name));
                shape.push(self.size());
            } else {
                places.push(v.name.clone());
                shape.push(v.size);
            }
        }
        if self.volume(&shape) > self.room() {
            return;
        }
        let at = vars.iter().map(|v| v.name.clone()).collect();
        let read = Expr::Read { tensor: base.name, at, outside: None };
        let other = self.expr(&vars, 1);
        let body = Expr::node(&["", " * ", ""], vec![read, Expr::node(&["(", ")"], vec![other])]);
        // Every part of the place that is a name has to be known as used.
        let mut parts = vec![text(&format!("let {y}["))];
        for (k, place) in places.iter().enumerate() {
            parts.push(text(if k > 0 { ", " } else { "" }));
            match ints.iter().find(|id| place.starts_with(&format!("{id}["))) {
                Some(id) => parts.extend([name(id), text(&place[id.len()..])]),
                None => parts.push(text(place)),
            }
        }
        parts.push(text("]: "));
        parts.extend(Self::shape_parts(&shape));
        parts.extend([text(" += "), Part::Expr(body), text(" else drop;")]);
        self.bind(&y, shape, parts);
    }

    /// `let y[i, k] = table[id[i], k] * e;`
    pub(super) fn gather(&mut self) {
        let Some(id) = self.int() else { return self.map() };
        let Some(range) = id.int else { return };
        let table = match self.real(&|t| t.shape.first() == Some(&range) && t.shape.len() <= 2) {
            Some(t) if self.random.chance(60) => t,
            _ => {
                let width = self.size();
                let shape = if self.random.chance(70) { vec![range, width] } else { vec![range] };
                if self.volume(&shape) > 120 { self.param(vec![range]) } else { self.param(shape) }
            }
        };
        let vars = self.vars(&id.shape, 'i');
        let rest = self.vars(&table.shape[1..], 'j');
        let out: Vec<Var> = vars.iter().chain(&rest).cloned().collect();
        let shape: Vec<SizeId> = out.iter().map(|v| v.size).collect();
        if self.volume(&shape) > self.room() {
            return;
        }
        let index = Expr::Read { tensor: id.name, at: vars.iter().map(|v| v.name.clone()).collect(), outside: None };
        let after: String = rest.iter().map(|v| format!(", {}", v.name)).collect();
        // The table is a read of its own, so that the spec knows who needs it; the indices after it
        // get their ranges stated below.
        let head = Expr::Read { tensor: table.name, at: Vec::new(), outside: None };
        let read = Expr::node(&["", "[", &format!("{after}]")], vec![head, index]);
        let other = self.expr(&out, 1);
        let words = *self.random.pick(&[["", " * ", ""], ["", " + ", ""]]);
        let body = Expr::node(&words, vec![read, Expr::node(&["(", ")"], vec![other])]);
        self.statement_of(out, body);
    }
}
