//! Runs loop programs in f64, statement by statement, checking on the way that every index
//! is in range and every integer is not negative. Slow and obviously right.

use gdc_ir::program::*;
use gdc_ir::{Dist, Op, Red};
use std::collections::HashMap;

/// The seed of all draws.
pub const SEED: u64 = 7;

/// A value of the machine.
#[derive(Clone, Debug, PartialEq)]
pub enum V {
    Num(f64),
    Bool(bool),
    Int(i64),
    Lanes([f64; LANES]),
    Mask([bool; LANES]),
}

/// Memory of a program.
pub struct Machine<'a> {
    pub program: &'a Program,
    pub memory: Vec<Vec<f64>>,
    vars: HashMap<LoopVar, i64>,
    locals: HashMap<Local, Vec<V>>,
    /// The piece at hand.
    cut: Option<(&'a Cut, usize)>,
}

impl<'a> Machine<'a> {
    /// All memory holds NaN until it is written.
    pub fn new(program: &'a Program) -> Self {
        let memory = program.buffers.iter().map(|b| vec![f64::NAN; b.shape.iter().product()]).collect();
        Machine { program, memory, vars: HashMap::new(), locals: HashMap::new(), cut: None }
    }

    /// The buffer of a name.
    pub fn find(&self, name: &str) -> Option<BufferId> {
        self.program.buffers().find(|(_, b)| b.name == name).map(|(id, _)| id)
    }

    pub fn store(&mut self, name: &str, values: &[f64]) {
        let id = self.find(name).unwrap_or_else(|| panic!("no buffer {name}"));
        assert_eq!(self.memory[self.program.place(id).0 as usize].len(), values.len(), "size of {name}");
        self.memory[self.program.place(id).0 as usize] = values.to_vec();
    }

    pub fn get(&self, name: &str) -> &[f64] {
        let id = self.find(name).unwrap_or_else(|| panic!("no buffer {name}"));
        &self.memory[self.program.place(id).0 as usize]
    }

    pub fn run(&mut self, routine: &str) {
        let program = self.program;
        let routine = program.routine(routine).unwrap_or_else(|| panic!("no routine {routine}"));
        let stage = |k: &Kernel| k.cut.as_ref().map(|c| c.stage);
        for run in routine.kernels.chunk_by(|a, b| stage(a).is_some() && stage(a) == stage(b)) {
            // Pieces do not need each other, so any order will do: the last first.
            for piece in (0..run[0].cut.as_ref().map_or(1, |c| c.pieces)).rev() {
                for kernel in run {
                    self.locals.clear();
                    self.cut = kernel.cut.as_ref().map(|cut| (cut, piece));
                    self.vars.extend(kernel.cut.as_ref().map(|cut| (cut.piece, piece as i64)));
                    self.block(&kernel.body);
                }
            }
        }
    }

    /// The place of an element in the memory of a buffer.
    fn flat_in(&mut self, buffer: BufferId, at: &[Index]) -> usize {
        let mut shape = self.program.buffer(buffer).shape.clone();
        let Some((cut, piece)) = self.cut.filter(|(cut, _)| cut.rows.contains(&buffer)) else {
            return self.flat(at, &shape);
        };
        shape[0] /= cut.pieces;
        piece * shape.iter().product::<usize>() + self.flat(at, &shape)
    }

    fn block(&mut self, body: &[Stmt]) {
        for stmt in body {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::For { var, extent, body } => {
                for k in 0..*extent {
                    self.vars.insert(*var, k as i64);
                    self.block(body);
                }
                self.vars.remove(var);
            }
            Stmt::Let { local, value } => {
                let v = self.value(value);
                self.check_local(*local, &v);
                self.locals.insert(*local, vec![v]);
            }
            Stmt::Var { local, init } => {
                let v = self.value(init);
                self.check_local(*local, &v);
                let n: usize = self.program.local(*local).dims.iter().product();
                self.locals.insert(*local, vec![v; n]);
            }
            Stmt::Set { place, value } => {
                let v = self.value(value);
                self.put(place, v);
            }
            Stmt::Add { place, value } => {
                let old = self.old(place);
                let v = self.value(value);
                let sum = self.op(Op::Add, &[old, v]);
                self.put(place, sum);
            }
            Stmt::Transpose(local) => {
                let rows: Vec<[f64; LANES]> = self.locals[local]
                    .iter()
                    .map(|v| match v {
                        V::Lanes(lanes) => *lanes,
                        v => panic!("transposes {v:?}"),
                    })
                    .collect();
                let turned = (0..LANES).map(|j| V::Lanes(std::array::from_fn(|i| rows[i][j]))).collect();
                self.locals.insert(*local, turned);
            }
            Stmt::If { condition, body } => match self.value(condition) {
                V::Bool(true) => self.block(body),
                V::Bool(false) => {}
                v => panic!("condition {v:?}"),
            },
        }
    }

