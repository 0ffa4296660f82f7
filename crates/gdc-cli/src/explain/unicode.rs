//! Formulas as one line of Unicode text.

use super::math::{Equation, Math, Sign, Symbol};
use gdc_ir::Red;

/// How tightly each form binds.
const CASES: u8 = 0;
const RELATION: u8 = 1;
const SUM: u8 = 2;
const PRODUCT: u8 = 3;
const POWER: u8 = 5;
const ATOM: u8 = 6;

/// `z⁽ᵇ⁾ⱼ = Σᵢ x⁽ᵇ⁾ᵢ·wᵢⱼ + bⱼ`
pub fn equation(e: &Equation) -> String {
    let sign = match e.sign {
        Sign::Is => "=",
        Sign::Becomes => "←",
        Sign::Gains => "+=",
    };
    let parts: Vec<String> = e.parts.iter().map(|(n, m)| format!("{} = {}", formula(n), formula(m))).collect();
    let tail = if parts.is_empty() { String::new() } else { format!("\n    with {}", parts.join("\n         ")) };
    format!("{} {sign} {}{tail}", formula(&e.left), formula(&e.right))
}

/// A formula.
pub fn formula(math: &Math) -> String {
    written(math).0
}

fn at_least(math: &Math, binds: u8) -> String {
    let (text, own) = written(math);
    if own < binds { format!("({text})") } else { text }
}

fn list(items: &[Math]) -> String {
    items.iter().map(formula).collect::<Vec<_>>().join(", ")
}

fn written(math: &Math) -> (String, u8) {
    match math {
        Math::Number(text) => {
            let binds = match text {
                t if t.starts_with('-') => SUM,
                t if t.contains('/') => PRODUCT,
                _ => ATOM,
            };
            (text.replace('-', "−"), binds)
        }
        Math::Symbol(s) => (symbol(s), if s.partial { PRODUCT } else { ATOM }),
        Math::Sum(terms) => {
            let mut text = String::new();
            for (i, (negative, term)) in terms.iter().enumerate() {
                text.push_str(match (i, negative) {
                    (0, false) => "",
                    (0, true) => "−",
                    (_, false) => " + ",
                    (_, true) => " − ",
                });
                // A negative number needs parentheses after a sign, not at the start.
                let leads = i == 0 && !negative && matches!(term, Math::Number(_));
                text.push_str(&if leads { formula(term) } else { at_least(term, PRODUCT) });
            }
            (text, SUM)
        }
        Math::Product(factors) => {
            let last = factors.len().saturating_sub(1);
            // A sum sign reaches to the end: only the last factor may be one.
            let factor = |(i, f): (usize, &Math)| {
                let open = matches!(f, Math::Big(..)) && i < last || matches!(f, Math::Fraction(..)) && i > 0;
                if open { format!("({})", formula(f)) } else { at_least(f, PRODUCT) }
            };
            (factors.iter().enumerate().map(factor).collect::<Vec<_>>().join("·"), PRODUCT)
        }
        Math::Fraction(a, b) => {
            let above = if matches!(**a, Math::Big(..)) { format!("({})", formula(a)) } else { at_least(a, PRODUCT) };
            (format!("{above}/{}", at_least(b, PRODUCT + 1)), PRODUCT)
        }
        Math::Power(a, b) => {
            let exponent = formula(b);
            let raised = superscript(&exponent).unwrap_or_else(|| format!("^{}", at_least(b, POWER)));
            (format!("{}{raised}", at_least(a, POWER + 1)), POWER)
        }
        Math::Call(function, args) => match (*function, args.as_slice()) {
            ("", args) => (format!("[{}]", list(args)), ATOM),
            (f, args) => (format!("{f}({})", list(args)), ATOM),
        },
        Math::Root(a) => (format!("√{}", at_least(a, ATOM)), POWER),
        Math::Between(open, a, close) => (format!("{open}{}{close}", formula(a)), ATOM),
        Math::Relation(a, sign, b) => {
            (format!("{} {sign} {}", at_least(a, RELATION + 1), at_least(b, RELATION + 1)), RELATION)
        }
        Math::Not(a) => (format!("¬{}", at_least(a, ATOM)), POWER),
        Math::Cases(c, a, b) => (format!("{{{} if {}, else {}}}", formula(a), formula(c), formula(b)), ATOM),
        Math::Big(op, over, body) => {
            let vars: Option<String> = over.iter().map(|v| subscript(v)).collect();
            let vars = match vars {
                Some(vars) if vars.chars().count() == over.len() => vars,
                _ => format!("[{}]", over.join(",")),
            };
            let inside = at_least(body, PRODUCT);
            match op {
                Red::Sum => (format!("Σ{vars} {inside}"), PRODUCT),
                Red::Prod => (format!("Π{vars} {inside}"), PRODUCT),
                Red::Any => (format!("∃{vars} {inside}"), RELATION),
                Red::All => (format!("∀{vars} {inside}"), RELATION),
                Red::Lse => (format!("log Σ{vars} exp({})", formula(body)), PRODUCT),
                Red::Max | Red::Min | Red::Argmax | Red::Argmin => (format!("{}{vars} {inside}", op.name()), PRODUCT),
            }
        }
        Math::Padded(a, b) => (format!("{} else {}", formula(a), formula(b)), CASES),
    }
}

