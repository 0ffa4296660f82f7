//! What the names in a kernel stand for.

use crate::names::{Namer, ident, local};
use gdc_ir::program::{BufferId, Elem, Local, LoopVar, Program};
use proc_macro2::Ident;
use std::collections::BTreeMap;

/// How a kernel holds a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// A number, by value.
    Value,
    /// `&[[f32; 64]; 64]`
    Ref,
    /// `&mut [[f32; 64]; 64]`
    RefMut,
    /// A variable of the kernel itself.
    Owned,
}

/// The names in scope.
pub(crate) struct Scope<'a> {
    pub(crate) program: &'a Program,
    /// The kernel's number type.
    pub(crate) real: Elem,
    pub(crate) namer: Namer,
    buffers: BTreeMap<BufferId, (Ident, Form)>,
    vars: BTreeMap<LoopVar, Ident>,
    locals: BTreeMap<Local, Ident>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(program: &'a Program, real: Elem) -> Self {
        Scope {
            program,
            real,
            // `lane` is the argument of closures over lanes.
            namer: Namer::reserving(&["simd", "seed", "rt", "lane", "core"]),
            buffers: BTreeMap::new(),
            vars: BTreeMap::new(),
            locals: BTreeMap::new(),
        }
    }

    /// Names a buffer.
    pub(crate) fn add_buffer(&mut self, id: BufferId, form: Form) -> Ident {
        let name = ident(&self.namer.unique(&local(&self.program.buffer(id).name)));
        self.buffers.insert(id, (name.clone(), form));
        name
    }

    /// Names a loop variable from here to the end of its loop.
    pub(crate) fn add_var(&mut self, var: LoopVar) -> Ident {
        let hint = self.program.loop_vars.get(var.0 as usize).map_or("i", |v| v.name.as_str());
        let name = ident(&self.namer.unique(&local(hint)));
        self.vars.insert(var, name.clone());
        name
    }

    /// Names a local from here to the end of its block.
    pub(crate) fn add_local(&mut self, id: Local) -> Ident {
        let name = ident(&self.namer.unique(&local(&self.program.local(id).name)));
        self.locals.insert(id, name.clone());
        name
    }

    pub(crate) fn buffer_name(&self, id: BufferId) -> Ident {
        self.buffers.get(&id).map_or_else(|| ident("unnamed_buffer"), |(name, _)| name.clone())
    }

    pub(crate) fn form(&self, id: BufferId) -> Form {
        self.buffers.get(&id).map_or(Form::Ref, |(_, form)| *form)
    }

    pub(crate) fn var_name(&self, var: LoopVar) -> Ident {
        self.vars.get(&var).cloned().unwrap_or_else(|| ident("unnamed_variable"))
    }

    pub(crate) fn local_name(&self, id: Local) -> Ident {
        self.locals.get(&id).cloned().unwrap_or_else(|| ident("unnamed_local"))
    }
}
