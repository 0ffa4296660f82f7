//! The intermediate representations of gdc. This crate depends on no other of ours, so that
//! the interpreter and the code generator, which see only it, are independent witnesses.

pub mod expr;
pub mod graph;
pub mod ops;
pub mod order;
pub mod program;
pub mod program_text;
pub mod program_verify;
pub mod program_walk;
pub mod ranges;
pub mod rewrite;
pub mod text;
pub mod uses;
pub mod verify;

#[cfg(test)]
mod testing;

pub use expr::{Affine, Bits, Dist, Expr, ExprId, Exprs, Var, VarInfo};
pub use graph::{
    Budget, Checkpoint, Entry, Graph, Kept, Leaf, Loc, Model, Named, Node, NodeId, NodeKind, Precision, Quantity,
    Reduce, Settings, Streamed, Threads, Until, Update,
};
pub use ops::{Op, Red, Ty};
pub use rewrite::rewrite;
