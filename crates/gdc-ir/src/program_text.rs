//! The text form of loop programs, for people: `--emit program`.
//!
//! Each kernel shows its equations, why it is scheduled as it is, and its loops.

use crate::expr::Dist;
use crate::ops::{Notation, Op};
use crate::program::{BufferRole, Elem, Index, Kernel, Local, LocalTy, LoopVar, Place, Program, Programs, Stmt, Value};
use crate::text::number;
use std::fmt::Write;

/// All programs of a model.
pub fn print_programs(programs: &Programs) -> String {
    let mut out = format!("model {}\n", programs.name);
    let stream = programs.stream.iter().flat_map(|s| [("stream.start", &s.start), ("stream.step", &s.step)]);
    for (title, program) in programs.all().chain(stream) {
        let _ = write!(out, "\nprogram {title}\n\n{}", print_program(program));
    }
    out
}

/// One program: its buffers, then its routines with their kernels.
pub fn print_program(program: &Program) -> String {
    let mut out = String::new();
    for (id, b) in program.buffers() {
        let role = match b.role {
            BufferRole::Input => "input".to_owned(),
            BufferRole::Target => "target".to_owned(),
            BufferRole::SampleWeight => "weight".to_owned(),
            BufferRole::Counter => "counter".to_owned(),
            BufferRole::Param => "param".to_owned(),
            BufferRole::State => "state".to_owned(),
            BufferRole::Gradient(of) => {
                format!("gradient of {},", program.buffers.get(of.0 as usize).map_or("?", |b| &b.name))
            }
            BufferRole::Output => "output".to_owned(),
            BufferRole::Metric => "metric".to_owned(),
            BufferRole::Evaluation => "evaluation loss".to_owned(),
            BufferRole::Loss => "loss".to_owned(),
            BufferRole::Temp => "temp".to_owned(),
        };
        let range = b.range.map_or(String::new(), |(low, high)| format!(" in {low}..{high}"));
        let place = program.within.get(&id).and_then(|place| program.buffers.get(place.0 as usize));
        let place = place.map_or(String::new(), |p| format!(", in the place of {}", p.name));
        let _ = writeln!(out, "{role} {}: {:?} {}{range}{place}", b.name, b.shape, elem(b.elem));
    }
    if program.parts > 0 {
        let _ = writeln!(out, "\n{} parts of {} samples", program.parts, program.batch.unwrap_or(1));
    }
    for routine in &program.routines {
        let _ = write!(out, "\nroutine {}\n", routine.name);
        for kernel in &routine.kernels {
            out += &print_kernel(program, kernel);
        }
        for &id in &routine.partial {
            let _ = writeln!(out, "    added up over the parts: {}", program.buffer(id).name);
        }
    }
    out
}

/// One kernel.
pub fn print_kernel(program: &Program, kernel: &Kernel) -> String {
    let mut printer = Printer { program, out: String::new() };
    for equation in &kernel.equations {
        printer.line(1, &format!("// {equation}"));
    }
    printer.line(1, &format!("kernel {} in {}: {}", kernel.name, elem(kernel.real), kernel.reason));
    printer.block(&kernel.body, 2);
    printer.out
}

fn elem(elem: Elem) -> &'static str {
    match elem {
        Elem::F32 => "f32",
        Elem::F64 => "f64",
        Elem::U32 => "u32",
        Elem::I32 => "i32",
        Elem::U64 => "u64",
        Elem::Bool => "bool",
    }
}

struct Printer<'a> {
    program: &'a Program,
    out: String,
}

