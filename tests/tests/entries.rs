//! Generated code of entry points, of models used as layers, and of evaluating a model that
//! trains otherwise than it predicts.

#![deny(warnings)]

mod coder {
    gdc::network! {
        model Decoder(units: int) {
            input z: [3];
            target wanted: [6];
            let h = z |> dense(units) |> relu;
            output y = h |> dense(6) as out;
            loss mse(y, wanted);
            optimizer sgd();
        }
        /// Something that encodes, and a way back by itself.
        model Coder {
            input x: [6];
            layer decoder = Decoder(5);
            let code = x |> dense(3) |> tanh;
            // What is dropped while training is whole again in a prediction.
            let kept = code |> dropout(0.5);
            let all = decoder(kept);
            output codes = code;
            output again = all.y;
            output deep = all.h;
            loss mse(all.y, x);
            metric size = sum(abs(all.y));
            optimizer sgd(lr = 0.1);
            train { batch = 4; }
            entry draw(z: [3]) -> [6] = decoder(z);
            entry hidden(z: [3]) -> [5] = decoder(z).h;
            entry of_class(which: in 0..3) -> [6] { decoder(one_hot(which)) }
            assert no_unsafe;
            assert params < 100;
        }
    }
}

const X: [f32; 6] = [0.5, -1.0, 0.25, 2.0, -0.75, 1.5];

#[test]
fn the_way_back_by_itself_is_that_of_the_prediction() {
    let model = coder::Coder::new(3);
    let whole = model.predict(&X);
    assert_eq!(model.draw(&whole.codes), whole.again);
    assert_eq!(model.hidden(&whole.codes), whole.deep);
    assert!(whole.again.iter().any(|y| y.abs() > 1e-3));
}

#[test]
fn many_at_once_are_each_by_itself() {
    let model = coder::Coder::new(4);
    let codes = [[0.1, 0.2, -0.3], [1.0, -1.0, 0.5], [0.0, 0.0, 0.0]];
    let mut all = [[0.0; 6]; 3];
    model.draw_batch(&codes, &mut all).unwrap();
    for (code, found) in codes.iter().zip(all) {
        assert_eq!(model.draw(code), found);
    }
    assert!(model.draw_batch(&codes, &mut all[..2]).is_err());
}

#[test]
fn integers_of_entry_points_are_checked() {
    let model = coder::Coder::new(5);
    assert_eq!(model.of_class(1).unwrap(), model.draw(&[0.0, 1.0, 0.0]));
    assert!(model.of_class(3).is_err());
}

#[test]
fn evaluating_is_predicting() {
    let mut trainer = coder::CoderTrainer::new(6);
    let model = trainer.model;
    let batch = [X, [0.0; 6], [1.0; 6]];
    let evaluation = trainer.evaluate(&batch).unwrap();
    let mean = |f: &dyn Fn(&[f32; 6]) -> f32| batch.iter().map(f).sum::<f32>() / 3.0;
    let loss = mean(&|x| model.predict(x).again.iter().zip(x).map(|(y, x)| (y - x) * (y - x)).sum::<f32>() / 6.0);
    let size = mean(&|x| model.predict(x).again.iter().map(|y| y.abs()).sum::<f32>());
    assert!((evaluation.loss - loss).abs() < 1e-5, "{} and {loss}", evaluation.loss);
    assert!((evaluation.size - size).abs() < 1e-5, "{} and {size}", evaluation.size);
    assert!((trainer.loss(&batch).unwrap() - loss).abs() < 1e-5);
    // A step drops something, so its loss is another one.
    assert!((trainer.step(&batch).unwrap() - loss).abs() > 1e-3);
}
