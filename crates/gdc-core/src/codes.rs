//! The codes of the passes' diagnostics by what they mean; the catalogue of `gdc-syntax`
//! explains each.

pub use gdc_syntax::codes::E0101 as UNKNOWN_NAME;
pub use gdc_syntax::codes::E0102 as SHADOWS;
pub use gdc_syntax::codes::E0103 as NOT_CALLABLE;
pub use gdc_syntax::codes::E0104 as UNKNOWN_ARGUMENT;
pub use gdc_syntax::codes::E0105 as MISSING_ARGUMENT;
pub use gdc_syntax::codes::E0106 as TOO_MANY_ARGUMENTS;
pub use gdc_syntax::codes::E0107 as REPEATED_LABEL;
pub use gdc_syntax::codes::E0108 as RECURSION;
pub use gdc_syntax::codes::E0109 as IMPORT;
pub use gdc_syntax::codes::E0201 as SHAPE;
pub use gdc_syntax::codes::E0202 as RANK;
pub use gdc_syntax::codes::E0203 as INDEX_RANGE;
pub use gdc_syntax::codes::E0204 as OUT_OF_RANGE;
pub use gdc_syntax::codes::E0205 as NOT_EXACT;
pub use gdc_syntax::codes::E0206 as SIZE;
pub use gdc_syntax::codes::E0207 as RESHAPE;
pub use gdc_syntax::codes::E0208 as INDEX_DISAGREES;
pub use gdc_syntax::codes::E0301 as KIND;
pub use gdc_syntax::codes::E0302 as TYPE;
pub use gdc_syntax::codes::E0303 as NOT_CONSTANT;
pub use gdc_syntax::codes::E0304 as INTEGER_RANGE;
pub use gdc_syntax::codes::E0305 as NUMBER;
pub use gdc_syntax::codes::E0401 as MISPLACED;
pub use gdc_syntax::codes::E0402 as NO_LOSS;
pub use gdc_syntax::codes::E0403 as LOSS_SHAPE;
pub use gdc_syntax::codes::E0404 as OUTPUT_READS_TARGET;
pub use gdc_syntax::codes::E0405 as NOT_UPDATABLE;
pub use gdc_syntax::codes::E0406 as NO_MODEL;
pub use gdc_syntax::codes::E0501 as OPTIMIZER;
pub use gdc_syntax::codes::E0502 as UNKNOWN_SETTING;
pub use gdc_syntax::codes::E0503 as SETTING;
pub use gdc_syntax::codes::E0901 as UNSUPPORTED;
pub use gdc_syntax::codes::W0001 as PROBABILITIES;
pub use gdc_syntax::codes::W0002 as BATCH_AXIS;
pub use gdc_syntax::codes::W0003 as UNUSED_PARAM;
