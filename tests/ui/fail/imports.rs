//! Mistakes about imports, and in what is imported.

mod missing {
    gdc::network! {
        import "nothing.gd";
        model Missing {
            param x = 1.0;
            loss x^2;
            optimizer sgd(lr = 0.1);
            train { steps = 10; }
        }
    }
}

mod wrong {
    gdc::network! {
        import "imports.gd";
        model Wrong {
            param x = 1.0;
            loss shifted(x)^2;
            optimizer sgd(lr = 0.1);
            train { steps = 10; }
        }
    }
}

fn main() {}
