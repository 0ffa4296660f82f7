//! Loop programs built by hand, as the scheduler would give them.
#![allow(dead_code, clippy::unwrap_used)]

use gdc_ir::graph::{Loc, Settings, Until};
use gdc_ir::ops::Op;
use gdc_ir::program::*;

/// A program under construction.
pub struct Build(pub Program);

impl Build {
    pub fn new(name: &str, batch: Option<usize>) -> Self {
        Build(Program { name: name.into(), batch, ..Program::default() })
    }

    pub fn buffer(&mut self, name: &str, shape: &[usize], elem: Elem, role: BufferRole) -> BufferId {
        self.0.buffers.push(Buffer { name: name.into(), shape: shape.into(), elem, role, range: None });
        BufferId(self.0.buffers.len() as u32 - 1)
    }

    pub fn real(&mut self, name: &str, shape: &[usize], role: BufferRole) -> BufferId {
        self.buffer(name, shape, Elem::F32, role)
    }

    pub fn var(&mut self, name: &str) -> LoopVar {
        self.0.loop_vars.push(NameInfo { name: name.into() });
        LoopVar(self.0.loop_vars.len() as u32 - 1)
    }

    pub fn local(&mut self, name: &str, ty: LocalTy, dims: &[usize]) -> Local {
        self.0.locals.push(LocalInfo { name: name.into(), ty, dims: dims.into() });
        Local(self.0.locals.len() as u32 - 1)
    }

    pub fn kernel(&mut self, routine: &str, name: &str, equation: &str, body: Vec<Stmt>) {
        self.kernel_of(routine, name, equation, Elem::F32, body);
    }

    pub fn kernel_of(&mut self, routine: &str, name: &str, equation: &str, real: Elem, body: Vec<Stmt>) {
        let kernel = Kernel {
            name: name.into(),
            equations: vec![equation.into()],
            origin: Some(Loc(0, 7, 8)),
            reason: String::new(),
            real,
            cut: None,
            body,
        };
        match self.0.routines.iter_mut().find(|r| r.name == routine) {
            Some(r) => r.kernels.push(kernel),
            None => self.0.routines.push(Routine { name: routine.into(), kernels: vec![kernel], ..Routine::default() }),
        }
    }
}

pub fn load(b: BufferId, at: &[LoopVar]) -> Value {
    Value::Load(b, at.iter().map(|v| Index::var(*v)).collect())
}

pub fn set(b: BufferId, at: &[LoopVar], value: Value) -> Stmt {
    Stmt::Set { place: Place::Element(b, at.iter().map(|v| Index::var(*v)).collect()), value }
}

pub fn add(b: BufferId, at: &[LoopVar], value: Value) -> Stmt {
    Stmt::Add { place: Place::Element(b, at.iter().map(|v| Index::var(*v)).collect()), value }
}

pub fn each(var: LoopVar, extent: usize, body: Vec<Stmt>) -> Stmt {
    Stmt::For { var, extent, body }
}

pub fn op(o: Op, args: &[Value]) -> Value {
    Value::Op(o, args.to_vec())
}

pub fn local(l: Local) -> Value {
    Value::Local(l, vec![])
}

pub fn int(v: LoopVar) -> Value {
    Value::Int(Index::var(v))
}

fn affine(terms: &[(LoopVar, i64)], constant: i64) -> Index {
    Index::Affine { terms: terms.to_vec(), constant }
}

/// `(x - 3)^2` from 1 by plain gradient descent at rate 0.1.
pub fn quadratic() -> Programs {
    let mut init = Build::new("Quadratic", None);
    let x = init.real("x", &[], BufferRole::Param);
    init.kernel("init", "x", "x = 1", vec![set(x, &[], Value::Real(1.0))]);
    let mut train = Build::new("Quadratic", None);
    let x = train.real("x", &[], BufferRole::Param);
    let loss = train.real("loss", &[], BufferRole::Loss);
    let dx = train.real("dL/dx", &[], BufferRole::Gradient(x));
    let minus = op(Op::Sub, &[load(x, &[]), Value::Real(3.0)]);
    train.kernel(
        "forward",
        "loss",
        "loss = (x - 3)^2",
        vec![set(loss, &[], op(Op::Pow, &[minus.clone(), Value::Real(2.0)]))],
    );
    train.kernel("backward", "x", "dL/dx = 2 * (x - 3)", vec![set(dx, &[], op(Op::Mul, &[Value::Real(2.0), minus]))]);
    let next = op(Op::Sub, &[load(x, &[]), op(Op::Mul, &[Value::Real(0.1), load(dx, &[])])]);
    train.kernel("update", "x", "x <- x - 0.1 * dL/dx", vec![set(x, &[], next)]);
    Programs {
        name: "Quadratic".into(),
        docs: vec!["Minimise (x - 3)^2 from 1 at rate 0.1.".into()],
        init: init.0,
        train: train.0,
        predict: Program::default(),
        entries: Vec::new(),
        stream: None,
        settings: Settings { steps: Some(100), until: Some(Until::MeanLossBelow(1e-6)), ..Settings::default() },
        totals: Default::default(),
        one_thread: None,
    }
}

