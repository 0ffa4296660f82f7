//! Nothing: what this package has is in `benches`.
