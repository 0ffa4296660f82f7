//! Integer arithmetic over loop variables, kept linear so that ranges are known and so that
//! generated code, which computes in `usize`, never forms a negative number.

use crate::build::Build;
use gdc_ir::Op;
use gdc_ir::program::{Index, LoopVar, Value};

/// An integer that is not affine in loop variables, such as a label that was read.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Atom {
    /// Never negative, but for loads.
    pub value: Value,
    /// Least and greatest value.
    pub range: (i64, i64),
}

/// `constant + sum of coefficient * loop variable + sum of coefficient * atom`.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Int {
    /// Ascending by variable, no zero coefficient.
    pub terms: Vec<(LoopVar, i64)>,
    pub atoms: Vec<(Atom, i64)>,
    pub constant: i64,
}

impl Int {
    pub fn constant(constant: i64) -> Self {
        Int { constant, ..Int::default() }
    }

    pub fn var(var: LoopVar) -> Self {
        Int { terms: vec![(var, 1)], ..Int::default() }
    }

    pub fn atom(value: Value, range: (i64, i64)) -> Self {
        Int { atoms: vec![(Atom { value, range }, 1)], ..Int::default() }
    }

    /// The constant, if it is one.
    pub fn as_constant(&self) -> Option<i64> {
        (self.terms.is_empty() && self.atoms.is_empty()).then_some(self.constant)
    }

    pub fn coefficient(&self, var: LoopVar) -> i64 {
        self.terms.iter().find(|(v, _)| *v == var).map_or(0, |(_, c)| *c)
    }

    /// Without its term in a variable.
    pub fn without(&self, var: LoopVar) -> Int {
        let mut rest = self.clone();
        rest.terms.retain(|(v, _)| *v != var);
        rest
    }

    /// `self + scale * other`
    pub fn plus(&self, other: &Int, scale: i64) -> Int {
        let mut sum = self.clone();
        sum.constant = sum.constant.saturating_add(other.constant.saturating_mul(scale));
        for (v, c) in &other.terms {
            let c = c.saturating_mul(scale);
            match sum.terms.iter_mut().find(|(w, _)| w == v) {
                Some((_, d)) => *d = d.saturating_add(c),
                None => sum.terms.push((*v, c)),
            }
        }
        for (a, c) in &other.atoms {
            let c = c.saturating_mul(scale);
            match sum.atoms.iter_mut().find(|(b, _)| b == a) {
                Some((_, d)) => *d = d.saturating_add(c),
                None => sum.atoms.push((a.clone(), c)),
            }
        }
        sum.terms.retain(|(_, c)| *c != 0);
        sum.atoms.retain(|(_, c)| *c != 0);
        sum.terms.sort_unstable();
        sum
    }

    pub fn shifted(&self, by: i64) -> Int {
        let mut sum = self.clone();
        sum.constant = sum.constant.saturating_add(by);
        sum
    }

    pub fn scaled(&self, scale: i64) -> Int {
        Int::default().plus(self, scale)
    }

    /// Least and greatest value.
    pub fn range(&self, extents: &Build) -> (i64, i64) {
        let (mut low, mut high) = (self.constant, self.constant);
        let mut widen = |(l, h): (i64, i64), c: i64| {
            let (a, b) = (l.saturating_mul(c), h.saturating_mul(c));
            low = low.saturating_add(a.min(b));
            high = high.saturating_add(a.max(b));
        };
        for (v, c) in &self.terms {
            widen((0, extents.extent(*v).saturating_sub(1) as i64), *c);
        }
        for (a, c) in &self.atoms {
            widen(a.range, *c);
        }
        (low, high)
    }

    /// The parts with positive and with negative sign, the second negated.
    pub fn halves(&self) -> (Int, Int) {
        let (mut plus, mut minus) = (Int::default(), Int::default());
        for &(v, c) in &self.terms {
            let half = if c > 0 { &mut plus } else { &mut minus };
            half.terms.push((v, c.abs()));
        }
        for (a, c) in &self.atoms {
            let half = if *c > 0 { &mut plus } else { &mut minus };
            half.atoms.push((a.clone(), c.abs()));
        }
        let half = if self.constant > 0 { &mut plus } else { &mut minus };
        half.constant = self.constant.abs();
        (plus, minus)
    }

    /// As an index into a buffer, for a value that is never negative.
    pub fn index(&self) -> Index {
        if self.atoms.is_empty() {
            Index::Affine { terms: self.terms.clone(), constant: self.constant }
        } else {
            Index::Value(Box::new(self.value()))
        }
    }

    /// As an integer value, for one that is never negative: what is added before what is
    /// taken away.
    pub fn value(&self) -> Value {
        if self.atoms.is_empty() {
            return Value::Int(self.index());
        }
        let (plus, minus) = self.halves();
        let plus = plus.sum().unwrap_or(Value::Int(Index::constant(0)));
        match minus.sum() {
            Some(minus) => Value::Op(Op::Sub, vec![plus, minus]),
            None => plus,
        }
    }

    /// As a sum, for one without negative parts; `None` for zero.
    fn sum(&self) -> Option<Value> {
        let mut parts = Vec::new();
        for (a, c) in &self.atoms {
            let c_value = Value::Int(Index::constant(*c));
            parts.push(match c {
                1 => a.value.clone(),
                _ => Value::Op(Op::Mul, vec![a.value.clone(), c_value]),
            });
        }
        if !self.terms.is_empty() || self.constant != 0 {
            let index = Index::Affine { terms: self.terms.clone(), constant: self.constant };
            parts.push(Value::Int(index));
        }
        parts.into_iter().reduce(|a, b| Value::Op(Op::Add, vec![a, b]))
    }

    /// As a real number, of any sign.
    pub fn real(&self, extents: &Build) -> Value {
        if let Some(c) = self.as_constant() {
            return Value::Real(c as f64);
        }
        if let ([(atom, 1)], true, 0) = (self.atoms.as_slice(), self.terms.is_empty(), self.constant) {
            return Value::Op(Op::ToReal, vec![atom.value.clone()]);
        }
        let real = |v: Value| Value::Op(Op::ToReal, vec![v]);
        if self.range(extents).0 >= 0 {
            return real(self.value());
        }
        let (plus, minus) = self.halves();
        let minus = minus.sum().map(real).unwrap_or(Value::Real(0.0));
        match plus.sum().map(real) {
            Some(plus) => Value::Op(Op::Sub, vec![plus, minus]),
            None => Value::Op(Op::Neg, vec![minus]),
        }
    }

    /// `self op other`, each side free of negative parts; a constant where ranges decide.
    pub fn compare(&self, op: Op, other: &Int, extents: &Build) -> Value {
        let d = self.plus(other, -1);
        let (low, high) = d.range(extents);
        let decided = match op {
            Op::Eq => (low == 0 && high == 0, low > 0 || high < 0),
            Op::Ne => (low > 0 || high < 0, low == 0 && high == 0),
            Op::Lt => (high < 0, low >= 0),
            _ => (high <= 0, low > 0),
        };
        match decided {
            (true, _) => return Value::Bool(true),
            (_, true) => return Value::Bool(false),
            _ => {}
        }
        let (plus, minus) = d.halves();
        let zero = || Value::Int(Index::constant(0));
        Value::Op(op, vec![plus.sum().unwrap_or_else(zero), minus.sum().unwrap_or_else(zero)])
    }
}
