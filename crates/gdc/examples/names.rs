//! Invents names, one letter after the other, with weights that `gdc train` left. The streaming form
//! of the model keeps what it remembers of the name so far, and needs no heap:
//!
//! ```text
//! gdc train specs/real/names.gd --data specs/data/names_train.npz --validation specs/data/names_test.npz --out names
//! cargo run --release -p gdc --features safetensors --example names -- names/weights.safetensors
//! ```

use gdc::{rt, weights};
use std::error::Error;

gdc::network!("../../../specs/real/names.gd");

/// A letter by its share of exp(score / temperature).
fn choose(scores: &[f32; 27], temperature: f32, draw: u64) -> u32 {
    let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares = scores.map(|s| f64::from((s - best) / temperature).exp());
    let mut place = (draw >> 11) as f64 / (1u64 << 53) as f64 * shares.iter().sum::<f64>();
    for (letter, share) in (0..).zip(shares) {
        place -= share;
        if place < 0.0 {
            return letter;
        }
    }
    0
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("say where the weights are")?;
    let mut model = Names::ZERO;
    weights::load(&mut model, path)?;
    let mut stream = NamesStream::start(&model);
    for number in 0..20 {
        stream.reset(&model);
        let (mut name, mut letter) = (String::new(), 0);
        for place in 0..20 {
            let scores = stream.step(&model, letter)?;
            letter = choose(&scores, 0.7, rt::fold(rt::fold(1, number), place));
            if letter == 0 {
                break;
            }
            name.push(char::from(b'a' + letter as u8 - 1));
        }
        println!("{name}");
    }
    Ok(())
}
