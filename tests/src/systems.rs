//! Every spec of `specs/` that trains, and the models of `tests/cases`, compiled into this crate
//! by `network!`.

use crate::trained::Trained;
use gdc::rt::FitOptions;

/// A spec, and the generated code of it.
pub struct System {
    /// The spec's path from the repository's root.
    pub path: String,
    /// What its `train { ... }` says.
    pub settings: FitOptions,
    /// A trainer with the initial values of a seed.
    pub new: fn(u64) -> Box<dyn Trained>,
}

impl System {
    /// The path under its folder without the ending, such as `optimizers/adam`.
    pub fn name(&self) -> &str {
        let name = self.path.trim_end_matches(".gd");
        name.strip_prefix("specs/").or_else(|| name.strip_prefix("tests/cases/")).unwrap_or(name)
    }

    /// A trainer with the seed that the spec states.
    pub fn from_spec(&self) -> Box<dyn Trained> {
        (self.new)(self.settings.seed)
    }
}

macro_rules! systems {
    ($(#[$doc:meta])* $list:ident: $($module:ident $trainer:ident $file:literal;)*) => {
        $(
            #[doc = concat!("`", $file, "`")]
            pub mod $module {
                gdc::network!($file);
            }
        )*

        $(#[$doc])*
        pub fn $list() -> Vec<System> {
            vec![$(System {
                path: $file.replace("../../", "").replace("../", "tests/"),
                settings: $module::$trainer::SETTINGS,
                new: |seed| $module::$trainer::boxed(seed),
            }),*]
        }
    };
}

systems! {
    /// The specs, by name.
    specs:
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
    sunspots_gru SunspotsGruTrainer "../../specs/sunspots_gru.gd";
    sunspots_lstm SunspotsLstmTrainer "../../specs/sunspots_lstm.gd";
    two_layer_sigmoid TwoLayerSigmoidTrainer "../../specs/two_layer_sigmoid.gd";
    xor XorTrainer "../../specs/xor.gd";
}

systems! {
    /// Functions of the library, several in one model.
    functions:
    bits BitsTrainer "../cases/functions/bits.gd";
    chances ChancesTrainer "../cases/functions/chances.gd";
    classes ClassesTrainer "../cases/functions/classes.gd";
    fours FoursTrainer "../cases/functions/fours.gd";
    numbers NumbersTrainer "../cases/functions/numbers.gd";
    rates RatesTrainer "../cases/functions/rates.gd";
    threes ThreesTrainer "../cases/functions/threes.gd";
}

systems! {
    /// Settings of training that are compared with PyTorch.
    training:
    optimizers OptimizersTrainer "../cases/optimizers.gd";
    schedules SchedulesTrainer "../cases/schedules.gd";
}

/// The system of a name.
///
/// # Panics
/// There is none.
pub fn system(name: &str) -> System {
    let mut all = specs().into_iter().chain(functions()).chain(training());
    all.find(|s| s.name() == name).unwrap_or_else(|| panic!("there is no {name}"))
}
