//! Kernels as functions.

use crate::scope::{Form, Scope, equations};
use crate::types::{array_type, buffer_type, elem_type, zero};
use gdc_ir::graph::Loc;
use gdc_ir::program::{Buffer, BufferId, Cut, Elem, Kernel, Place, Program, Stmt, Value};
use gdc_ir::uses::Uses;
use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::quote;
use std::collections::BTreeSet;

/// A generated function of the kernels' module.
pub(crate) struct Function {
    pub(crate) name: Ident,
    /// Its text, without documentation and attributes; nothing where the function of another
    /// kernel serves.
    pub(crate) item: TokenStream,
    /// The lines of its documentation.
    pub(crate) docs: Vec<String>,
    /// Whether it is generic over the instruction set and takes `simd` first.
    pub(crate) simd: bool,
    /// Whether it takes `seed` next, and the sites of its draws.
    pub(crate) seed: bool,
    /// These.
    pub(crate) sites: Vec<u64>,
    /// The buffers that it takes then, and whether as a unique reference.
    pub(crate) arguments: Vec<(BufferId, bool)>,
    /// Whether it loops or computes on lanes, so that the instruction set matters.
    pub(crate) heavy: bool,
    /// How many statements it has.
    pub(crate) statements: usize,
    /// How threads share it, if they do.
    pub(crate) cut: Option<Cut>,
    /// Whether it takes `piece` after these.
    pub(crate) piece: bool,
    /// Where it is called for each sample: how many there are, and the buffers of which it takes
    /// the sample's part.
    pub(crate) samples: Option<(usize, BTreeSet<BufferId>)>,
    /// The number that all elements of its one argument are set to, where that is all it does:
    /// the runtime does it then.
    pub(crate) fill: Option<f64>,
}

