//! Learning within a control loop, 1000 times a second and without an allocation: a motor
//! with unknown strength and friction must follow a speed. The network learns the inverse of
//! the motor, which voltage leads from one speed to the next, from what it sees happen:
//! `cargo run --release -p gdc --example control`.

gdc::network! {
    /// The voltage that takes the motor from one speed to another in a tick.
    model Inverse {
        /// The speed, and how it changes.
        input  motion: [2];
        target voltage: [];
        let h = motion |> dense(16) |> tanh;
        let y = h |> dense(1);
        output u = y[0];
        loss   (y[0] - voltage)^2 / 2;
        optimizer adam(lr = 3e-3);
        train { batch = 16; }
    }
}

/// Seconds between two ticks.
const TICK: f32 = 1e-3;

/// What the controller does not know: the speed after a tick at some voltage.
fn motor(speed: f32, voltage: f32) -> f32 {
    let friction = 2.0 * speed + 1.5 * (speed / 0.1).tanh();
    speed + TICK * (40.0 * voltage.clamp(-1.0, 1.0) - friction)
}

fn wanted(seconds: f32) -> f32 {
    2.0 * (3.0 * seconds).sin() + 0.5 * (11.0 * seconds).sin()
}

fn main() -> Result<(), gdc::rt::Error> {
    let mut trainer = InverseTrainer::new(7);
    // The last moments, as one batch.
    let (mut motions, mut voltages) = ([[0.0; 2]; 16], [0.0; 16]);
    let (mut speed, mut worst, mut errors) = (0.0_f32, 0.0_f32, Vec::new());
    for tick in 0..20_000_usize {
        let target = wanted((tick + 1) as f32 * TICK);
        // In units of about 1: the change per 25 ticks.
        let change = (target - speed) / (25.0 * TICK);
        // Nobody has shown it anything at first: it tries small voltages of its own.
        let explore = 0.02 * (tick as f32 * 0.7).sin();
        let voltage = (trainer.model.predict(&[speed, change.clamp(-2.0, 2.0)]) + explore).clamp(-1.0, 1.0);
        let next = motor(speed, voltage);

        let slot = tick % 16;
        motions[slot] = [speed, (next - speed) / (25.0 * TICK)];
        voltages[slot] = voltage;
        let seen = (tick + 1).min(16);
        trainer.step(&motions[..seen], &voltages[..seen])?;

        speed = next;
        worst = worst.max((speed - target).abs());
        if (tick + 1) % 2000 == 0 {
            println!("{:4.1} s: largest error of the speed {worst:.3}", (tick + 1) as f32 * TICK);
            errors.push(worst);
            worst = 0.0;
        }
    }
    assert!(errors.last() < Some(&0.1), "it follows");
    Ok(())
}
