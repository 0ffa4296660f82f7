//! Shared by the tests: building graphs by hand, running programs, comparing with the
//! interpreter.

#![allow(dead_code)] // each test file uses a part
#![allow(clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

pub mod build;
pub mod compare;
pub mod evaluate;
pub mod models;
