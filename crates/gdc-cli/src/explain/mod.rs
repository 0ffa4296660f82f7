//! `gdc explain`: a model's layers, its equations forward and backward, and how each derivative
//! was found.

mod forms;
mod html;
mod latex;
pub mod layers;
pub mod math;
mod mathml;
pub mod names;
mod rules;
pub mod sections;
mod svg;
pub mod unicode;

use crate::cli::{ExplainArgs, Format};
use crate::fault::{Fault, Outcome};
use crate::files::{print, write_whole};
use crate::report;
use crate::spec::Spec;
use crate::text::{bytes, count, grouped, shape, table};
use gdc_driver::{Failure, Options, Output};
use gdc_ir::graph::{Leaf, Model, Until};
use gdc_ir::{NodeId, text::number};
use layers::{Parts, Table};
use math::{Equation, Sign};
use names::Names;
use rules::Derivation;
use sections::Section;
use std::collections::BTreeMap;

/// Shows the explanation, or writes it to a file.
pub fn run(args: &ExplainArgs) -> Outcome {
    let spec = Spec::read(&args.spec.file)?;
    let explained = Explained::new(&spec, args.spec.model.clone())?;
    let text = match args.format {
        Format::Text => explained.text(),
        Format::Latex => explained.latex(),
        Format::Html => html::page(&explained),
    };
    match &args.out {
        Some(path) => write_whole(path, text.as_bytes()),
        None => {
            print(&text);
            Ok(())
        }
    }
}

/// How some parameters change in a step.
#[derive(Default)]
pub struct Update {
    /// For the first of the parameters, or for none in particular.
    pub equations: Vec<Equation>,
    /// The parameters that change in this way.
    pub of: Vec<String>,
}

impl Update {
    /// Which other parameters change likewise.
    pub fn likewise(&self) -> Option<String> {
        (self.of.len() > 1).then(|| format!("and likewise {}", self.of[1..].join(", ")))
    }
}

/// Everything that is told about a model.
pub struct Explained {
    /// The spec's text.
    pub spec: String,
    /// The compiled model.
    pub output: Output,
    /// Its layers.
    pub table: Table,
    /// Values from inputs to losses, outputs and metrics.
    pub forward: Vec<Section>,
    /// Derivatives, from the loss backwards.
    pub backward: Vec<Equation>,
    /// How each came about.
    pub derivations: Vec<Derivation>,
    /// Next values.
    pub update: Vec<Update>,
    /// Initial values.
    pub initial: Vec<Equation>,
    /// Entry points, and a step of the stream.
    pub points: Vec<Section>,
    /// What the tensors are called in them.
    pub names: Names,
}

impl Explained {
    /// Compiles a spec and takes it apart; what is wrong with it is shown.
    pub fn new(spec: &Spec, model: Option<String>) -> Outcome<Explained> {
        match Explained::try_new(spec, model) {
            Ok(explained) => {
                report::human(&explained.output.warnings, &explained.output.sources);
                Ok(explained)
            }
            Err(failure) => {
                report::human(&failure.diagnostics, &failure.sources);
                Err(Fault::Shown)
            }
        }
    }

    /// The same without showing anything.
    pub fn try_new(spec: &Spec, model: Option<String>) -> Result<Explained, Box<Failure>> {
        let mut raw: Option<Model> = None;
        let options = Options { model, ..Options::default() };
        let output = gdc_driver::compile_observed(&spec.source, &options, &mut |pass, model| {
            if pass == "differentiate" {
                raw = Some(model.clone());
            }
        })?;
        let model = &output.model;
        let names = Names::new(model, true);
        let parts = Parts::of(model);
        let table = Table::new(&output);
        let all = |ids: &mut dyn Iterator<Item = NodeId>| -> Vec<Equation> {
            ids.filter(|id| !names.is_inlined(*id)).filter_map(|id| math::equation(model, &names, id)).collect()
        };
        let forward = sections::forward(model, &names, &parts);
        let points = sections::points(&output);
        let update = updates(model, &names, &parts);
        let initial = initial(model, &names);
        let backward = all(&mut parts.backward.iter().copied());
        let derivations = raw.map(|raw| rules::derivations(&raw, model, &names)).unwrap_or_default();
        Ok(Explained {
            spec: spec.source.text.clone(),
            table,
            forward,
            backward,
            derivations,
            update,
            initial,
            points,
            names,
            output,
        })
    }

    fn model(&self) -> &Model {
        &self.output.model
    }

