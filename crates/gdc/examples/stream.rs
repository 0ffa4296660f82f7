//! A forecast that follows a measurement as it comes in: trained on short sequences, then run one
//! value at a time for as long as you like: `cargo run --release -p gdc --example stream`.

use gdc::rt;
use std::ops::ControlFlow;

gdc::network! {
    /// The next value of a swinging signal, from all values so far.
    model Follow {
        const t = 24;
        input  x: [t];
        target y: [t];
        let h = reshape(x, [t, 1]) |> gru(16) |> dense(1);
        let y_hat = h[.., 0];
        output next = y_hat;
        loss   mse(y_hat, y);
        stream t;
        optimizer adam(lr = 1e-2);
        train { batch = 16; epochs = 60; }
    }
}

/// A pendulum that somebody pushes now and then; how far aside it is at each time.
struct Pendulum {
    angle: f32,
    speed: f32,
    times: u64,
}

impl Pendulum {
    fn new(seed: u64) -> Self {
        Pendulum { angle: 0.5, speed: 0.0, times: seed << 32 }
    }

    fn next(&mut self) -> f32 {
        self.times += 1;
        let draw = rt::fold(3, self.times);
        let push = if draw.is_multiple_of(40) { (draw >> 8) as u8 as f32 / 256.0 - 0.5 } else { 0.0 };
        self.speed += push - 0.12 * self.angle.sin() - 0.01 * self.speed;
        self.angle += self.speed;
        self.angle.sin()
    }
}

fn main() -> Result<(), rt::Error> {
    let mut pendulum = Pendulum::new(1);
    let seen: Vec<f32> = (0..24 * 160 + 1).map(|_| pendulum.next()).collect();
    let window = |k: usize| std::array::from_fn(|i| seen[24 * k + i]);
    let x: Vec<[f32; 24]> = (0..160).map(window).collect();
    let y: Vec<[f32; 24]> = (0..160).map(|k| std::array::from_fn(|i| seen[24 * k + i + 1])).collect();
    let mut trainer = Box::new(FollowTrainer::new(2));
    trainer.fit(&x, &y, &FollowTrainer::SETTINGS, |epoch| {
        if epoch.epoch % 20 == 0 {
            println!("epoch {}: loss {:.5}", epoch.epoch, epoch.mean_loss);
        }
        ControlFlow::Continue(())
    })?;
    let model = &trainer.model;

    // The stream gives what the whole sequence gives, one time after the other.
    let whole = model.predict(&x[7]);
    let mut stream = FollowStream::start(model);
    let steps = x[7].map(|x| stream.step(model, x));
    assert_eq!(steps, whole);

    // And it goes on: another pendulum, for longer than any sequence of the training.
    stream.reset(model);
    let mut pendulum = Pendulum::new(9);
    let (mut error, mut naive, mut now) = (0.0, 0.0, pendulum.next());
    for _ in 0..2000 {
        let forecast = stream.step(model, now);
        let next = pendulum.next();
        error += (forecast - next).powi(2) / 2000.0;
        naive += (now - next).powi(2) / 2000.0;
        now = next;
    }
    println!("squared error {error:.4}; that all stays as it is: {naive:.4}; {} bytes carried", size_of_val(&stream));
    assert!(error < 0.5 * naive);
    Ok(())
}
