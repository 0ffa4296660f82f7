//! Formulas as MathML, which browsers draw by themselves.

use super::math::{Equation, Math, Sign, Symbol};
use super::unicode::greek;
use gdc_ir::Red;

const RELATION: u8 = 1;
const SUM: u8 = 2;
const PRODUCT: u8 = 3;
const POWER: u8 = 5;
const ATOM: u8 = 6;

/// A block with one equation, and a block for each part that it names.
pub fn equation(e: &Equation) -> String {
    let sign = match e.sign {
        Sign::Is => "=",
        Sign::Becomes => "←",
        Sign::Gains => "+=",
    };
    let block = |a: &Math, sign: &str, b: &Math| {
        format!("<math display=\"block\"><mrow>{}{}{}</mrow></math>\n", formula(a), operator(sign), formula(b))
    };
    let parts: String =
        e.parts.iter().map(|(n, m)| format!("<div class=\"part\">{}</div>", block(n, "=", m))).collect();
    format!("{}{parts}", block(&e.left, sign, &e.right))
}

/// A formula, without the element around it.
pub fn formula(math: &Math) -> String {
    written(math).0
}

/// Text that stands between tags.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn operator(sign: &str) -> String {
    format!("<mo>{}</mo>", escaped(sign))
}

fn fenced(open: &str, inside: &str, close: &str) -> String {
    format!("<mrow>{}{inside}{}</mrow>", operator(open), operator(close))
}

fn at_least(math: &Math, binds: u8) -> String {
    let (text, own) = written(math);
    if own < binds { fenced("(", &text, ")") } else { text }
}

fn list(items: &[Math]) -> String {
    items.iter().map(formula).collect::<Vec<_>>().join(&operator(","))
}

fn row(inside: String) -> String {
    format!("<mrow>{inside}</mrow>")
}

fn written(math: &Math) -> (String, u8) {
    match math {
        Math::Number(text) => (number(text), if text.starts_with('-') { SUM } else { ATOM }),
        Math::Symbol(s) => (symbol(s), ATOM),
        Math::Sum(terms) => {
            let mut text = String::new();
            for (i, (negative, term)) in terms.iter().enumerate() {
                match (i, negative) {
                    (0, false) => {}
                    (_, true) => text.push_str(&operator("−")),
                    (_, false) => text.push_str(&operator("+")),
                }
                // A negative number needs parentheses after a sign, not at the start.
                let leads = i == 0 && !negative && matches!(term, Math::Number(_));
                text.push_str(&if leads { formula(term) } else { at_least(term, PRODUCT) });
            }
            (row(text), SUM)
        }
        Math::Product(factors) => (product(factors), PRODUCT),
        Math::Fraction(a, b) => (format!("<mfrac>{}{}</mfrac>", row(formula(a)), row(formula(b))), ATOM),
        Math::Power(a, b) => (format!("<msup>{}{}</msup>", row(at_least(a, POWER + 1)), row(formula(b))), POWER),
        Math::Call(function, args) => match *function {
            "" => (fenced("[", &list(args), "]"), ATOM),
            f => (format!("<mrow><mi>{f}</mi><mo>&#x2061;</mo>{}</mrow>", fenced("(", &list(args), ")")), ATOM),
        },
        Math::Root(a) => (format!("<msqrt>{}</msqrt>", formula(a)), ATOM),
        Math::Between(open, a, close) => (fenced(open, &formula(a), close), ATOM),
        Math::Relation(a, sign, b) => {
            (row(format!("{}{}{}", at_least(a, RELATION + 1), operator(sign), at_least(b, RELATION + 1))), RELATION)
        }
        Math::Not(a) => (row(format!("{}{}", operator("¬"), at_least(a, ATOM))), POWER),
        Math::Cases(c, a, b) => {
            let line =
                |value: &Math, when: String| format!("<mtr><mtd>{}</mtd><mtd>{when}</mtd></mtr>", row(formula(value)));
            let first = line(a, row(format!("<mtext>if&nbsp;</mtext>{}", formula(c))));
            let second = line(b, "<mtext>else</mtext>".to_owned());
            let table = format!("<mtable columnalign=\"left left\">{first}{second}</mtable>");
            (row(format!("<mo>{{</mo>{table}")), ATOM)
        }
        Math::Big(op, over, body) => (big(*op, over, body), PRODUCT),
        Math::Padded(a, b) => (row(format!("{}<mtext>&nbsp;else&nbsp;</mtext>{}", formula(a), formula(b))), 0),
    }
}