/// Samples of a step of [`classifier`].
pub const BATCH: usize = 4;
/// Its inputs.
pub const WIDTH: usize = 20;
/// Its classes.
pub const CLASSES: usize = 40;

/// Logistic regression over 40 classes, with momentum in the state, a decaying rate in f64,
/// tiles of lanes with a tail, labels with a range, a metric, and two outputs.
pub fn classifier() -> Programs {
    let (init, train, predict) = (classifier_init(), classifier_train(), classifier_predict());
    let settings = Settings { batch: Some(BATCH), epochs: Some(3), shuffle: true, ..Settings::default() };
    Programs {
        name: "Classifier".into(),
        docs: Vec::new(),
        init,
        train,
        predict,
        entries: Vec::new(),
        stream: None,
        settings,
        totals: Default::default(),
        one_thread: None,
    }
}

fn classifier_init() -> Program {
    let mut p = Build::new("Classifier", None);
    let w = p.real("z.dense.w", &[WIDTH, CLASSES], BufferRole::Param);
    let b = p.real("z.dense.b", &[CLASSES], BufferRole::Param);
    let m = p.real("z.dense.w.m", &[WIDTH, CLASSES], BufferRole::State);
    let scale = p.real("scale", &[], BufferRole::Temp);
    let (i, j) = (p.var("i"), p.var("j"));
    p.kernel("init", "scale", "scale = 0.1", vec![set(scale, &[], Value::Real(0.1))]);
    let draw =
        Value::Random { dist: gdc_ir::expr::Dist::Normal, site: 7, element: affine(&[(i, CLASSES as i64), (j, 1)], 0) };
    let value = op(Op::Mul, &[load(scale, &[]), draw]);
    p.kernel(
        "init",
        "z.dense.w",
        "w[i,j] = scale * normal()",
        vec![each(i, WIDTH, vec![each(j, CLASSES, vec![set(w, &[i, j], value)])])],
    );
    p.kernel("init", "z.dense.b", "b[j] = 0", vec![each(j, CLASSES, vec![set(b, &[j], Value::Real(0.0))])]);
    let copy = op(Op::Mul, &[Value::Real(0.0), load(w, &[i, j])]);
    p.kernel(
        "init",
        "z.dense.w.m",
        "m[i,j] = 0 * w[i,j]",
        vec![each(i, WIDTH, vec![each(j, CLASSES, vec![set(m, &[i, j], copy)])])],
    );
    p.0
}

/// Statements for all vectors of a row of [`CLASSES`]: two whole ones, and a tail of 8.
fn vectors(v: LoopVar, body: &dyn Fn(Index, usize) -> Vec<Stmt>) -> Vec<Stmt> {
    let mut out = vec![each(v, 2, body(affine(&[(v, 16)], 0), 16))];
    out.extend(body(Index::constant(32), 8));
    out
}

struct Classifier {
    x: BufferId,
    label: BufferId,
    weight: BufferId,
    t: BufferId,
    w: BufferId,
    b: BufferId,
    m: BufferId,
    loss: BufferId,
    z: BufferId,
    dz: BufferId,
    dw: BufferId,
    db: BufferId,
}

