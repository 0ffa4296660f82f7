//! Expressions made anew from their parts up: the one walk that every pass over expressions uses.

use crate::expr::{Expr, ExprId, Exprs};
use crate::graph::{Graph, NodeId};
use std::collections::{BTreeMap, HashMap};

impl Expr {
    /// The expression with other parts.
    #[must_use]
    pub fn with_parts(self, mut part: impl FnMut(ExprId) -> ExprId) -> Self {
        match self {
            Self::Real(_) | Self::Bool(_) | Self::Int(_) => self,
            Self::Read { node, at, otherwise } => {
                let at = at.iter().map(|&e| part(e)).collect();
                Self::Read { node, at, otherwise: otherwise.map(part) }
            }
            Self::Op(op, args) => Self::Op(op, args.iter().map(|&e| part(e)).collect()),
            Self::Random { dist, site, element } => Self::Random { dist, site, element: part(element) },
        }
    }
}

impl AsRef<Exprs> for Exprs {
    fn as_ref(&self) -> &Exprs {
        self
    }
}

impl AsMut<Exprs> for Exprs {
    fn as_mut(&mut self) -> &mut Exprs {
        self
    }
}

impl AsRef<Exprs> for Graph {
    fn as_ref(&self) -> &Exprs {
        &self.exprs
    }
}

impl AsMut<Exprs> for Graph {
    fn as_mut(&mut self) -> &mut Exprs {
        &mut self.exprs
    }
}

/// Makes an expression anew, its parts first and each once. `part` is given what it was and
/// what it is with its new parts, and says what it becomes; `done` keeps what is known
/// already, also from call to call.
pub fn rewrite<H: AsRef<Exprs> + AsMut<Exprs>>(
    holder: &mut H,
    root: ExprId,
    done: &mut HashMap<ExprId, ExprId>,
    mut part: impl FnMut(&mut H, ExprId, Expr) -> ExprId,
) -> ExprId {
    let mut stack = vec![(root, false)];
    while let Some((id, parts_done)) = stack.pop() {
        if done.contains_key(&id) {
            continue;
        }
        if !parts_done {
            stack.push((id, true));
            stack.extend(holder.as_ref().children(id).into_iter().rev().map(|c| (c, false)));
            continue;
        }
        let with_parts = holder.as_ref().get(id).clone().with_parts(|p| done.get(&p).copied().unwrap_or(p));
        let new = part(holder, id, with_parts);
        done.insert(id, new);
    }
    done.get(&root).copied().unwrap_or(root)
}

/// An expression that reads other tensors where `other` names some; `done` as in [`rewrite`].
pub fn redirect(
    graph: &mut Graph,
    root: ExprId,
    other: &BTreeMap<NodeId, NodeId>,
    done: &mut HashMap<ExprId, ExprId>,
) -> ExprId {
    rewrite(graph, root, done, |graph, old, mut new| {
        if let Expr::Read { node, .. } = &mut new {
            *node = other.get(node).copied().unwrap_or(*node);
        }
        let ty = graph.exprs.ty(old);
        graph.exprs.intern(new, ty)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Op, Ty};

    fn op(x: &mut Exprs, op: Op, a: ExprId, b: ExprId) -> ExprId {
        x.intern(Expr::Op(op, Box::new([a, b])), Ty::Real)
    }

    #[test]
    fn each_part_is_made_anew_once_and_before_what_it_is_in() {
        let mut x = Exprs::default();
        let (one, two) = (x.real(1.0), x.real(2.0));
        let sum = op(&mut x, Op::Add, one, two);
        let product = op(&mut x, Op::Mul, sum, sum);
        let mut order = Vec::new();
        let new = rewrite(&mut x, product, &mut HashMap::new(), |x, old, e| {
            order.push(old);
            let ty = x.ty(old);
            if old == two { one } else { x.intern(e, ty) }
        });
        assert_eq!(order, [one, two, sum, product]);
        let doubled = op(&mut x, Op::Add, one, one);
        assert_eq!(new, op(&mut x, Op::Mul, doubled, doubled));
    }
}
