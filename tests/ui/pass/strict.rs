//! In the strictest of crates: no standard library, no prelude, no `unsafe`, no warnings.

#![no_std]
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::all)]

extern crate std; // for `main` alone

mod strict {
    //! A mapped layer, a reduction and an optimizer with state.
    ::gdc::network! {
        /// Exclusive or.
        model Strict {
            input  x: [2];
            target y: [1];
            let h = x |> dense(4) |> tanh;
            let z = h |> dense(1);
            output p = sigmoid(z);
            loss   mean(binary_cross_entropy(logits = z, y));
            metric accuracy = (z[0] > 0) == (y[0] > 0.5);
            optimizer adam(lr = 0.05);
            train { batch = 4; epochs = 10; }
        }
    }
}

fn main() {
    let x = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let y = [[0.0], [1.0], [1.0], [0.0]];
    let mut trainer = strict::StrictTrainer::new(1);
    for _ in 0..500 {
        ::std::assert!(trainer.step(&x, &y).is_ok());
    }
    ::std::assert!(trainer.model.predict(&[0.0, 1.0])[0] > 0.9);
    ::std::assert!(trainer.model.predict(&[1.0, 1.0])[0] < 0.1);
}