fn classifier_train() -> Program {
    let mut p = Build::new("Classifier", Some(BATCH));
    let x = p.real("x", &[BATCH, WIDTH], BufferRole::Input);
    let label = p.buffer("label", &[BATCH], Elem::U32, BufferRole::Target);
    p.0.buffers[label.0 as usize].range = Some((0, CLASSES as i64));
    let weight = p.real("sample_weight", &[BATCH], BufferRole::SampleWeight);
    let t = p.buffer("t", &[], Elem::U64, BufferRole::Counter);
    let w = p.real("z.dense.w", &[WIDTH, CLASSES], BufferRole::Param);
    let b = p.real("z.dense.b", &[CLASSES], BufferRole::Param);
    let m = p.real("z.dense.w.m", &[WIDTH, CLASSES], BufferRole::State);
    let loss = p.real("loss", &[], BufferRole::Loss);
    let z = p.real("z", &[BATCH, CLASSES], BufferRole::Temp);
    let dz = p.real("dL/dz", &[BATCH, CLASSES], BufferRole::Temp);
    let dw = p.real("dL/dz.dense.w", &[WIDTH, CLASSES], BufferRole::Gradient(w));
    let db = p.real("dL/dz.dense.b", &[CLASSES], BufferRole::Gradient(b));
    let c = Classifier { x, label, weight, t, w, b, m, loss, z, dz, dw, db };
    classifier_forward(&mut p, &c);
    classifier_metrics(&mut p, &c);
    classifier_backward(&mut p, &c);
    classifier_update(&mut p, &c);
    p.0
}

/// `z[r, ..] = sum[k](x[r, k] * w[k, ..]) + b[..]`, four rows at a time.
fn classifier_tile(p: &mut Build, c: &Classifier, rows: usize) -> Vec<Stmt> {
    let (r, k, v) = (p.var("r"), p.var("k"), p.var("v"));
    let acc = p.local("acc", LocalTy::Lanes, &[rows]);
    let row = p.local("w_row", LocalTy::Lanes, &[]);
    let x_at = if rows == 1 { vec![Index::var(k)] } else { vec![Index::var(r), Index::var(k)] };
    let z_row = |j: Index| if rows == 1 { vec![j] } else { vec![Index::var(r), j] };
    vectors(v, &|j: Index, valid: usize| {
        let acc_r = || Value::Local(acc, vec![Index::var(r)]);
        let fused =
            Value::MulAdd(Box::new([Value::Splat(Box::new(Value::Load(c.x, x_at.clone()))), local(row), acc_r()]));
        let start = Value::Splat(Box::new(Value::Real(0.0)));
        let sum = op(Op::Add, &[acc_r(), Value::LoadLanes(c.b, vec![j.clone()], valid)]);
        vec![
            Stmt::Var { local: acc, init: start },
            each(
                k,
                WIDTH,
                vec![
                    Stmt::Let { local: row, value: Value::LoadLanes(c.w, vec![Index::var(k), j.clone()], valid) },
                    each(r, rows, vec![Stmt::Set { place: Place::Local(acc, vec![Index::var(r)]), value: fused }]),
                ],
            ),
            each(r, rows, vec![Stmt::Set { place: Place::Lanes(c.z, z_row(j), valid), value: sum }]),
        ]
    })
}

fn classifier_forward(p: &mut Build, c: &Classifier) {
    let lse = p.real("lse", &[BATCH], BufferRole::Temp);
    let body = classifier_tile(p, c, BATCH);
    p.kernel("forward", "z", "z[b,j] = sum[k](x[b,k] * w[k,j]) + b[j]", body);
    let (s, j) = (p.var("b"), p.var("j"));
    let (top, sum) = (p.local("top", LocalTy::Real, &[]), p.local("sum", LocalTy::Real, &[]));
    let at = load(c.z, &[s, j]);
    let body = vec![each(
        s,
        BATCH,
        vec![
            Stmt::Var { local: top, init: Value::Real(f64::NEG_INFINITY) },
            each(
                j,
                CLASSES,
                vec![Stmt::Set { place: Place::Local(top, vec![]), value: op(Op::Max, &[local(top), at.clone()]) }],
            ),
            Stmt::Var { local: sum, init: Value::Real(0.0) },
            each(
                j,
                CLASSES,
                vec![Stmt::Add {
                    place: Place::Local(sum, vec![]),
                    value: op(Op::Exp, &[op(Op::Sub, &[at, local(top)])]),
                }],
            ),
            set(lse, &[s], op(Op::Add, &[local(top), op(Op::Log, &[local(sum)])])),
        ],
    )];
    p.kernel("forward", "lse", "lse[b] = lse[j](z[b,j])", body);
    let own = Value::Load(c.z, vec![Index::var(s), Index::Value(Box::new(load(c.label, &[s])))]);
    let term = op(Op::Mul, &[load(c.weight, &[s]), op(Op::Sub, &[load(lse, &[s]), own])]);
    let body = vec![set(c.loss, &[], Value::Real(0.0)), each(s, BATCH, vec![add(c.loss, &[], term)])];
    p.kernel("forward", "loss", "loss = sum[b](weight[b] * (lse[b] - z[b,label[b]]))", body);
    let e = op(Op::Exp, &[op(Op::Sub, &[load(c.z, &[s, j]), load(lse, &[s])])]);
    let hit = op(Op::ToReal, &[op(Op::Eq, &[int(j), load(c.label, &[s])])]);
    let value = op(Op::Mul, &[load(c.weight, &[s]), op(Op::Sub, &[e, hit])]);
    let body = vec![each(s, BATCH, vec![each(j, CLASSES, vec![set(c.dz, &[s, j], value)])])];
    p.kernel("backward", "dL/dz", "dL/dz[b,j] = weight[b] * (exp(z[b,j] - lse[b]) - (j == label[b]))", body);
}

