//! Formulas as LaTeX, for `align*`.

use super::math::{Equation, Math, Sign, Symbol};
use super::unicode::greek;
use gdc_ir::Red;

const RELATION: u8 = 1;
const SUM: u8 = 2;
const PRODUCT: u8 = 3;
const POWER: u8 = 5;
const ATOM: u8 = 6;

/// A line of an `align*`, without the line break at its end.
pub fn equation(e: &Equation) -> String {
    let sign = match e.sign {
        Sign::Is => "&= ",
        Sign::Becomes => "&\\leftarrow ",
        Sign::Gains => "&\\mathrel{+}= ",
    };
    let parts: Vec<String> =
        e.parts.iter().map(|(n, m)| format!(" \\\\\n  &\\quad {} = {}", formula(n), formula(m))).collect();
    format!("{} {sign}{}{}", formula(&e.left), formula(&e.right), parts.concat())
}

/// A formula.
pub fn formula(math: &Math) -> String {
    written(math).0
}

fn at_least(math: &Math, binds: u8) -> String {
    let (text, own) = written(math);
    if own < binds { format!("\\left({text}\\right)") } else { text }
}

fn written(math: &Math) -> (String, u8) {
    match math {
        Math::Number(text) => (number(text), if text.starts_with('-') { SUM } else { ATOM }),
        Math::Symbol(s) => (symbol(s), if s.partial { PRODUCT } else { ATOM }),
        Math::Sum(terms) => {
            let mut text = String::new();
            for (i, (negative, term)) in terms.iter().enumerate() {
                text.push_str(match (i, negative) {
                    (0, false) => "",
                    (_, true) => " - ",
                    (_, false) => " + ",
                });
                // A negative number needs parentheses after a sign, not at the start.
                let leads = i == 0 && !negative && matches!(term, Math::Number(_));
                text.push_str(&if leads { formula(term) } else { at_least(term, PRODUCT) });
            }
            (text.trim_start().to_owned(), SUM)
        }
        Math::Product(factors) => (product(factors), PRODUCT),
        Math::Fraction(a, b) => (format!("\\frac{{{}}}{{{}}}", formula(a), formula(b)), ATOM),
        Math::Power(a, b) => (format!("{}^{{{}}}", at_least(a, POWER + 1), formula(b)), POWER),
        Math::Call(function, args) => {
            let args = args.iter().map(formula).collect::<Vec<_>>().join(", ");
            match *function {
                "" => (format!("\\left[{args}\\right]"), ATOM),
                "σ" => (format!("\\sigma\\left({args}\\right)"), ATOM),
                f @ ("exp" | "log" | "sin" | "cos" | "tanh" | "min" | "max") => {
                    (format!("\\{f}\\left({args}\\right)"), ATOM)
                }
                f => (format!("\\operatorname{{{f}}}\\left({args}\\right)"), ATOM),
            }
        }
        Math::Root(a) => (format!("\\sqrt{{{}}}", formula(a)), ATOM),
        Math::Between(open, a, close) => {
            (format!("\\left{} {} \\right{}", fence(open), formula(a), fence(close)), ATOM)
        }
        Math::Relation(a, sign, b) => {
            let sign = match *sign {
                "≠" => "\\ne",
                "≤" => "\\le",
                "∧" => "\\land",
                "∨" => "\\lor",
                "mod" => "\\bmod",
                other => other,
            };
            (format!("{} {sign} {}", at_least(a, RELATION + 1), at_least(b, RELATION + 1)), RELATION)
        }
        Math::Not(a) => (format!("\\lnot {}", at_least(a, ATOM)), POWER),
        Math::Cases(c, a, b) => (
            format!(
                "\\begin{{cases}} {} & \\text{{if }} {} \\\\ {} & \\text{{else}} \\end{{cases}}",
                formula(a),
                formula(c),
                formula(b)
            ),
            ATOM,
        ),
        Math::Big(op, over, body) => big(*op, over, body),
        Math::Padded(a, b) => (format!("{}\\text{{ else }}{}", formula(a), formula(b)), 0),
    }
}

