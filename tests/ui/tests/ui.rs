//! `network!` in crates that use it: what rustc says of a wrong spec, and where a right one works.
//!
//! `TRYBUILD=overwrite cargo test -p gdc-ui` writes the expected messages anew; read
//! the code and the underlined place of each before you keep it.

#[test]
fn wrong_specs_are_underlined_and_right_ones_work() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*.rs");
}
