//! The workspace of training: what a step computes, and the routines of a step.

use crate::batch::{references, tuple};
use crate::kernel::{Function, mentions};
use crate::layout::{Field, Spot, aligned, zeros};
use crate::model::seed_parameter;
use crate::routines::{Access, Routine};
use crate::types::shape_words;
use crate::Context;
use gdc_ir::program::{Buffer, BufferId, BufferRole, Elem};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Which routines an entry runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Step,
    Loss,
    Evaluate,
    Gradients,
}

impl Context<'_> {
    /// Whether there is something to train.
    pub(crate) fn trains(&self) -> bool {
        self.programs.train.buffers.iter().any(|b| b.role == BufferRole::Loss)
    }

    /// Whether training draws random numbers.
    pub(crate) fn draws(&self) -> bool {
        self.functions.train.iter().flat_map(|r| &r.functions).any(|f| f.seed)
    }

    /// The routines of an entry, in order.
    pub(crate) fn entry_routines(&self, entry: Entry) -> Vec<&Routine> {
        let all = self.functions.train.iter();
        all.filter(|r| match (entry, r.name.to_string().as_str()) {
            (_, "forward") => true,
            (Entry::Evaluate, "metrics") => true,
            (_, "metrics") | (Entry::Loss | Entry::Evaluate, _) => false,
            (Entry::Gradients, "update") => false,
            (Entry::Step | Entry::Gradients, _) => true,
        })
        .filter(|r| !r.functions.is_empty())
        .collect()
    }

    /// The structs and routines that only the trainer sees.
    pub(crate) fn workspace(&self) -> TokenStream {
        if !self.trains() {
            return TokenStream::new();
        }
        let (name, model) = (&self.layout.types.workspace, &self.layout.types.model);
        let fields = &self.layout.workspace;
        let state = self.state();
        let mut members: TokenStream = fields.iter().map(member).collect();
        let mut values = zeros(fields);
        if self.layout.gradients {
            members.extend(quote!(gradients: #model,));
            values.extend(quote!(gradients: #model::ZERO,));
        }
        if !self.layout.state.is_empty() {
            let state = &self.layout.types.state;
            members.extend(quote!(state: #state,));
            values.extend(quote!(state: #state::ZERO,));
        }
        members.extend(quote!(steps: u64,));
        values.extend(quote!(steps: 0,));
        if self.draws() {
            members.extend(quote!(seed: u64,));
            values.extend(quote!(seed: 0,));
        }
        let align = aligned(fields);
        let (init, routines) = (self.workspace_init(), self.routines());
        let entries = self.entries();
        let doc = format!(" What a step of [`{}`] computes.", self.layout.types.trainer);
        quote! {
            #state
            #[doc = #doc]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #align
            struct #name { #members }
            impl #name {
                const ZERO: Self = Self { #values };
                #init
                #entries
                #routines
            }
        }
    }

    /// What the optimizer keeps from step to step.
    fn state(&self) -> TokenStream {
        let fields = &self.layout.state;
        if fields.is_empty() {
            return TokenStream::new();
        }
        let (name, zeros, align) = (&self.layout.types.state, zeros(fields), aligned(fields));
        let members: TokenStream = fields.iter().map(member).collect();
        quote! {
            #[doc = " What lives from step to step beside the model."]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #align
            struct #name { #members }
            impl #name {
                const ZERO: Self = Self { #zeros };
            }
        }
    }

    /// Initial values of the state, and the counter back at 0.
    fn workspace_init(&self) -> TokenStream {
        let wanted = |b: &Buffer| self.layout.state_field(&b.name).is_some();
        let calls = self.init_calls(&wanted, &quote!(model));
        let mut body = quote!(self.steps = 0;);
        if self.draws() {
            body.extend(quote!(self.seed = seed;));
        }
        body.extend(calls);
        let seed = seed_parameter(&body);
        let model_name = if mentions(&body, "model") { quote!(model) } else { quote!(_model) };
        let model = &self.layout.types.model;
        quote! {
            #[doc = " Begins anew beside a model."]
            fn init(&mut self, #model_name: &#model, #seed: u64) { #body }
        }
    }

    /// What a caller in training holds a buffer as.
    fn access(&self, id: BufferId, buffer: &Buffer) -> Access {
        match self.layout.train.get(&id) {
            Some(Spot::Model(f)) => Access::Place(quote!(model.#f)),
            Some(Spot::Gradient(f)) => Access::Place(quote!(self.gradients.#f)),
            Some(Spot::State(f)) => Access::Place(quote!(self.state.#f)),
            Some(Spot::Workspace(f)) => Access::Place(quote!(self.#f)),
            Some(Spot::Given(name)) if self.programs.train.batch.is_some() => Access::Reference(name.clone()),
            Some(Spot::Given(name)) => Access::Place(quote!(#name[0])),
            Some(Spot::Counter) => Access::Value(quote!(self.steps)),
            None => Access::Value(crate::types::zero(buffer.elem, &buffer.shape)),
        }
    }

    /// Which inputs and targets a routine passes on, with their types.
    fn routine_given(&self, functions: &[Function]) -> Vec<&crate::batch::Sampled<'_>> {
        let takes = |id: BufferId| functions.iter().any(|f| f.arguments.iter().any(|(a, _)| *a == id));
        self.functions_given().iter().filter(|s| takes(s.id)).collect()
    }

    /// `forward`, `metrics`, `backward`, `update`.
    fn routines(&self) -> TokenStream {
        self.functions.train.iter().filter(|r| !r.functions.is_empty()).map(|r| self.routine(r)).collect()
    }

    fn routine(&self, routine: &Routine) -> TokenStream {
        let (train, rt) = (&self.programs.train, &self.rt);
        let access = |id: BufferId, buffer: &Buffer| self.access(id, buffer);
        let calls: TokenStream = routine.functions.iter().map(|f| self.call(train, f, &access)).collect();
        let simd = routine.functions.iter().any(|f| f.simd);
        let seed = routine.functions.iter().any(|f| f.seed).then(|| quote!(let seed = #rt::fold(self.seed, self.steps);));
        let generic = simd.then(|| quote!(<S: #rt::Simd>));
        let simd = simd.then(|| quote!(simd: S,));
        let model = self.model_use(routine).map(|unique| {
            let model = &self.layout.types.model;
            let unique = unique.then(|| quote!(mut));
            quote!(model: &#unique #model,)
        });
        let given = self.routine_given(&routine.functions).into_iter().map(|s| s.array_parameter());
        let (name, doc) = (&routine.name, routine_doc(&routine.name.to_string()));
        quote! {
            #[doc = #doc]
            #[inline(always)]
            fn #name #generic(&mut self, #simd #model #(#given)*) {
                #seed
                #calls
            }
        }
    }

    /// Whether a routine needs the model, and if so whether it changes it.
    fn model_use(&self, routine: &Routine) -> Option<bool> {
        let arguments = routine.functions.iter().flat_map(|f| &f.arguments);
        arguments.filter(|(id, _)| matches!(self.layout.train.get(id), Some(Spot::Model(_)))).map(|(_, u)| *u).reduce(|a, b| a || b)
    }

    /// The calls of some routines, within one dispatch.
    fn run(&self, routines: &[&Routine]) -> TokenStream {
        let calls = routines.iter().map(|r| {
            let name = &r.name;
            let simd = r.functions.iter().any(|f| f.simd).then(|| quote!(simd,));
            let model = self.model_use(r).map(|_| quote!(model,));
            let given = self.routine_given(&r.functions).into_iter().map(|s| &s.name);
            quote!(self.#name(#simd #model #(#given),*);)
        });
        let heavy = routines.iter().flat_map(|r| &r.functions).any(|f| f.heavy);
        if heavy {
            let run = self.dispatch(true, quote!({ #(#calls)* }));
            quote!(#run;)
        } else {
            quote!(#(#calls)*)
        }
    }

    /// The doors through which the trainer runs routines.
    fn entries(&self) -> TokenStream {
        let mut entries = vec![Entry::Step, Entry::Loss];
        if self.has_metrics() {
            entries.push(Entry::Evaluate);
        }
        if self.layout.gradients {
            entries.push(Entry::Gradients);
        }
        entries.into_iter().map(|e| self.entry(e)).collect()
    }

    /// Whether there is more to evaluate than the loss.
    pub(crate) fn has_metrics(&self) -> bool {
        self.programs.train.buffers.iter().any(|b| b.role == BufferRole::Metric)
    }

    fn entry(&self, entry: Entry) -> TokenStream {
        let routines = self.entry_routines(entry);
        let body = self.run(&routines);
        let needed = routines.iter().filter_map(|r| self.model_use(r)).reduce(|a, b| a || b);
        let model = &self.layout.types.model;
        let model_name = if needed.is_some() { quote!(model) } else { quote!(_model) };
        let unique = (needed == Some(true)).then(|| quote!(mut));
        let given = self.functions_given().iter().map(|s| {
            let (used, parameter) = (mentions(&body, &s.name.to_string()), s.array_parameter());
            if used { parameter } else { s.unused_parameter() }
        });
        let (weights, samples) = self.weights();
        let (name, doc, steps) = match entry {
            Entry::Step => (quote!(step), " A step of training; the loss before it.", quote!(self.steps += 1;)),
            Entry::Loss => (quote!(loss), " The loss alone.", quote!()),
            Entry::Evaluate => (quote!(evaluate), " The loss and the metrics.", quote!()),
            Entry::Gradients => (quote!(gradients), " The loss and its gradients.", quote!()),
        };
        let loss = self.loss_field().map(|f| f.name.clone());
        let (ty, result) = match entry {
            Entry::Step | Entry::Loss => {
                let ty = self.loss_type();
                (quote!(-> #ty), quote!(self.#loss))
            }
            Entry::Evaluate | Entry::Gradients => (quote!(), quote!()),
        };
        quote! {
            #[doc = #doc]
            fn #name(&mut self, #model_name: &#unique #model, #(#given)* #samples) #ty {
                #weights
                #body
                #steps
                #result
            }
        }
    }

    /// The field of the loss.
    pub(crate) fn loss_field(&self) -> Option<&Field> {
        let train = &self.programs.train;
        let loss = train.buffers.iter().find(|b| b.role == BufferRole::Loss)?;
        self.layout.workspace.iter().find(|f| f.path == loss.name)
    }

    pub(crate) fn loss_type(&self) -> TokenStream {
        crate::types::elem_type(self.loss_field().map_or(Elem::F32, |f| f.elem))
    }

    /// Sets the weights of samples, where a kernel reads them; and the parameter for it.
    fn weights(&self) -> (TokenStream, TokenStream) {
        if self.functions_given().is_empty() {
            return (TokenStream::new(), TokenStream::new());
        }
        let train = &self.programs.train;
        let field = train.buffers().find(|(_, b)| b.role == BufferRole::SampleWeight).and_then(|(id, b)| {
            match self.layout.train.get(&id) {
                Some(Spot::Workspace(name)) => Some((name, b)),
                _ => None,
            }
        });
        let Some((name, buffer)) = field else { return (TokenStream::new(), quote!(_samples: usize)) };
        let ty = crate::types::elem_type(buffer.elem);
        let set = quote! {
            let weight = 1.0 / samples as #ty;
            self.#name = ::core::array::from_fn(|sample| if sample < samples { weight } else { 0.0 });
        };
        (set, quote!(samples: usize))
    }

    /// The references to whole batches, and their tuple.
    pub(crate) fn batch_types(&self) -> TokenStream {
        tuple(&references(self.functions_given()))
    }

    /// The number of samples of a step.
    pub(crate) fn batch_size(&self) -> usize {
        self.programs.train.batch.unwrap_or(1)
    }

    /// The same as a literal.
    pub(crate) fn batch_literal(&self) -> Literal {
        Literal::usize_unsuffixed(self.batch_size())
    }
}

/// A private field.
fn member(f: &Field) -> TokenStream {
    let (name, ty) = (&f.name, f.ty());
    let doc = format!(" `{}`: {}.", f.path, shape_words(&f.shape));
    quote!(#[doc = #doc] #name: #ty,)
}

fn routine_doc(name: &str) -> String {
    match name {
        "forward" => " The loss of a batch.".to_owned(),
        "metrics" => " What `evaluate` reports besides the loss.".to_owned(),
        "backward" => " The derivatives of the loss by all parameters.".to_owned(),
        "update" => " The next parameters and state.".to_owned(),
        other => format!(" The routine `{other}`."),
    }
}
