//! Products in normal form: a coefficient and atoms with whole powers, so that what stands above
//! and below a fraction line cancels, and factors can be told apart by what they vary over.

use crate::rules::parts;
use gdc_ir::{Expr, ExprId, Exprs, Op, Ty};

/// The most factors that are looked at in one product.
const MAX_FACTORS: usize = 64;

/// `coefficient * product of atom^power`, in order of first appearance.
pub(crate) struct Product {
    pub(crate) coefficient: f64,
    /// No power is zero.
    pub(crate) factors: Vec<(ExprId, i32)>,
    /// Whether something has cancelled or merged.
    pub(crate) simpler: bool,
    constants: usize,
}

impl Product {
    /// Takes a product, quotient or negation apart; `None` of integers and where it is too long.
    pub(crate) fn of(x: &Exprs, e: ExprId) -> Option<Product> {
        if x.ty(e) != Ty::Real {
            return None;
        }
        let mut product = Product { coefficient: 1.0, factors: Vec::new(), simpler: false, constants: 0 };
        product.collect(x, e, 1).then_some(())?;
        product.simpler |= product.constants > 1;
        // a / a = 1
        let before = product.factors.len();
        product.factors.retain(|(_, power)| *power != 0);
        product.simpler |= product.factors.len() < before;
        while product.magnitudes(x) {}
        Some(product)
    }

    fn collect(&mut self, x: &Exprs, e: ExprId, sign: i32) -> bool {
        if self.factors.len() > MAX_FACTORS {
            return false;
        }
        match x.get(e) {
            Expr::Op(Op::Mul, args) => self.collect(x, args[0], sign) && self.collect(x, args[1], sign),
            Expr::Op(Op::Div, args) => self.collect(x, args[0], sign) && self.collect(x, args[1], -sign),
            Expr::Op(Op::Neg, args) => {
                self.coefficient = -self.coefficient;
                self.collect(x, args[0], sign)
            }
            Expr::Real(k) => {
                let k = k.get();
                self.constants += 1;
                self.coefficient = if sign > 0 { self.coefficient * k } else { self.coefficient / k };
                k != 0.0 && k.is_finite()
            }
            _ => {
                self.push(e, sign);
                true
            }
        }
    }

    fn push(&mut self, atom: ExprId, power: i32) {
        match self.factors.iter_mut().find(|(a, _)| *a == atom) {
            Some((_, p)) => {
                self.simpler |= (*p > 0) != (power > 0);
                *p += power;
            }
            None => self.factors.push((atom, power)),
        }
    }

    /// `|a| * sign(a) = a` and `|a| * |a| = a * a`, once; whether one of them was found.
    fn magnitudes(&mut self, x: &Exprs) -> bool {
        for i in 0..self.factors.len() {
            let (atom, power) = self.factors[i];
            let Some(inner) = parts(x, atom, Op::Abs).filter(|_| power > 0) else { continue };
            let sign =
                self.factors.iter().position(|&(f, p)| p > 0 && parts(x, f, Op::Sign).is_some_and(|s| s == inner));
            let (with, gained) = match sign {
                Some(j) => (j, 1),
                None if power > 1 => (i, 2),
                None => continue,
            };
            self.factors[i].1 -= 1;
            self.factors[with].1 -= 1;
            self.push(inner[0], gained);
            self.factors.retain(|(_, power)| *power != 0);
            self.simpler = true;
            return true;
        }
        false
    }
}
