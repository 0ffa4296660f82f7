//! Entries of the table that work on the last axis, or on each element: dense layers,
//! activations, normalisation, rearranging.

use super::Entry;
use super::pen::{Pen, Shape, at, last_axes, numbers, with_last, word};

pub const ENTRIES: &[Entry] = &[
    Entry { limits: &[5, 3, 5], apply: dense },
    Entry { limits: &[5, 3, 5], apply: dense },
    Entry { limits: &[ACTIVATIONS.len()], apply: activation },
    Entry { limits: &[ACTIVATIONS.len()], apply: activation },
    Entry { limits: &[VECTORS.len()], apply: of_vectors },
    Entry { limits: &[3], apply: layer_norm },
    Entry { limits: &[3], apply: rms_norm },
    Entry { limits: &[4, 2, 3], apply: group_norm },
    Entry { limits: &[3, 2], apply: batch_norm },
    Entry { limits: &[4, 3], apply: dropout },
    Entry { limits: &[8, 4, 3], apply: rearranged },
    Entry { limits: &[1], apply: standardise },
];

fn dense(shape: &[usize], a: &[usize], _: &mut Pen) -> Option<(String, Shape)> {
    let units = at(a, 0) + 1;
    let bias = word(&["", ", bias = true", ", bias = false"], at(a, 1));
    let inits = ["", ", init = he_normal", ", init = lecun_uniform", ", init = normal(0, 0.5)", ", init = orthogonal"];
    let init = word(&inits, at(a, 2));
    shape.last()?;
    Some((format!("$ |> dense({units}{bias}{init})#"), with_last(shape, units)))
}

/// Functions of a number.
const ACTIVATIONS: &[&str] = &[
    "tanh",
    "relu",
    "sigmoid",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
    "softsign",
    "selu",
    "elu(alpha = 0.7)",
    "celu(alpha = 1.5)",
    "leaky_relu(slope = 0.2)",
    "relu6",
    "softplus",
    "log_sigmoid",
    "hard_sigmoid",
    "hard_swish",
    "hard_tanh(low = -0.5, high = 1.5)",
    "clamp(-1.1, 0.9)",
    "identity",
    "sin",
    "erf",
    "prelu#",
    "prelu(start = 0.4, shared = true)#",
];

fn activation(shape: &[usize], a: &[usize], _: &mut Pen) -> Option<(String, Shape)> {
    let call = word(ACTIVATIONS, at(a, 0));
    (!shape.is_empty()).then(|| (format!("$ |> {call}"), shape.to_vec()))
}

/// Functions of the last axis.
const VECTORS: &[&str] = &["softmax", "log_softmax", "unit_length(eps = 0.01)", "glu"];

fn of_vectors(shape: &[usize], a: &[usize], _: &mut Pen) -> Option<(String, Shape)> {
    let call = word(VECTORS, at(a, 0));
    let &n = shape.last()?;
    if call == "glu" {
        return n.is_multiple_of(2).then(|| ("$ |> glu".to_owned(), with_last(shape, n / 2)));
    }
    // Of one element these are constant, and what follows may divide by a variance of 0.
    (n > 1).then(|| (format!("$ |> {call}"), shape.to_vec()))
}

fn layer_norm(shape: &[usize], a: &[usize], pen: &mut Pen) -> Option<(String, Shape)> {
    // Two elements become -1 and 1, of which the derivative is noise.
    let which = if pen.may_be_even() { 1 } else { at(a, 0) };
    let call = word(&["layer_norm", "layer_norm(eps = 0.1)", "layer_norm(eps = 0.01)"], which);
    (*shape.last()? > 2).then(|| (format!("$ |> {call}#"), shape.to_vec()))
}

fn rms_norm(shape: &[usize], a: &[usize], _: &mut Pen) -> Option<(String, Shape)> {
    let call = word(&["rms_norm(eps = 0.01)", "rms_norm", "rms_norm(eps = 0.1)"], at(a, 0));
    (*shape.last()? > 1).then(|| (format!("$ |> {call}#"), shape.to_vec()))
}

