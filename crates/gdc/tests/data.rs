//! Files of data and of weights, read and written.
#![cfg(all(feature = "data", feature = "safetensors"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

use gdc::data::{Table, read_idx, read_npy, read_npz};
use gdc::rt::NamedTensors;
use gdc::{select, split, weights};
use std::path::PathBuf;

gdc::network! {
    model Two {
        input x: [2];
        target y: [1];
        output p = x |> dense(1);
        loss mean(mse(p, y));
        optimizer momentum(lr = 0.1);
        train { batch = 2; }
    }
}

fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn tables_give_numbers_and_classes_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "t.csv", b"a, kind, b\n1, red, 2\n3, blue, 4.5\n5, red, x\n");
    let table = Table::read_csv(&path).unwrap();
    assert_eq!(table.numbers::<f32, 1>(["a"]).unwrap(), [[1.0], [3.0], [5.0]]);
    assert_eq!(table.classes("kind").unwrap(), (vec![0, 1, 0], vec!["red".to_owned(), "blue".to_owned()]));
    let error = table.numbers::<f64, 2>(["b", "a"]).unwrap_err().to_string();
    assert!(error.ends_with("t.csv: line 4: `b` is `x`, not a number"), "{error}");
    let error = table.numbers::<f32, 1>(["c"]).unwrap_err().to_string();
    assert!(error.ends_with("there is no column `c`; there are a, kind, b"), "{error}");
    let ragged = file(&folder, "r.csv", b"a,b\n1,2\n3\n");
    assert!(Table::read_csv(ragged).unwrap_err().to_string().contains("line: 3"));
}

#[test]
fn idx_files_are_checked_to_the_last_byte() {
    let folder = tempfile::tempdir().unwrap();
    let whole = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255];
    let array = read_idx(file(&folder, "x", &whole)).unwrap();
    assert_eq!(array.samples::<[f32; 3]>().unwrap(), [[1.0, 2.0, 3.0], [4.0, 5.0, 255.0]]);
    let error = array.samples::<[f32; 2]>().unwrap_err().to_string();
    assert_eq!(error, "an array of extents [2, 3] does not hold samples of [2]: 2 numbers each are needed");
    let error = read_idx(file(&folder, "y", &whole[..17])).unwrap_err().to_string();
    assert!(error.ends_with("its extents [2, 3] do not fit the 5 bytes that follow"), "{error}");
    assert!(read_idx(folder.path().join("absent")).is_err());
}

#[test]
fn arrays_of_numpy_are_read_whatever_their_elements() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    ndarray_npy::write_npy(&path, &ndarray::array![[1_i64, 2], [3, 1 << 40]]).unwrap();
    assert_eq!(read_npy(&path).unwrap().values::<f32>(), [1.0, 2.0, 3.0, (1_u64 << 40) as f32]);
    ndarray_npy::write_npy(&path, &ndarray::array![(1_i64 << 40) + 1]).unwrap();
    assert_eq!(read_npy(&path).unwrap().values::<f64>(), [((1_u64 << 40) + 1) as f64]);
    ndarray_npy::write_npy(&path, &ndarray::array![[0.1_f64, 0.2]]).unwrap();
    let array = read_npy(&path).unwrap();
    assert_eq!(array.samples::<[f64; 2]>().unwrap(), [[0.1, 0.2]]);
    assert_eq!(array.samples::<[f32; 2]>().unwrap(), [[0.1, 0.2]]);
    ndarray_npy::write_npy(&path, &ndarray::array![(1_i64 << 60) + 1]).unwrap();
    assert!(read_npy(&path).unwrap_err().to_string().ends_with("cannot hold exactly"));

    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../../specs/data/digits_test.npz");
    let label = read_npz(digits, "label").unwrap();
    assert_eq!(label.labels(10).unwrap().len(), 360);
    let error = label.labels(9).unwrap_err().to_string();
    assert!(error.contains("is 9, which is no class of 0..9"), "{error}");
    let error = read_npz(digits, "labels").unwrap_err().to_string();
    assert!(error.contains("it has no array `labels`, but"), "{error}");
}

