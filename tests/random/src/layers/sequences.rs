//! Entries of the table for sequences: recurrent layers, scans and attention. What has steps can
//! also be written with each step a statement of its own.

use super::Entry;
use super::pen::{Pen, Shape, Style, at, last_axes, word};

pub const ENTRIES: &[Entry] = &[
    Entry { limits: &[4, 2, 2], apply: |s, a, pen| recurrent(s, a, &RNN, pen) },
    Entry { limits: &[4, 2, 2], apply: |s, a, pen| recurrent(s, a, &LSTM, pen) },
    Entry { limits: &[4, 2, 2], apply: |s, a, pen| recurrent(s, a, &GRU, pen) },
    Entry { limits: &[6], apply: scan },
    Entry { limits: &[2, 2, 2, 2, 3, 4, 2], apply: attention },
    Entry { limits: &[2, 3, 2, 2, 2, 3, 4, 4], apply: block },
    Entry { limits: &[4], apply: positioned },
];

/// What a recurrent layer does in each step: `{x}` is what stands there, `{h}` a carry, `{n}` the
/// width of what it is given, `{k}` its units.
struct Cell {
    /// As the library calls it; nothing if it has it not.
    name: &'static str,
    /// Parameters and constants.
    params: &'static str,
    carries: &'static [&'static str],
    /// Names of a step, and their values.
    lets: &'static [(&'static str, &'static str)],
    /// Carries, and their next values.
    next: &'static [(&'static str, &'static str)],
    /// What a step gives; nothing if the result is the last step's carries.
    yields: &'static str,
    /// Of how many units that is: once and twice the units, and the width.
    gives: (usize, usize),
}

const RNN: Cell = Cell {
    name: "rnn",
    params: "param wx: [{n}, {k}] = zeros; param wh: [{k}, {k}] = zeros; param b: [{k}] = zeros;",
    carries: &["h"],
    lets: &[],
    next: &[("h", "tanh({x} @ wx + {h} @ wh + b)")],
    yields: "{h}",
    gives: (1, 0),
};

const LSTM: Cell = Cell {
    name: "lstm",
    params: "param wx: [{n}, 4 * {k}] = zeros; param wh: [{k}, 4 * {k}] = zeros; param b: [4 * {k}] = zeros;",
    carries: &["h", "c"],
    lets: &[("z", "{x} @ wx + {h} @ wh + b")],
    next: &[
        ("c", "sigmoid({z}[{k}..2 * {k}]) * {c} + sigmoid({z}[..{k}]) * tanh({z}[2 * {k}..3 * {k}])"),
        ("h", "sigmoid({z}[3 * {k}..]) * tanh({c})"),
    ],
    yields: "{h}",
    gives: (1, 0),
};

const GRU: Cell = Cell {
    name: "gru",
    params: "param wx: [{n}, 3 * {k}] = zeros; param wh: [{k}, 3 * {k}] = zeros; \
             param bx: [3 * {k}] = zeros; param bh: [3 * {k}] = zeros;",
    carries: &["h"],
    lets: &[
        ("a", "{x} @ wx + bx"),
        ("u", "{h} @ wh + bh"),
        ("r", "sigmoid({a}[..{k}] + {u}[..{k}])"),
        ("z", "sigmoid({a}[{k}..2 * {k}] + {u}[{k}..2 * {k}])"),
    ],
    next: &[("h", "(1 - {z}) * tanh({a}[2 * {k}..] + {r} * {u}[2 * {k}..]) + {z} * {h}")],
    yields: "{h}",
    gives: (1, 0),
};

/// Scans that the library has not got. Their units are the width.
const SCANS: &[Cell] = &[
    Cell {
        name: "",
        params: "",
        carries: &["h"],
        lets: &[],
        next: &[("h", "0.5 * {h} + 0.5 * tanh({x} + 0.3 * {h})")],
        yields: "{h}",
        gives: (1, 0),
    },
    Cell {
        name: "",
        params: "param w: [{k}, {k}] = normal(0, 0.5);",
        carries: &["h"],
        lets: &[],
        next: &[("h", "sin({x} + {h} @ w)")],
        yields: "",
        gives: (1, 0),
    },
    Cell {
        name: "",
        params: "param w: [{k}] = normal(0, 0.5);",
        carries: &["h", "c"],
        lets: &[("g", "sigmoid({x} * w - {c})")],
        next: &[("h", "{h} * {g} + {x}"), ("c", "{c} + 0.5 * tanh({h})")],
        yields: "{h} * {c}",
        gives: (1, 0),
    },
    Cell {
        name: "",
        params: "param w: [{k}, {n}] = normal(0, 0.5);",
        carries: &["h"],
        lets: &[("q", "tanh({h} @ w)")],
        next: &[("h", "layer_free({h}, {q}, {x})")],
        yields: "concat({q}, {x})",
        gives: (2, 0),
    },
    Cell {
        name: "",
        params: "param w: [{k}] = normal(0, 0.5);",
        carries: &["h"],
        lets: &[("e", "{x} - sum({x} * {h}) * w")],
        next: &[("h", "max({e}, 0.5 * {h})")],
        yields: "softmax({h})",
        gives: (1, 0),
    },
    Cell {
        name: "",
        params: "param w: [{k}, {k}] = normal(0, 0.5);",
        carries: &["h", "c"],
        lets: &[],
        next: &[("c", "{c} + {x}^2"), ("h", "tanh({h} @ w + {x}) / sqrt(1 + {c})")],
        yields: "",
        gives: (1, 0),
    },
];