fn symbol(s: &Symbol) -> String {
    let base = match s.base.strip_suffix("_hat") {
        Some(rest) if !rest.is_empty() => format!("{rest}\u{302}"),
        _ => greek(&s.base).map_or(s.base.clone(), str::to_owned),
    };
    let mut text = if s.layer.is_empty() { base } else { format!("{}.{base}", s.layer) };
    if s.partial {
        text = format!("∂L/∂{text}");
    }
    let mut at: Vec<String> = s.at.iter().map(formula).collect();
    if let Some(sample) = s.sample.as_deref().map(formula) {
        match superscript(&sample) {
            Some(raised) => text.push_str(&format!("⁽{raised}⁾")),
            None => at.insert(0, sample),
        }
    }
    // Without a comma between them, only single letters and digits can be told apart.
    let single = at.iter().all(|a| a.chars().count() == 1) || at.len() == 1;
    let low: Option<String> = at.iter().map(|a| subscript(a)).collect();
    match low {
        _ if at.is_empty() => {}
        Some(low) if single => text.push_str(&low),
        _ => text.push_str(&format!("[{}]", at.join(", "))),
    }
    text
}

/// A Greek letter that is spelt out.
pub fn greek(name: &str) -> Option<&'static str> {
    const LETTERS: [(&str, &str); 20] = [
        ("alpha", "α"),
        ("beta", "β"),
        ("gamma", "γ"),
        ("delta", "δ"),
        ("epsilon", "ε"),
        ("eps", "ε"),
        ("zeta", "ζ"),
        ("eta", "η"),
        ("theta", "θ"),
        ("kappa", "κ"),
        ("lambda", "λ"),
        ("mu", "μ"),
        ("nu", "ν"),
        ("xi", "ξ"),
        ("rho", "ρ"),
        ("sigma", "σ"),
        ("tau", "τ"),
        ("phi", "φ"),
        ("psi", "ψ"),
        ("omega", "ω"),
    ];
    LETTERS.iter().find(|(n, _)| *n == name).map(|(_, letter)| *letter)
}

fn mapped(text: &str, from: &str, to: &str) -> Option<String> {
    text.chars()
        .filter(|c| *c != ' ')
        .map(|c| from.chars().position(|f| f == c).and_then(|i| to.chars().nth(i)))
        .collect()
}

fn subscript(text: &str) -> Option<String> {
    mapped(text, "0123456789aehijklmnoprstuvx+−()", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ₊₋₍₎")
}

fn superscript(text: &str) -> Option<String> {
    mapped(text, "0123456789abcdefghijklmnoprstuvwxyz+−()", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ⁺⁻⁽⁾")
}

#[cfg(test)]
mod tests {
    use super::super::math::name;
    use super::*;

    fn indexed(base: &str, at: &[&str]) -> Math {
        let at = at.iter().map(|i| name(i)).collect();
        Math::Symbol(Symbol { base: base.into(), at, ..Symbol::default() })
    }

    #[test]
    fn letters_that_have_small_forms_become_small() {
        assert_eq!(formula(&indexed("w", &["i", "j"])), "wᵢⱼ");
        assert_eq!(formula(&indexed("w", &["i", "c"])), "w[i, c]");
        assert_eq!(formula(&indexed("y_hat", &[])), "y\u{302}");
        assert_eq!(formula(&indexed("alpha", &["k"])), "αₖ");
    }

    #[test]
    fn parentheses_stand_where_they_are_needed() {
        let sum = Math::Sum(vec![(false, name("a")), (true, name("b"))]);
        let product = Math::Product(vec![Math::Number("2".into()), sum.clone()]);
        assert_eq!(formula(&product), "2·(a − b)");
        assert_eq!(formula(&Math::Power(Box::new(sum.clone()), Box::new(Math::Number("2".into())))), "(a − b)²");
        assert_eq!(formula(&Math::Fraction(Box::new(sum.clone()), Box::new(product))), "(a − b)/(2·(a − b))");
        let big = Math::Big(Red::Sum, vec!["i".into()], Box::new(sum));
        assert_eq!(formula(&Math::Product(vec![big.clone(), name("c")])), "(Σᵢ (a − b))·c");
        assert_eq!(formula(&Math::Sum(vec![(false, big), (false, name("c"))])), "Σᵢ (a − b) + c");
    }
}
