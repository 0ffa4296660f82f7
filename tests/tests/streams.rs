//! Generated code of streams.

use gdc::rt::NamedTensors;

mod letters {
    gdc::network! {
        /// Letter by letter: tokens, an embedding, what stood before, two recurrent layers, a causal
        /// convolution, running statistics, and another input that stays the same.
        model Letters {
            const t = 9;
            input letters: [t] in 0..5;
            input mood: [3];
            target next: [t] in 0..5;
            let table = letters |> embedding(4);
            let before[i in 0..t] = letters[i - 1] else 4;
            let mixed[i, j] = table[i, j] + 0.1 * before[i] + 0.2 * mood[0];
            let low = mixed |> lstm(20) as low |> batch_norm;
            let wide = low |> conv1d(6, kernel = 3, padding = causal, dilation = 2) |> relu;
            let h = wide |> gru(17);
            let logits = h |> dense(5);
            output p = softmax(logits);
            output held = h;
            let q[i] = cross_entropy(logits[i], next[i]);
            loss mean(q);
            stream t;
            optimizer adam(lr = 1e-2);
            train { batch = 4; }
        }
    }
}

mod memory {
    gdc::network! {
        /// One output, in double precision, with a learnt beginning.
        model Memory {
            const t = 6;
            input x: [t];
            target y: [t];
            param start: [3] = normal(0, 1);
            param w: [3, 3] = normal(0, 0.5);
            let all = scan (h = start) over xt in x { h <- tanh(h @ w + xt); yield h; };
            output last = all[t - 1];
            let y_hat[i] = sum(all[i]);
            loss mse(y_hat, y);
            stream t;
            precision f64;
            optimizer sgd(lr = 0.1);
            train { batch = 3; }
        }
    }
}

mod plain {
    gdc::network! {
        /// Carries nothing.
        model Plain {
            input x: [8, 2];
            output y = x |> dense(1);
            loss mean(y^2);
            stream 8;
            optimizer sgd();
        }
    }
}

/// A trained model, so that running statistics and all are what training leaves.
fn letters_model() -> letters::Letters {
    let mut trainer = letters::LettersTrainer::new(5);
    let word = |s: u32| std::array::from_fn(|k| (k as u32 * s + s) % 5);
    let x: [[u32; 9]; 4] = std::array::from_fn(|s| word(s as u32 + 1));
    let y: [[u32; 9]; 4] = std::array::from_fn(|s| word(s as u32 + 2));
    for _ in 0..5 {
        trainer.step(&x, &[[0.1, -0.4, 0.9]; 4], &y).unwrap();
    }
    trainer.model
}

/// The same but for the order in which single precision adds.
fn close(now: &[f32], whole: &[f32], what: &str) {
    assert_eq!(now.len(), whole.len());
    for (a, b) in now.iter().zip(whole) {
        assert!((a - b).abs() <= 1e-6, "{what}: {a} and {b}");
    }
}

#[test]
fn letter_by_letter_is_the_whole_word() {
    let model = letters_model();
    let word = [1, 4, 0, 2, 2, 3, 1, 0, 4];
    let mood = [0.7, 0.0, 0.0];
    let whole = model.predict(&word, &mood).unwrap();
    let mut stream = letters::LettersStream::start(&model);
    for turn in 0..2 {
        for (t, &letter) in word.iter().enumerate() {
            let now = stream.step(&model, letter, &mood).unwrap();
            // Both add the same products, a single time in several chains.
            close(&now.p, &whole.p[t], &format!("turn {turn}, letter {t}"));
            close(&now.held, &whole.held[t], &format!("turn {turn}, letter {t}"));
        }
        stream.reset(&model);
        assert_eq!(stream, letters::LettersStream::start(&model));
    }
    assert!(stream.step(&model, 5, &mood).is_err());
    assert_eq!(stream, letters::LettersStream::start(&model), "a step that is refused changes nothing");
}

#[test]
fn a_step_after_the_last_time_goes_on() {
    let model = letters_model();
    let mut stream = letters::LettersStream::start(&model);
    let mut seen = Vec::new();
    for t in 0..40 {
        seen.push(stream.step(&model, t % 5, &[0.0; 3]).unwrap().p);
    }
    assert!(seen.iter().flatten().all(|p| p.is_finite()));
    assert_ne!(seen[38], seen[39]);
}

#[test]
fn what_is_carried_begins_with_the_parameters() {
    let mut model = memory::Memory::new(2);
    model.start = [0.25, -1.0, 2.0];
    let stream = memory::MemoryStream::start(&model);
    assert_eq!(stream.all_h, model.start);
    let x = [0.5, -0.25, 1.0, 0.0, 0.125, -2.0];
    let mut now = stream;
    let mut last = [0.0; 3];
    for x in x {
        last = now.step(&model, x);
    }
    assert_eq!(last, model.predict(&x));
    // The weights are the caller's, and so can change between two steps.
    model.visit_zero();
    assert_eq!(now.step(&model, 0.0), [0.0; 3]);
}

trait Zero {
    fn visit_zero(&mut self);
}

impl Zero for memory::Memory {
    fn visit_zero(&mut self) {
        self.tensors_mut(&mut |_, _, values| values.fill(0.0));
    }
}

#[test]
fn nothing_carried_is_a_struct_of_nothing() {
    let model = plain::Plain::new(1);
    let mut stream = plain::PlainStream::start(&model);
    assert_eq!(size_of_val(&stream), 0);
    let x = std::array::from_fn(|k| [k as f32, 1.0 - k as f32]);
    let whole = model.predict(&x);
    for (x, y) in x.iter().zip(whole) {
        assert_eq!(stream.step(&model, x), y);
    }
}