#[test]
fn the_parts_of_a_split_are_all_places_once() {
    let (train, held_back) = split(101, 0.25, 3);
    assert_eq!((train.len(), held_back.len()), (76, 25));
    let mut all = [train.clone(), held_back].concat();
    all.sort_unstable();
    assert_eq!(all, (0..101).collect::<Vec<_>>());
    assert_ne!(train, split(101, 0.25, 4).0);
    assert_eq!(select(&[5, 6, 7], &[2, 0]), [7, 5]);
}

#[test]
fn weights_come_back_and_what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let mut trainer = TwoTrainer::new(3);
    trainer.step(&[[1.0, 2.0]], &[[1.0]]).unwrap();
    weights::save(&trainer, &path).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");

    let mut again = TwoTrainer::new(4);
    weights::load(&mut again, &path).unwrap();
    assert_eq!(again.model, trainer.model);
    // The optimizer's state too: the next steps are the same.
    trainer.step(&[[0.5, 1.0]], &[[2.0]]).unwrap();
    again.step(&[[0.5, 1.0]], &[[2.0]]).unwrap();
    assert_eq!(again.model, trainer.model);

    let mut model = Two::new(9);
    let before = model;
    let error = weights::load(&mut model, &path).unwrap_err().to_string();
    assert!(error.contains("the model has no `"), "{error}");
    assert_eq!(model, before);
    let other = weights::to_safetensors(&Two::zero()).unwrap();
    let error = weights::from_safetensors(&mut model, &other[..other.len() - 4]).unwrap_err();
    assert!(!error.to_string().is_empty());
    assert_eq!(model, before);
}

gdc::network! {
    model Wide {
        precision f64;
        input x: [2];
        target y: [1];
        output p = x |> dense(1);
        loss mean(mse(p, y));
        optimizer momentum(lr = 0.1);
        train { batch = 2; until = mean_loss < 1e-20; epochs = 2000; }
    }
}

/// A model of f64 computes, is saved and is loaded without a number being rounded to f32.
#[test]
fn double_precision_goes_all_the_way() {
    let (x, y) = ([[0.1, 0.2], [0.3, -0.7]], [[0.5], [1.5]]);
    let mut trainer = WideTrainer::new(1);
    let fit = trainer.fit(&x, &y, &WideTrainer::SETTINGS, |_| std::ops::ControlFlow::Continue(())).unwrap();
    assert!(fit.last.mean_loss < 1e-20, "{}", fit.last.mean_loss);
    let bytes = weights::to_safetensors(&trainer).unwrap();
    let mut again = WideTrainer::zero();
    weights::from_safetensors(&mut again, &bytes).unwrap();
    again.set_steps(trainer.steps());
    assert_eq!(trainer.step(&x, &y).unwrap().to_bits(), again.step(&x, &y).unwrap().to_bits());
    assert_eq!(trainer.model.p_dense_w, again.model.p_dense_w);
    assert_ne!(f64::from(again.model.p_dense_w[0][0] as f32), again.model.p_dense_w[0][0]);
}

/// From f32 to f64 nothing changes; the other way numbers are rounded, or refused if they would
/// be infinite.
#[test]
fn tensors_go_from_one_precision_to_the_other() {
    let (narrow, mut wide) = (Two::new(3), Wide::ZERO);
    weights::from_safetensors(&mut wide, &weights::to_safetensors(&narrow).unwrap()).unwrap();
    assert_eq!(wide.p_dense_w.map(|[w]| w), narrow.p_dense_w.map(|[w]| f64::from(w)));
    wide.p_dense_w[0][0] = 0.1;
    let mut back = Two::ZERO;
    weights::from_safetensors(&mut back, &weights::to_safetensors(&wide).unwrap()).unwrap();
    assert_eq!(back.p_dense_w, [[0.1], narrow.p_dense_w[1]]);
    wide.p_dense_w[0][0] = 1e300;
    let error = weights::from_safetensors(&mut back, &weights::to_safetensors(&wide).unwrap()).unwrap_err();
    assert!(error.to_string().contains("`p.dense.w` holds 1e300, which is too large"), "{error}");
    assert_eq!(back.p_dense_w[0], [0.1]);
}
