//! The example of `README.md`, word for word.

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

mod line {
    gdc::network!("model.gd"); // a file beside this one, or in the package's folder
}

fn main() -> Result<(), gdc::rt::Error> {
    let x = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let y = [[0.0], [1.0], [1.0], [0.0]];
    let mut trainer = XorTrainer::new(7);
    trainer.fit(&x, &y, &XorTrainer::SETTINGS, |epoch| {
        if epoch.epoch % 100 == 0 {
            println!("epoch {}: loss {:.4}", epoch.epoch, epoch.mean_loss);
        }
        ControlFlow::Continue(())
    })?;
    assert_eq!(trainer.evaluate(&x, &y)?.accuracy, 1.0);
    for x in &x {
        println!("{x:?} -> {:.3}", trainer.model.predict(x)[0]);
    }

    let mut line = line::LineTrainer::new(7);
    for _ in 0..300 {
        line.step(&[0.0, 1.0, 2.0, 3.0], &[1.0, 3.0, 5.0, 7.0])?;
    }
    assert!((line.model.predict(10.0) - 21.0).abs() < 1e-2);
    Ok(())
}