fn classifier_metrics(p: &mut Build, c: &Classifier) {
    let accuracy = p.real("accuracy", &[], BufferRole::Metric);
    let (s, j) = (p.var("b"), p.var("j"));
    let best = p.local("best", LocalTy::Int, &[]);
    let best_z = Value::Load(c.z, vec![Index::var(s), Index::Value(Box::new(local(best)))]);
    let hit = op(Op::ToReal, &[op(Op::Eq, &[local(best), load(c.label, &[s])])]);
    let body = vec![
        set(accuracy, &[], Value::Real(0.0)),
        each(
            s,
            BATCH,
            vec![
                Stmt::Var { local: best, init: Value::Int(Index::constant(0)) },
                each(
                    j,
                    CLASSES,
                    vec![Stmt::If {
                        condition: op(Op::Lt, &[best_z, load(c.z, &[s, j])]),
                        body: vec![Stmt::Set { place: Place::Local(best, vec![]), value: int(j) }],
                    }],
                ),
                add(accuracy, &[], op(Op::Mul, &[load(c.weight, &[s]), hit])),
            ],
        ),
    ];
    p.kernel("metrics", "accuracy", "accuracy = sum[b](weight[b] * (argmax[j](z[b,j]) == label[b]))", body);
}

fn classifier_backward(p: &mut Build, c: &Classifier) {
    let (s, i, j, v) = (p.var("b"), p.var("i"), p.var("j"), p.var("v"));
    let acc = p.local("acc", LocalTy::Lanes, &[]);
    let rows = vectors(v, &|j, valid| {
        let fused = Value::MulAdd(Box::new([
            Value::Splat(Box::new(load(c.x, &[s, i]))),
            Value::LoadLanes(c.dz, vec![Index::var(s), j.clone()], valid),
            local(acc),
        ]));
        vec![
            Stmt::Var { local: acc, init: Value::Splat(Box::new(Value::Real(0.0))) },
            each(s, BATCH, vec![Stmt::Set { place: Place::Local(acc, vec![]), value: fused }]),
            Stmt::Set { place: Place::Lanes(c.dw, vec![Index::var(i), j], valid), value: local(acc) },
        ]
    });
    p.kernel("backward", "z.dense.w", "dL/dw[i,j] = sum[b](x[b,i] * dL/dz[b,j])", vec![each(i, WIDTH, rows)]);
    let body = vec![each(
        j,
        CLASSES,
        vec![set(c.db, &[j], Value::Real(0.0)), each(s, BATCH, vec![add(c.db, &[j], load(c.dz, &[s, j]))])],
    )];
    p.kernel("backward", "z.dense.b", "dL/db[j] = sum[b](dL/dz[b,j])", body);
}

