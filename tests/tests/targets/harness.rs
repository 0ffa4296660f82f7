//! Trains a model of each kind for some steps and tells all that came out, bit for bit.
//!
//! The modules `dense`, `image`, `words` and `double` are put below.

/// What each run told, for those who can only ask for one number at a time.
static TOLD: std::sync::Mutex<Vec<f64>> = std::sync::Mutex::new(Vec::new());

fn run<T: gdc::rt::Trainer>(trainer: &mut T, bound: u32, steps: u32, told: &mut Vec<f64>) {
    use gdc::rt::Float;
    let keep = |told: &mut Vec<f64>, values: &[T::Real]| told.extend(values.iter().map(|x| x.to_f64()));
    for slot in 0..T::BATCH {
        let real = |k: usize| T::Real::from_f64(((slot * 31 + k * 7919 + 13) % 1009) as f64 / 512.0 - 1.0);
        let reals: Vec<T::Real> = (0..T::REALS).map(real).collect();
        let integers: Vec<u32> = (0..T::INTEGERS).map(|k| ((slot * 5 + k * 3) as u32) % bound).collect();
        if trainer.load_flat(slot, &reals, &integers).is_err() {
            told.push(f64::NAN);
        }
    }
    for step in 0..steps {
        // Now and then fewer samples than a batch.
        let samples = if step % 3 == 2 { T::BATCH / 2 } else { T::BATCH };
        let loss = trainer.step_loaded(samples);
        keep(told, &[loss]);
    }
    let loss = trainer.loss_loaded(T::BATCH);
    let mut metrics = vec![T::Real::default(); T::METRICS];
    trainer.metrics_loaded(T::BATCH, &mut metrics);
    keep(told, &[loss]);
    keep(told, &metrics);
    trainer.gradients_loaded(T::BATCH, &mut |_, _, values| keep(told, values));
    trainer.tensors(&mut |_, _, values| keep(told, values));
}

/// Runs one of the models; how many numbers there are to tell.
fn tell(model: u32, steps: u32) -> Vec<f64> {
    let mut told = Vec::new();
    match model {
        0 => run(&mut *dense::DenseTrainer::boxed(5), 4, steps, &mut told),
        1 => run(&mut *image::ImageTrainer::boxed(5), 3, steps, &mut told),
        2 => run(&mut *words::WordsTrainer::boxed(5), 7, steps, &mut told),
        _ => run(&mut *double::DoubleTrainer::boxed(5), 1, steps, &mut told),
    }
    told
}

#[unsafe(no_mangle)]
pub extern "C" fn count(model: u32, steps: u32) -> u32 {
    let told = tell(model, steps);
    let count = told.len() as u32;
    *TOLD.lock().unwrap() = told;
    count
}

#[unsafe(no_mangle)]
pub extern "C" fn number(index: u32) -> f64 {
    TOLD.lock().unwrap()[index as usize]
}

/// Every model on every level of this machine: a line `LEVEL MODEL NUMBER...` for each.
pub fn tell_all(steps: u32) {
    for level in gdc::rt::Level::available() {
        assert!(gdc::rt::Level::choose(Some(level.name())));
        for model in 0..4 {
            let words: Vec<String> = tell(model, steps).iter().map(|x| format!("{:016x}", x.to_bits())).collect();
            println!("{} {model} {}", level.name(), words.join(" "));
        }
    }
}
