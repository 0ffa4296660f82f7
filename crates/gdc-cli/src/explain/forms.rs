//! How operators and their arguments become formulas, as a reader would write them.

use super::math::{Math, name, whole};
use gdc_ir::Op;

/// Numbers in six significant digits: what readers compare with their book.
pub fn shown(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "nan"
        } else if value > 0.0 {
            "∞"
        } else {
            "-∞"
        }
        .to_owned();
    }
    if (value.abs() - std::f64::consts::PI).abs() < 1e-12 {
        return if value < 0.0 { "-π" } else { "π" }.to_owned();
    }
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    let text = format!("{rounded}");
    if text.len() > 9 && rounded != 0.0 { format!("{rounded:e}") } else { text }
}

/// The same, but `1/n` for what is the n-th part of 1 and has many digits otherwise.
pub fn part(value: f64) -> String {
    let text = shown(value);
    let n = 1.0 / value;
    if !n.is_finite() || n.abs() < 3.0 || n.abs() > 65536.0 || (n - n.round()).abs() > 1e-9 * n.abs() {
        return text;
    }
    let plain = text.split('e').next().unwrap_or_default();
    let digits = plain.trim_start_matches(['-', '0', '.']).chars().filter(char::is_ascii_digit).count();
    let binary = n.abs() >= 16.0 && (n.abs().round() as u64).is_power_of_two();
    if digits >= 5 || (digits >= 3 && binary) {
        format!("{}1/{}", if value < 0.0 { "-" } else { "" }, n.abs().round())
    } else {
        text
    }
}

/// An operator with its arguments.
pub fn written(op: Op, mut args: Vec<Math>) -> Math {
    let b = if args.len() > 1 { args.remove(1) } else { name("?") };
    let a = if args.is_empty() { name("?") } else { args.remove(0) };
    let relation = |sign, a, b| Math::Relation(Box::new(a), sign, Box::new(b));
    let one = |function, a| Math::Call(function, vec![a]);
    match op {
        Op::Neg => sum(vec![(true, a)]),
        Op::Add => sum(vec![(false, a), (false, b)]),
        Op::Sub => sum(vec![(false, a), (true, b)]),
        Op::Mul => product(a, b),
        Op::Div => fraction(a, b),
        Op::Pow => Math::Power(Box::new(a), Box::new(b)),
        Op::Min => Math::Call("min", vec![a, b]),
        Op::Max => Math::Call("max", vec![a, b]),
        Op::Abs => Math::Between("|", Box::new(a), "|"),
        Op::Sign => one("sign", a),
        Op::Floor => Math::Between("⌊", Box::new(a), "⌋"),
        Op::Ceil => Math::Between("⌈", Box::new(a), "⌉"),
        Op::Round => one("round", a),
        Op::Sqrt => Math::Root(Box::new(a)),
        Op::Exp => one("exp", a),
        Op::Expm1 => sum(vec![(false, one("exp", a)), (true, whole(1))]),
        Op::Log => one("log", a),
        Op::Log1p => one("log", sum(vec![(false, whole(1)), (false, a)])),
        Op::Sin => one("sin", a),
        Op::Cos => one("cos", a),
        Op::Tanh => one("tanh", a),
        Op::Sigmoid => one("σ", a),
        // log(1 + exp a), which is how books write it.
        Op::Softplus => one("log", sum(vec![(false, whole(1)), (false, one("exp", a))])),
        Op::Erf => one("erf", a),
        Op::Eq => relation("=", a, b),
        Op::Ne => relation("≠", a, b),
        // The weight of a sample is above 0 if the sample was given, as all are that are counted.
        Op::Lt if a == whole(0) && b == Math::Fraction(Box::new(whole(1)), Box::new(name("n"))) => name("true"),
        Op::Lt => relation("<", a, b),
        Op::Le => relation("≤", a, b),
        Op::And if a == name("true") => b,
        Op::And if b == name("true") => a,
        Op::And => relation("∧", a, b),
        Op::Or => relation("∨", a, b),
        Op::Not => Math::Not(Box::new(a)),
        Op::Select => cases(a, b, args.pop().unwrap_or_else(|| name("?"))),
        Op::ToReal => match a {
            a if a == name("true") => whole(1),
            a @ (Math::Relation(..) | Math::Not(_)) => Math::Between("[", Box::new(a), "]"),
            a => a,
        },
        Op::IntDiv => Math::Between("⌊", Box::new(Math::Fraction(Box::new(a), Box::new(b))), "⌋"),
        Op::IntMod => Math::Relation(Box::new(a), "mod", Box::new(b)),
        Op::Detach | Op::Stated => a,
    }
}

/// `if c { 1 } else { 0 }` is `[c]`.
fn cases(condition: Math, then: Math, otherwise: Math) -> Math {
    if condition == name("true") {
        return then;
    }
    if then == whole(1) && otherwise == whole(0) {
        return Math::Between("[", Box::new(condition), "]");
    }
    Math::Cases(Box::new(condition), Box::new(then), Box::new(otherwise))
}

