//! Each mistake is an error of its own, at its own token.

gdc::network! {
    model Several {
        input  x: [4];
        target y: [];
        let a = x |> densse(3);
        let b = x + undefined;
        output p = sum(a);
        loss (sum(b) - y)^2;
        optimizer sgd(lr = 0.1);
        train { batch = 4; epochs = 1; }
    }
}

fn main() {}
