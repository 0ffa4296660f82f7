//! From the tensor graph to loop programs: which routine computes what, what is stored, what
//! shares a loop nest, and in which shape of loops each nest runs.

mod apart;
mod borders;
mod build;
mod dot;
mod emit;
mod group;
mod guards;
mod int;
mod kernels;
mod lanes;
mod nest;
mod pack;
mod panel;
mod places;
mod plan;
mod prune;
mod segments;
mod split;
mod squeeze;
mod steps;
mod storage;
mod tile;
mod unroll;
mod views;

use build::Build;
use gdc_ir::Model;
use gdc_ir::program::{Program, Programs, Routine};
use group::Group;
use plan::Plan;
use std::collections::BTreeSet;

/// Schedules a model.
///
/// `model` is the whole batched training graph: loss, metrics, gradients, updates and initial
/// values, with the batch as explicit first axis of every per-sample node. `sample` is the
/// same model for one sample, without that axis, of which only the outputs are computed.
pub fn schedule(model: &Model, sample: &Model) -> Programs {
    Programs {
        name: model.name.clone(),
        docs: model.docs.clone(),
        init: program(model, Plan::init(model), None),
        train: train(model),
        predict: predict(sample),
        entries: Vec::new(),
        settings: model.settings.clone(),
    }
}

/// The program of an entry point, given like `sample` of [`schedule`].
pub fn predict(sample: &Model) -> Program {
    program(sample, Plan::predict(sample), None)
}

/// The training program. Updates that another one would overtake are deferred until an order
/// is found; with all deferred there is one.
fn train(model: &Model) -> Program {
    let mut deferred = BTreeSet::new();
    loop {
        let mut plan = Plan::train(model, &deferred);
        plan.inline_cheap();
        let (groups, more) = group::groups(&plan);
        let before = deferred.len();
        deferred.extend(more);
        if deferred.len() == before {
            return assemble(model, &plan, &groups, model.settings.batch);
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
        let made = (*name == "metrics").then(|| build.packed.clone());
        if made.is_some() && model.evaluation.is_some() {
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
        build.program.routines.push(Routine { name: (*name).to_owned(), kernels: list });
    }
    build.program
}