    fn check_local(&self, local: Local, v: &V) {
        let ty = self.program.local(local).ty;
        let fits = matches!(
            (ty, v),
            (LocalTy::Real, V::Num(_))
                | (LocalTy::Bool, V::Bool(_))
                | (LocalTy::Int, V::Int(_))
                | (LocalTy::Lanes, V::Lanes(_))
        );
        assert!(fits, "local of type {ty:?} given {v:?}");
    }

    fn flat(&mut self, at: &[Index], shape: &[usize]) -> usize {
        assert_eq!(at.len(), shape.len(), "rank");
        let mut flat = 0;
        for (i, &n) in at.iter().zip(shape) {
            let i = self.index(i);
            assert!(i >= 0 && (i as usize) < n, "index {i} outside 0..{n} of {shape:?}");
            flat = flat * n + i as usize;
        }
        flat
    }

    fn index(&mut self, index: &Index) -> i64 {
        match index {
            Index::Affine { terms, constant } => terms.iter().map(|(v, c)| self.vars[v] * c).sum::<i64>() + constant,
            Index::Value(v) => match self.value(v) {
                V::Int(i) => i,
                v => panic!("index {v:?}"),
            },
        }
    }

    fn loaded(&self, buffer: BufferId, x: f64) -> V {
        match self.program.buffer(buffer).elem {
            Elem::F32 | Elem::F64 => V::Num(x),
            Elem::Bool => V::Bool(x != 0.0),
            Elem::U32 | Elem::I32 | Elem::U64 => V::Int(x as i64),
        }
    }

    /// The first element, and how many follow it in its row.
    fn span(&mut self, buffer: BufferId, at: &[Index], valid: usize) -> usize {
        let b = self.program.buffer(buffer);
        assert!((1..=LANES).contains(&valid));
        assert_eq!(b.elem, Elem::F32, "lanes of {}", b.name);
        let shape = b.shape.clone();
        let from = self.flat_in(buffer, at);
        let last = gdc_ir::program::lane_axis(&shape).map_or(1, |k| shape[k]);
        assert!(from % last + valid <= last, "lanes beyond the axis of lanes of {}", b.name);
        from
    }

    fn old(&mut self, place: &Place) -> V {
        match place {
            Place::Local(l, at) => self.value(&Value::Local(*l, at.clone())),
            Place::Element(b, at) => self.value(&Value::Load(*b, at.clone())),
            Place::Lanes(b, at, valid) => self.value(&Value::LoadLanes(*b, at.clone(), *valid)),
        }
    }

    fn put(&mut self, place: &Place, v: V) {
        match place {
            Place::Local(l, at) => {
                self.check_local(*l, &v);
                let dims = self.program.local(*l).dims.clone();
                let k = self.flat(at, &dims);
                self.locals.get_mut(l).expect("defined")[k] = v;
            }
            Place::Element(b, at) => {
                let k = self.flat_in(*b, at);
                self.memory[self.program.place(*b).0 as usize][k] = match (self.program.buffer(*b).elem, v) {
                    (Elem::F32 | Elem::F64, V::Num(x)) => x,
                    (Elem::Bool, V::Bool(x)) => f64::from(u8::from(x)),
                    (Elem::U32 | Elem::I32 | Elem::U64, V::Int(x)) => x as f64,
                    (elem, v) => panic!("{v:?} stored as {elem:?}"),
                };
            }
            Place::Lanes(b, at, valid) => {
                let from = self.span(*b, at, *valid);
                let V::Lanes(x) = v else { panic!("{v:?} stored as lanes") };
                self.memory[self.program.place(*b).0 as usize][from..from + valid].copy_from_slice(&x[..*valid]);
            }
        }
    }