fn group_norm(shape: &[usize], a: &[usize], pen: &mut Pen) -> Option<(String, Shape)> {
    let &c = shape.last()?;
    let eps = match pen.may_be_even() {
        true => ", eps = 0.1",
        false => word(&["", ", eps = 0.1", ", eps = 0.01, affine = false"], at(a, 2)),
    };
    let (call, groups) = match at(a, 1) {
        0 => (format!("group_norm({}{eps})", at(a, 0) + 1), at(a, 0) + 1),
        _ => (format!("instance_norm({})", eps.trim_start_matches(", ")), c),
    };
    let fits = c.is_multiple_of(groups) && shape.iter().product::<usize>() / groups > 2;
    fits.then(|| (format!("$ |> {call}#"), shape.to_vec()))
}

fn batch_norm(shape: &[usize], a: &[usize], pen: &mut Pen) -> Option<(String, Shape)> {
    let (_, before) = shape.split_last()?;
    let call = match (at(a, 0), at(a, 1)) {
        _ if pen.may_be_even() => "batch_norm(eps = 0.1)".to_owned(),
        (0, 0) => "batch_norm".to_owned(),
        (eps, momentum) => format!(
            "batch_norm(momentum = {}, eps = {})",
            word(&["0.1", "0.4"], momentum),
            word(&["0.1", "0.01", "1e-5"], eps)
        ),
    };
    (pen.observed(before) > 2).then(|| (format!("$ |> {call}#"), shape.to_vec()))
}

/// Inputs by what they are in all batches: only of inputs as they are given, since of what never
/// varies but for rounding it is noise.
fn standardise(shape: &[usize], _: &[usize], pen: &mut Pen) -> Option<(String, Shape)> {
    let (_, before) = shape.split_last()?;
    let fits = pen.fresh && pen.observed(before) > 2;
    fits.then(|| ("$ |> standardise#".to_owned(), shape.to_vec()))
}

fn dropout(shape: &[usize], a: &[usize], pen: &mut Pen) -> Option<(String, Shape)> {
    let kinds = ["dropout", "spatial_dropout", "reparameterise"];
    let rate = if pen.draws { ["0.25", "0.5", "0.1", "0"][at(a, 0) % 4] } else { "0" };
    let call = match at(a, 1) {
        2 if pen.draws => "reparameterise($, tanh($))".to_owned(),
        2 => "$ |> identity".to_owned(),
        kind => format!("$ |> {}({rate})", kinds[kind % 2]),
    };
    (!shape.is_empty()).then(|| (call, shape.to_vec()))
}

/// The same elements, or some of them, at other places.
fn rearranged(shape: &[usize], a: &[usize], _: &mut Pen) -> Option<(String, Shape)> {
    let &n = shape.last()?;
    let (before, after) = (at(a, 1), at(a, 2));
    Some(match at(a, 0) {
        0 => ("$ |> flatten".to_owned(), vec![shape.iter().product()]),
        1 => {
            let (rest, last) = last_axes(shape, 2)?;
            let turned = rest.iter().copied().chain([last[1], last[0]]).collect();
            ("$ |> transpose".to_owned(), turned)
        }
        2 => (format!("$ |> pad({before}, {after}, value = 0.5)"), with_last(shape, before + n + after)),
        3 => {
            let (rest, last) = last_axes(shape, 3)?;
            let bordered = [last[0] + 2 * before, last[1] + 2 * after, last[2]];
            (format!("$ |> pad2d(({before}, {after}))"), rest.iter().chain(&bordered).copied().collect())
        }
        4 => {
            let at = before + 1;
            let part = after % 2;
            let left = if part == 0 { at } else { n.checked_sub(at)? };
            (at < n).then_some(())?;
            (format!("split($, {at})[{part}]"), with_last(shape, left))
        }
        5 => {
            let divisor = [2, 3, 5][after % 3];
            let size: usize = shape.iter().product();
            size.is_multiple_of(divisor).then_some(())?;
            let shape = vec![divisor, size / divisor];
            (format!("reshape($, {})", numbers(&shape)), shape)
        }
        6 => {
            let low = after.min(n - 1);
            (format!("$[..., {low}..]"), with_last(shape, n - low))
        }
        _ => {
            let (rest, _) = last_axes(shape, 2)?;
            (rest.is_empty()).then_some(())?;
            ("$ |> reversed".to_owned(), shape.to_vec())
        }
    })
}