/// The function of a kernel. The buffers in `owned` are its own variables.
pub(crate) fn function(
    program: &Program,
    kernel: &Kernel,
    name: Ident,
    owned: &BTreeSet<BufferId>,
    origin: &dyn Fn(Loc) -> Option<String>,
) -> Function {
    let uses = Uses::of_kernel(kernel);
    let real = if kernel.real == Elem::F64 { Elem::F64 } else { Elem::F32 };
    let seen = kernel.cut.as_ref().map(|_| as_seen(program, kernel));
    let program = seen.as_ref().unwrap_or(program);
    let mut scope = Scope::new(program, &kernel.name, real);
    scope.expect(&uses.buffers);
    let mut parameters = TokenStream::new();
    let mut arguments = Vec::new();
    // What is read comes first, then what is written.
    let (written, read): (Vec<BufferId>, Vec<BufferId>) =
        uses.buffers.iter().filter(|id| !owned.contains(id)).partition(|id| uses.written.contains(id));
    for id in read.into_iter().chain(written) {
        let buffer = program.buffer(id);
        let unique = uses.written.contains(&id);
        let form = match (unique, buffer.shape.is_empty()) {
            (true, _) => Form::RefMut,
            (false, true) => Form::Value,
            (false, false) => Form::Ref,
        };
        let (name, ty) = (scope.add_buffer(id, form), buffer_type(buffer));
        parameters.extend(match form {
            Form::RefMut => quote!(#name: &mut #ty,),
            Form::Value | Form::Owned => quote!(#name: #ty,),
            Form::Ref => quote!(#name: &#ty,),
        });
        arguments.push((id, unique));
    }
    let seed = !uses.sites.is_empty();
    let sites: Vec<Ident> = uses.sites.iter().map(|site| scope.add_site(*site)).collect();
    let seed_parameter = seed.then(|| quote!(seed: u64, #(#sites: u64,)*));
    let mut variables = TokenStream::new();
    for id in uses.buffers.iter().filter(|id| owned.contains(id)) {
        let buffer = program.buffer(*id);
        let name = scope.add_buffer(*id, Form::Owned);
        let (ty, zero) = (array_type(buffer.elem, &buffer.shape), zero(buffer.elem, &buffer.shape));
        variables.extend(quote!(let mut #name: #ty = #zero;));
    }
    let piece = kernel.cut.as_ref().filter(|c| uses.vars.contains(&c.piece));
    let within = piece.map(|cut| {
        let (name, last) = (scope.add_var(cut.piece), Literal::usize_unsuffixed(cut.pieces - 1));
        parameters.extend(quote!(#name: usize,));
        // So that places are known to be inside.
        quote!(let #name = ::core::cmp::Ord::min(#name, #last);)
    });
    let piece = within.is_some();
    variables.extend(within);
    let body = scope.stmts(&kernel.body, &uses);
    let simd = mentions(&body, "simd");
    let generic = simd.then(|| quote!(<S: rt::Simd>));
    let simd_parameter = simd.then(|| quote!(simd: S,));
    let docs = docs(kernel, origin);
    let item = quote! {
        pub(super) fn #name #generic(#simd_parameter #seed_parameter #parameters) {
            #variables
            #body
        }
    };
    let heavy = simd || uses.loops;
    Function {
        name,
        item,
        docs,
        simd,
        seed,
        sites: uses.sites,
        arguments,
        heavy,
        statements: statements(&kernel.body),
        cut: kernel.cut.clone(),
        piece,
        samples: None,
        fill: None,
    }
}

/// The number that a kernel sets all elements of one buffer of real numbers to, if that is all
/// that it does.
pub(crate) fn filled(program: &Program, kernel: &Kernel) -> Option<(BufferId, f64)> {
    fn set(body: &[Stmt], found: &mut Option<(BufferId, f64)>) -> bool {
        body.iter().all(|stmt| {
            let (id, value) = match stmt {
                Stmt::For { body, .. } => return set(body, found),
                Stmt::Set { place: Place::Element(id, _) | Place::Lanes(id, ..), value } => (*id, value),
                _ => return false,
            };
            let number = match value {
                Value::Real(x) => *x,
                Value::Splat(inner) => match **inner {
                    Value::Real(x) => x,
                    _ => return false,
                },
                _ => return false,
            };
            let (known, first) = *found.get_or_insert((id, number));
            known == id && first.to_bits() == number.to_bits()
        })
    }
    let mut found = None;
    let all = set(&kernel.body, &mut found);
    found.filter(|(id, _)| all && matches!(program.buffer(*id).elem, Elem::F32 | Elem::F64))
}

/// The buffers of a program as a kernel sees them.
fn as_seen(program: &Program, kernel: &Kernel) -> Program {
    let shape = |(id, b): (BufferId, &Buffer)| Buffer { shape: program.shape_in(kernel, id), ..b.clone() };
    Program {
        buffers: program.buffers().map(shape).collect(),
        loop_vars: program.loop_vars.clone(),
        locals: program.locals.clone(),
        precision: program.precision,
        ..Program::default()
    }
}

impl Function {
    /// The same function for a kernel like the one that it was made of.
    pub(crate) fn for_another(&self, kernel: &Kernel, owned: &BTreeSet<BufferId>) -> Function {
        let uses = Uses::of_kernel(kernel);
        let given = uses.buffers.iter().filter(|id| !owned.contains(id));
        let (written, read): (Vec<BufferId>, Vec<BufferId>) = given.partition(|id| uses.written.contains(id));
        let arguments: Vec<(BufferId, bool)> =
            read.into_iter().chain(written).map(|id| (id, uses.written.contains(&id))).collect();
        Function {
            name: self.name.clone(),
            item: TokenStream::new(),
            docs: Vec::new(),
            arguments,
            simd: self.simd,
            seed: self.seed,
            sites: uses.sites,
            heavy: self.heavy,
            statements: self.statements,
            cut: kernel.cut.clone(),
            piece: self.piece,
            samples: None,
            fill: None,
        }
    }

    /// What the runtime does instead of a function: all elements of a buffer become one number.
    pub(crate) fn filling(name: Ident, buffer: BufferId, number: f64) -> Function {
        Function {
            name,
            item: TokenStream::new(),
            docs: Vec::new(),
            arguments: vec![(buffer, true)],
            simd: false,
            seed: false,
            sites: Vec::new(),
            heavy: false,
            statements: 1,
            cut: None,
            piece: false,
            samples: None,
            fill: Some(number),
        }
    }
}

/// Statements, those in blocks included.
fn statements(body: &[Stmt]) -> usize {
    body.iter()
        .map(|stmt| match stmt {
            Stmt::For { body, .. } | Stmt::If { body, .. } => 1 + statements(body),
            Stmt::Transpose(_) | Stmt::Let { .. } | Stmt::Var { .. } | Stmt::Set { .. } | Stmt::Add { .. } => 1,
        })
        .sum()
}

/// The equations of a kernel and where they were written.
fn docs(kernel: &Kernel, origin: &dyn Fn(Loc) -> Option<String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    match equations(kernel).as_slice() {
        [] => lines.push(format!(" Computes `{}`.", kernel.name)),
        [equation] => lines.push(format!(" `{equation}`")),
        many => {
            lines.push(" ```text".to_owned());
            lines.extend(many.iter().flat_map(|e| e.lines()).map(|e| format!(" {e}")));
            lines.push(" ```".to_owned());
        }
    }
    if let Some(place) = kernel.origin.and_then(origin) {
        lines.push(String::new());
        lines.push(format!(" From `{place}`."));
    }
    lines
}

/// `#[doc = "line"]` for each line.
pub(crate) fn doc_lines(lines: &[String]) -> TokenStream {
    quote!(#(#[doc = #lines])*)
}

/// Whether an identifier stands anywhere in tokens.
pub(crate) fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The type of one sample of a batched buffer.
pub(crate) fn sample_type(buffer: &Buffer, batched: bool) -> TokenStream {
    let shape = if batched { buffer.shape.get(1..).unwrap_or(&[]) } else { &buffer.shape };
    if shape.is_empty() { elem_type(buffer.elem) } else { array_type(buffer.elem, shape) }
}
