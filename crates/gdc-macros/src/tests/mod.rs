//! Tests of the whole way through the macro, outside of the compiler.

mod expand;
mod roundtrip;