fn classifier_update(p: &mut Build, c: &Classifier) {
    let rate = p.buffer("rate", &[], Elem::F64, BufferRole::Temp);
    let (i, j, v) = (p.var("i"), p.var("j"), p.var("v"));
    let power = op(Op::Pow, &[Value::Real(0.99), op(Op::ToReal, &[load(c.t, &[])])]);
    let body = vec![set(rate, &[], op(Op::Mul, &[Value::Real(0.1), power]))];
    p.kernel_of("update", "rate", "rate = 0.1 * 0.99^t", Elem::F64, body);
    let narrow = || Value::Narrow(Box::new(load(rate, &[])));
    let next = p.local("m_next", LocalTy::Lanes, &[]);
    let rows = vectors(v, &|j, valid| {
        let at = vec![Index::var(i), j];
        let nine = Value::Splat(Box::new(Value::Real(0.9)));
        let sum = Value::MulAdd(Box::new([
            nine,
            Value::LoadLanes(c.m, at.clone(), valid),
            Value::LoadLanes(c.dw, at.clone(), valid),
        ]));
        let change = op(Op::Mul, &[Value::Splat(Box::new(narrow())), local(next)]);
        vec![
            Stmt::Let { local: next, value: sum },
            Stmt::Set { place: Place::Lanes(c.m, at.clone(), valid), value: local(next) },
            Stmt::Set {
                place: Place::Lanes(c.w, at.clone(), valid),
                value: op(Op::Sub, &[Value::LoadLanes(c.w, at, valid), change]),
            },
        ]
    });
    p.kernel("update", "z.dense.w", "m <- 0.9 * m + dL/dw", vec![each(i, WIDTH, rows)]);
    let step = op(Op::Mul, &[narrow(), load(c.db, &[j])]);
    let value = op(Op::Sub, &[load(c.b, &[j]), step]);
    p.kernel("update", "z.dense.b", "b <- b - rate * dL/db", vec![each(j, CLASSES, vec![set(c.b, &[j], value)])]);
}

fn classifier_predict() -> Program {
    let mut p = Build::new("Classifier", None);
    let x = p.real("x", &[WIDTH], BufferRole::Input);
    let w = p.real("z.dense.w", &[WIDTH, CLASSES], BufferRole::Param);
    let b = p.real("z.dense.b", &[CLASSES], BufferRole::Param);
    let z = p.real("z", &[CLASSES], BufferRole::Temp);
    let probs = p.real("probs", &[CLASSES], BufferRole::Output);
    let class = p.buffer("type", &[], Elem::U32, BufferRole::Output);
    let none = BufferId(0);
    let c = Classifier {
        x,
        w,
        b,
        z,
        label: none,
        weight: none,
        t: none,
        m: none,
        loss: none,
        dz: none,
        dw: none,
        db: none,
    };
    let body = classifier_tile(&mut p, &c, 1);
    p.kernel("predict", "z", "z[j] = sum[k](x[k] * w[k,j]) + b[j]", body);
    let j = p.var("j");
    let (best, sum) = (p.local("best", LocalTy::Int, &[]), p.local("sum", LocalTy::Real, &[]));
    let best_z = || Value::Load(z, vec![Index::Value(Box::new(local(best)))]);
    let e = |j: LoopVar| op(Op::Exp, &[op(Op::Sub, &[load(z, &[j]), best_z()])]);
    let body = vec![
        Stmt::Var { local: best, init: Value::Int(Index::constant(0)) },
        each(
            j,
            CLASSES,
            vec![Stmt::If {
                condition: op(Op::Lt, &[best_z(), load(z, &[j])]),
                body: vec![Stmt::Set { place: Place::Local(best, vec![]), value: int(j) }],
            }],
        ),
        set(class, &[], local(best)),
        Stmt::Var { local: sum, init: Value::Real(0.0) },
        each(j, CLASSES, vec![Stmt::Add { place: Place::Local(sum, vec![]), value: e(j) }]),
        each(j, CLASSES, vec![set(probs, &[j], op(Op::Div, &[e(j), local(sum)]))]),
    ];
    p.kernel("predict", "probs", "probs[j] = exp(z[j] - max(z)) / sum[i](exp(z[i] - max(z)))", body);
    p.0
}