    fn text(&self) -> String {
        let model = self.model();
        let mut out = format!("model {}\n", model.name);
        model.docs.iter().for_each(|line| out.push_str(&format!("  {}\n", line.trim())));
        out.push_str(&format!("\n{}\n{}", self.layer_table(), self.totals()));
        let mut section = |title: &str, lines: Vec<String>| {
            if !lines.is_empty() {
                out.push_str(&format!("\n{title}\n\n"));
                lines.iter().for_each(|line| out.push_str(&format!("  {}\n", line.replace('\n', "\n  "))));
            }
        };
        self.forward.iter().for_each(|s| section(&s.title, s.lines()));
        section("Backward", self.backward.iter().map(unicode::equation).collect());
        let updates = self
            .update
            .iter()
            .flat_map(|u| u.equations.iter().map(unicode::equation).chain(u.likewise()).collect::<Vec<_>>());
        section("Update", updates.collect());
        section("Initial values", self.initial.iter().map(unicode::equation).collect());
        self.points.iter().for_each(|s| section(&s.title, s.lines()));
        section("How each derivative was found", self.derivations.iter().map(derivation_text).collect());
        section("Notation", self.notation());
        out
    }

    /// The rows of the table, heads first.
    pub fn layer_rows(&self) -> (Vec<&'static str>, Vec<Vec<String>>) {
        let head = vec!["layer", "", "shape", "parameters", "weights", "stored", "forward", "backward"];
        let memory = |n: u64| if n == 0 { "-".to_owned() } else { bytes(n) };
        let rows = self.table.layers.iter().map(|l| {
            let params = match (l.params, l.frozen) {
                (0, _) => "-".to_owned(),
                (n, 0) => grouped(n),
                (n, f) if n == f => format!("{} (frozen)", grouped(n)),
                (n, f) => format!("{} ({} frozen)", grouped(n), grouped(f)),
            };
            vec![
                l.name.clone(),
                l.kind.word().to_owned(),
                shape(&l.shape),
                params,
                memory(l.param_bytes),
                memory(l.stored_bytes),
                count(l.forward),
                count(l.backward),
            ]
        });
        (head, rows.collect())
    }

    fn layer_table(&self) -> String {
        let (head, rows) = self.layer_rows();
        table(&head, &rows, &[false, false, false, true, true, true, true, true])
    }

    /// What does not belong to one layer, in lines.
    fn totals(&self) -> String {
        self.total_lines().iter().map(|(name, value)| format!("{name:<28}{value}\n")).collect()
    }

    /// Names and values of the totals.
    pub fn total_lines(&self) -> Vec<(&'static str, String)> {
        let t = &self.table;
        let settings = &self.model().settings;
        let mut training: Vec<String> = Vec::new();
        training.extend(settings.batch.map(|n| format!("batches of {n}")));
        training.extend(settings.epochs.map(|n| format!("{n} epochs")));
        training.extend(settings.steps.map(|n| format!("{n} steps")));
        if let Some(Until::MeanLossBelow(x)) = settings.until {
            training.push(format!("until the mean loss is below {}", number(x)));
        }
        if t.batch.is_some() {
            training.push(if settings.shuffle { "shuffled" } else { "in order" }.to_owned());
        }
        let per = if t.batch.is_some() { "per sample" } else { "per step" };
        vec![
            ("parameters", format!("{} ({})", grouped(t.params), bytes(t.params * t.width))),
            ("kept from step to step", format!("{} ({})", grouped(t.state), bytes(t.state * t.width))),
            ("workspace of training", bytes(t.workspace)),
            ("operations of a step", format!("{} {per}, as generated", count(t.step_operations))),
            ("operations of an update", count(t.update)),
            ("training", if training.is_empty() { "one epoch".to_owned() } else { training.join(", ") }),
        ]
    }

    /// What the signs mean, as far as they occur.
    pub fn notation(&self) -> Vec<String> {
        let model = self.model();
        let mut lines = vec!["L is the loss, and ∂L/∂z its derivative by z.".to_owned()];
        if model.sample_weight.is_some() {
            lines.push("(b) counts the n samples of a step; all other indices count from 0.".to_owned());
        }
        if model.graph.nodes().any(|(_, n)| n.leaf() == Some(Leaf::Counter)) {
            lines.push("t counts the updates made so far.".to_owned());
        }
        lines.push("[c] is 1 where c holds and 0 elsewhere; log is the natural logarithm.".to_owned());
        lines.push("Cost: arithmetic operations per sample, a function counted as one.".to_owned());
        lines.push("Stored: what a training step keeps of the layer's values, for a whole batch.".to_owned());
        lines
    }

