//! The trainer: steps, evaluation, gradients, and the loop over epochs.

use crate::batch::{Sampled, tuple};
use crate::kernel::doc_lines;
use crate::layout::Field;
use crate::model::allow_names;
use crate::names::{Namer, field, ident};
use crate::predict::zipped;
use crate::types::{elem_type, shape_words};
use crate::{Context, cost};
use gdc_ir::graph::Until;
use gdc_ir::program::{BufferRole, Elem};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

impl Context<'_> {
    /// The trainer's type with all that it can do.
    pub(crate) fn trainer(&self) -> TokenStream {
        if !self.trains() {
            return TokenStream::new();
        }
        let types = &self.layout.types;
        let (name, model, workspace) = (&types.trainer, &types.model, &types.workspace);
        let camel = allow_names(name, &[]);
        let doc = format!(" Trains a [`{model}`]: the model with the optimizer's state and room for a step.");
        let (batch, batch_zero) = self.batch_member();
        let (constants, construction) = (self.constants(), self.construction());
        let methods = if self.functions_given().is_empty() { self.plain_methods() } else { self.sample_methods() };
        let totals = self.totals();
        let (evaluation, tensors, training, boxed) =
            (self.evaluation(), self.trainer_tensors(), self.training(), self.boxed(name));
        quote! {
            #[doc = #doc]
            #camel
            #[allow(dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            pub struct #name {
                #[doc = " The model."]
                pub model: #model,
                #batch
                workspace: #workspace,
            }
            #evaluation
            #[allow(dead_code)]
            impl #name {
                #constants
                #[doc = " All zeros: a place to load a state of training into."]
                pub const ZERO: Self = Self { model: #model::ZERO, #batch_zero workspace: #workspace::ZERO };
                #construction
                #methods
                #totals
            }
            #training
            #tensors
            #boxed
        }
    }

    fn batch_member(&self) -> (TokenStream, TokenStream) {
        if self.functions_given().is_empty() {
            return (TokenStream::new(), TokenStream::new());
        }
        let batch = &self.layout.types.batch;
        (quote!(batch: #batch,), quote!(batch: #batch::ZERO,))
    }

    fn constants(&self) -> TokenStream {
        let (rt, workspace) = (&self.rt, &self.layout.types.workspace);
        let batch = (!self.functions_given().is_empty()).then(|| {
            let n = self.batch_literal();
            quote! {
                #[doc = " How many samples a step takes at most."]
                pub const BATCH: usize = #n;
            }
        });
        let operations = cost::operations_per_step(self.programs) / self.batch_size().max(1) as u64;
        let operations = Literal::u64_unsuffixed(operations);
        let per = if batch.is_some() { " per sample" } else { "" };
        let doc = format!(" Arithmetic operations of a step{per}.");
        let settings = self.settings();
        quote! {
            #batch
            #[doc = #doc]
            pub const OPERATIONS: u64 = #operations;
            #[doc = " Bytes that a step works on besides the model."]
            pub const WORKSPACE_BYTES: usize = ::core::mem::size_of::<#workspace>();
            #[doc = " What the model's `train { ... }` says."]
            pub const SETTINGS: #rt::FitOptions = #settings;
        }
    }

    fn settings(&self) -> TokenStream {
        let (rt, s) = (&self.rt, &self.programs.settings);
        let epochs = match (s.epochs, s.steps) {
            (Some(n), _) => {
                let n = Literal::u64_unsuffixed(n as u64);
                quote!(#n)
            }
            (None, Some(_)) => quote!(u64::MAX),
            (None, None) => quote!(1),
        };
        let steps = option(s.steps.map(|n| {
            let n = Literal::u64_unsuffixed(n as u64);
            quote!(#n)
        }));
        let until = option(s.until.map(|u| match u {
            Until::MeanLossBelow(x) => crate::code::Code::real(x, Elem::F64).tokens,
        }));
        let (shuffle, seed, drop_last) = (s.shuffle, Literal::u64_unsuffixed(s.seed), s.drop_last);
        quote! {
            #rt::FitOptions {
                epochs: #epochs,
                steps: #steps,
                until: #until,
                shuffle: #shuffle,
                seed: #seed,
                drop_last: #drop_last,
            }
        }
    }

    fn construction(&self) -> TokenStream {
        let (model, seed) = (&self.layout.types.model, Literal::u64_unsuffixed(self.programs.settings.seed));
        let threads = self.shares_steps().then(|| {
            let parts = self.most_threads();
            let doc =
                format!(" On how many threads a step runs at most, of which {parts} can have work; 0: as many as");
            quote! {
                #[doc = #doc]
                #[doc = " the machine has. The numbers do not depend on it."]
                pub fn set_threads(&mut self, threads: usize) {
                    self.workspace.threads = threads;
                }
            }
        });
        quote! {
            #[doc = " A new model and its trainer; see `new` of the model."]
            pub fn new(seed: u64) -> Self {
                let mut trainer = Self::ZERO;
                trainer.init(seed);
                trainer
            }
            #[doc = " Trains a model from where it is, with a new state of the optimizer."]
            pub fn from_model(model: #model) -> Self {
                let mut trainer = Self { model, ..Self::ZERO };
                trainer.workspace.init(&trainer.model, #seed);
                trainer
            }
            #[doc = " Begins anew, in place."]
            pub fn init(&mut self, seed: u64) {
                self.model.init(seed);
                self.workspace.init(&self.model, seed);
            }
            #[doc = " How many steps the model has been trained for."]
            pub fn steps(&self) -> u64 {
                self.workspace.steps
            }
            #threads
            #[doc = " Sets that number, which schedules depend on: for going on with training"]
            #[doc = " from a saved state."]
            pub fn set_steps(&mut self, steps: u64) {
                self.workspace.steps = steps;
            }
        }
    }

    /// The methods of a model that takes no samples.
    fn plain_methods(&self) -> TokenStream {
        let (rt, loss, model) = (&self.rt, self.loss_type(), &self.layout.types.model);
        let evaluate = self.has_metrics().then(|| {
            let (ty, fields) = (&self.layout.types.evaluation, self.evaluated());
            let values = fields.iter().map(|(public, private)| {
                let (public, private) = (&public.name, self.result(private));
                quote!(#public: self.workspace.#private,)
            });
            quote! {
                #[doc = " The loss and the metrics."]
                pub fn evaluate(&mut self) -> #ty {
                    self.workspace.evaluate(&self.model);
                    #ty { #(#values)* }
                }
            }
        });
        let gradients = self.layout.gradients.then(|| {
            let place = self.gradients_place();
            quote! {
                #[doc = " The derivatives of the loss by the parameters, in their places."]
                pub fn gradients(&mut self) -> &#model {
                    self.workspace.gradients(&self.model);
                    &self.workspace.#place
                }
            }
        });
        let model_argument = self.step_model();
        let repeat = self.repeats().then(|| {
            quote! {
                #[doc = " As many steps, at least one; the loss before the last. What a step needs at its"]
                #[doc = " beginning is done once, and the parameters stay in registers where they fit."]
                pub fn repeat(&mut self, times: u64) -> #loss {
                    self.workspace.repeat(#model_argument, ::core::cmp::Ord::max(times, 1))
                }
            }
        });
        quote! {
            #[doc = " One step of training; the loss before it."]
            pub fn step(&mut self) -> #loss { self.workspace.step(#model_argument) }
            #repeat
            #[doc = " The loss, with nothing changed."]
            pub fn loss(&mut self) -> #loss { self.workspace.loss(&self.model) }
            #evaluate
            #gradients
            #[doc = " Takes steps until one of the reasons to stop holds; an epoch is one step."]
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = ""]
            #[doc = " None: for likeness with models that take samples."]
            pub fn fit(
                &mut self,
                options: &#rt::FitOptions,
                on_epoch: impl ::core::ops::FnMut(&#rt::Epoch) -> ::core::ops::ControlFlow<()>,
            ) -> ::core::result::Result<#rt::Fit, #rt::Error> {
                #rt::fit(self, (), options, on_epoch)
            }
        }
    }

    /// `&mut self.model`, or `&self.model` where no step changes the model.
    pub(crate) fn step_model(&self) -> TokenStream {
        let changes = self.entry_routines(crate::workspace::Entry::Step).iter().any(|r| {
            r.functions
                .iter()
                .flat_map(|f| &f.arguments)
                .any(|(id, unique)| *unique && matches!(self.layout.train.get(id), Some(crate::layout::Spot::Model(_))))
        });
        if changes { quote!(&mut self.model) } else { quote!(&self.model) }
    }

    /// The methods of a model that takes samples.
    fn sample_methods(&self) -> TokenStream {
        let (rt, loss) = (&self.rt, self.loss_type());
        let sampled = self.functions_given();
        let parameters: Vec<TokenStream> = sampled.iter().map(Sampled::slice_parameter).collect();
        let names: Vec<&Ident> = sampled.iter().map(|s| &s.name).collect();
        let tokens: Vec<TokenStream> = names.iter().map(|n| quote!(#n)).collect();
        let (given, batch) = (tuple(&tokens), &self.layout.types.batch);
        let model_argument = self.step_model();
        let size = self.batch_size();
        let doc = format!(" One step of training on 1 to {size} samples; their mean loss before it.");
        let arguments = doc_lines(&sampled.iter().map(argument).collect::<Vec<_>>());
        let gradients = self.gradients(&parameters, &names, &given);
        let repeat = self.repeats().then(|| {
            quote! {
                #[doc = " As many steps on the same samples, at least one; the loss before the last. What a"]
                #[doc = " step needs at its beginning is done once, and the parameters stay in registers"]
                #[doc = " where they fit."]
                #[doc = ""]
                #[doc = " # Errors"]
                #[doc = ""]
                #[doc = " As for [`Self::step`]."]
                pub fn repeat(&mut self, #(#parameters)* times: u64) -> ::core::result::Result<#loss, #rt::Error> {
                    let samples = #batch::check_step(#(#names),*)?;
                    let #given = self.batch.lanes(#(#names),*);
                    ::core::result::Result::Ok(
                        self.workspace.repeat(#model_argument, #(#names,)* samples, ::core::cmp::Ord::max(times, 1)),
                    )
                }
            }
        });
        let (mean_loss, evaluate) =
            (self.mean_loss(&parameters, &names, &given), self.evaluate(&parameters, &names, &given));
        quote! {
            #[doc = #doc]
            #[doc = ""]
            #arguments
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = ""]
            #[doc = " No samples or too many, lengths that differ, or an integer outside its"]
            #[doc = " range. Nothing has changed then."]
            pub fn step(&mut self, #(#parameters)*) -> ::core::result::Result<#loss, #rt::Error> {
                let samples = #batch::check_step(#(#names),*)?;
                let #given = self.batch.lanes(#(#names),*);
                ::core::result::Result::Ok(self.workspace.step(#model_argument, #(#names,)* samples))
            }
            #repeat
            #mean_loss
            #evaluate
            #gradients
            #[doc = " Trains over epochs until one of the reasons to stop holds."]
            #[doc = " [`Self::SETTINGS`] are the options that the model declares."]
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = ""]
            #[doc = " No samples, lengths that differ, or an integer outside its range. Nothing"]
            #[doc = " has changed then."]
            pub fn fit(
                &mut self,
                #(#parameters)*
                options: &#rt::FitOptions,
                on_epoch: impl ::core::ops::FnMut(&#rt::Epoch) -> ::core::ops::ControlFlow<()>,
            ) -> ::core::result::Result<#rt::Fit, #rt::Error> {
                #rt::fit(self, #given, options, on_epoch)
            }
        }
    }

    fn gradients(&self, parameters: &[TokenStream], names: &[&Ident], given: &TokenStream) -> TokenStream {
        if !self.layout.gradients {
            return TokenStream::new();
        }
        let (rt, model, batch) = (&self.rt, &self.layout.types.model, &self.layout.types.batch);
        let place = self.gradients_place();
        quote! {
            #[doc = " The derivatives of the mean loss of some samples, at most a batch, by the"]
            #[doc = " parameters, in their places."]
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = ""]
            #[doc = " As for [`Self::step`]."]
            pub fn gradients(&mut self, #(#parameters)*) -> ::core::result::Result<&#model, #rt::Error> {
                let samples = #batch::check_step(#(#names),*)?;
                let #given = self.batch.lanes(#(#names),*);
                self.workspace.gradients(&self.model, #(#names,)* samples);
                ::core::result::Result::Ok(&self.workspace.#place)
            }
        }
    }

    /// `for (image, label) in zip(image.chunks(32), label.chunks(32)) { ... }` with the body
    /// run for each batch; `weight` is the share of its samples.
    fn chunks(&self, names: &[&Ident], given: &TokenStream, body: &TokenStream) -> TokenStream {
        let n = self.batch_literal();
        let mut chunked = names.iter();
        let first = chunked.next();
        let all =
            chunked.fold(quote!(#first.chunks(#n)), |all, name| quote!(::core::iter::zip(#all, #name.chunks(#n))));
        let (pattern, _) = zipped(names);
        quote! {
            for #pattern in #all {
                let part = #first.len();
                let weight = part as f64 / samples as f64;
                let #given = self.batch.lanes(#(#names),*);
                #body
            }
        }
    }

    fn mean_loss(&self, parameters: &[TokenStream], names: &[&Ident], given: &TokenStream) -> TokenStream {
        let (rt, loss, batch) = (&self.rt, self.loss_type(), &self.layout.types.batch);
        let wide = as_f64(quote!(self.workspace.loss(&self.model, #(#names,)* part)), self.loss_elem());
        let chunks = self.chunks(names, given, &quote!(sum += weight * #wide;));
        let result = from_f64(quote!(sum), self.loss_elem());
        quote! {
            #[doc = " The mean loss of any number of samples, with nothing changed."]
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = ""]
            #[doc = " No samples, lengths that differ, or an integer outside its range."]
            pub fn loss(&mut self, #(#parameters)*) -> ::core::result::Result<#loss, #rt::Error> {
                let samples = #batch::check(#(#names),*)?;
                let mut sum = 0.0;
                #chunks
                ::core::result::Result::Ok(#result)
            }
        }
    }

    pub(crate) fn loss_elem(&self) -> Elem {
        self.loss_field().map_or(Elem::F32, |f| f.elem)
    }

    fn evaluate(&self, parameters: &[TokenStream], names: &[&Ident], given: &TokenStream) -> TokenStream {
        if !self.has_metrics() {
            return TokenStream::new();
        }
        let (rt, ty, batch) = (&self.rt, &self.layout.types.evaluation, &self.layout.types.batch);
        let fields = self.evaluated();
        let n = Literal::usize_unsuffixed(fields.len());
        let is_total = |f: &Field| self.total_of(&f.path);
        let sums = fields.iter().enumerate().filter(|(_, (_, f))| is_total(f).is_none()).map(|(i, (_, f))| {
            let (i, name) = (Literal::usize_unsuffixed(i), self.result(f));
            let wide = as_f64(quote!(self.workspace.#name), f.elem);
            quote!(sums[#i] += weight * #wide;)
        });
        let n_totals = Literal::usize_unsuffixed(self.programs.totals.sums.len());
        let has_totals = !self.programs.totals.metrics.is_empty();
        let totals = has_totals.then(|| quote!(let mut totals = [0.0; #n_totals];));
        let added = self.totals_added();
        let body = quote! {
            self.workspace.evaluate(&self.model, #(#names,)* part);
            #(#sums)*
            #added
        };
        let chunks = self.chunks(names, given, &body);
        let values = fields.iter().enumerate().map(|(i, (f, _))| {
            let (i, name) = (Literal::usize_unsuffixed(i), &f.name);
            let value = is_total(f).unwrap_or_else(|| quote!(sums[#i]));
            let value = from_f64(value, f.elem);
            quote!(#name: #value,)
        });
        quote! {
            #[doc = " The loss and the metrics over any number of samples."]
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = ""]
            #[doc = " No samples, lengths that differ, or an integer outside its range."]
            pub fn evaluate(&mut self, #(#parameters)*) -> ::core::result::Result<#ty, #rt::Error> {
                let samples = #batch::check(#(#names),*)?;
                let mut sums = [0.0; #n];
                #totals
                #chunks
                ::core::result::Result::Ok(#ty { #(#values)* })
            }
        }
    }

    /// The loss and each metric: the field of the result, and that of the workspace.
    pub(crate) fn evaluated(&self) -> Vec<(Field, &Field)> {
        let mut names = Namer::reserving(&["loss"]);
        let train = &self.programs.train;
        let find = |name: &str| self.workspace_field(name);
        let loss = self.evaluation_field().or_else(|| self.loss_field());
        let loss = loss.map(|f| (Field { name: ident("loss"), ..f.clone() }, f));
        let metrics = train
            .buffers
            .iter()
            .filter(|b| b.role == BufferRole::Metric && !self.programs.totals.sums.contains(&b.name))
            .filter_map(|b| {
                let f = find(&b.name)?;
                Some((Field { name: ident(&names.unique(&field(&b.name))), ..f.clone() }, f))
            });
        let metrics: Vec<_> = metrics.collect();
        loss.into_iter().chain(metrics).collect()
    }

    /// The result of `evaluate`.
    fn evaluation(&self) -> TokenStream {
        if !self.has_metrics() {
            return TokenStream::new();
        }
        let (name, trainer) = (&self.layout.types.evaluation, &self.layout.types.trainer);
        let fields: Vec<Field> = self.evaluated().into_iter().map(|(f, _)| f).collect();
        let allow = allow_names(name, &fields);
        let functions = if self.programs.totals.metrics.is_empty() { "" } else { ", and functions of sums over them" };
        let doc = format!(" What [`{trainer}::evaluate`] gives: means over the samples{functions}.");
        let members = fields.iter().enumerate().map(|(i, f)| {
            let (name, ty) = (&f.name, elem_type(f.elem));
            let doc = if i == 0 { " The loss.".to_owned() } else { format!(" The metric `{}`.", f.path) };
            quote!(#[doc = #doc] pub #name: #ty,)
        });
        quote! {
            #[doc = #doc]
            #allow
            #[allow(dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::cmp::PartialEq)]
            pub struct #name { #(#members)* }
        }
    }
}

/// What an argument holds, as a line of a list.
fn argument(s: &Sampled<'_>) -> String {
    let shape = if s.shape.is_empty() { "a number".to_owned() } else { shape_words(s.shape) };
    let range = s.buffer.range.map(|(low, high)| format!(" in `{low}..{high}`")).unwrap_or_default();
    format!(" * `{}`: {shape}{range} for each sample", s.name)
}

/// `Some(x)` or `None`.
fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

fn as_f64(value: TokenStream, elem: Elem) -> TokenStream {
    if elem == Elem::F64 { value } else { quote!(#value as f64) }
}

fn from_f64(value: TokenStream, elem: Elem) -> TokenStream {
    if elem == Elem::F64 { value } else { quote!(#value as f32) }
}
