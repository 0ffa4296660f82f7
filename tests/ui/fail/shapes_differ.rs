//! Both shapes are named, the second with its line.

gdc::network! {
    /// One unit with three outputs and one target.
    model Shapes {
        input  x: [2];
        target y: [1];
        param w: [2, 3] = zeros;
        let z[j] = sum[i](x[i] * w[i, j]);
        output p = z;
        loss mean((z - y)^2);
        optimizer sgd(lr = 0.5);
        train { batch = 4; epochs = 1; }
    }
}

fn main() {}
