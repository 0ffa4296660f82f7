//! Runs a model's programs and holds every buffer against the interpreter.

use super::evaluate::{Machine, SEED};
use gdc_interp::{Bindings, Tensor, evaluate};
use gdc_ir::program::{BufferRole, Program, Programs};
use gdc_ir::{Leaf, Model, NodeId, Ty};

/// Numbers that look random and are the same each time.
pub fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
    (0..n)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0
        })
        .collect()
}

/// Values for every leaf of a model.
fn leaf_values(model: &Model) -> Vec<(NodeId, Vec<f64>)> {
    let graph = &model.graph;
    let leaves = graph.nodes().filter_map(|(id, n)| n.leaf().map(|leaf| (id, n, leaf)));
    leaves
        .map(|(id, node, leaf)| {
            let noise = noise(u64::from(id.0) + 1, node.len());
            let values = match (leaf, node.ty) {
                (Leaf::Counter, _) => vec![3.0],
                (Leaf::SampleWeight, _) => {
                    // The last quarter of the lanes is missing.
                    let n = node.len().div_ceil(4) * 3;
                    let n = n.min(node.len());
                    (0..node.len()).map(|k| if k < n { 1.0 / n as f64 } else { 0.0 }).collect()
                }
                (_, Ty::Int) => {
                    let (low, high) = node.range.expect("a range");
                    noise.iter().map(|x| (low as f64 + (x + 1.0) / 2.0 * (high - low) as f64).floor()).collect()
                }
                // Second moments and the like must not be negative.
                (Leaf::State, _) => noise.iter().map(|x| x.abs()).collect(),
                (_, Ty::Bool) => noise.iter().map(|x| f64::from(u8::from(*x > 0.0))).collect(),
                (_, Ty::Real) => noise,
            };
            (id, values)
        })
        .collect()
}

fn bindings(model: &Model, leaves: &[(NodeId, Vec<f64>)]) -> Bindings {
    let mut bindings = Bindings::new(SEED, model.precision);
    for (id, values) in leaves {
        let node = model.graph.node(*id);
        let tensor = match node.ty {
            Ty::Int => Tensor::int(&node.shape, values.iter().map(|&x| x as i64).collect()),
            _ => Tensor::real(&node.shape, values.clone()),
        };
        bindings.bind(*id, tensor.expect("fits"));
    }
    bindings
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * (1.0 + b.abs())
}

/// The first place at which two lists differ, in words.
fn difference(what: &str, found: &[f64], wanted: &[f64]) -> Option<String> {
    if found.len() != wanted.len() {
        return Some(format!("{what} has {} elements, not {}", found.len(), wanted.len()));
    }
    let k = found.iter().zip(wanted).position(|(a, b)| !close(*a, *b))?;
    Some(format!("{what}[{k}] is {}, not {}", found[k], wanted[k]))
}

