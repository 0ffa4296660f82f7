//! Rust types and zeros of buffers.

use gdc_ir::program::{Buffer, Elem};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// The type of an element.
pub(crate) fn elem_type(elem: Elem) -> TokenStream {
    match elem {
        Elem::F32 => quote!(f32),
        Elem::F64 => quote!(f64),
        Elem::U32 => quote!(u32),
        Elem::I32 => quote!(i32),
        Elem::U64 => quote!(u64),
        Elem::Bool => quote!(bool),
    }
}

/// `[[f32; 64]; 32]` for the shape `[32, 64]`.
pub(crate) fn array_type(elem: Elem, shape: &[usize]) -> TokenStream {
    shape.iter().rev().fold(elem_type(elem), |inner, &n| {
        let n = Literal::usize_unsuffixed(n);
        quote!([#inner; #n])
    })
}

/// The type of a buffer.
pub(crate) fn buffer_type(buffer: &Buffer) -> TokenStream {
    array_type(buffer.elem, &buffer.shape)
}

/// Zeros of an element type and shape.
pub(crate) fn zero(elem: Elem, shape: &[usize]) -> TokenStream {
    let element = match elem {
        Elem::F32 | Elem::F64 => quote!(0.0),
        Elem::U32 | Elem::I32 | Elem::U64 => quote!(0),
        Elem::Bool => quote!(false),
    };
    crate::stmt::nested(&element, shape)
}

/// Bytes of one element.
pub(crate) fn elem_bytes(elem: Elem) -> usize {
    match elem {
        Elem::F32 | Elem::U32 | Elem::I32 => 4,
        Elem::F64 | Elem::U64 => 8,
        Elem::Bool => 1,
    }
}

/// The number of elements; `usize::MAX` where it does not fit.
pub(crate) fn count(shape: &[usize]) -> usize {
    shape.iter().fold(1, |n, &extent| n.saturating_mul(extent))
}

/// Bytes of a buffer.
pub(crate) fn buffer_bytes(buffer: &Buffer) -> usize {
    count(&buffer.shape).saturating_mul(elem_bytes(buffer.elem))
}

/// `64 x 10` for a shape; "one number" for none.
pub(crate) fn shape_words(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "one number".to_owned();
    }
    let extents: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("[{}]", extents.join(", "))
}