fn product(factors: &[Math]) -> String {
    let last = factors.len().saturating_sub(1);
    let factor = |(i, f): (usize, &Math)| {
        let open = matches!(f, Math::Big(..)) && i < last;
        if open { format!("\\left({}\\right)", formula(f)) } else { at_least(f, PRODUCT) }
    };
    let mut text = String::new();
    for (i, f) in factors.iter().enumerate() {
        // Two numbers side by side would read as one.
        let sign = if i > 0 && matches!(f, Math::Number(_)) { " \\cdot " } else { " \\, " };
        text.push_str(if i == 0 { "" } else { sign });
        text.push_str(&factor((i, f)));
    }
    text
}

fn big(op: Red, over: &[String], body: &Math) -> (String, u8) {
    let vars = over.iter().map(|v| word(v)).collect::<Vec<_>>().join(", ");
    let inside = at_least(body, PRODUCT);
    let sign = match op {
        Red::Sum => "\\sum",
        Red::Prod => "\\prod",
        Red::Max => "\\max",
        Red::Min => "\\min",
        Red::Argmax => "\\operatorname*{arg\\,max}",
        Red::Argmin => "\\operatorname*{arg\\,min}",
        Red::Any => "\\bigvee",
        Red::All => "\\bigwedge",
        Red::Lse => return (format!("\\log \\sum_{{{vars}}} \\exp\\left({}\\right)", formula(body)), PRODUCT),
    };
    (format!("{sign}_{{{vars}}} {inside}"), PRODUCT)
}

fn fence(sign: &str) -> &str {
    match sign {
        "⌊" => "\\lfloor",
        "⌋" => "\\rfloor",
        "⌈" => "\\lceil",
        "⌉" => "\\rceil",
        other => other,
    }
}

fn number(text: &str) -> String {
    if let Some((above, below)) = text.split_once('/') {
        let (sign, above) = above.strip_prefix('-').map_or(("", above), |rest| ("-", rest));
        return format!("{sign}\\tfrac{{{above}}}{{{below}}}");
    }
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{digits} \\cdot 10^{{{exponent}}}"),
        None => text.replace('∞', "\\infty ").replace('π', "\\pi "),
    }
}

/// A name: one letter in italics, more upright, Greek ones as letters.
fn word(name: &str) -> String {
    if let Some(old) = name.strip_suffix('′') {
        return format!("{{{}}}'", word(old));
    }
    if greek(name).is_some() {
        return if name == "eps" { "\\epsilon".to_owned() } else { format!("\\{name}") };
    }
    match name {
        "…" => return "\\dots".to_owned(),
        "L" => return "L".to_owned(),
        _ => {}
    }
    if name.chars().count() == 1 { name.to_owned() } else { format!("\\mathrm{{{}}}", name.replace('_', "\\_")) }
}

fn symbol(s: &Symbol) -> String {
    let base = match s.base.strip_suffix("_hat") {
        Some(rest) if !rest.is_empty() => format!("\\hat{{{}}}", word(rest)),
        _ => word(&s.base),
    };
    let layer = (!s.layer.is_empty()).then(|| format!("[{}]", word(&s.layer)));
    let sample = s.sample.as_deref().map(|m| format!("({})", formula(m)));
    let above: String = layer.into_iter().chain(sample).collect();
    let below: Vec<String> = s.at.iter().map(formula).collect();
    let single = s.at.iter().all(|m| matches!(m, Math::Symbol(i) if i.base.chars().count() == 1 && i.at.is_empty()));
    let below = below.join(if single { "" } else { ", " });
    let mut text = base;
    if !above.is_empty() {
        text.push_str(&format!("^{{{above}}}"));
    }
    if !below.is_empty() {
        text.push_str(&format!("_{{{below}}}"));
    }
    match (s.partial, s.base.as_str(), s.layer.is_empty()) {
        (false, ..) => text,
        (true, ..) => format!("\\frac{{\\partial L}}{{\\partial {text}}}"),
    }
}
