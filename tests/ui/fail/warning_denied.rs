//! A warning about a spec is shown at its token, and can be denied like any other.

#![deny(warnings)]

gdc::network! {
    /// `cross_entropy` is given probabilities, where it takes logits.
    model Probabilities {
        input  x: [4];
        target label: in 0..3;
        let logits = x |> dense(3);
        output probs = softmax(logits);
        loss cross_entropy(softmax(logits), label);
        optimizer sgd(lr = 0.1);
        train { batch = 16; epochs = 1; }
    }
}

fn main() {}
