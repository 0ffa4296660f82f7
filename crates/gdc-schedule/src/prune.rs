//! Takes away locals that nothing uses: where a test is known to fail, what it guarded was
//! computed for nothing.

use gdc_ir::program::{Index, Local, Place, Stmt, Value};
use std::collections::BTreeSet;

/// Removes every immutable local that no value uses, until there is none.
pub(crate) fn prune(body: &mut Vec<Stmt>) {
    loop {
        let mut used = BTreeSet::new();
        stmts(body, &mut used);
        if !remove(body, &used) {
            return;
        }
    }
}

fn remove(body: &mut Vec<Stmt>, used: &BTreeSet<Local>) -> bool {
    let before = body.len();
    body.retain(|stmt| !matches!(stmt, Stmt::Let { local, .. } if !used.contains(local)));
    let mut removed = body.len() < before;
    for stmt in body {
        if let Stmt::For { body, .. } | Stmt::If { body, .. } = stmt {
            removed |= remove(body, used);
        }
    }
    removed
}

fn stmts(body: &[Stmt], used: &mut BTreeSet<Local>) {
    for stmt in body {
        match stmt {
            Stmt::For { body, .. } => stmts(body, used),
            Stmt::Let { value: v, .. } | Stmt::Var { init: v, .. } => value(v, used),
            Stmt::Set { place, value: v } | Stmt::Add { place, value: v } => {
                value(v, used);
                match place {
                    Place::Local(_, at) | Place::Element(_, at) | Place::Lanes(_, at, _) => indices(at, used),
                }
            }
            Stmt::Transpose(local) => {
                used.insert(*local);
            }
            Stmt::If { condition, body } => {
                value(condition, used);
                stmts(body, used);
            }
        }
    }
}

fn indices(at: &[Index], used: &mut BTreeSet<Local>) {
    for index in at {
        if let Index::Value(v) = index {
            value(v, used);
        }
    }
}

fn value(v: &Value, used: &mut BTreeSet<Local>) {
    match v {
        Value::Real(_) | Value::Bool(_) => {}
        Value::Int(i) | Value::Iota(i) | Value::Random { element: i, .. } => indices(std::slice::from_ref(i), used),
        Value::Local(local, at) => {
            used.insert(*local);
            indices(at, used);
        }
        Value::Load(_, at) | Value::LoadLanes(_, at, _) => indices(at, used),
        Value::Splat(inner) | Value::Horizontal(_, inner) | Value::Narrow(inner) => value(inner, used),
        Value::Op(_, args) => args.iter().for_each(|a| value(a, used)),
        Value::MulAdd(parts) => parts.iter().for_each(|p| value(p, used)),
    }
}