/// In f64: a convolution with guards instead of padding, a product, and a signed integer input.
pub fn double() -> Programs {
    let rows = 2;
    let build = |batch: Option<usize>| {
        let mut p = Build::new("Double", batch);
        p.0.precision = gdc_ir::graph::Precision::F64;
        let shape: Vec<usize> = batch.into_iter().chain([3]).collect();
        let x = p.buffer("x", &shape, Elem::F64, BufferRole::Input);
        let sign = p.buffer("sign", &shape[..shape.len() - 1], Elem::I32, BufferRole::Input);
        p.0.buffers[sign.0 as usize].range = Some((-1, 2));
        let k = p.buffer("k", &[3], Elem::F64, BufferRole::Param);
        let y = p.buffer("y", &shape, Elem::F64, BufferRole::Temp);
        let (b, i, j) = (p.var("b"), p.var("p"), p.var("i"));
        let at = |v: Index| if batch.is_some() { vec![Index::var(b), v] } else { vec![v] };
        let place = affine(&[(i, 1), (j, 1)], -1);
        let inside = op(
            Op::And,
            &[
                op(Op::Le, &[Value::Int(Index::constant(0)), Value::Int(place.clone())]),
                op(Op::Lt, &[Value::Int(place.clone()), Value::Int(Index::constant(3))]),
            ],
        );
        let guarded = op(Op::Select, &[inside, Value::Load(x, at(place)), Value::Real(0.0)]);
        let sum =
            Stmt::Add { place: Place::Element(y, at(Index::var(i))), value: op(Op::Mul, &[guarded, load(k, &[j])]) };
        let body = vec![each(
            i,
            3,
            vec![
                Stmt::Set { place: Place::Element(y, at(Index::var(i))), value: Value::Real(0.0) },
                each(j, 3, vec![sum]),
            ],
        )];
        let body = if batch.is_some() { vec![each(b, rows, body)] } else { body };
        (p, sign, k, y, b, i, body)
    };
    let product = |p: &mut Build, y: BufferId, sign: BufferId, i: LoopVar, batch: &[LoopVar]| {
        let product = p.local("product", LocalTy::Real, &[]);
        let at: Vec<LoopVar> = batch.iter().copied().chain([i]).collect();
        let multiply = op(Op::Mul, &[local(product), load(y, &at)]);
        let body = vec![
            Stmt::Var { local: product, init: Value::Real(1.0) },
            each(i, 3, vec![Stmt::Set { place: Place::Local(product, vec![]), value: multiply }]),
        ];
        (body, op(Op::Add, &[local(product), op(Op::ToReal, &[load(sign, batch)])]))
    };
    let mut init = Build::new("Double", None);
    let (k, i) = (init.buffer("k", &[3], Elem::F64, BufferRole::Param), init.var("i"));
    init.kernel_of("init", "k", "k[i] = 1", Elem::F64, vec![each(i, 3, vec![set(k, &[i], Value::Real(1.0))])]);
    let (mut train, sign, k, y, b, i, body) = build(Some(rows));
    let weight = train.buffer("sample_weight", &[rows], Elem::F64, BufferRole::SampleWeight);
    let loss = train.buffer("loss", &[], Elem::F64, BufferRole::Loss);
    let dk = train.buffer("dL/dk", &[3], Elem::F64, BufferRole::Gradient(k));
    train.kernel_of("forward", "y", "y[p] = sum[i](x[p + i - 1] * k[i])", Elem::F64, body);
    let (mut body, value) = product(&mut train, y, sign, i, &[b]);
    body.push(add(loss, &[], op(Op::Mul, &[load(weight, &[b]), value])));
    let body = vec![set(loss, &[], Value::Real(0.0)), each(b, rows, body)];
    train.kernel_of("forward", "loss", "loss = sum[b](weight[b] * (prod[p](y[b,p]) + sign[b]))", Elem::F64, body);
    let body = vec![each(i, 3, vec![set(dk, &[i], Value::Real(0.0))])];
    train.kernel_of("backward", "k", "dL/dk[i] = 0", Elem::F64, body);
    let (mut predict, sign, _, y, _, i, body) = build(None);
    let out = predict.buffer("out", &[], Elem::F64, BufferRole::Output);
    predict.kernel_of("predict", "y", "y[p] = sum[i](x[p + i - 1] * k[i])", Elem::F64, body);
    let (mut body, value) = product(&mut predict, y, sign, i, &[]);
    body.push(set(out, &[], value));
    predict.kernel_of("predict", "out", "out = prod[p](y[p]) + sign", Elem::F64, body);
    let settings = Settings { batch: Some(rows), ..Settings::default() };
    Programs {
        name: "Double".into(),
        docs: vec![],
        init: init.0,
        train: train.0,
        predict: predict.0,
        entries: vec![],
        stream: None,
        settings,
        totals: Default::default(),
        one_thread: None,
    }
}

