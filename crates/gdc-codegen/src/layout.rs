//! Where everything lives: the fields of the model and of the trainer, and the names of the
//! generated types.

use crate::names::{Namer, field, ident, local, snake, type_name};
use crate::types::{array_type, buffer_bytes, count, zero};
use gdc_ir::program::{Buffer, BufferId, BufferRole, Elem, Program, Programs};
use gdc_ir::uses::Uses;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::collections::{BTreeMap, BTreeSet};

/// A temporary of one kernel alone is its own variable up to this many bytes.
const LARGEST_VARIABLE: usize = 4096;

/// A field of a generated struct.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The dotted name in the spec.
    pub(crate) path: String,
    pub(crate) name: Ident,
    pub(crate) elem: Elem,
    pub(crate) shape: Vec<usize>,
    /// Whether it counts as a parameter.
    pub(crate) learnt: bool,
    /// What else lies there later.
    pub(crate) later: Vec<String>,
}

impl Field {
    pub(crate) fn new(buffer: &Buffer, name: Ident) -> Self {
        Field {
            path: buffer.name.clone(),
            name,
            elem: buffer.elem,
            shape: buffer.shape.clone(),
            learnt: buffer.role == BufferRole::Param,
            later: Vec::new(),
        }
    }

    pub(crate) fn ty(&self) -> TokenStream {
        array_type(self.elem, &self.shape)
    }

    pub(crate) fn zero(&self) -> TokenStream {
        zero(self.elem, &self.shape)
    }

    pub(crate) fn len(&self) -> usize {
        count(&self.shape)
    }
}

/// The names of the generated types.
#[derive(Clone, Debug)]
pub(crate) struct Types {
    pub(crate) model: Ident,
    pub(crate) trainer: Ident,
    pub(crate) output: Ident,
    pub(crate) evaluation: Ident,
    pub(crate) state: Ident,
    pub(crate) workspace: Ident,
    /// What a part of a step computes.
    pub(crate) part: Ident,
    pub(crate) batch: Ident,
    pub(crate) stream: Ident,
    pub(crate) stream_output: Ident,
    /// The module of the kernels.
    pub(crate) kernels: Ident,
}

/// Everything that has a place.
pub(crate) struct Layout {
    pub(crate) types: Types,
    /// Of the model: parameters, and what `predict` reads besides.
    pub(crate) model: Vec<Field>,
    /// What else lives from step to step.
    pub(crate) state: Vec<Field>,
    /// What a step computes, but for what its parts do.
    pub(crate) workspace: Vec<Field>,
    /// What each part of a step computes, where it runs in parts.
    pub(crate) part: Vec<Field>,
    /// Where the buffers of the training program are.
    pub(crate) train: BTreeMap<BufferId, Spot>,
    /// Temporaries of a single kernel of training.
    pub(crate) owned: BTreeSet<BufferId>,
    /// Whether gradients are kept as a second set of the model's fields.
    pub(crate) gradients: bool,
}

/// Where a buffer of the training program is.
#[derive(Clone, Debug)]
pub(crate) enum Spot {
    Model(Ident),
    Gradient(Ident),
    State(Ident),
    Workspace(Ident),
    /// A field of each part of a step.
    Part(Ident),
    /// An input or target, by its name.
    Given(Ident),
    Counter,
}

impl Layout {
    pub(crate) fn new(programs: &Programs) -> Self {
        let types = types(&programs.name);
        let (model, state) = kept(programs);
        let mut layout = Layout {
            types,
            model,
            state,
            workspace: Vec::new(),
            part: Vec::new(),
            train: BTreeMap::new(),
            owned: owned(&programs.train, LARGEST_VARIABLE),
            gradients: false,
        };
        layout.place(&programs.train);
        layout
    }

    pub(crate) fn model_field(&self, path: &str) -> Option<&Field> {
        self.model.iter().find(|f| f.path == path)
    }

    pub(crate) fn state_field(&self, path: &str) -> Option<&Field> {
        self.state.iter().find(|f| f.path == path)
    }

    /// Gives every buffer of the training program its place.
    fn place(&mut self, train: &Program) {
        let used: BTreeSet<BufferId> =
            train.routines.iter().flat_map(|r| &r.kernels).flat_map(|k| Uses::of_kernel(k).buffers).collect();
        let given = given_names(train);
        // These are fields besides the buffers.
        let mut names =
            Namer::reserving(&["gradients", "state", "steps", "samples", "seed", "parts", "threads", "model"]);
        let in_parts: BTreeSet<BufferId> = match train.parts {
            0 => BTreeSet::new(),
            _ => {
                let routines = train.routines.iter().filter(|r| r.is_of_a_part());
                routines.flat_map(|r| &r.kernels).flat_map(|k| Uses::of_kernel(k).buffers).collect()
            }
        };
        for (id, buffer) in train.buffers().filter(|(id, _)| train.place(*id) == *id) {
            let spot = match buffer.role {
                BufferRole::Param => self.model_field(&buffer.name).map(|f| Spot::Model(f.name.clone())),
                BufferRole::State => self
                    .model_field(&buffer.name)
                    .map(|f| Spot::Model(f.name.clone()))
                    .or_else(|| self.state_field(&buffer.name).map(|f| Spot::State(f.name.clone()))),
                BufferRole::Gradient(of) => self.gradient(train, buffer, of),
                BufferRole::Input | BufferRole::Target => given.get(&id).cloned().map(Spot::Given),
                BufferRole::Counter => Some(Spot::Counter),
                BufferRole::SampleWeight
                | BufferRole::Output
                | BufferRole::Metric
                | BufferRole::Evaluation
                | BufferRole::Loss
                | BufferRole::Temp => None,
            };
            let results = matches!(buffer.role, BufferRole::Loss | BufferRole::Metric | BufferRole::Evaluation);
            if let Some(spot) = spot {
                self.train.insert(id, spot);
            } else if !self.owned.contains(&id) && (results || used.contains(&id)) {
                let name = ident(&names.unique(&local(&buffer.name)));
                let field = Field::new(buffer, name.clone());
                if in_parts.contains(&id) {
                    self.part.push(field);
                    self.train.insert(id, Spot::Part(name));
                } else {
                    self.workspace.push(field);
                    self.train.insert(id, Spot::Workspace(name));
                }
            }
        }
        for (id, place) in &train.within {
            let spot = self.train.get(place).cloned();
            self.train.extend(spot.map(|spot| (*id, spot)));
            let (of, then) = (&train.buffer(*place).name, &train.buffer(*id).name);
            if let Some(field) = self.workspace.iter_mut().chain(&mut self.part).find(|f| f.path == *of) {
                field.later.push(then.clone());
            }
        }
    }

