//! Inference where there is nothing but a processor: no operating system, no heap. A library
//! that firmware can link, with weights put in when it is compiled:
//! `cargo build --release -p gdc --no-default-features --example no_std_inference`.
#![no_std]
#![forbid(unsafe_code)]

gdc::network! {
    /// Whether three readings of an accelerometer belong to a fall.
    model Fall {
        input  acceleration: [3];
        target fell: [1];
        let h = acceleration |> dense(4) |> relu;
        let z = h |> dense(1);
        output p = sigmoid(z);
        loss   mean(binary_cross_entropy(logits = z, fell));
        optimizer sgd(lr = 0.1);
        train { batch = 8; }
    }
}

/// In read-only memory; `gdc train` and `gdc::weights` write such numbers.
static MODEL: Fall = Fall {
    h_dense_w: [[0.9, -0.7, 0.1, 0.4], [0.8, -0.9, -0.2, 0.3], [1.1, -0.8, 0.3, 0.2]],
    h_dense_b: [-2.0, 1.0, 0.0, 0.1],
    z_dense_w: [[1.5], [2.0], [-0.3], [0.2]],
    z_dense_b: [-1.0],
};

/// The probability of a fall.
pub fn fell(acceleration: &[f32; 3]) -> f32 {
    MODEL.predict(acceleration)[0]
}