impl Printer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{}{text}", "    ".repeat(depth));
    }

    fn block(&mut self, body: &[Stmt], depth: usize) {
        for stmt in body {
            match stmt {
                Stmt::For { var, extent, body } => {
                    self.line(depth, &format!("for {} in 0..{extent}", self.var(*var)));
                    self.block(body, depth + 1);
                }
                Stmt::Let { local, value } => {
                    self.line(depth, &format!("let {} = {}", self.declared(*local), self.value(value)));
                }
                Stmt::Var { local, init } => {
                    self.line(depth, &format!("var {} = {}", self.declared(*local), self.value(init)));
                }
                Stmt::Set { place, value } => {
                    self.line(depth, &format!("{} = {}", self.place(place), self.value(value)));
                }
                Stmt::Add { place, value } => {
                    self.line(depth, &format!("{} += {}", self.place(place), self.value(value)));
                }
                Stmt::Transpose(local) => self.line(depth, &format!("transpose {}", self.local(*local))),
                Stmt::If { condition, body } => {
                    self.line(depth, &format!("if {}", self.value(condition)));
                    self.block(body, depth + 1);
                }
            }
        }
    }

    /// Names need not be unique, so each carries its number.
    fn var(&self, var: LoopVar) -> String {
        let name = self.program.loop_vars.get(var.0 as usize).map_or("?", |n| n.name.as_str());
        format!("{name}.{}", var.0)
    }

    fn local(&self, local: Local) -> String {
        let name = self.program.locals.get(local.0 as usize).map_or("?", |l| l.name.as_str());
        format!("%{name}.{}", local.0)
    }

    /// A local with its type, where it is defined.
    fn declared(&self, local: Local) -> String {
        let Some(info) = self.program.locals.get(local.0 as usize) else { return self.local(local) };
        let ty = match info.ty {
            LocalTy::Real => "real",
            LocalTy::Lanes => "lanes",
            LocalTy::Bool => "bool",
            LocalTy::Int => "int",
        };
        let dims: String = info.dims.iter().map(|d| format!("[{d}]")).collect();
        format!("{}: {ty}{dims}", self.local(local))
    }

    fn buffer(&self, id: crate::program::BufferId) -> &str {
        self.program.buffers.get(id.0 as usize).map_or("?", |b| b.name.as_str())
    }

    fn place(&self, place: &Place) -> String {
        match place {
            Place::Local(local, at) => format!("{}{}", self.local(*local), self.indices(at)),
            Place::Element(buffer, at) => format!("{}{}", self.buffer(*buffer), self.indices(at)),
            Place::Lanes(buffer, at, valid) => self.lanes(*buffer, at, *valid),
        }
    }

    fn lanes(&self, buffer: crate::program::BufferId, at: &[Index], valid: usize) -> String {
        let mut at: Vec<String> = at.iter().map(|i| self.index(i)).collect();
        let axis = crate::program::lane_axis(&self.program.buffer(buffer).shape);
        if let Some(first) = axis.and_then(|k| at.get_mut(k)) {
            *first = format!("{first} ..+{valid}");
        }
        format!("{}[{}]", self.buffer(buffer), at.join(", "))
    }

    fn indices(&self, at: &[Index]) -> String {
        if at.is_empty() {
            return String::new();
        }
        format!("[{}]", at.iter().map(|i| self.index(i)).collect::<Vec<_>>().join(", "))
    }

    fn index(&self, index: &Index) -> String {
        match index {
            Index::Value(value) => self.value(value),
            Index::Affine { terms, constant } => {
                let mut parts: Vec<(bool, String)> = terms
                    .iter()
                    .map(|(v, c)| {
                        let name = self.var(*v);
                        (*c < 0, if c.abs() == 1 { name } else { format!("{}*{name}", c.abs()) })
                    })
                    .collect();
                if *constant != 0 || parts.is_empty() {
                    parts.push((*constant < 0, constant.abs().to_string()));
                }
                parts.sort_by_key(|(negative, _)| *negative);
                let mut text = String::new();
                for (k, (negative, part)) in parts.iter().enumerate() {
                    text += match (k, negative) {
                        (0, false) => "",
                        (0, true) => "-",
                        (_, false) => " + ",
                        (_, true) => " - ",
                    };
                    text += part;
                }
                text
            }
        }
    }

    fn values(&self, values: &[Value]) -> String {
        values.iter().map(|v| self.value(v)).collect::<Vec<_>>().join(", ")
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Real(x) => number(*x),
            Value::Bool(b) => b.to_string(),
            Value::Int(index) => self.index(index),
            Value::Local(local, at) => format!("{}{}", self.local(*local), self.indices(at)),
            Value::Load(buffer, at) => format!("{}{}", self.buffer(*buffer), self.indices(at)),
            Value::LoadLanes(buffer, at, valid) => self.lanes(*buffer, at, *valid),
            Value::Splat(v) => format!("splat({})", self.value(v)),
            Value::Iota(from) => format!("iota({})", self.index(from)),
            Value::Op(op, args) => self.operator(*op, args),
            Value::MulAdd(parts) => format!("muladd({})", self.values(&parts[..])),
            Value::Horizontal(red, v) => format!("horizontal_{}({})", red.name(), self.value(v)),
            Value::Narrow(v) => format!("narrow({})", self.value(v)),
            Value::Random { dist, site, element } => {
                let name = match dist {
                    Dist::Uniform => "uniform",
                    Dist::Normal => "normal",
                };
                format!("{name}(site = {site:#x}, {})", self.index(element))
            }
        }
    }

    /// Every operator inside another is in parentheses: this form shows what is evaluated
    /// when, not how little can be written.
    fn operator(&self, op: Op, args: &[Value]) -> String {
        let part = |v: &Value| {
            let text = self.value(v);
            let compound = match v {
                Value::Op(op, _) => {
                    matches!(op.facts().notation, Notation::Infix(..) | Notation::If | Notation::Prefix(..))
                }
                Value::Int(Index::Affine { terms, constant }) => terms.len() + usize::from(*constant != 0) > 1,
                _ => text.starts_with('-'),
            };
            if compound { format!("({text})") } else { text }
        };
        let facts = op.facts();
        match (facts.notation, args) {
            (Notation::Infix(sign, _), [a, b]) => format!("{} {sign} {}", part(a), part(b)),
            (Notation::Prefix(sign, _), [a]) => format!("{sign}{}", part(a)),
            (Notation::If, [c, a, b]) => {
                format!("if {} {{ {} }} else {{ {} }}", self.value(c), self.value(a), self.value(b))
            }
            _ => format!("{}({})", facts.name, self.values(args)),
        }
    }
}
