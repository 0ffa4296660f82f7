//! The codes of the passes' diagnostics; their explanations are in the catalogue of
//! `gdc-syntax`, and a test holds the two together.

use gdc_syntax::Code;

/// A name that nothing defines.
pub const UNKNOWN_NAME: Code = Code("E0101");
/// A name defined twice.
pub const SHADOWS: Code = Code("E0102");
/// Calling what cannot be called.
pub const NOT_CALLABLE: Code = Code("E0103");
/// An argument that the callee does not take.
pub const UNKNOWN_ARGUMENT: Code = Code("E0104");
/// An argument that the callee needs.
pub const MISSING_ARGUMENT: Code = Code("E0105");
/// More arguments than the callee takes.
pub const TOO_MANY_ARGUMENTS: Code = Code("E0106");
/// A label used twice.
pub const REPEATED_LABEL: Code = Code("E0107");
/// Definitions that call each other without end.
pub const RECURSION: Code = Code("E0108");
/// An import that cannot be read, or that leads back to itself.
pub const IMPORT: Code = Code("E0109");
/// Two shapes that must be equal.
pub const SHAPE: Code = Code("E0201");
/// A wrong number of axes or indices.
pub const RANK: Code = Code("E0202");
/// An index whose range nothing gives.
pub const INDEX_RANGE: Code = Code("E0203");
/// A read that can fall outside.
pub const OUT_OF_RANGE: Code = Code("E0204");
/// A size that does not divide exactly.
pub const NOT_EXACT: Code = Code("E0205");
/// A size that is negative, zero or too large.
pub const SIZE: Code = Code("E0206");
/// A reshape that changes the number of elements.
pub const RESHAPE: Code = Code("E0207");
/// Reads that give an index different ranges.
pub const INDEX_DISAGREES: Code = Code("E0208");
/// A value of another kind than is wanted.
pub const KIND: Code = Code("E0301");
/// A truth value where a number is wanted, or the other way round.
pub const TYPE: Code = Code("E0302");
/// A value that must be known at compile time.
pub const NOT_CONSTANT: Code = Code("E0303");
/// An integer whose range does not fit.
pub const INTEGER_RANGE: Code = Code("E0304");
/// A number that does not fit its type.
pub const NUMBER: Code = Code("E0305");
/// A statement where it has no meaning.
pub const MISPLACED: Code = Code("E0401");
/// A model without a loss.
pub const NO_LOSS: Code = Code("E0402");
/// A loss that is not one number.
pub const LOSS_SHAPE: Code = Code("E0403");
/// An output that reads a target.
pub const OUTPUT_READS_TARGET: Code = Code("E0404");
/// A next value for something that keeps none.
pub const NOT_UPDATABLE: Code = Code("E0405");
/// A source without a model, or without the one asked for.
pub const NO_MODEL: Code = Code("E0406");
/// A model without an optimizer, or a parameter with two.
pub const OPTIMIZER: Code = Code("E0501");
/// A setting that does not exist.
pub const UNKNOWN_SETTING: Code = Code("E0502");
/// A setting with a value that it cannot have.
pub const SETTING: Code = Code("E0503");
/// A part of the language that this version does not compile.
pub const UNSUPPORTED: Code = Code("E0901");
/// Probabilities where logits are wanted.
pub const PROBABILITIES: Code = Code("W0001");
/// An input whose first axis equals the batch.
pub const BATCH_AXIS: Code = Code("W0002");
/// A parameter that the loss does not depend on.
pub const UNUSED_PARAM: Code = Code("W0003");
