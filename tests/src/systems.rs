//! Every spec of `specs/` that trains, compiled into this crate by `network!`.

use crate::trained::Trained;
use gdc::rt::FitOptions;

/// A spec, and the generated code of it.
pub struct System {
    /// Its path under `specs/` without the ending, such as `optimizers/adam`.
    pub name: &'static str,
    /// What its `train { ... }` says.
    pub settings: FitOptions,
    /// A trainer with the initial values of a seed.
    pub new: fn(u64) -> Box<dyn Trained>,
}

impl System {
    /// The path of the spec from the repository's root.
    pub fn path(&self) -> String {
        format!("specs/{}.gd", self.name)
    }

    /// A trainer with the seed that the spec states.
    pub fn from_spec(&self) -> Box<dyn Trained> {
        (self.new)(self.settings.seed)
    }
}

macro_rules! systems {
    ($($module:ident $trainer:ident $file:literal;)*) => {
        $(
            #[doc = concat!("`", $file, "`")]
            pub mod $module {
                gdc::network!($file);
            }
        )*

        /// All of them, by name.
        pub fn systems() -> Vec<System> {
            let name = |file: &'static str| file.strip_prefix("../../specs/").and_then(|f| f.strip_suffix(".gd"));
            vec![$(System {
                name: name($file).expect("a spec's path"),
                settings: $module::$trainer::SETTINGS,
                new: |seed| $module::$trainer::boxed(seed),
            }),*]
        }
    };
}

systems! {
    digits DigitsTrainer "../../specs/digits.gd";
    iris IrisTrainer "../../specs/iris.gd";
    keras_mlp KerasMlpTrainer "../../specs/keras_mlp.gd";
    linear_regression LineTrainer "../../specs/linear_regression.gd";
    logistic_unit LogisticUnitTrainer "../../specs/logistic_unit.gd";
    adagrad DigitsAdagradTrainer "../../specs/optimizers/adagrad.gd";
    adam DigitsAdamTrainer "../../specs/optimizers/adam.gd";
    momentum DigitsMomentumTrainer "../../specs/optimizers/momentum.gd";
    nesterov DigitsNesterovTrainer "../../specs/optimizers/nesterov.gd";
    rmsprop DigitsRmspropTrainer "../../specs/optimizers/rmsprop.gd";
    sgd DigitsSgdTrainer "../../specs/optimizers/sgd.gd";
    quadratic QuadraticTrainer "../../specs/quadratic.gd";
    two_layer_sigmoid TwoLayerSigmoidTrainer "../../specs/two_layer_sigmoid.gd";
    xor XorTrainer "../../specs/xor.gd";
}

/// The system of a name.
///
/// # Panics
/// There is none.
pub fn system(name: &str) -> System {
    systems().into_iter().find(|s| s.name == name).expect("a spec of this name")
}
