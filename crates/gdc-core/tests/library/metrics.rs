//! Metrics of single samples and of batches.

use crate::spec::{compile, fixture, numbers, tensor};
use gdc_interp::{Batch, Session, Tensor};

#[test]
fn ranks_are_those_of_pytorch() {
    let model = compile(
        "model Ranks {
            input z: [6];
            target label: in 0..6;
            param unused = 0.0;
            loss unused * z[0];
            metric accuracy = accuracy(z, label);
            metric top_k = top_k(z, label, k = 3);
            metric first = top_k(z, label, k = 1);
            metric all = top_k(z, label, k = 6);
            optimizer sgd(lr = 0.1);
        }",
    );
    let session = Session::new(&model, 0).unwrap();
    for row in fixture("functions.json")["metrics"].as_array().unwrap() {
        let label = Tensor::int(&[1], vec![row["label"].as_i64().unwrap()]).unwrap();
        let z = Tensor::real(&[1, 6], tensor(&row["logits"]).to_vec()).unwrap();
        let found = session.metrics(&Batch::of(1).with("z", z).with("label", label)).unwrap();
        assert_eq!(
            [found["accuracy"], found["top_k"]],
            [numbers(&row["accuracy"])[0], numbers(&row["top_k"])[0]],
            "{row}"
        );
        assert_eq!([found["first"], found["all"]], [found["accuracy"], 1.0]);
    }
}

#[test]
fn of_equal_logits_the_first_counts() {
    let model = compile(
        "model Ties {
            target label: in 0..3;
            param z: [3];
            loss sum(z);
            metric accuracy = accuracy(z, label);
            metric top_k = top_k(z, label, 2);
            optimizer sgd(lr = 0.1);
        }",
    );
    let session = Session::new(&model, 0).unwrap();
    for (label, accuracy, top_k) in [(0, 1.0, 1.0), (1, 0.0, 1.0), (2, 0.0, 0.0)] {
        let found = session.metrics(&Batch::of(1).with("label", Tensor::int(&[1], vec![label]).unwrap())).unwrap();
        assert_eq!((found["accuracy"], found["top_k"]), (accuracy, top_k), "{label}");
    }
}

#[test]
fn cells_of_the_confusion_matrix_add_up() {
    let cells = ["true_positive", "false_positive", "false_negative", "true_negative", "binary_accuracy"];
    let metrics: String = cells.iter().map(|m| format!("metric {m} = {m}(y, z);\n")).collect();
    let model = compile(&format!(
        "model Cells {{
            input z: [];
            target y: [];
            param unused = 0.0;
            loss unused * z;
            {metrics}
            metric absolute = mean_absolute_error(z, y);
            metric squared = mean_squared_error(z, y);
            optimizer sgd(lr = 0.1);
        }}"
    ));
    let session = Session::new(&model, 0).unwrap();
    // Two of the first cell, one of the second and third, four of the last.
    let z = vec![2.0, 0.5, 3.0, -1.0, -2.0, 0.0, -0.5, -3.0];
    let y = vec![1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    let batch = Batch::of(8).with("z", Tensor::real(&[8], z).unwrap()).with("y", Tensor::real(&[8], y).unwrap());
    let found = session.metrics(&batch).unwrap();
    assert_eq!(cells.map(|m| 8.0 * found[m]), [2.0, 1.0, 1.0, 4.0, 6.0]);
    assert_eq!([8.0 * found["absolute"], 8.0 * found["squared"]], [12.0, 27.5]);
}
