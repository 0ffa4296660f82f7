//! Wherever items can stand, in all three brackets, twice in one module.

/// The place of the minimum that a trainer finds.
macro_rules! minimum {
    ($trainer:ty) => {{
        let mut trainer = <$trainer>::new(1);
        for _ in 0..100 {
            trainer.step();
        }
        trainer.model.x
    }};
}

mod both {
    gdc::network! {
        /// Documentation is kept.
        model First {
            param x = 1.0; // an ordinary comment is not
            loss (x - 3)^2;
            optimizer sgd(lr = 0.1);
            train { steps = 100; }
        }
    }

    gdc::network![
        model Second {
            param x = 1.0;
            loss (x - 5)^2;
            optimizer sgd(lr = 0.1);
            train { steps = 100; }
        }
    ];
}

fn inside() -> f32 {
    gdc::network!(
        model Inside {
            param x = 1.0;
            loss x^2;
            optimizer sgd(lr = 0.1);
            train { steps = 100; }
        }
    );
    minimum!(InsideTrainer)
}

macro_rules! minimise {
    ($(#[$doc:meta])* $name:ident at $place:expr, rate $rate:literal, $optimizer:ident) => {
        gdc::network! {
            $(#[$doc])*
            model $name {
                param x = 1.0;
                loss (x - $place)^2;
                optimizer $optimizer(lr = $rate);
                train { steps = 100; }
            }
        }
    };
}

minimise!(
    /// Made by a macro: `3 - 5` must stay in parentheses.
    Below at 3.0 - 5.0, rate 0.1, sgd
);

macro_rules! from_file {
    ($path:literal) => {
        gdc::network!($path);
    };
}

mod file {
    from_file!("places.gd");
}

fn main() {
    assert!((minimum!(both::FirstTrainer) - 3.0).abs() < 1e-4);
    assert!((minimum!(both::SecondTrainer) - 5.0).abs() < 1e-4);
    assert!(inside().abs() < 1e-4);
    assert!((minimum!(BelowTrainer) + 2.0).abs() < 1e-4);
    assert!((minimum!(file::InFileTrainer) - 3.0).abs() < 1e-4);
}
