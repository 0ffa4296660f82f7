//! The cases are in `pass` and `fail`, and what runs them is in `tests/ui.rs`.
