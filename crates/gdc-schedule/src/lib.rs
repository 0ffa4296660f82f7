//! From the tensor graph to loop programs: which routine computes what, what is stored, what
//! shares a loop nest, and in which shape of loops each nest runs.

mod apart;
mod borders;
mod build;
mod cut;
mod dot;
mod emit;
mod group;
mod guards;
mod int;
mod kernels;
mod lanes;
mod lines;
mod map;
mod nest;
mod pack;
mod panel;
mod parts;
mod places;
mod plan;
mod prune;
mod segments;
mod share;
mod split;
mod squeeze;
mod steps;
mod storage;
mod tile;
mod unroll;
mod views;

use build::Build;
use gdc_ir::program::{Program, Programs, Routine, Stream, Totals};
use gdc_ir::{Model, Named, NodeId};
use group::Group;
use plan::{Form, Plan};
use std::collections::BTreeSet;

/// So much of a step in pieces is shared well.
const ENOUGH: f64 = 0.8;

/// Schedules a model.
///
/// `model` is the whole batched training graph: loss, metrics, gradients, updates and initial
/// values, with the batch as explicit first axis of every per-sample node. `sample` is the
/// same model for one sample, without that axis, of which only the outputs are computed.
pub fn schedule(model: &Model, sample: &Model) -> Programs {
    schedule_with(model, sample, &[])
}

/// [`schedule`], with nodes that are computed with the metrics and are none of them; the result
/// names their buffers.
pub fn schedule_with(model: &Model, sample: &Model, sums: &[NodeId]) -> Programs {
    let mut model = model.clone();
    let named = |(k, &node): (usize, &NodeId)| Named { name: format!("total.{k}"), node };
    let named: Vec<Named> = sums.iter().enumerate().map(named).collect();
    let totals = Totals { sums: named.iter().map(|n| n.name.clone()).collect(), metrics: Vec::new() };
    model.metrics.extend(named);
    let model = &model;
    let (mut train, one_thread) = shared(model, train(model));
    share::share_places(&mut train);
    Programs {
        name: model.name.clone(),
        docs: model.docs.clone(),
        init: program(model, Plan::init(model), None),
        train,
        predict: predict(sample),
        entries: Vec::new(),
        stream: None,
        totals,
        settings: model.settings.clone(),
        one_thread,
    }
}

/// The program of an entry point, given like `sample` of [`schedule`].
pub fn predict(sample: &Model) -> Program {
    program(sample, Plan::predict(sample), None)
}

/// The programs of a streaming form: a model of one time of one sample, whose states are what is
/// carried.
pub fn stream(step: &Model) -> Stream {
    let start = Model { params: Vec::new(), ..step.clone() };
    let start = program(&start, Plan::init(&start), None);
    let plan = |deferred: &BTreeSet<NodeId>| Some(Plan::stream(step, deferred));
    Stream { start, step: in_order(step, None, &plan).unwrap_or_default() }
}

/// A training program for the threads that the model asks for, or why one has to do. Kernels are
/// cut where that leaves little to one thread. Where samples lie side by side in lanes, rows are
/// none of theirs; then a batch is cut as a whole.
fn shared(model: &Model, mut train: Program) -> (Program, Option<String>) {
    let most = match parts::asked(model) {
        Ok(most) => most,
        Err(reason) => return (train, reason),
    };
    let pieces = cut::pieces(&train, most);
    let (parts, obstacle) = parts::parts(model);
    let enough = pieces.is_some_and(|(_, shares)| shares.share() >= ENOUGH);
    if !enough
        && parts > 0
        && let Some(program) = train_in_parts(model, parts)
    {
        return (program, None);
    }
    match pieces {
        Some((pieces, _)) => cut::cut(&mut train, pieces),
        None => return (train.clone(), obstacle.or_else(|| cut::obstacle(&train))),
    }
    (train, None)
}

