//! Integer expressions of the graph, and the places of elements in buffers.

use crate::emit::{Emit, Env};
use crate::int::Int;
use gdc_ir::program::{Index, Value};
use gdc_ir::{Expr, ExprId, NodeId, Op};

impl Emit<'_> {
    /// An integer expression.
    pub fn int(&mut self, id: ExprId, env: &Env) -> Int {
        let plan = self.plan;
        match plan.graph.exprs.get(id) {
            Expr::Int(affine) => {
                let mut sum = Int::constant(affine.constant);
                for (v, c) in &affine.terms {
                    sum = sum.plus(env.get(v).unwrap_or(&Int::default()), *c);
                }
                sum
            }
            Expr::Read { node, at, otherwise } => {
                let at: Vec<Int> = at.iter().map(|&e| self.int(e, env)).collect();
                let range = self.int_range(*node);
                match otherwise {
                    None => {
                        let value = self.read(*node, at, None);
                        as_int(value, range)
                    }
                    Some(o) => {
                        let other = self.int(*o, env);
                        let (low, high) = other.range(self.build);
                        let range = (range.0.min(low), range.1.max(high));
                        Int::atom(self.read(*node, at, Some(other.value())), range)
                    }
                }
            }
            Expr::Op(op, args) => {
                if *op == Op::Select {
                    let condition = self.scalar(args[0], env);
                    let (a, b) = (self.int(args[1], env), self.int(args[2], env));
                    return self.int_choice(|a, b| vec![condition, a, b], Op::Select, &a, &b);
                }
                let ints: Vec<Int> = args.iter().map(|&a| self.int(a, env)).collect();
                self.int_op(*op, &ints)
            }
            Expr::Real(_) | Expr::Bool(_) | Expr::Random { .. } => Int::default(),
        }
    }

    fn int_op(&mut self, op: Op, args: &[Int]) -> Int {
        match (op, args) {
            (Op::Neg, [a]) => a.scaled(-1),
            (Op::Detach, [a]) => a.clone(),
            (Op::Add, [a, b]) => a.plus(b, 1),
            (Op::Sub, [a, b]) => a.plus(b, -1),
            (Op::Mul, [a, b]) => match (a.as_constant(), b.as_constant()) {
                (Some(c), _) => b.scaled(c),
                (_, Some(c)) => a.scaled(c),
                _ => {
                    let (a, b) = (a.clone(), b.clone());
                    let ((al, ah), (bl, bh)) = (a.range(self.build), b.range(self.build));
                    let ends =
                        [al.saturating_mul(bl), al.saturating_mul(bh), ah.saturating_mul(bl), ah.saturating_mul(bh)];
                    let range = (ends.iter().copied().min().unwrap_or(0), ends.iter().copied().max().unwrap_or(0));
                    Int::atom(Value::Op(Op::Mul, vec![a.value(), b.value()]), range)
                }
            },
            (Op::IntDiv | Op::IntMod, [a, b]) => self.divided(op, a, b),
            (Op::Min | Op::Max, [a, b]) => self.int_choice(|a, b| vec![a, b], op, a, b),
            (Op::Abs, [a]) => {
                let negative = a.scaled(-1);
                self.int_choice(|a, b| vec![a, b], Op::Max, a, &negative)
            }
            _ => Int::default(),
        }
    }

    /// `a div b` or `a mod b`, rounded down, for a positive `b`.
    pub fn divided(&mut self, op: Op, a: &Int, b: &Int) -> Int {
        let Some(divisor) = b.as_constant().filter(|b| *b > 0) else {
            let (low, high) = a.range(self.build);
            let range = if op == Op::IntDiv { (low.min(0), high.max(0)) } else { (0, b.range(self.build).1) };
            return Int::atom(Value::Op(op, vec![a.value(), b.value()]), range);
        };
        let (low, high) = a.range(self.build);
        // Lifted above zero by a multiple of the divisor, which only shifts the quotient.
        let lift = if low < 0 { (-low).div_euclid(divisor) + i64::from((-low) % divisor != 0) } else { 0 };
        let lifted = a.shifted(lift.saturating_mul(divisor));
        let (low, high) = (low.div_euclid(divisor), high.div_euclid(divisor));
        let quotient_is_known = low == high;
        match op {
            Op::IntDiv if quotient_is_known => Int::constant(low),
            Op::IntMod if quotient_is_known => a.shifted(-low.saturating_mul(divisor)),
            Op::IntDiv => {
                // Terms that divide without remainder leave the quotient as they are.
                let (whole, rest) = split_multiples(&lifted, divisor);
                let (l, h) = rest.range(self.build);
                if l >= 0 && h < divisor {
                    return whole.shifted(-lift);
                }
                let value = Value::Op(op, vec![lifted.value(), b.value()]);
                Int::atom(value, (low + lift, high + lift)).shifted(-lift)
            }
            _ => {
                let (_, rest) = split_multiples(&lifted, divisor);
                let (l, h) = rest.range(self.build);
                if l >= 0 && h < divisor {
                    return rest;
                }
                let value = Value::Op(Op::IntMod, vec![if l >= 0 { rest } else { lifted }.value(), b.value()]);
                Int::atom(value, (0, divisor - 1))
            }
        }
    }

    /// One of two integers, which are lifted above zero while it is found out which.
    fn int_choice(&mut self, args: impl FnOnce(Value, Value) -> Vec<Value>, op: Op, a: &Int, b: &Int) -> Int {
        let ((al, ah), (bl, bh)) = (a.range(self.build), b.range(self.build));
        let lift = (-al.min(bl)).max(0);
        let value = Value::Op(op, args(a.shifted(lift).value(), b.shifted(lift).value()));
        let range = match op {
            Op::Min => (al.min(bl), ah.min(bh)),
            Op::Max => (al.max(bl), ah.max(bh)),
            _ => (al.min(bl), ah.max(bh)),
        };
        Int::atom(value, (range.0 + lift, range.1 + lift)).shifted(-lift)
    }

    /// The values that an integer tensor can have.
    fn int_range(&self, node: NodeId) -> (i64, i64) {
        let node = self.plan.graph.node(node);
        node.range.map_or((0, i64::from(u32::MAX)), |(low, high)| (low, (high - 1).max(low)))
    }
}

/// The integer that a value is, without wrapping what is already one.
fn as_int(value: Value, range: (i64, i64)) -> Int {
    match value {
        Value::Int(Index::Affine { terms, constant }) => Int { terms, atoms: Vec::new(), constant },
        value => Int::atom(value, range),
    }
}

/// `a = divisor * whole + rest`, by terms.
fn split_multiples(a: &Int, divisor: i64) -> (Int, Int) {
    let (mut whole, mut rest) = (Int::default(), Int::default());
    for &(v, c) in &a.terms {
        if c % divisor == 0 {
            whole.terms.push((v, c / divisor));
        } else {
            rest.terms.push((v, c));
        }
    }
    for (atom, c) in &a.atoms {
        if c % divisor == 0 {
            whole.atoms.push((atom.clone(), c / divisor));
        } else {
            rest.atoms.push((atom.clone(), *c));
        }
    }
    whole.constant = a.constant.div_euclid(divisor);
    rest.constant = a.constant.rem_euclid(divisor);
    (whole, rest)
}