    fn gradient(&mut self, train: &Program, buffer: &Buffer, of: BufferId) -> Option<Spot> {
        let field = self.model_field(&train.buffer(of).name)?;
        // One that is stored otherwise than its parameter is a temporary like others.
        if (field.elem, &field.shape) != (buffer.elem, &buffer.shape) {
            return None;
        }
        let spot = Spot::Gradient(field.name.clone());
        self.gradients = true;
        Some(spot)
    }
}

/// The names of inputs and targets of a program, in methods.
pub(crate) fn given_names(program: &Program) -> BTreeMap<BufferId, Ident> {
    // What the generated methods name besides.
    let mut names = Namer::reserving(&[
        "simd", "seed", "model", "samples", "sample", "options", "on_epoch", "slot", "reals", "integers", "data",
        "out", "loss", "weight", "value", "part", "from", "to", "result", "done", "start", "batch", "given", "sum",
        "sums",
    ]);
    program
        .buffers()
        .filter(|(_, b)| matches!(b.role, BufferRole::Input | BufferRole::Target))
        .map(|(id, b)| (id, ident(&names.unique(&local(&b.name)))))
        .collect()
}

/// Temporaries of a single kernel, up to a size.
pub(crate) fn owned(program: &Program, largest: usize) -> BTreeSet<BufferId> {
    let mut users: BTreeMap<BufferId, usize> = BTreeMap::new();
    for kernel in program.routines.iter().flat_map(|r| &r.kernels) {
        for id in Uses::of_kernel(kernel).buffers {
            *users.entry(id).or_default() += 1;
        }
    }
    users
        .into_iter()
        .filter(|&(id, users)| {
            let buffer = program.buffer(id);
            users == 1 && buffer.role == BufferRole::Temp && buffer_bytes(buffer) <= largest
        })
        .map(|(id, _)| id)
        .collect()
}

fn types(name: &str) -> Types {
    let model = type_name(name);
    let with = |suffix: &str| ident(&format!("{model}{suffix}"));
    Types {
        trainer: with("Trainer"),
        output: with("Output"),
        evaluation: with("Evaluation"),
        state: with("State"),
        workspace: with("Workspace"),
        part: with("Part"),
        batch: with("Batch"),
        stream: with("Stream"),
        stream_output: with("StreamOutput"),
        kernels: format_ident!("{}_kernels", snake(&model)),
        model: ident(&model),
    }
}

/// The fields of the model, and those of the optimizer's state.
fn kept(programs: &Programs) -> (Vec<Field>, Vec<Field>) {
    let all = || programs.all().map(|(_, program)| program);
    let role = |role: BufferRole| {
        let mut seen = BTreeSet::new();
        let list: Vec<&Buffer> =
            all().flat_map(|p| &p.buffers).filter(|b| b.role == role && seen.insert(b.name.as_str())).collect();
        list
    };
    // An entry point's inputs can have the names of states.
    let predicts = |b: &&Buffer| {
        programs.predictions().flat_map(|p| &p.buffers).any(|p| p.name == b.name && p.role == BufferRole::State)
    };
    let (running, moments): (Vec<&Buffer>, Vec<&Buffer>) = role(BufferRole::State).into_iter().partition(predicts);
    let mut names = Namer::default();
    let model = role(BufferRole::Param)
        .into_iter()
        .chain(running)
        .map(|b| Field::new(b, ident(&names.unique(&field(&b.name)))))
        .collect();
    let mut names = Namer::default();
    let state = moments.into_iter().map(|b| Field::new(b, ident(&names.unique(&local(&b.name))))).collect();
    (model, state)
}

/// `const ZERO` of a struct with fields.
pub(crate) fn zeros(fields: &[Field]) -> TokenStream {
    fields
        .iter()
        .map(|f| {
            let (name, zero) = (&f.name, f.zero());
            quote!(#name: #zero,)
        })
        .collect()
}

/// `#[repr(align(64))]` for structs with a tensor that fills a cache line. rustc orders
/// fields by the powers of two in their sizes, so most of them start on a line as well.
pub(crate) fn aligned(fields: &[Field]) -> TokenStream {
    let large = fields.iter().any(|f| f.len().saturating_mul(crate::types::elem_bytes(f.elem)) >= 64);
    if large { quote!(#[repr(align(64))]) } else { TokenStream::new() }
}
