//! The workspace of training: what a step computes, and the routines of a step.

use crate::Context;
use crate::batch::{references, tuple};
use crate::kernel::{Function, mentions};
use crate::layout::{Field, Spot, aligned, zeros};
use crate::model::seed_parameter;
use crate::routines::{Access, Routine};
use gdc_ir::program::{Buffer, BufferId, BufferRole, Elem};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

/// Which routines an entry runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Step,
    /// Many steps on the same samples, where [`Context::repeats`].
    Repeat,
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
            // Where the model predicts otherwise than it trains, evaluating has all it needs in
            // the routine of the metrics.
            (Entry::Loss | Entry::Evaluate, "forward" | "forward_total") => self.evaluation_field().is_none(),
            (Entry::Step | Entry::Repeat | Entry::Gradients, "forward") => !self.swept(),
            (_, "forward_total") => true,
            (Entry::Evaluate, "metrics" | "metrics_total") => true,
            (Entry::Loss, "metrics" | "metrics_total") => self.evaluation_field().is_some(),
            (_, "metrics" | "metrics_total") | (Entry::Loss | Entry::Evaluate, _) => false,
            (Entry::Gradients, "update") => false,
            (Entry::Step | Entry::Repeat | Entry::Gradients, _) => true,
        })
        .filter(|r| !r.functions.is_empty() || !r.partial.is_empty())
        .collect()
    }

    /// Whether loss and gradients are computed in one sweep, which needs no forward pass.
    pub(crate) fn swept(&self) -> bool {
        self.functions.train.iter().any(|r| r.name == "sweep")
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
        let cut = self.programs.train.parts > 0;
        if cut {
            let (part, n) = (&self.layout.types.part, Literal::usize_unsuffixed(self.programs.train.parts));
            members.extend(quote!(parts: [#part; #n],));
            values.extend(quote!(parts: [#part::ZERO; #n],));
        } else if self.layout.gradients {
            members.extend(quote!(gradients: #model,));
            values.extend(quote!(gradients: #model::ZERO,));
        }
        if !self.layout.state.is_empty() {
            let state = &self.layout.types.state;
            members.extend(quote!(state: #state,));
            values.extend(quote!(state: #state::ZERO,));
        }
        if self.weight_field().is_some() && !cut {
            members.extend(quote!(samples: usize,));
            values.extend(quote!(samples: 0,));
        }
        if self.shares_steps() {
            members.extend(quote!(threads: usize,));
            values.extend(quote!(threads: 0,));
        }
        members.extend(quote!(steps: u64,));
        values.extend(quote!(steps: 0,));
        if self.draws() {
            members.extend(quote!(seed: u64,));
            values.extend(quote!(seed: 0,));
        }
        let align = aligned(fields);
        let (init, routines) = (self.workspace_init(), self.routines(false));
        let (entries, part, sums) = (self.entries(), self.part(), self.sums());
        let pieces = self.pieces();
        let together = self.step_together();
        let doc = format!(" What a step of [`{}`] computes.", self.layout.types.trainer);
        quote! {
            #state
            #[doc = #doc]
            #[allow(dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #align
            struct #name { #members }
            #[allow(dead_code)]
            impl #name {
                const ZERO: Self = Self { #values };
                #init
                #entries
                #sums
                #together
                #routines
            }
            #part
            #pieces
        }
    }

    /// What the optimizer keeps from step to step.
    fn state(&self) -> TokenStream {
        let fields = &self.layout.state;
        if fields.is_empty() {
            return TokenStream::new();
        }
        let (rt, name, align) = (&self.rt, &self.layout.types.state, aligned(fields));
        let doc = quote!(#[doc = " What lives from step to step beside the model."]);
        if fields.iter().all(|f| f.elem == self.precision()) {
            let tensors = self.tensor_list(name, fields);
            return quote!(#rt::named_tensors! { #doc #align struct #tensors });
        }
        let (zeros, tensors) = (zeros(fields), self.named_tensors(name, fields));
        let members: TokenStream = fields.iter().map(member).collect();
        quote! {
            #doc
            #[allow(dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #align
            struct #name { #members }
            #[allow(dead_code)]
            impl #name {
                const ZERO: Self = Self { #zeros };
            }
            #tensors
        }
    }

    /// Initial values of the state, and the counter back at 0.
    fn workspace_init(&self) -> TokenStream {
        let wanted = |b: &Buffer| self.layout.state_field(&b.name).is_some();
        let calls = self.init_calls(&wanted, &quote!(model));
        let init = &self.programs.init;
        let sets = |f: &Function| f.arguments.iter().any(|(id, unique)| *unique && wanted(init.buffer(*id)));
        let functions: Vec<&Function> = self.functions.init.iter().filter(|f| sets(f)).collect();
        let mut body = quote!(self.steps = 0;);
        // Not in `ZERO`, which costs nothing in the program's file as long as it is all zeros.
        if self.shares_steps() && self.threads() > 0 {
            let threads = Literal::usize_unsuffixed(self.threads());
            body.extend(quote!(if self.threads == 0 { self.threads = #threads; }));
        }
        if self.draws() {
            body.extend(quote!(self.seed = seed;));
        }
        body.extend(self.all_states(&functions).unwrap_or(calls));
        let seed = seed_parameter(&body);
        let model_name = if mentions(&body, "model") { quote!(model) } else { quote!(_model) };
        let model = &self.layout.types.model;
        quote! {
            #[doc = " Begins anew beside a model."]
            fn init(&mut self, #model_name: &#model, #seed: u64) { #body }
        }
    }

    /// Sets all of the state to the one number that every part of it begins with, if there is one.
    fn all_states(&self, functions: &[&Function]) -> Option<TokenStream> {
        let rt = &self.rt;
        let named = self.layout.state.iter().all(|f| f.elem == self.precision());
        let [first, others @ ..] = functions else { return None };
        let same = others.iter().all(|f| f.fill.map(f64::to_bits) == first.fill.map(f64::to_bits));
        let number = crate::code::Code::real(first.fill.filter(|_| named && same)?, self.precision()).tokens;
        Some(quote! {
            #rt::NamedTensors::tensors_mut(&mut self.state, &mut |_, _, values| values.fill(#number));
        })
    }

    /// What a caller in training holds a buffer as.
    pub(crate) fn access(&self, id: BufferId, buffer: &Buffer, of_part: bool) -> Access {
        // What the parts have added up is in the first of them.
        let first = (self.programs.train.parts > 0 && !of_part).then(|| quote!(.parts[0]));
        match self.layout.train.get(&id) {
            Some(Spot::Model(f)) => Access::Place(quote!(model.#f)),
            Some(Spot::Gradient(f)) => Access::Place(quote!(self #first.gradients.#f)),
            Some(Spot::State(f)) if of_part => Access::Place(quote!(state.#f)),
            Some(Spot::State(f)) => Access::Place(quote!(self.state.#f)),
            Some(Spot::Workspace(f)) => Access::Place(quote!(self.#f)),
            Some(Spot::Part(f)) => Access::Place(quote!(self #first.#f)),
            Some(Spot::Counter) if of_part => Access::Value(quote!(steps)),
            Some(Spot::Given(name)) if self.programs.train.batch.is_some() => Access::Reference(name.clone()),
            Some(Spot::Given(name)) => Access::Place(quote!(#name[0])),
            Some(Spot::Counter) => Access::Value(quote!(self.steps)),
            None => Access::Value(crate::types::zero(buffer.elem, &buffer.shape)),
        }
    }

    /// Which inputs and targets a routine passes on, with their types.
    pub(crate) fn routine_given(&self, functions: &[&Function]) -> Vec<&crate::batch::Sampled<'_>> {
        let takes = |id: BufferId| functions.iter().any(|f| f.arguments.iter().any(|(a, _)| *a == id));
        self.functions_given().iter().filter(|s| takes(s.id)).collect()
    }

    /// `forward`, `metrics`, `backward`, `update`: those of a part, or the others.
    pub(crate) fn routines(&self, of_part: bool) -> TokenStream {
        // Where a step is one function, nobody else updates.
        let needed = |r: &&Routine| self.together().is_none() || r.name != "update";
        let here = self.functions.train.iter().filter(|r| r.of_part == of_part && !r.functions.is_empty());
        here.filter(needed).map(|r| self.routine(r)).collect()
    }

    /// A routine: the function that chooses the instruction set, once for each part, and the
    /// parts, in which the kernels are inlined.
    fn routine(&self, routine: &Routine) -> TokenStream {
        if routine.functions.iter().any(|f| f.cut.is_some()) {
            return self.routine_in_pieces(routine);
        }
        let functions: Vec<&Function> = routine.functions.iter().collect();
        self.straight(&routine.name, &routine_doc(&routine.name.to_string()), &functions, routine.of_part)
    }

    /// A function that runs kernels one after the other.
    pub(crate) fn straight(&self, name: &Ident, doc: &str, functions: &[&Function], of_part: bool) -> TokenStream {
        let parts = parts(functions);
        let heavy = functions.iter().any(|f| f.heavy);
        let mut body = TokenStream::new();
        let mut items = TokenStream::new();
        for (i, part) in parts.iter().enumerate() {
            if !heavy {
                body.extend(self.part_body(part, of_part));
                continue;
            }
            let part_name = match parts.len() {
                1 => format_ident!("{name}_on"),
                _ => format_ident!("{name}_{}_on", i + 1),
            };
            let call = self.routine_call(&part_name, part, true, of_part);
            let run = self.dispatch(true, quote!(self.#call));
            body.extend(quote!(#run;));
            let (signature, inner) = (self.signature(&part_name, part, true, of_part), self.part_body(part, of_part));
            items.extend(quote! {
                #[doc = " The same, on the instruction set of `simd`."]
                #[inline(always)]
                #signature { #inner }
            });
        }
        let signature = self.signature(name, functions, false, of_part);
        quote! {
            #[doc = #doc]
            #signature { #body }
            #items
        }
    }

    /// The calls of kernels.
    pub(crate) fn part_body(&self, part: &[&Function], of_part: bool) -> TokenStream {
        let train = &self.programs.train;
        let access = |id: BufferId, buffer: &Buffer| self.access(id, buffer, of_part);
        let calls = self.calls(train, part, &access);
        let seed = (!of_part && part.iter().any(|f| f.seed)).then(|| quote!(let seed = self.seed;));
        quote!(#seed #calls)
    }

    /// Whether some kernels need the model, and if so whether they change it.
    pub(crate) fn model_use(&self, functions: &[&Function]) -> Option<bool> {
        let arguments = functions.iter().flat_map(|f| &f.arguments);
        let models = arguments.filter(|(id, _)| matches!(self.layout.train.get(id), Some(Spot::Model(_))));
        models.map(|(_, unique)| *unique).reduce(|a, b| a || b)
    }

    /// The call of a routine or of a part of one, without what it is a method of.
    pub(crate) fn routine_call(
        &self,
        name: &Ident,
        functions: &[&Function],
        generic: bool,
        of_part: bool,
    ) -> TokenStream {
        let simd = generic && functions.iter().any(|f| f.simd);
        let simd = simd.then(|| quote!(simd));
        let model = self.model_use(functions).map(|_| quote!(model));
        let given = self.routine_given(functions).into_iter().map(|s| {
            let name = &s.name;
            quote!(#name)
        });
        let shared = self.shared(functions, of_part).into_iter().map(|(name, _)| quote!(#name));
        let arguments: Vec<TokenStream> = simd.into_iter().chain(model).chain(shared).chain(given).collect();
        quote!(#name(#(#arguments),*))
    }

    /// Runs some routines.
    pub(crate) fn run(&self, routines: &[&Routine]) -> TokenStream {
        routines
            .iter()
            .map(|r| {
                let call = self.routine_call(&r.name, &r.functions.iter().collect::<Vec<_>>(), false, false);
                quote!(self.#call;)
            })
            .collect()
    }

    /// `fn name<S: Simd>(&mut self, simd: S, model: &Digits, image: ...)`
    pub(crate) fn signature(&self, name: &Ident, functions: &[&Function], generic: bool, of_part: bool) -> TokenStream {
        let rt = &self.rt;
        let simd = generic && functions.iter().any(|f| f.simd);
        let generic = simd.then(|| quote!(<S: #rt::Simd>));
        let simd = simd.then(|| quote!(simd: S,));
        let model = self.model_use(functions).map(|unique| {
            let model = &self.layout.types.model;
            let unique = unique.then(|| quote!(mut));
            quote!(model: &#unique #model,)
        });
        let shared = self.shared(functions, of_part).into_iter().map(|(name, ty)| quote!(#name: #ty,));
        let given = self.routine_given(functions).into_iter().map(|s| s.part_parameter());
        quote!(fn #name #generic(&mut self, #simd #model #(#shared)* #(#given)*))
    }

    /// The doors through which the trainer runs routines.
    fn entries(&self) -> TokenStream {
        let mut entries = vec![Entry::Step];
        entries.extend(self.repeats().then_some(Entry::Repeat));
        entries.push(Entry::Loss);
        if self.has_metrics() {
            entries.push(Entry::Evaluate);
        }
        if self.layout.gradients {
            entries.push(Entry::Gradients);
        }
        let weigh = (self.programs.train.parts == 0).then(|| self.weigh());
        let entries = entries.into_iter().map(|e| self.entry(e));
        quote!(#weigh #(#entries)*)
    }

    /// Whether there is more to evaluate than the loss.
    pub(crate) fn has_metrics(&self) -> bool {
        let evaluated = |role| matches!(role, BufferRole::Metric | BufferRole::Evaluation);
        self.programs.train.buffers.iter().any(|b| evaluated(b.role))
    }

    fn entry(&self, entry: Entry) -> TokenStream {
        let (name, doc, steps) = match entry {
            Entry::Step => ("step", " A step of training; the loss before it.", quote!(self.steps += 1;)),
            Entry::Repeat => ("repeat", " Many steps on the same samples; the loss before the last.", quote!()),
            Entry::Loss => ("loss", " The loss alone.", quote!()),
            Entry::Evaluate => ("evaluate", " The loss and the metrics.", quote!()),
            Entry::Gradients => ("gradients", " The loss and its gradients.", quote!()),
        };
        let name = format_ident!("{name}");
        let routines = self.entry_routines(entry);
        let body = match (entry, self.together()) {
            (Entry::Step | Entry::Repeat, Some(functions)) => self.run_together(&functions, entry),
            _ if self.programs.train.parts > 0 => self.run_parts(&routines),
            _ => self.run(&routines),
        };
        let functions: Vec<&Function> = routines.iter().flat_map(|r| &r.functions).collect();
        let needed = self.model_use(&functions);
        let model = &self.layout.types.model;
        let model_name = if needed.is_some() { quote!(model) } else { quote!(_model) };
        let unique = (needed == Some(true)).then(|| quote!(mut));
        let given = self.functions_given().iter().map(|s| {
            let used = mentions(&body, &s.name.to_string());
            if used { s.array_parameter() } else { s.unused_parameter() }
        });
        let (weigh, samples) = match (self.functions_given().is_empty(), self.weight_field()) {
            (true, _) => (quote!(), quote!()),
            (false, Some(_)) if self.programs.train.parts > 0 => (quote!(), quote!(samples: usize)),
            (false, Some(_)) => (quote!(self.weigh(samples);), quote!(samples: usize)),
            (false, None) => (quote!(), quote!(_samples: usize)),
        };
        let times = match entry {
            Entry::Repeat if samples.is_empty() => quote!(times: u64),
            Entry::Repeat => quote!(, times: u64),
            _ => quote!(),
        };
        let (ty, result) = match entry {
            Entry::Step | Entry::Repeat | Entry::Loss => {
                let field = match entry {
                    Entry::Loss => self.evaluation_field().or_else(|| self.loss_field()),
                    _ => self.loss_field(),
                };
                let (ty, loss) = (self.loss_type(), field.map(|f| self.result(f)));
                (quote!(-> #ty), quote!(self.#loss))
            }
            Entry::Evaluate | Entry::Gradients => (quote!(), quote!()),
        };
        quote! {
            #[doc = #doc]
            fn #name(&mut self, #model_name: &#unique #model, #(#given)* #samples #times) #ty {
                #weigh
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
        self.workspace_field(&loss.name)
    }

    /// The field of the loss as the model predicts, where that is another one.
    pub(crate) fn evaluation_field(&self) -> Option<&Field> {
        let train = &self.programs.train;
        let loss = train.buffers.iter().find(|b| b.role == BufferRole::Evaluation)?;
        self.workspace_field(&loss.name)
    }

    /// A field of the workspace, or of a part.
    pub(crate) fn workspace_field(&self, path: &str) -> Option<&Field> {
        self.layout.workspace.iter().chain(&self.layout.part).find(|f| f.path == path)
    }

    /// The path of a result in the workspace.
    pub(crate) fn result(&self, field: &Field) -> TokenStream {
        let (name, of_part) = (&field.name, self.layout.part.iter().any(|f| f.path == field.path));
        if of_part { quote!(parts[0].#name) } else { quote!(#name) }
    }

    /// The path of the gradients in the workspace.
    pub(crate) fn gradients_place(&self) -> TokenStream {
        if self.programs.train.parts > 0 { quote!(parts[0].gradients) } else { quote!(gradients) }
    }

    pub(crate) fn loss_type(&self) -> TokenStream {
        crate::types::elem_type(self.loss_field().map_or(Elem::F32, |f| f.elem))
    }

    /// The field of the samples' weights, where a kernel reads them.
    pub(crate) fn weight_field(&self) -> Option<(&Ident, &Buffer)> {
        let train = &self.programs.train;
        let (id, buffer) = train.buffers().find(|(_, b)| b.role == BufferRole::SampleWeight)?;
        match self.layout.train.get(&id) {
            Some(Spot::Workspace(name) | Spot::Part(name)) => Some((name, buffer)),
            _ => None,
        }
    }

    /// `weigh`: the weights of the samples of a batch.
    pub(crate) fn weigh(&self) -> TokenStream {
        let Some((name, buffer)) = self.weight_field() else { return TokenStream::new() };
        let ty = crate::types::elem_type(buffer.elem);
        if self.programs.train.parts > 0 {
            return quote! {
                #[doc = " Gives each sample its weight, and lanes without a sample none."]
                fn weigh(&mut self, samples: usize, first: usize) {
                    if self.samples == samples {
                        return;
                    }
                    self.samples = samples;
                    let weight = 1.0 / samples as #ty;
                    self.#name = ::core::array::from_fn(|sample| if first + sample < samples { weight } else { 0.0 });
                }
            };
        }
        let value = if buffer.shape.is_empty() {
            quote!(weight)
        } else {
            quote!(::core::array::from_fn(|sample| if sample < samples { weight } else { 0.0 }))
        };
        quote! {
            #[doc = " Gives each sample its weight, and lanes without a sample none."]
            fn weigh(&mut self, samples: usize) {
                if self.samples == samples {
                    return;
                }
                self.samples = samples;
                let weight = 1.0 / samples as #ty;
                self.#name = #value;
            }
        }
    }

    /// The references to whole batches, and their tuple.
    pub(crate) fn batch_types(&self) -> TokenStream {
        tuple(&references(self.functions_given()))
    }

    /// The number of samples of a step.
    pub(crate) fn batch_size(&self) -> usize {
        self.programs.train.samples().unwrap_or(1)
    }

    /// The same as a literal.
    pub(crate) fn batch_literal(&self) -> Literal {
        Literal::usize_unsuffixed(self.batch_size())
    }
}

/// The most statements of one function: compilers slow down with its size.
pub(crate) const LARGEST_PART: usize = 250;

/// The kernels of a routine, in parts of a bounded number of statements.
pub(crate) fn parts<'f>(functions: &[&'f Function]) -> Vec<Vec<&'f Function>> {
    let mut parts: Vec<Vec<&Function>> = Vec::new();
    let mut size = usize::MAX;
    for &f in functions {
        size = size.saturating_add(f.statements);
        match parts.last_mut() {
            Some(part) if size <= LARGEST_PART => part.push(f),
            _ => {
                parts.push(vec![f]);
                size = f.statements;
            }
        }
    }
    parts
}

/// A private field.
pub(crate) fn member(f: &Field) -> TokenStream {
    let (name, ty) = (&f.name, f.ty());
    let later = match f.later.as_slice() {
        // The name and the type say the rest.
        [] => return quote!(#name: #ty,),
        [one] => format!("`{one}`"),
        [one, two] => format!("`{one}`, then `{two}`"),
        [first, others @ ..] => format!("`{first}` and {} others", others.len()),
    };
    let doc = format!(" Later {later}.");
    quote!(#[doc = #doc] #name: #ty,)
}

pub(crate) fn routine_doc(name: &str) -> String {
    match name {
        "forward" => " The loss of a batch.".to_owned(),
        "metrics" => " What `evaluate` reports besides the loss.".to_owned(),
        "forward_total" => " The loss, from the sums of all parts.".to_owned(),
        "metrics_total" => " The metrics, from the sums of all parts.".to_owned(),
        "backward_total" => " The derivatives, from the sums of all parts.".to_owned(),
        "backward" => " The derivatives of the loss by all parameters.".to_owned(),
        "sweep" => " The loss of a batch and its derivatives by all parameters.".to_owned(),
        "update" => " The next parameters and state.".to_owned(),
        other => format!(" The routine `{other}`."),
    }
}

#[cfg(test)]
mod tests {
    use super::parts;
    use crate::kernel::Function;
    use quote::{format_ident, quote};

    fn function(statements: usize) -> Function {
        Function {
            name: format_ident!("f"),
            item: quote!(),
            docs: Vec::new(),
            simd: false,
            seed: false,
            sites: Vec::new(),
            arguments: Vec::new(),
            heavy: true,
            statements,
            cut: None,
            piece: false,
            samples: None,
            fill: None,
        }
    }

    #[test]
    fn parts_are_bounded_and_complete() {
        let functions: Vec<Function> = [100, 100, 100, 400, 10, 10].into_iter().map(function).collect();
        let sizes: Vec<Vec<usize>> = parts(&functions.iter().collect::<Vec<_>>())
            .iter()
            .map(|part| part.iter().map(|f| f.statements).collect())
            .collect();
        assert_eq!(sizes, [vec![100, 100], vec![100], vec![400], vec![10, 10]]);
        assert!(parts(&[]).is_empty());
    }
}
