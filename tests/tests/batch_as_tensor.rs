//! Losses over all samples of a batch, `across(e)` and `sample_index`, against PyTorch, also
//! where the batch is not full.

use gdc_interp::{Batch, Session, Tensor};
use gdc_tests::{fixtures, spec};

const SOURCE: &str = "
fn unit(x: [n]) -> [n] = x / norm(x);
model Contrastive {
    input a: [5];
    input b: [5];
    target rank: [];
    layer encoder = dense(3, bias = false);
    let za = unit(encoder(a));
    let zb = unit(encoder(b));
    let others = across(zb);
    let logits[j] = sum[d](za[d] * others[j, d]) / 0.5;
    loss cross_entropy(logits, sample_index);
    let score  = sum(za);
    let scores = across(score);
    let ranks  = across(rank);
    loss mean[s](if ranks[s] < rank { softplus(scores[s] - score) } else { 0 });
    optimizer sgd(lr = 0.1);
    train { batch = 6; }
    precision f64;
}";

#[test]
fn the_other_samples_are_negatives() {
    let fixture = fixtures::json("contrastive.json");
    let numbers = |name: &str| fixtures::numbers(&fixture[name]);
    let model = spec::compile(SOURCE).model;
    let mut session = Session::new(&model, 0).unwrap();
    session.set("encoder.w", Tensor::real(&[5, 3], numbers("w")).unwrap()).unwrap();
    for case in fixture["cases"].as_array().unwrap() {
        let n = usize::try_from(case["samples"].as_u64().unwrap()).unwrap();
        let part = |name: &str, width: usize| numbers(name)[..n * width].to_vec();
        let batch = Batch::of(n)
            .with("a", Tensor::real(&[n, 5], part("a", 5)).unwrap())
            .with("b", Tensor::real(&[n, 5], part("b", 5)).unwrap())
            .with("rank", Tensor::real(&[n], part("rank", 1)).unwrap());
        let loss = session.loss(&batch).unwrap();
        let wanted = case["loss"].as_f64().unwrap();
        assert!((loss - wanted).abs() < 1e-12, "{n} samples: {loss}, not {wanted}");
        let gradient = session.gradients(&batch).unwrap()["encoder.w"].to_vec();
        for (found, wanted) in gradient.iter().zip(fixtures::numbers(&case["gradient"])) {
            assert!((found - wanted).abs() < 1e-12, "{n} samples: {found}, not {wanted}");
        }
    }
}
