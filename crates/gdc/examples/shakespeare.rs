//! Writes like Shakespeare, letter by letter, with weights that `gdc train` left:
//!
//! ```text
//! python3 specs/data/fetch.py shakespeare
//! gdc train specs/real/shakespeare.gd --data specs/data/large/shakespeare/train.npz --out shakespeare
//! cargo run --release -p gdc --features safetensors --example shakespeare -- shakespeare/weights.safetensors
//! ```

use gdc::weights;
use std::error::Error;
use std::path::Path;

gdc::network!("../../../specs/real/shakespeare.gd");

/// How many letters the model sees.
const CONTEXT: usize = 64;

/// SplitMix64 (Steele et al., 2014), as a number in 0..1.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A letter by its share of exp(score / temperature).
fn choose(scores: &[f32], temperature: f32, state: &mut u64) -> u32 {
    let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f64> = scores.iter().map(|s| f64::from((s - best) / temperature).exp()).collect();
    let mut place = draw(state) * shares.iter().sum::<f64>();
    for (letter, share) in shares.iter().enumerate() {
        place -= share;
        if place < 0.0 {
            return letter as u32;
        }
    }
    0
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("say where the weights are")?;
    let mut model = Box::new(Shakespeare::ZERO);
    weights::load(&mut *model, path)?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/data/large/shakespeare");
    let letters: Vec<char> = std::fs::read_to_string(folder.join("letters.txt"))?.chars().collect();
    let code = |c: char| letters.iter().position(|&l| l == c).map(|i| i as u32);

    let mut text = "Hamlet:\n".to_owned();
    let mut written: Vec<u32> = text.chars().filter_map(code).collect();
    let mut state = 1;
    for _ in 0..600 {
        let seen = &written[written.len().saturating_sub(CONTEXT)..];
        let mut tokens = [0; CONTEXT];
        tokens[..seen.len()].copy_from_slice(seen);
        // No place sees a later one: what stands after the letters so far is never read.
        let scores = model.predict(&tokens)?;
        let next = choose(&scores[seen.len() - 1], 0.7, &mut state);
        written.push(next);
        text.push(letters[next as usize]);
    }
    println!("{text}");
    Ok(())
}