    pub fn value(&mut self, value: &Value) -> V {
        match value {
            Value::Real(x) => V::Num(*x),
            Value::Bool(b) => V::Bool(*b),
            Value::Int(index) => {
                let i = self.index(index);
                assert!(i >= 0, "negative integer {i}");
                V::Int(i)
            }
            Value::Local(l, at) => {
                let dims = self.program.local(*l).dims.clone();
                let k = self.flat(at, &dims);
                self.locals.get(l).unwrap_or_else(|| panic!("local {l:?} not defined"))[k].clone()
            }
            Value::Load(b, at) => {
                let k = self.flat_in(*b, at);
                self.loaded(*b, self.memory[self.program.place(*b).0 as usize][k])
            }
            Value::LoadLanes(b, at, valid) => {
                let from = self.span(*b, at, *valid);
                // Nobody may need what stands behind.
                let mut x = [f64::NAN; LANES];
                x[..*valid].copy_from_slice(&self.memory[self.program.place(*b).0 as usize][from..from + valid]);
                V::Lanes(x)
            }
            Value::Splat(v) => match self.value(v) {
                V::Num(x) => V::Lanes([x; LANES]),
                v => panic!("splat of {v:?}"),
            },
            Value::Iota(from) => {
                let from = self.index(from);
                V::Lanes(std::array::from_fn(|k| (from + k as i64) as f64))
            }
            // Lazy, because one side may read outside.
            Value::Op(Op::Select, args) => match self.value(&args[0]) {
                V::Bool(c) => self.value(&args[if c { 1 } else { 2 }]),
                V::Mask(c) => {
                    let (V::Lanes(a), V::Lanes(b)) = (self.value(&args[1]), self.value(&args[2])) else {
                        panic!("choice of scalars by a mask")
                    };
                    V::Lanes(std::array::from_fn(|k| if c[k] { a[k] } else { b[k] }))
                }
                v => panic!("choice by {v:?}"),
            },
            Value::Op(op, args) => {
                let args: Vec<V> = args.iter().map(|a| self.value(a)).collect();
                self.op(*op, &args)
            }
            Value::MulAdd(parts) => {
                let [a, b, c] = [0, 1, 2].map(|k| self.value(&parts[k]));
                let product = self.op(Op::Mul, &[a, b]);
                self.op(Op::Add, &[product, c])
            }
            Value::Horizontal(red, v) => {
                let V::Lanes(mut x) = self.value(v) else { panic!("horizontal of a scalar") };
                let mut n = LANES;
                while n > 1 {
                    n /= 2;
                    for k in 0..n {
                        x[k] = match red {
                            Red::Sum => x[k] + x[k + n],
                            Red::Prod => x[k] * x[k + n],
                            Red::Max => x[k].max(x[k + n]),
                            Red::Min => x[k].min(x[k + n]),
                            red => panic!("horizontal {red:?}"),
                        };
                    }
                }
                V::Num(x[0])
            }
            Value::Narrow(v) => self.value(v),
            Value::Random { dist, site, element } => {
                let element = self.index(element) as u64;
                let draw = match dist {
                    Dist::Uniform => gdc_interp::uniform,
                    Dist::Normal => gdc_interp::normal,
                };
                V::Num(draw(self.program.precision, SEED, *site, element))
            }
        }
    }

    fn op(&self, op: Op, args: &[V]) -> V {
        if args.iter().any(|a| matches!(a, V::Lanes(_) | V::Mask(_))) {
            let part = |k: usize| -> Vec<V> {
                args.iter()
                    .map(|a| match a {
                        V::Lanes(x) => V::Num(x[k]),
                        V::Mask(x) => V::Bool(x[k]),
                        a => panic!("{op:?} mixes lanes with {a:?}"),
                    })
                    .collect()
            };
            let each: Vec<V> = (0..LANES).map(|k| self.op(op, &part(k))).collect();
            return match each[0] {
                V::Bool(_) => V::Mask(std::array::from_fn(|k| each[k] == V::Bool(true))),
                _ => V::Lanes(std::array::from_fn(|k| match each[k] {
                    V::Num(x) => x,
                    _ => panic!("lanes of {op:?}"),
                })),
            };
        }
        scalar(op, args)
    }
}

