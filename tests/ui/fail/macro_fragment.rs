//! A mistake in what a user's own macro was given is shown where the user wrote it.

macro_rules! minimise {
    ($name:ident, $start:expr, $loss:expr) => {
        gdc::network! {
            model $name {
                param x = $start;
                loss $loss;
                optimizer sgd(lr = 0.1);
                train { steps = 10; }
            }
        }
    };
}

minimise!(Fine, 1.0, x * (x - 4.0));
minimise!(Bad, 1.0, x * (x - z));

fn main() {}
