//! In a function, beside a model that is right.

fn main() {
    gdc::network! {
        model Wrong {
            param x = 1.0;
            loss (x - y)^2;
            optimizer sgd(lr = 0.1);
            train { steps = 10; }
        }
    }
    gdc::network!(
        model Right {
            param x = 1.0;
            loss (x - 3)^2;
            optimizer sgd(lr = 0.1);
            train { steps = 10; }
        }
    );
    let _wrong = WrongTrainer::new(1);
    let _right = RightTrainer::new(1);
}