    fn latex(&self) -> String {
        let mut out = format!("% {} as gdc computes it. Needs the package amsmath.\n", self.model().name);
        let mut section = |title: &str, lines: Vec<String>| {
            if !lines.is_empty() {
                out.push_str(&format!("\n\\subsection*{{{title}}}\n"));
                out.push_str(&format!("\\begin{{align*}}\n  {}\n\\end{{align*}}\n", lines.join(" \\\\\n  ")));
            }
        };
        let equations = |s: &Section| s.equations.iter().map(latex::equation).collect();
        self.forward.iter().for_each(|s| section(&s.title, equations(s)));
        section("Backward", self.backward.iter().map(latex::equation).collect());
        section("Update", self.update.iter().flat_map(|u| &u.equations).map(latex::equation).collect());
        self.points.iter().for_each(|s| section(&s.title, equations(s)));
        out
    }
}

/// Next values, and what they need besides gradients. Parameters that change by the same
/// formulas are told once.
fn updates(model: &Model, names: &Names, parts: &Parts) -> Vec<Update> {
    let graph = &model.graph;
    let mut shared = Update::default();
    let mut groups: Vec<(Vec<String>, Update)> = Vec::new();
    let mut own: BTreeMap<NodeId, (Vec<String>, Update)> = BTreeMap::new();
    for &id in parts.update.iter().filter(|id| !names.is_inlined(**id)) {
        let Some(mut equation) = math::equation(model, names, id) else { continue };
        let target = model.updates.iter().find(|u| u.value == id).map(|u| u.target);
        if let (Some(target), math::Math::Symbol(left)) = (target, &mut equation.left) {
            equation.sign = Sign::Becomes;
            (left.layer, left.base) = names.parts(&graph.node(target).name);
        }
        let name = &graph.node(target.unwrap_or(id)).name;
        let inside = |p: &NodeId| {
            let param = &graph.node(*p).name;
            name == param || name.strip_prefix(param.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        let Some(param) = model.params.iter().map(|p| p.node).find(inside) else {
            shared.equations.push(equation);
            continue;
        };
        let (layer, base) = names.parts(&graph.node(param).name);
        let short = if layer.is_empty() { base } else { format!("{layer}.{base}") };
        let (forms, update) = own.entry(param).or_default();
        forms.push(form(&unicode::equation(&equation), &short));
        update.equations.push(equation);
        update.of = vec![short];
    }
    for (forms, update) in own.into_values() {
        match groups.iter_mut().find(|(known, _)| *known == forms) {
            Some((_, group)) => group.of.extend(update.of),
            None => groups.push((forms, update)),
        }
    }
    let shared = (!shared.equations.is_empty()).then_some(shared);
    shared.into_iter().chain(groups.into_iter().map(|(_, update)| update)).collect()
}

/// A line of an update without the parameter's name and the indices of its elements.
fn form(line: &str, param: &str) -> String {
    let mut depth = 0;
    let plain = |c: &char| {
        depth += i32::from(*c == '[');
        let inside = depth > 0;
        depth -= i32::from(*c == ']');
        !inside && !"ᵢⱼₖₗₘₙₚᵣ".contains(*c)
    };
    line.replace(param, "θ").chars().filter(plain).collect()
}

/// Initial values, under the names of what they are for.
fn initial(model: &Model, names: &Names) -> Vec<Equation> {
    let kept = model.params.iter();
    kept.filter_map(|kept| {
        let mut equation = math::equation(model, names, kept.init)?;
        if let math::Math::Symbol(left) = &mut equation.left {
            (left.layer, left.base) = names.parts(&model.graph.node(kept.node).name);
        }
        Some(equation)
    })
    .collect()
}

fn derivation_text(d: &Derivation) -> String {
    let mut lines = Vec::new();
    for (reader, rules) in &d.steps {
        lines.push(format!("from {}", unicode::equation(reader)));
        lines.extend(rules.iter().map(|rule| format!("  {rule}")));
    }
    lines.push(format!("found       {}", unicode::equation(&d.found)));
    match &d.simplified {
        Some(e) if unicode::equation(e) == unicode::equation(&d.found) => {}
        Some(e) => lines.push(format!("simplified  {}", unicode::equation(e))),
        None => lines.push("            (stands in the formulas that need it)".to_owned()),
    }
    format!("∂L/∂{}\n  {}\n", d.of, lines.join("\n").replace('\n', "\n  "))
}