/// Names that clash with keywords, with each other, and with what generated code names.
pub fn strange() -> Programs {
    let names = ["type", "a.b_c", "a_b.c", "Größe"];
    let mut init = Build::new("Strange", None);
    for (i, name) in names.iter().enumerate() {
        let b = init.real(name, &[], BufferRole::Param);
        init.kernel("init", name, &format!("it = {}", i + 1), vec![set(b, &[], Value::Real(i as f64 + 1.0))]);
    }
    let mut predict = Build::new("Strange", None);
    let params: Vec<BufferId> = names.iter().map(|n| predict.real(n, &[], BufferRole::Param)).collect();
    let given = [predict.real("self", &[], BufferRole::Input), predict.real("simd", &[], BufferRole::Input)];
    let out = predict.real("rt", &[], BufferRole::Output);
    let sum = params.iter().chain(&given).map(|b| load(*b, &[])).reduce(|a, b| op(Op::Add, &[a, b])).unwrap();
    predict.kernel("predict", "fn", "rt = type + a.b_c + a_b.c + Größe + self + simd", vec![set(out, &[], sum)]);
    Programs { name: "Strange".into(), init: init.0, predict: predict.0, ..Programs::default() }
}

/// Four megabytes of weights, and their gradients.
pub fn large() -> Programs {
    let build = |shape: &[usize]| {
        let mut p = Build::new("Large", None);
        let w = p.real("w", shape, BufferRole::Param);
        let (i, j) = (p.var("i"), p.var("j"));
        (p, w, i, j)
    };
    let shape = [1024, 1024];
    let (mut init, w, i, j) = build(&shape);
    let body = vec![each(i, 1024, vec![each(j, 1024, vec![set(w, &[i, j], Value::Real(0.5))])])];
    init.kernel("init", "w", "w[i,j] = 0.5", body);
    let (mut train, w, i, j) = build(&shape);
    let loss = train.real("loss", &[], BufferRole::Loss);
    let dw = train.real("dL/dw", &shape, BufferRole::Gradient(w));
    let sum = add(loss, &[], load(w, &[i, j]));
    let body = vec![set(loss, &[], Value::Real(0.0)), each(i, 1024, vec![each(j, 1024, vec![sum])])];
    train.kernel("forward", "loss", "loss = sum[i,j](w[i,j])", body);
    let body = vec![each(i, 1024, vec![each(j, 1024, vec![set(dw, &[i, j], Value::Real(1.0))])])];
    train.kernel("backward", "w", "dL/dw[i,j] = 1", body);
    Programs { name: "Large".into(), init: init.0, train: train.0, ..Programs::default() }
}

/// One sample at a time, without an axis for it, and a random draw in each step:
/// the loss is `x[2] * a + noise`, where the noise depends on the counter.
pub fn single() -> Programs {
    let mut init = Build::new("Single", None);
    let a = init.real("a", &[], BufferRole::Param);
    init.kernel("init", "a", "a = 2", vec![set(a, &[], Value::Real(2.0))]);
    let mut train = Build::new("Single", None);
    let a = train.real("a", &[], BufferRole::Param);
    let x = train.real("x", &[3], BufferRole::Input);
    let t = train.buffer("t", &[], Elem::U64, BufferRole::Counter);
    let loss = train.real("loss", &[], BufferRole::Loss);
    let noise = train.real("noise", &[], BufferRole::Metric);
    let draw =
        Value::Random { dist: gdc_ir::expr::Dist::Uniform, site: 5, element: Index::Value(Box::new(load(t, &[]))) };
    train.kernel("forward", "noise", "noise = uniform(t, site = 5)", vec![set(noise, &[], draw)]);
    let product = op(Op::Mul, &[Value::Load(x, vec![Index::constant(2)]), load(a, &[])]);
    let sum = op(Op::Add, &[product, load(noise, &[])]);
    train.kernel("forward", "loss", "loss = x[2] * a + noise", vec![set(loss, &[], sum)]);
    Programs { name: "Single".into(), init: init.0, train: train.0, ..Programs::default() }
}
