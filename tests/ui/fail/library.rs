//! What does not fit a layer of the library is shown where it was given to the layer.

gdc::network! {
    model Library {
        input  x: [];
        target y: [3];
        let h = x |> dense(3);
        output p = x;
        loss (x - y[7])^2;
        optimizer sgd(lr = "fast");
        train { batch = 4; epochs = 1; }
    }
}

fn main() {}
