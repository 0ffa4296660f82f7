//! Tests of the verifier of loop programs: a sound kernel, and one mistake at a time.

use super::*;
use crate::program::{Buffer, LocalInfo, NameInfo, Routine};

/// A program of one kernel over `x: [20]` (an input) and `y: [20]`.
fn program(body: Vec<Stmt>) -> Program {
    let buffer = |name: &str, role| Buffer { name: name.into(), shape: vec![20], elem: Elem::F32, role, range: None };
    let local = |name: &str, ty, dims: &[usize]| LocalInfo { name: name.into(), ty, dims: dims.to_vec() };
    let kernel =
        Kernel { name: "k".into(), equations: Vec::new(), origin: None, reason: String::new(), real: Elem::F32, body };
    Program {
        buffers: vec![buffer("x", BufferRole::Input), buffer("y", BufferRole::Temp)],
        loop_vars: vec![NameInfo { name: "i".into() }, NameInfo { name: "j".into() }],
        locals: vec![local("a", LocalTy::Real, &[]), local("t", LocalTy::Lanes, &[2])],
        routines: vec![Routine { name: "forward".into(), kernels: vec![kernel], ..Routine::default() }],
        ..Program::default()
    }
}

fn at(coefficient: i64, constant: i64) -> Vec<Index> {
    vec![Index::Affine { terms: vec![(LoopVar(0), coefficient)], constant }]
}

fn x(at: Vec<Index>) -> Value {
    Value::Load(BufferId(0), at)
}

fn looped(extent: usize, body: Vec<Stmt>) -> Vec<Stmt> {
    vec![Stmt::For { var: LoopVar(0), extent, body }]
}

fn store(at: Vec<Index>, value: Value) -> Stmt {
    Stmt::Set { place: Place::Element(BufferId(1), at), value }
}

fn messages(body: Vec<Stmt>) -> String {
    match verify_program(&program(body)) {
        Ok(()) => String::new(),
        Err(broken) => broken.iter().map(|b| b.message.as_str()).collect::<Vec<_>>().join("; "),
    }
}

#[test]
fn sound_kernels_pass() {
    assert_eq!(messages(looped(20, vec![store(at(1, 0), x(at(-1, 19)))])), "");
    let lanes = Value::LoadLanes(BufferId(0), at(16, 0), 4);
    let set = Stmt::Set { place: Place::Lanes(BufferId(1), at(16, 0), 4), value: lanes };
    assert_eq!(messages(looped(2, vec![set])), "");
}

#[test]
fn places_must_be_inside_or_tested() {
    assert!(messages(looped(21, vec![store(at(1, 0), x(at(1, 0)))])).contains("axis 0 of 20"));
    assert!(messages(looped(20, vec![store(at(1, 0), x(at(1, -1)))])).contains("axis 0 of 20"));
    let int = |c, k| Value::Int(Index::Affine { terms: vec![(LoopVar(0), c)], constant: k });
    let one = Value::Int(Index::constant(1));
    let guarded = |test: Value| Value::Op(Op::Select, vec![test, x(at(1, -1)), Value::Real(0.0)]);
    let enough = Value::Op(Op::Le, vec![one.clone(), int(1, 0)]);
    assert_eq!(messages(looped(20, vec![store(at(1, 0), guarded(enough))])), "");
    let too_little = Value::Op(Op::Le, vec![Value::Int(Index::constant(0)), int(1, 0)]);
    assert!(!messages(looped(20, vec![store(at(1, 0), guarded(too_little))])).is_empty());
}

#[test]
fn lanes_stay_inside_the_last_axis() {
    let lanes = |valid| Stmt::Set {
        place: Place::Lanes(BufferId(1), at(16, 0), valid),
        value: Value::LoadLanes(BufferId(0), at(16, 0), valid),
    };
    assert!(messages(looped(2, vec![lanes(5)])).contains("axis 0"));
    assert!(messages(looped(1, vec![lanes(17)])).contains("17 lanes"));
}

#[test]
fn scopes_kinds_and_roles() {
    let local = || Value::Local(Local(0), Vec::new());
    assert!(messages(vec![store(vec![Index::constant(0)], local())]).contains("not defined"));
    let set = Stmt::Set { place: Place::Local(Local(0), Vec::new()), value: Value::Real(1.0) };
    let bind = Stmt::Let { local: Local(0), value: Value::Real(0.0) };
    assert!(messages(vec![bind.clone(), set]).contains("immutable"));
    assert!(messages(vec![bind.clone(), bind]).contains("twice"));
    let splat = Value::Splat(Box::new(Value::Real(1.0)));
    let mixed = Value::Op(Op::Add, vec![splat.clone(), Value::Real(1.0)]);
    assert!(messages(vec![Stmt::Var { local: Local(1), init: mixed }]).contains("add of"));
    assert!(messages(vec![store(vec![Index::constant(0)], splat)]).contains("stores Lanes"));
    let write = Stmt::Set { place: Place::Element(BufferId(0), vec![Index::constant(0)]), value: Value::Real(0.0) };
    assert!(messages(vec![write]).contains("writes x"));
    let negative = Value::Op(Op::ToReal, vec![Value::Int(Index::constant(-1))]);
    assert!(messages(vec![store(vec![Index::constant(0)], negative)]).contains("negative"));
    assert!(messages(vec![store(at(1, 0), Value::Real(0.0))]).contains("outside of its loop"));
}
