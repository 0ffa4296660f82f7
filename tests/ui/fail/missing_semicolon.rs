//! A mistake of syntax is shown at the token that cannot stand there.

gdc::network! {
    model Unended {
        input  x: [4];
        target y: []
        output p = sum(x);
        loss (p - y)^2;
        optimizer sgd(lr = 0.1);
        train { batch = 4; epochs = 1; }
    }
}

fn main() {}