/// Runs one program on the leaves' values and compares everything that bears a node's name.
fn check_program(
    model: &Model,
    program: &Program,
    leaves: &[(NodeId, Vec<f64>)],
    routines: &[&str],
    wanted: &[(String, NodeId)],
) -> Result<(), String> {
    let text = || gdc_ir::program_text::print_program(program);
    if let Err(broken) = gdc_ir::program_verify::verify_program(program) {
        return Err(format!("{broken:#?}\n{}", text()));
    }
    let mut machine = Machine::new(program);
    for (id, values) in leaves {
        let name = &model.graph.node(*id).name;
        if machine.find(name).is_some() {
            machine.store(name, values);
        }
    }
    let results = evaluate(&model.graph, model.graph.nodes().map(|(id, _)| id), &bindings(model, leaves));
    let results = results.map_err(|e| format!("the interpreter does not evaluate the model: {e}"))?;
    for routine in routines {
        machine.run(routine);
    }
    // A gradient's buffer goes by another name than its node, which can be that of a temporary.
    let gradient = |name: &str| model.gradients.iter().any(|g| model.graph.node(g.value).name == name);
    // Of those that share a place, only the last one is there.
    let shared: Vec<_> = program.within.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let all = program.buffers().filter(|(id, _)| !shared.contains(id)).map(|(_, b)| b);
    let all = all.filter(|b| b.role == BufferRole::Temp && !gradient(&b.name));
    let temps = all.filter_map(|b| model.graph.find(&b.name).map(|id| (b.name.clone(), id)));
    let mut compared = 0;
    for (name, id) in wanted.iter().cloned().chain(temps) {
        let value = results.get(id).expect("computed").to_vec();
        let found = machine.get(&name);
        // Unrolled kernels store the batch last.
        let samples = model.graph.node(id).shape.first().copied().unwrap_or(1).max(1);
        let rest = found.len() / samples;
        let turned: Vec<f64> = (0..found.len()).map(|k| found[k % rest.max(1) * samples + k / rest.max(1)]).collect();
        if let Some(difference) = difference(&name, found, &value)
            && self::difference("", &turned, &value).is_some()
        {
            return Err(format!("{difference}\n{}", text()));
        }
        compared += 1;
    }
    if compared == 0 { Err("nothing to compare".to_owned()) } else { Ok(()) }
}

/// The leaves' values with those of parameters as they are at first: initial values of states
/// may read them.
fn initial(model: &Model, mut leaves: Vec<(NodeId, Vec<f64>)>) -> Vec<(NodeId, Vec<f64>)> {
    let values = evaluate(&model.graph, model.params.iter().map(|k| k.init), &bindings(model, &leaves));
    let values = values.expect("the interpreter evaluates initial values");
    for kept in &model.params {
        let leaf = leaves.iter_mut().find(|(id, _)| *id == kept.node).expect("a leaf");
        leaf.1 = values.get(kept.init).expect("computed").to_vec();
    }
    leaves
}

/// Schedules a model and checks its training step, metrics included, and its initial values.
pub fn check_train(model: &Model) -> Programs {
    let programs = gdc_schedule::schedule(model, &Model::default());
    compare_train(model, &programs).unwrap_or_else(|difference| panic!("{difference}"));
    programs
}

/// Compares a training step and the initial values; how they differ.
pub fn compare_train(model: &Model, programs: &Programs) -> Result<(), String> {
    let name = |id: NodeId| model.graph.node(id).name.clone();
    let mut wanted: Vec<(String, NodeId)> = Vec::new();
    for buffer in &programs.train.buffers {
        match buffer.role {
            BufferRole::Loss => wanted.extend(model.loss.map(|l| (buffer.name.clone(), l))),
            BufferRole::Gradient(of) => {
                let of = &programs.train.buffer(of).name;
                let gradient = model.gradients.iter().find(|g| name(g.target) == *of).expect("a gradient");
                wanted.push((buffer.name.clone(), gradient.value));
            }
            _ => {}
        }
    }
    wanted.extend(model.metrics.iter().map(|m| (m.name.clone(), m.node)));
    wanted.extend(model.updates.iter().map(|u| (name(u.target), u.value)));
    let leaves = leaf_values(model);
    // A sweep computes the loss again, and needs no forward pass.
    let swept = programs.train.routines.iter().any(|r| r.name == "sweep");
    if swept {
        let values = |(name, _): &&(String, NodeId)| {
            let buffer = programs.train.buffers.iter().find(|b| b.name == *name);
            buffer.is_some_and(|b| matches!(b.role, BufferRole::Loss | BufferRole::Metric))
        };
        let (evaluated, stepped): (Vec<_>, Vec<_>) = wanted.iter().partition(values);
        let own = |list: Vec<&(String, NodeId)>| list.into_iter().cloned().collect::<Vec<_>>();
        let loss = wanted.iter().filter(|(_, id)| Some(*id) == model.loss);
        let alone = Program { buffers: without_temporaries(&programs.train), ..programs.train.clone() };
        check_program(model, &alone, &leaves, &["forward", "metrics"], &own(evaluated))?;
        check_program(model, &alone, &leaves, &["sweep", "update"], &own(loss.chain(stepped).collect()))?;
    } else {
        check_program(model, &programs.train, &leaves, &["forward", "metrics", "backward", "update"], &wanted)?;
    }
    // What predicts otherwise than it trains is evaluated by the metrics' routine alone.
    if let Some(evaluation) = model.evaluation {
        let buffer = programs.train.buffers.iter().find(|b| b.role == BufferRole::Evaluation).expect("a loss");
        let metrics = model.metrics.iter().map(|m| (m.name.clone(), m.node));
        let wanted: Vec<(String, NodeId)> = metrics.chain([(buffer.name.clone(), evaluation)]).collect();
        let alone = Program { buffers: without_temporaries(&programs.train), ..programs.train.clone() };
        check_program(model, &alone, &leaves, &["metrics"], &wanted)?;
    }
    let kept = model.params.iter().chain(&model.states);
    let wanted: Vec<(String, NodeId)> = kept.map(|k| (name(k.node), k.init)).collect();
    if !wanted.is_empty() {
        check_program(model, &programs.init, &initial(model, leaves), &["init"], &wanted)?;
    }
    Ok(())
}

