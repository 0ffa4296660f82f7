//! Rust that is no spec, and literals that the language does not have.

mod sum {
    gdc::network!(1 + 2);
}

mod empty {
    gdc::network!();
}

mod rust {
    gdc::network!(
        pub struct Model;
    );
}

mod raw {
    gdc::network! { model r#match {} }
}

mod suffix {
    gdc::network! {
        model Suffix {
            param x = 4f32;
            loss x^2;
            optimizer sgd(lr = 0.1);
            train { steps = 10; }
        }
    }
}

mod character {
    gdc::network! {
        model Character {
            param x = 'x';
            loss x^2;
            optimizer sgd(lr = 0.1);
            train { steps = 10; }
        }
    }
}

fn main() {}
