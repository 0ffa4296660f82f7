//! Trains the model of `model.gd` on `data.csv` and looks at two points.
//!
//! `src/model.rs` is generated: `gdc compile model.gd --stand-alone --out src/model.rs`.

mod model;

use model::RingTrainer;
use std::error::Error;
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn Error>> {
    let (x, inside) = read(include_str!("../data.csv"))?;
    let mut trainer = RingTrainer::new(7);
    let trained = trainer.fit(&x, &inside, &RingTrainer::SETTINGS, |epoch| {
        if epoch.epoch % 40 == 0 {
            println!("epoch {:3}  loss {:.4}", epoch.epoch, epoch.mean_loss);
        }
        ControlFlow::Continue(())
    });
    trained.map_err(|e| format!("{e:?}"))?;
    let scores = trainer.evaluate(&x, &inside).map_err(|e| format!("{e:?}"))?;
    println!("accuracy {:.3}", scores.accuracy);
    for point in [[0.9, 0.0], [0.0, 0.1]] {
        println!("{point:?}: {:.3}", trainer.model.predict(&point)[0]);
    }
    Ok(())
}

/// The columns x0, x1 and inside of a table.
#[allow(clippy::type_complexity)]
fn read(table: &str) -> Result<(Vec<[f32; 2]>, Vec<[f32; 1]>), Box<dyn Error>> {
    let (mut x, mut inside) = (Vec::new(), Vec::new());
    for line in table.lines().skip(1) {
        let numbers: Vec<f32> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
        x.push([numbers[0], numbers[1]]);
        inside.push([numbers[2]]);
    }
    Ok((x, inside))
}
