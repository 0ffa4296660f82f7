//! The first network of every textbook, trained in a few milliseconds:
//! `cargo run --release -p gdc --example xor`.

use std::ops::ControlFlow;

gdc::network! {
    /// Exclusive or: what no single unit can separate.
    model Xor {
        input  x: [2];
        target y: [1];
        let h = x |> dense(8) |> tanh;
        let z = h |> dense(1);
        output p = sigmoid(z);
        loss   mean(binary_cross_entropy(logits = z, y));
        metric accuracy = (z[0] > 0) == (y[0] > 0.5);
        optimizer adam(lr = 0.05);
        train { batch = 4; epochs = 500; }
    }
}

fn main() -> Result<(), gdc::rt::Error> {
    let x = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let y = [[0.0], [1.0], [1.0], [0.0]];
    let mut trainer = XorTrainer::new(7);
    let fit = trainer.fit(&x, &y, &XorTrainer::SETTINGS, |epoch| {
        if epoch.epoch % 100 == 0 {
            println!("epoch {:3}: loss {:.4}", epoch.epoch, epoch.mean_loss);
        }
        ControlFlow::Continue(())
    })?;
    println!("after {} steps: loss {:.4}", fit.last.steps, fit.last.mean_loss);
    for x in &x {
        println!("{x:?} -> {:.3}", trainer.model.predict(x)[0]);
    }
    assert_eq!(trainer.evaluate(&x, &y)?.accuracy, 1.0);
    Ok(())
}
