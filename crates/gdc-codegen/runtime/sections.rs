//! The runtime's text, for files that must need nothing but `core`: its
//! sections, what each needs, and how they become one `mod rt`.
//!
//! This file is part of `gdc-codegen`; the tests of crate `gdc` include it
//! too, to hold every subset of sections to compiling without warnings.

/// A file of this folder, pasted as a module of its own.
pub struct Section {
    /// The module's name.
    pub name: &'static str,
    /// The file's text; it opens with `//!`.
    pub text: &'static str,
    /// The sections that it needs directly.
    pub needs: &'static [&'static str],
}

/// All sections, each after those that it needs.
pub const SECTIONS: &[Section] = &[
    Section { name: "root", text: include_str!("root.rs"), needs: &[] },
    Section { name: "hosted_root", text: include_str!("hosted_root.rs"), needs: &[] },
    Section { name: "real", text: include_str!("real.rs"), needs: &["root"] },
    Section { name: "double", text: include_str!("double.rs"), needs: &["real"] },
    Section { name: "lane", text: include_str!("lane.rs"), needs: &["real"] },
    Section { name: "polynomials", text: include_str!("polynomials.rs"), needs: &["lane", "double"] },
    Section { name: "math", text: include_str!("math.rs"), needs: &["polynomials"] },
    Section { name: "lanes", text: include_str!("lanes.rs"), needs: &["lane"] },
    Section { name: "places", text: include_str!("places.rs"), needs: &["lanes"] },
    Section { name: "random", text: include_str!("random.rs"), needs: &["double"] },
    Section { name: "order", text: include_str!("order.rs"), needs: &["random"] },
    Section { name: "parts", text: include_str!("parts.rs"), needs: &[] },
    Section { name: "each", text: include_str!("each.rs"), needs: &[] },
    Section { name: "pool", text: include_str!("pool.rs"), needs: &[] },
    Section { name: "error", text: include_str!("error.rs"), needs: &[] },
    Section { name: "train", text: include_str!("train.rs"), needs: &["error", "order"] },
    Section { name: "batch", text: include_str!("batch.rs"), needs: &["error"] },
];

/// What stands in place of other sections where it is wanted: in a program with `std`.
pub const HOSTED: &[(&str, &str)] = &[("hosted_root", "root"), ("pool", "each")];

/// The macros `named_tensors!` and `array!`, as crate `gdc` has them.
const TENSORS: &str = "\
macro_rules! array {
    ($real:ident) => { $real };
    ($real:ident $extent:literal $($inner:literal)*) => { [rt::array!($real $($inner)*); $extent] };
}
pub(crate) use array;
macro_rules! named_tensors {
    (
        $(#[$about:meta])*
        struct $of:ident of $real:ident { $($field:ident: $name:literal [$($extent:literal),*],)* }
    ) => {
        $(#[$about])*
        #[allow(dead_code)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        struct $of { $($field: rt::array!($real $($extent)*),)* }
        impl $of {
            const ZERO: Self = Self { $($field: rt::Tensor::ZERO,)* };
        }
        rt::named_tensors! { $of of $real { $($field: $name [$($extent),*],)* } }
    };
    ($of:ident of $real:ident { $($field:ident: $name:literal [$($extent:literal),*],)* }) => {
        impl rt::NamedTensors for $of {
            type Real = $real;
            fn zero() -> Self {
                Self::ZERO
            }
            fn tensors(&self, _visit: &mut rt::Visit<'_, $real>) {
                $(_visit($name, &[$($extent),*], rt::numbers(&self.$field));)*
            }
            fn tensors_mut(&mut self, _visit: &mut rt::VisitMut<'_, $real>) {
                $(_visit($name, &[$($extent),*], rt::numbers_mut(&mut self.$field));)*
            }
        }
    };
}
pub(crate) use named_tensors;
";

/// `pub mod rt { ... }` with the sections that `wanted` names and all that
/// those need. Unknown names are passed over.
pub fn module(wanted: &[&str]) -> String {
    let mut needed: Vec<&str> = wanted.to_vec();
    // Needs stand before those who need them, so one walk backwards finds all.
    for section in SECTIONS.iter().rev() {
        if needed.contains(&section.name) {
            needed.extend(section.needs);
        }
    }
    let mut text = String::from(
        "/// The runtime of gdc, as far as this file uses it.\n\
         #[allow(dead_code, unused_imports, unused_macros)]\n\
         pub mod rt {\n",
    );
    for (instead, of) in HOSTED {
        if needed.contains(instead) {
            needed.retain(|name| name != of);
        }
    }
    // Generated code offers what needs a heap only beside a runtime with one.
    text.push_str(
        "    macro_rules! with_alloc {\n        ($($item:tt)*) => {};\n    }\n    \
         pub(crate) use with_alloc;\n",
    );
    for line in TENSORS.lines() {
        text.push_str(&format!("    {line}\n"));
    }
    for section in SECTIONS.iter().filter(|section| needed.contains(&section.name)) {
        // The functions of these two have the names of the generic ones.
        if !["double", "polynomials"].contains(&section.name) {
            text.push_str(&format!("\n    pub use self::{}::*;", section.name));
        }
        text.push_str(&format!("\n    pub mod {} {{\n", section.name));
        for line in section.text.lines() {
            if !line.is_empty() {
                text.push_str("        ");
                text.push_str(line);
            }
            text.push('\n');
        }
        text.push_str("    }\n");
    }
    text.push_str("}\n");
    text
}
