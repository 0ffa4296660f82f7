//! Handwritten digits from NPZ files, stopped when 144 images held back get no better, with
//! the best weights kept and saved:
//! `cargo run --release -p gdc --features data,safetensors --example digits`.

use gdc::data::read_npz;
use gdc::{EarlyStopping, weights};
use std::error::Error;
use std::ops::ControlFlow;

gdc::network!("../../../specs/digits.gd");

type Image = [[f32; 8]; 8];

/// The images and labels of one file beside the spec.
fn read(name: &str) -> Result<(Vec<Image>, Vec<u32>), gdc::data::Error> {
    let path = format!("{}/../../specs/data/{name}.npz", env!("CARGO_MANIFEST_DIR"));
    let images = read_npz(&path, "image")?.samples::<Image>()?.to_vec();
    Ok((images, read_npz(&path, "label")?.labels(10)?))
}

fn main() -> Result<(), Box<dyn Error>> {
    let (image, label) = read("digits_train")?;
    let (train, held_back) = gdc::split(image.len(), 0.1, 7);
    let part = |places: &[usize]| (gdc::select(&image, places), gdc::select(&label, places));
    let ((x, y), (x_held, y_held)) = (part(&train), part(&held_back));

    let mut trainer = DigitsTrainer::boxed(7);
    // A second trainer only to measure: `fit` has the first one in use.
    let mut stopping = EarlyStopping::new(5);
    let mut best = trainer.model;
    let options = gdc::rt::FitOptions { epochs: 1, ..DigitsTrainer::SETTINGS };
    for epoch in 0..DigitsTrainer::SETTINGS.epochs {
        let options = gdc::rt::FitOptions { seed: epoch, ..options };
        let fit = trainer.fit(&x, &y, &options, |_| ControlFlow::Continue(()))?;
        let held = trainer.evaluate(&x_held, &y_held)?;
        let stop = stopping.observe(held.loss);
        if stopping.improved() {
            best = trainer.model;
        }
        println!(
            "epoch {epoch:2}: loss {:.4}, held back {:.4}, accuracy {:.3}{}",
            fit.last.mean_loss,
            held.loss,
            held.accuracy,
            if stopping.improved() { " *" } else { "" }
        );
        if stop.is_break() {
            break;
        }
    }

    trainer.model = best;
    let (image, label) = read("digits_test")?;
    let test = trainer.evaluate(&image, &label)?;
    println!("on {} images never seen: accuracy {:.3}", label.len(), test.accuracy);
    assert!(test.accuracy > 0.95);

    let path = std::env::temp_dir().join("digits.safetensors");
    weights::save(&best, &path)?;
    let mut again = Digits::ZERO;
    weights::load(&mut again, &path)?;
    assert_eq!(again.predict(&image[0]), best.predict(&image[0]));
    println!("saved to {}", path.display());
    Ok(())
}
