//! Tests of the verifier of loop programs: a sound kernel, and one mistake at a time.

use super::*;
use crate::program::{Buffer, LocalInfo, NameInfo, Routine};

/// A program of one kernel over `x: [20]` (an input), `y: [20]`, integers `label: [20]` and a number.
fn program(body: Vec<Stmt>) -> Program {
    let buffer = |name: &str, role| Buffer { name: name.into(), shape: vec![20], elem: Elem::F32, role, range: None };
    let local = |name: &str, ty, dims: &[usize]| LocalInfo { name: name.into(), ty, dims: dims.to_vec() };
    let kernel = Kernel {
        name: "k".into(),
        equations: Vec::new(),
        origin: None,
        reason: String::new(),
        real: Elem::F32,
        cut: None,
        body,
    };
    Program {
        buffers: vec![
            buffer("x", BufferRole::Input),
            buffer("y", BufferRole::Temp),
            Buffer { elem: Elem::U32, ..buffer("label", BufferRole::Input) },
            Buffer { shape: Vec::new(), ..buffer("number", BufferRole::Temp) },
        ],
        loop_vars: vec![NameInfo { name: "i".into() }, NameInfo { name: "j".into() }],
        locals: vec![local("a", LocalTy::Real, &[]), local("t", LocalTy::Lanes, &[2]), local("k", LocalTy::Int, &[])],
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
fn integers_in_locals_lie_where_their_values_lie() {
    let through_k = |extent| {
        let place = Index::Value(Box::new(read_local(2, Vec::new())));
        messages(looped(extent, vec![bind(2, int(1, 0)), store(vec![place], Value::Real(0.0))]))
    };
    assert_eq!(through_k(20), "");
    assert!(through_k(21).contains("axis 0 of 20"));
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

fn zero() -> Vec<Index> {
    vec![Index::constant(0)]
}

fn int(coefficient: i64, constant: i64) -> Value {
    Value::Int(at(coefficient, constant).remove(0))
}

fn load_lanes(buffer: u32, valid: usize) -> Value {
    Value::LoadLanes(BufferId(buffer), zero(), valid)
}

fn bind(local: u32, value: Value) -> Stmt {
    Stmt::Let { local: Local(local), value }
}

fn when(condition: Value, body: Vec<Stmt>) -> Stmt {
    Stmt::If { condition, body }
}

fn read_local(local: u32, at: Vec<Index>) -> Value {
    Value::Local(Local(local), at)
}

/// Each mistake alone, by the number of the invariant that it breaks, and what is said of it.
#[test]
fn every_invariant_is_held() {
    let one = || Value::Real(1.0);
    let splat = || Value::Splat(Box::new(one()));
    let to_x = |place| Stmt::Set { place, value: one() };
    let to_local = |local, at| to_x(Place::Local(Local(local), at));
    let nested = Stmt::For { var: LoopVar(0), extent: 2, body: looped(2, Vec::new()) };
    let unknown_loop = Stmt::For { var: LoopVar(9), extent: 2, body: Vec::new() };
    let other = Index::Affine { terms: vec![(LoopVar(1), 1)], constant: 0 };
    let in_block = when(Value::Bool(true), vec![bind(0, one())]);
    let tile = |init| Stmt::Var { local: Local(1), init };
    let cases: Vec<(&str, Vec<Stmt>, &str)> = vec![
        ("1 buffer read", vec![store(zero(), Value::Load(BufferId(9), zero()))], "buffer 9 does not exist"),
        ("1 buffer of lanes", vec![bind(0, load_lanes(9, 4))], "buffer 9 does not exist"),
        ("1 buffer written", vec![to_x(Place::Element(BufferId(9), zero()))], "buffer 9 does not exist"),
        ("1 loop variable", vec![unknown_loop], "loop variable 9 does not exist"),
        ("1 local read", vec![store(zero(), read_local(9, Vec::new()))], "local 9 does not exist"),
        ("1 local set", vec![to_local(9, Vec::new())], "local 9 does not exist"),
        ("1 local defined", vec![bind(9, one())], "local 9 does not exist"),
        ("2 loop in itself", vec![nested], "two nested loops"),
        ("2 outside of its loop", looped(2, vec![store(vec![other], one())]), "outside of its loop"),
        ("2 after its loop", [looped(2, Vec::new()), vec![store(at(1, 0), one())]].concat(), "outside of its loop"),
        ("2 before its definition", vec![store(zero(), read_local(0, Vec::new())), bind(0, one())], "not defined"),
        ("2 outside of its block", vec![in_block, store(zero(), read_local(0, Vec::new()))], "not defined"),
        ("2 defined twice", vec![bind(0, one()), bind(0, one())], "defined twice"),
        ("2 set before defined", vec![to_local(0, Vec::new())], "not defined"),
        ("3 too few places", vec![store(Vec::new(), one())], "y has 1 axes, not 0"),
        ("3 too many places", vec![store(vec![Index::constant(0); 2], one())], "y has 1 axes, not 2"),
        ("3 beyond", looped(21, vec![store(at(1, 0), one())]), "axis 0 of 20"),
        ("3 before", looped(2, vec![store(at(-1, 0), one())]), "axis 0 of 20"),
        ("3 of an array", vec![tile(splat()), bind(0, read_local(1, vec![Index::constant(2)]))], "axis 0 of 2"),
        ("3 tested too late", vec![when(Value::Bool(true), vec![store(vec![Index::constant(20)], one())])], "axis 0"),
        ("3 place that is real", vec![store(vec![Index::Value(Box::new(one()))], one())], "an index is Real"),
        ("4 lanes of integers", vec![tile(load_lanes(2, 4))], "not f32"),
        ("4 no lanes", vec![tile(load_lanes(0, 0))], "0 lanes of x"),
        ("4 too many lanes", vec![tile(load_lanes(0, 17))], "17 lanes of x"),
        ("4 lanes beyond", looped(2, vec![tile(Value::LoadLanes(BufferId(0), at(16, 0), 16))]), "axis 0"),
        ("4 lanes of a number", vec![tile(Value::LoadLanes(BufferId(3), Vec::new(), 1))], "which has no axis"),
        ("4 transposed constant", vec![bind(1, splat()), Stmt::Transpose(Local(1))], "not a variable"),
        ("4 transposed tile of another size", vec![tile(splat()), Stmt::Transpose(Local(1))], "not 16 times 16"),
        ("5 negative", looped(2, vec![store(zero(), Value::Op(Op::ToReal, vec![int(1, -1)]))]), "can be negative"),
        ("6 lanes and numbers", vec![tile(Value::Op(Op::Add, vec![splat(), one()]))], "add of"),
        ("6 too few arguments", vec![store(zero(), Value::Op(Op::Add, vec![one()]))], "add of"),
        ("6 logic of numbers", vec![when(Value::Op(Op::And, vec![one(), one()]), Vec::new())], "and of"),
        ("6 choice by a number", vec![bind(0, Value::Op(Op::Select, vec![one(), one(), one()]))], "select of"),
        ("6 fused lanes and numbers", vec![tile(Value::MulAdd(Box::new([splat(), splat(), one()])))], "multiply-add"),
        ("6 splat of lanes", vec![tile(Value::Splat(Box::new(splat())))], "what is splat"),
        ("6 numbers across lanes", vec![bind(0, Value::Horizontal(Red::Sum, Box::new(one())))], "across lanes is Real"),
        ("6 no such reduction", vec![bind(0, Value::Horizontal(Red::Lse, Box::new(splat())))], "lse across lanes"),
        ("6 narrow lanes", vec![bind(0, Value::Narrow(Box::new(splat())))], "what is narrowed"),
        ("6 condition", vec![when(one(), Vec::new())], "a condition is Real"),
        ("7 type of an element", vec![store(zero(), splat())], "stores Lanes as Real"),
        ("7 type of a local", vec![bind(0, splat())], "a is Real, given"),
        ("7 immutable array", vec![bind(1, splat())], "cannot be immutable"),
        ("7 immutable set", vec![bind(0, one()), to_local(0, Vec::new())], "immutable"),
        ("8 input", vec![to_x(Place::Element(BufferId(0), zero()))], "writes x"),
        (
            "8 input in lanes",
            vec![Stmt::Set { place: Place::Lanes(BufferId(0), zero(), 4), value: splat() }],
            "writes x",
        ),
        ("8 added to", vec![Stmt::Add { place: Place::Element(BufferId(0), zero()), value: one() }], "writes x"),
    ];
    for (invariant, body, said) in cases {
        let found = messages(body);
        assert!(found.contains(said), "{invariant}: {found:?} does not say {said:?}");
    }
}

#[test]
fn names_and_roles_of_buffers() {
    let mut twice = program(Vec::new());
    twice.buffers[1].name = "x".into();
    let broken = verify_program(&twice).unwrap_err();
    assert_eq!(broken[0].message, "two buffers are called x");
    let write = || vec![store(zero(), Value::Real(0.0))];
    for (role, allowed) in [
        (BufferRole::Target, false),
        (BufferRole::SampleWeight, false),
        (BufferRole::Counter, false),
        (BufferRole::Param, true),
        (BufferRole::State, true),
        (BufferRole::Loss, true),
    ] {
        let mut program = program(write());
        program.buffers[1].role = role;
        assert_eq!(verify_program(&program).is_ok(), allowed, "{role:?}");
    }
    // Lanes are of f32, also where the buffer is.
    let mut double = program(vec![Stmt::Var { local: Local(1), init: load_lanes(0, 4) }]);
    assert!(verify_program(&double).is_ok());
    double.routines[0].kernels[0].real = Elem::F64;
    assert!(verify_program(&double).unwrap_err()[0].message.contains("not f32"));
}

/// Two kernels of one stage in two pieces of ten turns: `y = x`, then `z = y` at places that may
/// belong to the other piece. `rows` are of the first, the second, and both.
fn in_pieces(rows: [&[u32]; 2], second: Vec<Index>) -> String {
    let piece = |k: i64| vec![Index::Affine { terms: vec![(LoopVar(0), 1), (LoopVar(1), k)], constant: 0 }];
    let mut program = program(looped(10, vec![store(at(1, 0), x(piece(10)))]));
    program.buffers.push(Buffer { name: "z".into(), ..program.buffers[1].clone() });
    let mut kernels = vec![program.routines[0].kernels[0].clone()];
    let set = Stmt::Set { place: Place::Element(BufferId(4), at(1, 0)), value: Value::Load(BufferId(1), second) };
    kernels.push(Kernel { body: looped(10, vec![set]), ..kernels[0].clone() });
    for (kernel, rows) in kernels.iter_mut().zip(rows) {
        let rows = rows.iter().map(|id| BufferId(*id)).collect();
        kernel.cut = Some(crate::program::Cut { pieces: 2, piece: LoopVar(1), rows, stage: 0 });
    }
    program.routines[0].kernels = kernels;
    match verify_program(&program) {
        Ok(()) => String::new(),
        Err(broken) => broken.iter().map(|b| b.message.as_str()).collect::<Vec<_>>().join("; "),
    }
}

#[test]
fn pieces_of_a_stage_keep_to_their_rows() {
    assert_eq!(in_pieces([&[1], &[1, 4]], at(1, 0)), "");
    // What is beyond its rows, a piece does not even have.
    assert!(in_pieces([&[1], &[1, 4]], at(1, 1)).contains("y: axis 0 of 10"));
    // The whole of it is being written by others.
    let whole = vec![Index::Affine { terms: vec![(LoopVar(0), 1), (LoopVar(1), 10)], constant: 0 }];
    assert!(in_pieces([&[1], &[4]], whole).contains("y is written in pieces, and seen as a whole"));
    assert!(in_pieces([&[], &[1, 4]], at(1, 0)).contains("a piece writes y, of which it has no rows"));
}