/// The training program of a batch in parts: its samples are those of one part. None if the
/// parts are not apart from each other.
fn train_in_parts(model: &Model, parts: usize) -> Option<Program> {
    let batch = model.settings.batch? / parts;
    let settings = gdc_ir::Settings { batch: Some(batch), ..model.settings.clone() };
    let part = Model { graph: model.graph.with_batch(batch), settings, ..model.clone() };
    let plan =
        |deferred: &BTreeSet<NodeId>| Some(Plan::train(&part, deferred, Form::InParts)).filter(|p| p.phases.is_some());
    let program = in_order(&part, Some(batch), &plan)?;
    Some(Program { parts, ..program })
}

/// The training program with every kernel cut into so many pieces that can be: what threads get
/// of it where a step is worth sharing.
pub fn train_in_pieces(model: &Model, pieces: usize) -> Program {
    let mut program = train(model);
    cut::cut(&mut program, pieces);
    share::share_places(&mut program);
    program
}

/// The training program of a whole batch.
fn train(model: &Model) -> Program {
    let form = if unroll::can_sweep(model) { Form::Swept } else { Form::Whole };
    let plan = |deferred: &BTreeSet<NodeId>| Some(Plan::train(model, deferred, form));
    in_order(model, model.settings.batch, &plan).unwrap_or_default()
}

/// A program that updates leaves. Updates that another one would overtake are deferred until an
/// order is found; with all deferred there is one.
fn in_order(model: &Model, batch: Option<usize>, plan: &dyn Fn(&BTreeSet<NodeId>) -> Option<Plan>) -> Option<Program> {
    let mut deferred = BTreeSet::new();
    loop {
        let mut plan = plan(&deferred)?;
        plan.inline_cheap();
        let (groups, more) = group::groups(&plan);
        let before = deferred.len();
        deferred.extend(more);
        if deferred.len() == before {
            return Some(assemble(model, &plan, &groups, batch));
        }
    }
}

fn program(model: &Model, mut plan: Plan, batch: Option<usize>) -> Program {
    plan.inline_cheap();
    let (groups, _) = group::groups(&plan);
    assemble(model, &plan, &groups, batch)
}

/// Buffers and kernels for groups.
fn assemble(model: &Model, plan: &Plan, groups: &[Group], batch: Option<usize>) -> Program {
    let mut build =
        Build::new(Program { name: model.name.clone(), precision: model.precision, batch, ..Program::default() });
    let storage = storage::Storage::new(plan, model, groups, &mut build);
    for (r, name) in plan.routines.iter().enumerate() {
        let mut list = Vec::new();
        // A step goes past the metrics, so it finds no copies that they made; and what predicts
        // otherwise than it trains is evaluated without the routines before.
        let metrics = name.starts_with("metrics");
        // Parts find no copies that were made once for all of them.
        let made = (metrics || name.ends_with("_total")).then(|| build.packed.clone());
        if metrics && model.evaluation.is_some() || *name == plan::SWEEP {
            build.packed.clear();
        }
        let here: Vec<&Group> = groups.iter().filter(|g| g.routine == r).collect();
        for run in here.chunk_by(|a, b| a.scan.is_some() && a.scan.map(|s| s.0) == b.scan.map(|s| s.0)) {
            list.extend(match run {
                [group] if group.scan.is_none() => kernels::kernels(plan, &storage, &mut build, group, None),
                run => {
                    let scan = run.first().and_then(|g| g.scan).map_or(0, |s| s.0);
                    kernels::steps(plan, &storage, &mut build, run, scan)
                }
            });
        }
        if let Some(made) = made {
            build.packed = made;
        }
        let sums = plan.phases.iter().flat_map(|p| &p.sums).filter(|id| plan.routine_of.get(id) == Some(&r));
        let partial = sums.filter_map(|&id| storage.buffer(id)).collect();
        build.program.routines.push(Routine { name: (*name).to_owned(), kernels: list, partial });
    }
    build.program
}
