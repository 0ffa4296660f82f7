//! What a model costs is the same whether threads share it or not.

#![allow(clippy::expect_used, clippy::panic)] // a test that fails says so by panicking

use gdc_driver::{Options, Output, Source, compile};
use gdc_ir::Threads;

const MODEL: &str = "model Wide {
    input  x: [32];
    target label: in 0..4;
    let h = x |> dense(64) |> relu;
    let logits = h |> dense(4);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    optimizer momentum(lr = 0.1);
    train { batch = 64; }
}";

fn compiled(threads: Option<usize>) -> Output {
    let source = Source { name: "wide".to_owned(), text: MODEL.to_owned(), folder: None };
    let threads = threads.map(|n| Threads { most: Some(n), origin: None });
    compile(&source, &Options { threads, ..Options::default() }).unwrap_or_else(|_| panic!("the source is right"))
}

#[test]
fn a_step_in_pieces_costs_what_the_whole_one_does() {
    let (whole, shared) = (compiled(None).programs, compiled(Some(2)).programs);
    assert!(!whole.train.is_cut() && shared.train.is_cut());
    let [whole, shared] = [&whole, &shared].map(gdc_codegen::operations_per_step);
    assert_eq!(whole, shared);
}

#[test]
fn one_thread_is_no_reason_to_cut() {
    assert_eq!(compiled(None).programs.train, compiled(Some(1)).programs.train);
}
