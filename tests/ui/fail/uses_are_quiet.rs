//! Code that uses a wrong model adds no errors of its own, whatever it does with the model.

mod net {
    gdc::network! {
        model Quiet {
            input  x: [4];
            target y: [];
            output p = sum(x);
            loss (p - wrong)^2;
            optimizer sgd(lr = 0.1);
            train { batch = 4; epochs = 1; }
        }
    }
}

use net::{Quiet, QuietTrainer};

struct Held {
    model: Quiet,
    trainer: Option<Box<QuietTrainer>>,
}

impl Held {
    fn first(&self) -> f32 {
        self.model.hidden.w[0][0]
    }
}

trait Named {
    fn name(&self) -> &str;
}

impl Named for Quiet {
    fn name(&self) -> &str {
        "quiet"
    }
}

const COUNT: usize = Quiet::PARAMETERS;

fn main() {
    let mut trainer = QuietTrainer::new(7);
    let loss: f32 = trainer.step(&[[1.0; 4]], &[0.0]);
    let history = trainer.fit(&[], |epoch| println!("{}", epoch.loss)).unwrap();
    for (name, values) in trainer.model.tensors() {
        println!("{name} {} {loss} {history:?}", values.len());
    }
    let held = Held { model: Quiet { w: [1.0] }, trainer: None };
    println!("{} {} {COUNT}", held.first(), held.model.name());
    drop(held.trainer);
}
