//! What the names in a kernel stand for.

use crate::names::{Namer, ident, local};
use gdc_ir::program::{BufferId, Elem, Kernel, Local, LoopVar, Program};
use proc_macro2::Ident;
use std::collections::{BTreeMap, BTreeSet};

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
    /// The dotted name of the kernel, which names in it are relative to.
    kernel: String,
    /// Relative names that more than one buffer would have, and so none has.
    full: BTreeSet<String>,
    buffers: BTreeMap<BufferId, (Ident, Form)>,
    sites: BTreeMap<u64, Ident>,
    vars: BTreeMap<LoopVar, Ident>,
    locals: BTreeMap<Local, Ident>,
}

impl<'a> Scope<'a> {
    /// The scope of a kernel of a name.
    pub(crate) fn new(program: &'a Program, kernel: &str, real: Elem) -> Self {
        Scope {
            program,
            real,
            kernel: kernel.to_owned(),
            full: BTreeSet::new(),
            // `lane` is the argument of closures over lanes.
            namer: Namer::reserving(&["simd", "seed", "rt", "lane", "core"]),
            buffers: BTreeMap::new(),
            sites: BTreeMap::new(),
            vars: BTreeMap::new(),
            locals: BTreeMap::new(),
        }
    }

    /// Says which buffers will be named: those whose names would be the same but for their paths
    /// keep these.
    pub(crate) fn expect(&mut self, buffers: &[BufferId]) {
        let mut seen = BTreeSet::new();
        for id in buffers {
            let name = self.relative(&self.program.buffer(*id).name);
            if !seen.insert(name.clone()) {
                self.full.insert(name);
            }
        }
    }

    /// A dotted name without the path that it shares with the kernel's, as Rust has it.
    fn relative(&self, name: &str) -> String {
        let short = local(&relative(name, &self.kernel));
        if self.full.contains(&short) { local(name) } else { short }
    }

    /// Names a buffer.
    pub(crate) fn add_buffer(&mut self, id: BufferId, form: Form) -> Ident {
        let name = self.relative(&self.program.buffer(id).name);
        let name = ident(&self.namer.unique(&name));
        self.buffers.insert(id, (name.clone(), form));
        name
    }

    /// Names a site of random draws.
    pub(crate) fn add_site(&mut self, site: u64) -> Ident {
        let name = ident(&self.namer.unique("site"));
        self.sites.insert(site, name.clone());
        name
    }

    pub(crate) fn site_name(&self, site: u64) -> Ident {
        self.sites.get(&site).cloned().unwrap_or_else(|| ident("unnamed_site"))
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
        let name = self.relative(&self.program.local(id).name);
        let name = ident(&self.namer.unique(&name));
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

/// `h.0.block.up.w` as `up.w` for the kernel `h.0.block.a`, and `d.h.0.block.up.w` as `d.up.w`: a
/// name without the layers that it shares with the kernel. What is left has a word to begin with.
fn relative(name: &str, kernel: &str) -> String {
    let apart = |name: &str| match name.strip_prefix("d.") {
        Some(rest) => ("d.", rest.to_owned()),
        None => ("", name.to_owned()),
    };
    // A parameter's next and first values are told by its name.
    let kernel = [".next", ".init"].iter().find_map(|suffix| kernel.strip_suffix(suffix)).unwrap_or(kernel);
    let ((_, kernel), (mark, name)) = (apart(kernel), apart(name));
    let numbered = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let mut layers: Vec<&str> = kernel.split('.').collect();
    // The last part is what the kernel computes, but the number of a turn of a `for`, which is a
    // layer.
    if !layers.last().is_some_and(|last| numbered(last)) {
        layers.pop();
    }
    let parts: Vec<&str> = name.split('.').collect();
    let shared = std::iter::zip(&parts, &layers).take_while(|(a, b)| a == b).count();
    let mut from = shared.min(parts.len().saturating_sub(1));
    while from > 0 && numbered(parts[from]) {
        from -= 1;
    }
    format!("{mark}{}", parts[from..].join("."))
}

/// The equations of a kernel with names as they stand in it: without the layers that they share
/// with its own, where that leaves them different.
pub(crate) fn equations(kernel: &Kernel) -> Vec<String> {
    let mut long: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let pieces: Vec<Vec<(bool, &str)>> = kernel.equations.iter().map(|e| names(e)).collect();
    for &(_, name) in pieces.iter().flatten().filter(|(is_name, _)| *is_name) {
        long.entry(relative(name, &kernel.name)).or_default().insert(name);
    }
    let shown = |&(is_name, piece): &(bool, &str)| {
        let short = if is_name { relative(piece, &kernel.name) } else { piece.to_owned() };
        let one = long.get(&short).is_none_or(|all| all.len() == 1);
        if is_name && !one { piece.to_owned() } else { short }
    };
    pieces.iter().map(|pieces| pieces.iter().map(shown).collect()).collect()
}

/// The dotted names in an equation, and what stands between them.
fn names(equation: &str) -> Vec<(bool, &str)> {
    let mut pieces = Vec::new();
    let mut rest = equation;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let end = rest.find(|c| word(c) != word(first)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push((word(first) && !first.is_ascii_digit(), piece));
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{names, relative};

    #[test]
    fn equations_are_names_and_what_stands_between() {
        let pieces = names("h.0.b[i] = 0.5 * d.x[2*i]");
        let found: Vec<&str> = pieces.iter().filter(|(name, _)| *name).map(|(_, piece)| *piece).collect();
        assert_eq!(found, ["h.0.b", "i", "d.x", "i"]);
        assert_eq!(pieces.iter().map(|(_, piece)| *piece).collect::<String>(), "h.0.b[i] = 0.5 * d.x[2*i]");
    }

    #[test]
    fn names_leave_out_the_layers_that_they_share_with_the_kernel() {
        let in_block = |name| relative(name, "d.h.0.block.attention.heads.x");
        assert_eq!(in_block("h.0.block.attention.heads.q.w"), "q.w");
        assert_eq!(in_block("h.0.block.x"), "x");
        assert_eq!(in_block("d.h.0.block.attention.heads.x"), "d.x");
        assert_eq!(in_block("h.1.block.attention.heads.x"), "h.1.block.attention.heads.x");
        assert_eq!(in_block("per_step.2"), "per_step.2");
        assert_eq!(relative("h.0", "h.0"), "h.0");
        assert_eq!(relative("h.0.block.a", "h.0"), "block.a");
        assert_eq!(relative("h.0.block.x.3", "h.0.block.x.3"), "x.3");
        assert_eq!(relative("w", "logits"), "w");
        assert_eq!(relative("logits.dense.w", "logits.dense.w.next"), "w");
        assert_eq!(relative("logits.dense.w.m.next", "logits.dense.w.next"), "w.m.next");
    }
}