fn product(factors: &[Math]) -> String {
    let last = factors.len().saturating_sub(1);
    let mut text = String::new();
    for (i, f) in factors.iter().enumerate() {
        if i > 0 {
            // Two numbers side by side would read as one.
            text.push_str(if matches!(f, Math::Number(_)) { "<mo>·</mo>" } else { "<mspace width=\"0.17em\"/>" });
        }
        let open = matches!(f, Math::Big(..)) && i < last;
        text.push_str(&if open { fenced("(", &formula(f), ")") } else { at_least(f, PRODUCT) });
    }
    row(text)
}

fn big(op: Red, over: &[String], body: &Math) -> String {
    let vars = row(over.iter().map(|v| word(v)).collect::<Vec<_>>().join(&operator(",")));
    let under = |sign: String| format!("<munder>{sign}{vars}</munder>");
    let inside = at_least(body, PRODUCT);
    let sign = match op {
        Red::Sum => "<mo>∑</mo>".to_owned(),
        Red::Prod => "<mo>∏</mo>".to_owned(),
        Red::Any => "<mo>⋁</mo>".to_owned(),
        Red::All => "<mo>⋀</mo>".to_owned(),
        Red::Max | Red::Min | Red::Argmax | Red::Argmin => format!("<mi>{}</mi>", op.name()),
        Red::Lse => {
            let exp = format!("<mi>exp</mi><mo>&#x2061;</mo>{}", fenced("(", &formula(body), ")"));
            return row(format!("<mi>log</mi><mo>&#x2061;</mo>{}{exp}", under("<mo>∑</mo>".to_owned())));
        }
    };
    row(format!("{}{inside}", under(sign)))
}

fn number(text: &str) -> String {
    if let Some((above, below)) = text.split_once('/') {
        let (sign, above) = above.strip_prefix('-').map_or(("", above), |rest| ("<mo>−</mo>", rest));
        return format!("{sign}<mfrac><mn>{above}</mn><mn>{below}</mn></mfrac>");
    }
    match text.split_once('e') {
        Some((digits, exponent)) => {
            row(format!("<mn>{digits}</mn><mo>·</mo><msup><mn>10</mn><mn>{}</mn></msup>", exponent.replace('-', "−")))
        }
        None => format!("<mn>{}</mn>", text.replace('-', "−")),
    }
}

fn word(name: &str) -> String {
    format!("<mi>{}</mi>", escaped(greek(name).unwrap_or(name)))
}

fn symbol(s: &Symbol) -> String {
    let base = match s.base.strip_suffix("_hat") {
        Some(rest) if !rest.is_empty() => format!("<mover accent=\"true\">{}<mo>^</mo></mover>", word(rest)),
        _ => word(&s.base),
    };
    let mut above = String::new();
    // Brackets that stretch would be larger than what they are attached to.
    let small = |open, inside: String, close| {
        format!("<mo stretchy=\"false\">{open}</mo>{inside}<mo stretchy=\"false\">{close}</mo>")
    };
    if !s.layer.is_empty() {
        above.push_str(&small("[", word(&s.layer), "]"));
    }
    if let Some(sample) = &s.sample {
        above.push_str(&small("(", formula(sample), ")"));
    }
    let single = s.at.iter().all(|m| matches!(m, Math::Symbol(i) if i.base.chars().count() == 1 && i.at.is_empty()));
    let comma = if single { operator("\u{2063}") } else { operator(",") };
    let below = s.at.iter().map(formula).collect::<Vec<_>>().join(&comma);
    let text = match (above.is_empty(), below.is_empty()) {
        (true, true) => base,
        (true, false) => format!("<msub>{base}{}</msub>", row(below)),
        (false, true) => format!("<msup>{base}{}</msup>", row(above)),
        (false, false) => format!("<msubsup>{base}{}{}</msubsup>", row(below), row(above)),
    };
    if s.partial {
        return format!("<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo>{text}</mrow></mfrac>");
    }
    text
}