/// A sum without sums in it, and without a negative number after a plus.
pub fn sum(terms: Vec<(bool, Math)>) -> Math {
    let mut flat = Vec::new();
    for (negative, term) in terms {
        match term {
            Math::Sum(inner) if !negative => flat.extend(inner),
            Math::Number(text) if text.starts_with('-') && !flat.is_empty() => {
                flat.push((!negative, Math::Number(text[1..].to_owned())));
            }
            term => flat.push((negative, term)),
        }
    }
    match flat.as_slice() {
        [(false, only)] => only.clone(),
        _ => Math::Sum(flat),
    }
}

/// A product without products in it; a factor `1/d` becomes a denominator.
fn product(a: Math, b: Math) -> Math {
    let mut above = Vec::new();
    let mut below = None;
    flatten(a, &mut above, &mut below);
    flatten(b, &mut above, &mut below);
    above = with_powers(above);
    above.sort_by_key(|m| !matches!(m, Math::Number(_)));
    let Some(below) = below else { return factors(above) };
    // The share of a sample stands before its sum, with what else is constant.
    if matches!(above.last(), Some(Math::Big(..))) && below == name("n") {
        let rest = above.split_off(usize::from(matches!(above.first(), Some(Math::Number(_)))));
        let share = fraction(factors(above), below);
        return factors(std::iter::once(share).chain(rest).collect());
    }
    fraction(factors(above), below)
}

/// A fraction; the share `1/64` of `n` is `1/(64·n)`.
fn fraction(above: Math, below: Math) -> Math {
    if let Math::Number(text) = &above
        && below == name("n")
        && let Some((top, low)) = text.split_once('/')
    {
        let below = Math::Product(vec![Math::Number(low.to_owned()), below]);
        return Math::Fraction(Box::new(Math::Number(top.to_owned())), Box::new(below));
    }
    Math::Fraction(Box::new(above), Box::new(below))
}

/// Whether this stands below a share of one sample: the number of samples, or a multiple of it.
fn counts_samples(below: &Math) -> bool {
    match below {
        Math::Product(list) => matches!(list.as_slice(), [Math::Number(_), n] if *n == name("n")),
        other => *other == name("n"),
    }
}

/// `u * u` is `u^2`, and `u^2 * u` is `u^3`.
fn with_powers(list: Vec<Math>) -> Vec<Math> {
    let apart = |m: Math| match m {
        Math::Power(base, exponent) => match &*exponent {
            Math::Number(text) if text.parse::<u32>().is_ok() => (*base, text.parse().unwrap_or(1)),
            _ => (Math::Power(base, exponent), 1),
        },
        other => (other, 1),
    };
    let mut found: Vec<(Math, u32)> = Vec::new();
    for (base, exponent) in list.into_iter().map(apart) {
        let known = found.iter_mut().find(|(b, _)| *b == base && !matches!(b, Math::Number(_)));
        match known {
            Some((_, sum)) => *sum = sum.saturating_add(exponent),
            None => found.push((base, exponent)),
        }
    }
    let together = |(base, n): (Math, u32)| match n {
        1 => base,
        n => Math::Power(Box::new(base), Box::new(whole(i64::from(n)))),
    };
    found.into_iter().map(together).collect()
}

/// A formula that is a share of one sample, `a/n`, as a number over `n` and the rest.
pub fn without_share(value: Math) -> (Option<Math>, Math) {
    match value {
        Math::Fraction(top, below) if counts_samples(&below) && *top == whole(1) => {
            (Some(Math::Fraction(top, below)), whole(1))
        }
        Math::Fraction(top, below) if *below == name("n") => (Some(Math::Fraction(Box::new(whole(1)), below)), *top),
        Math::Product(mut list) => match list.first() {
            Some(Math::Fraction(_, below)) if counts_samples(below) => {
                let share = list.remove(0);
                (Some(share), factors(list))
            }
            _ => (None, Math::Product(list)),
        },
        other => (None, other),
    }
}

/// The factors of a formula; the first denominator is taken out.
fn flatten(factor: Math, above: &mut Vec<Math>, below: &mut Option<Math>) {
    match factor {
        Math::Product(list) => list.into_iter().for_each(|f| flatten(f, above, below)),
        Math::Fraction(top, d) if below.is_none() && (*top == whole(1) || *d == name("n")) => {
            *below = Some(*d);
            if *top != whole(1) {
                flatten(*top, above, below);
            }
        }
        other => above.push(other),
    }
}

pub fn factors(mut list: Vec<Math>) -> Math {
    match list.len() {
        0 => whole(1),
        1 => list.remove(0),
        _ => Math::Product(list),
    }
}