fn scalar(op: Op, args: &[V]) -> V {
    use V::{Bool, Int, Num};
    match (op, args) {
        (Op::Neg, [Num(a)]) => Num(-a),
        (Op::Add, [Num(a), Num(b)]) => Num(a + b),
        (Op::Sub, [Num(a), Num(b)]) => Num(a - b),
        (Op::Mul, [Num(a), Num(b)]) => Num(a * b),
        (Op::Div, [Num(a), Num(b)]) => Num(a / b),
        (Op::Pow, [Num(a), Num(b)]) => Num(a.powf(*b)),
        (Op::Min, [Num(a), Num(b)]) => Num(a.min(*b)),
        (Op::Max, [Num(a), Num(b)]) => Num(a.max(*b)),
        (Op::Abs, [Num(a)]) => Num(a.abs()),
        (Op::Sign, [Num(a)]) => Num(if *a > 0.0 {
            1.0
        } else if *a < 0.0 {
            -1.0
        } else {
            0.0
        }),
        (Op::Floor, [Num(a)]) => Num(a.floor()),
        (Op::Ceil, [Num(a)]) => Num(a.ceil()),
        (Op::Round, [Num(a)]) => Num(a.round_ties_even()),
        (Op::Sqrt, [Num(a)]) => Num(a.sqrt()),
        (Op::Exp, [Num(a)]) => Num(a.exp()),
        (Op::Expm1, [Num(a)]) => Num(a.exp_m1()),
        (Op::Log, [Num(a)]) => Num(a.ln()),
        (Op::Log1p, [Num(a)]) => Num(a.ln_1p()),
        (Op::Sin, [Num(a)]) => Num(a.sin()),
        (Op::Cos, [Num(a)]) => Num(a.cos()),
        (Op::Tanh, [Num(a)]) => Num(a.tanh()),
        (Op::Sigmoid, [Num(a)]) => Num(1.0 / (1.0 + (-a).exp())),
        (Op::Softplus, [Num(a)]) => Num(a.max(0.0) + (-a.abs()).exp().ln_1p()),
        (Op::Erf, [Num(a)]) => match gdc_interp::apply(Op::Erf, &[gdc_interp::Scalar::Real(*a)]) {
            Some(gdc_interp::Scalar::Real(x)) => Num(x),
            other => panic!("erf gave {other:?}"),
        },
        (Op::Eq, [a, b]) => Bool(a == b),
        (Op::Ne, [a, b]) => Bool(a != b),
        (Op::Lt, [Num(a), Num(b)]) => Bool(a < b),
        (Op::Le, [Num(a), Num(b)]) => Bool(a <= b),
        (Op::Lt, [Int(a), Int(b)]) => Bool(a < b),
        (Op::Le, [Int(a), Int(b)]) => Bool(a <= b),
        (Op::And, [Bool(a), Bool(b)]) => Bool(*a && *b),
        (Op::Or, [Bool(a), Bool(b)]) => Bool(*a || *b),
        (Op::Not, [Bool(a)]) => Bool(!a),
        (Op::ToReal, [Int(a)]) => Num(*a as f64),
        (Op::ToReal, [Bool(a)]) => Num(f64::from(u8::from(*a))),
        (Op::Add, [Int(a), Int(b)]) => Int(a + b),
        (Op::Sub, [Int(a), Int(b)]) => {
            assert!(a >= b, "negative integer {a} - {b}");
            Int(a - b)
        }
        (Op::Mul, [Int(a), Int(b)]) => Int(a * b),
        (Op::IntDiv, [Int(a), Int(b)]) => Int(a / b),
        (Op::IntMod, [Int(a), Int(b)]) => Int(a % b),
        (Op::Min, [Int(a), Int(b)]) => Int(*a.min(b)),
        (Op::Max, [Int(a), Int(b)]) => Int(*a.max(b)),
        (op, args) => panic!("{op:?} of {args:?}"),
    }
}