impl Cell {
    /// A layer of its own: over `x: [t, n]`, with a scan, or with each step written out.
    fn item(&self, name: &str, steps: usize, n: usize, k: usize, last: bool, style: Style) -> String {
        let sizes = |text: &str| text.replace("{n}", &n.to_string()).replace("{k}", &k.to_string());
        let mut out = format!("layer {name}(x: [t, n]) {{\n    {}\n", sizes(self.params));
        let names = |text: &str, known: &[(&str, String)]| {
            known.iter().fold(sizes(text), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        if style == Style::Rolled {
            let all: Vec<(&str, String)> =
                self.names().map(|n| (n, n.to_owned())).chain([("x", "xt".into())]).collect();
            let first: Vec<String> = self.carries.iter().map(|c| format!("{c} = zeros([{k}])")).collect();
            out += &format!("    let y = scan ({}) over xt in x {{\n", first.join(", "));
            self.lets.iter().for_each(|(name, e)| out += &format!("        let {name} = {};\n", names(e, &all)));
            self.next.iter().for_each(|(name, e)| out += &format!("        {name} <- {};\n", names(e, &all)));
            if !self.yields.is_empty() {
                out += &format!("        yield {};\n", names(self.yields, &all));
            }
            let result = match (self.yields.is_empty(), self.carries.len()) {
                (true, 2) => "y.0 + y.1",
                (false, _) if last => "y[t - 1]",
                _ => "y",
            };
            return out + &format!("    }};\n    {result}\n}}\n");
        }
        let mut known: Vec<(&str, String)> = self.carries.iter().map(|c| (*c, format!("zeros([{k}])"))).collect();
        let mut given = Vec::new();
        for step in 0..steps {
            known.retain(|(name, _)| self.carries.contains(name));
            known.push(("x", format!("x[{step}]")));
            for (name, e) in self.lets.iter().chain(self.next) {
                let new = format!("{name}{step}");
                out += &format!("    let {new} = {};\n", names(e, &known));
                known.retain(|(known, _)| known != name);
                known.push((name, new));
            }
            out += &format!("    let y{step} = {};\n", names(self.result(), &known));
            given.push(format!("y{step}"));
        }
        let result = if last || self.yields.is_empty() {
            given.pop().unwrap_or_default()
        } else {
            format!("[{}]", given.join(", "))
        };
        out + &format!("    {result}\n}}\n")
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.carries.iter().copied().chain(self.lets.iter().map(|(name, _)| *name))
    }

    /// What a step gives.
    fn result(&self) -> &'static str {
        match (self.yields, self.carries.len()) {
            ("", 2) => "{h} + {c}",
            ("", _) => "{h}",
            (e, _) => e,
        }
    }
}

/// A recurrent layer of the library. Attributes: units, whether only the last step is given,
/// whether it runs in both directions.
fn recurrent(shape: &[usize], a: &[usize], cell: &Cell, pen: &mut Pen) -> Option<(String, Shape)> {
    let (rest, own) = last_axes(shape, 2)?;
    let [steps, n] = *own else { return None };
    let (k, both) = (at(a, 0) + 1, at(a, 2) == 1);
    let last = at(a, 1) == 1 && !both;
    let own = if last { vec![k] } else { vec![steps, if both { 2 * k } else { k }] };
    let shape = rest.iter().copied().chain(own).collect();
    if pen.style == Style::Rolled {
        let call = format!("{}({k}{})", cell.name, if last { ", last = true" } else { "" });
        let call = if both { format!("bidirectional({call})") } else { call };
        return Some((format!("$ |> {call}#"), shape));
    }
    let name = pen.name("steps");
    pen.items += &cell.item(&name, steps, n, k, last, Style::Flat);
    let text = match both {
        true => format!("concat($ |> {name} as forwards, reversed(reversed($) |> {name} as backwards))"),
        false => format!("$ |> {name}"),
    };
    Some((text, shape))
}

/// A scan. Attribute: which.
fn scan(shape: &[usize], a: &[usize], pen: &mut Pen) -> Option<(String, Shape)> {
    let (rest, own) = last_axes(shape, 2)?;
    let [steps, n] = *own else { return None };
    let cell = &SCANS[at(a, 0) % SCANS.len()];
    let name = pen.name("scan_of");
    let last = cell.yields.is_empty();
    if cell.next.iter().any(|(_, e)| e.contains("layer_free")) && !pen.items.contains("fn layer_free") {
        pen.items += "fn layer_free(h: [n], q: [n], x: [n]) -> [n] = 0.6 * h + 0.3 * q * x;\n";
    }
    pen.items += &cell.item(&name, steps, n, n, last, pen.style);
    let width = n * cell.gives.0 + cell.gives.1;
    let own = if last { vec![width] } else { vec![steps, width] };
    Some((format!("$ |> {name}#"), rest.iter().copied().chain(own).collect()))
}

/// A mask of keys, of which the first is always seen.
fn mask(kind: usize, keys: usize) -> String {
    let seen = |k: usize| k == 0 || (kind == 1 && k.is_multiple_of(2)) || (kind == 2 && k + 1 < keys);
    let all: Vec<&str> = (0..keys).map(|k| if seen(k) { "1" } else { "0" }).collect();
    if kind == 0 { String::new() } else { format!(", mask = [{}]", all.join(", ")) }
}

/// Attention to itself or to another sequence. Attributes: heads, causal, bias, rotary, mask,
/// dropout, memory.
fn attention(shape: &[usize], a: &[usize], pen: &mut Pen) -> Option<(String, Shape)> {
    let (_, own) = last_axes(shape, 2)?;
    let [length, n] = *own else { return None };
    let (heads, rotate) = (at(a, 0) + 1, at(a, 3) == 1);
    n.is_multiple_of(heads).then_some(())?;
    (!rotate || (n / heads).is_multiple_of(2)).then_some(())?;
    let memory = pen.memory.clone().filter(|_| at(a, 6) == 1 && shape.len() == 2);
    let keys = memory.as_ref().map_or(length, |(_, shape)| shape[0]);
    let mut text = format!("$ |> multi_head_attention({heads}");
    if let Some((name, _)) = &memory {
        text += &format!(", memory = {name}");
    }
    text += &mask(at(a, 4), keys);
    // A causal row may see masked keys alone; the first it always sees.
    if at(a, 1) == 1 && keys == length {
        text += ", causal = true";
    }
    if at(a, 2) == 1 {
        text += ", bias = false";
    }
    if rotate {
        text += ", rotate = true";
    }
    if at(a, 5) == 1 && pen.draws {
        text += ", rate = 0.25";
    }
    pen.more += 300;
    Some((text + ")#", shape.to_vec()))
}

/// A block of a Transformer. Attributes: decoder, hidden units, heads, pre-norm, causal, mask,
/// activation, dropout.
fn block(shape: &[usize], a: &[usize], pen: &mut Pen) -> Option<(String, Shape)> {
    let (_, own) = last_axes(shape, 2)?;
    let [length, n] = *own else { return None };
    let heads = at(a, 2) + 1;
    // What is normalised has at least three elements.
    (n.is_multiple_of(heads) && n > 2).then_some(())?;
    let memory = pen.memory.clone().filter(|_| at(a, 0) == 1 && shape.len() == 2);
    let keys = memory.as_ref().map_or(length, |(_, shape)| shape[0]);
    let mut text = match &memory {
        Some((name, _)) => format!("$ |> decoder_block({name}, {heads}, hidden = {}", at(a, 1) + 1),
        None => format!("$ |> encoder_block({heads}, hidden = {}", at(a, 1) + 1),
    };
    if at(a, 3) == 1 {
        text += ", pre = true";
    }
    if at(a, 4) == 1 && memory.is_none() {
        text += ", causal = true";
    }
    text += &mask(at(a, 5), keys);
    text +=
        word(&["", ", activation = gelu", ", activation = tanh", ", activation = leaky_relu(slope = 0.3)"], at(a, 6));
    if at(a, 7) == 1 && pen.draws {
        text += ", rate = 0.2";
    }
    pen.more += 700;
    Some((text + ")#", shape.to_vec()))
}

/// Positions, and what knows of them. Attribute: which.
fn positioned(shape: &[usize], a: &[usize], _: &mut Pen) -> Option<(String, Shape)> {
    let (_, own) = last_axes(shape, 2)?;
    let [length, n] = *own else { return None };
    let text = match at(a, 0) {
        0 => format!("$ + positions({length}, {n})"),
        1 => "$ |> learned_positions(std = 0.3)#".to_owned(),
        2 => n.is_multiple_of(2).then(|| "$ |> rotary(base = 50)".to_owned())?,
        _ => "scaled_dot_product($, $, $, causal = true)".to_owned(),
    };
    Some((text, shape.to_vec()))
}