/// The buffers with names for temporaries that the graph does not know: they are not compared.
fn without_temporaries(program: &Program) -> Vec<gdc_ir::program::Buffer> {
    let hidden = |b: &gdc_ir::program::Buffer| match b.role {
        BufferRole::Temp => gdc_ir::program::Buffer { name: format!("{} (temporary)", b.name), ..b.clone() },
        _ => b.clone(),
    };
    program.buffers.iter().map(hidden).collect()
}

/// Schedules a model's outputs and checks them. The model may have a batch axis here.
pub fn check_predict(sample: &Model) -> Programs {
    let programs = gdc_schedule::schedule(&Model::default(), sample);
    check_outputs(sample, &programs);
    programs
}

/// Checks the predictions of programs for one sample.
pub fn check_outputs(sample: &Model, programs: &Programs) {
    check_sample(sample, &programs.predict);
}

/// Holds the program of an entry point, or of a prediction, against the interpreter.
pub fn check_sample(sample: &Model, program: &Program) {
    compare_sample(sample, program).unwrap_or_else(|difference| panic!("{difference}"));
}

/// Compares predictions; how they differ.
pub fn compare_outputs(sample: &Model, programs: &Programs) -> Result<(), String> {
    compare_sample(sample, &programs.predict)
}

/// Holds the programs of a streaming form against the interpreter: what is carried at first, and
/// one step from any values of it.
pub fn check_stream(step: &Model, stream: &gdc_ir::program::Stream) {
    let name = |id: NodeId| step.graph.node(id).name.clone();
    let leaves = leaf_values(step);
    let first: Vec<(String, NodeId)> = step.states.iter().map(|k| (name(k.node), k.init)).collect();
    let updates = step.updates.iter().map(|u| (name(u.target), u.value));
    let wanted: Vec<(String, NodeId)> = step.outputs.iter().map(|o| (o.name.clone(), o.node)).chain(updates).collect();
    let checked =
        check_program(step, &stream.step, &leaves, &["step"], &wanted).and_then(|()| match first.is_empty() {
            true => Ok(()),
            false => check_program(step, &stream.start, &leaves, &["init"], &first),
        });
    checked.unwrap_or_else(|difference| panic!("{difference}"));
}

fn compare_sample(sample: &Model, program: &Program) -> Result<(), String> {
    let wanted: Vec<(String, NodeId)> = sample.outputs.iter().map(|o| (o.name.clone(), o.node)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    check_program(sample, program, &leaf_values(sample), &["predict"], &wanted)
}
