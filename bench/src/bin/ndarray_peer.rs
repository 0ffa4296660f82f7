//! The same work written by hand with `ndarray`, as a careful Rust developer would: buffers
//! made once, products into them, everything else in place.

use gdc_bench::{Work, integers, number, numbers, run};
use ndarray::{Array1, Array2, Axis, Zip, linalg::general_mat_mul};

/// Dense layers with one activation between them.
struct Net {
    w: Vec<Array2<f32>>,
    b: Vec<Array1<f32>>,
    /// The input and what each layer gives, and the derivatives by what each layer gives.
    h: Vec<Array2<f32>>,
    d: Vec<Array2<f32>>,
    dw: Vec<Array2<f32>>,
    db: Vec<Array1<f32>>,
    /// The moments of Adam, weights and biases in turn.
    m: Vec<Vec<f32>>,
    v: Vec<Vec<f32>>,
    steps: i32,
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Relu,
    Sigmoid,
}

#[derive(Clone, Copy, PartialEq)]
enum Rule {
    Sgd(f32),
    Adam(f32),
}

impl Net {
    fn new(widths: &[usize], x: Array2<f32>) -> Net {
        let batch = x.nrows();
        let pairs: Vec<(usize, usize)> = widths.windows(2).map(|w| (w[0], w[1])).collect();
        let weight = |(k, &(n, m)): (usize, &(usize, usize))| {
            let scale = 1.0 / (n as f32).sqrt();
            Array2::from_shape_fn((n, m), |(i, j)| number(100 + 2 * k as u32, (i * m + j) as u32) * scale)
        };
        let sizes = pairs.iter().flat_map(|&(n, m)| [n * m, m]);
        Net {
            w: pairs.iter().enumerate().map(weight).collect(),
            b: pairs.iter().map(|p| Array1::zeros(p.1)).collect(),
            h: std::iter::once(x).chain(pairs.iter().map(|p| Array2::zeros((batch, p.1)))).collect(),
            d: pairs.iter().map(|p| Array2::zeros((batch, p.1))).collect(),
            dw: pairs.iter().map(|&p| Array2::zeros(p)).collect(),
            db: pairs.iter().map(|p| Array1::zeros(p.1)).collect(),
            m: sizes.clone().map(|n| vec![0.0; n]).collect(),
            v: sizes.map(|n| vec![0.0; n]).collect(),
            steps: 0,
        }
    }

    fn forward(&mut self, unit: Unit, last: Option<Unit>) {
        let layers = self.w.len();
        for k in 0..layers {
            let (before, after) = self.h.split_at_mut(k + 1);
            let out = &mut after[0];
            out.assign(&self.b[k]);
            general_mat_mul(1.0, &before[k], &self.w[k], 1.0, out);
            match if k + 1 < layers { Some(unit) } else { last } {
                Some(Unit::Relu) => out.mapv_inplace(|z| z.max(0.0)),
                Some(Unit::Sigmoid) => out.mapv_inplace(|z| 1.0 / (1.0 + (-z).exp())),
                None => {}
            }
        }
    }

    /// From the derivatives by the last layer before its activation.
    fn backward(&mut self, unit: Unit) {
        for k in (0..self.w.len()).rev() {
            general_mat_mul(1.0, &self.h[k].t(), &self.d[k], 0.0, &mut self.dw[k]);
            self.db[k].assign(&self.d[k].sum_axis(Axis(0)));
            if k > 0 {
                let (before, after) = self.d.split_at_mut(k);
                general_mat_mul(1.0, &after[0], &self.w[k].t(), 0.0, &mut before[k - 1]);
                Zip::from(&mut before[k - 1]).and(&self.h[k]).for_each(|d, &h| {
                    *d *= match unit {
                        Unit::Relu => f32::from(u8::from(h > 0.0)),
                        Unit::Sigmoid => h * (1.0 - h),
                    }
                });
            }
        }
    }

    fn update(&mut self, rule: Rule) {
        self.steps += 1;
        let (c1, c2) = (1.0 / (1.0 - 0.9f32.powi(self.steps)), 1.0 / (1.0 - 0.999f32.powi(self.steps)));
        for k in 0..self.w.len() {
            let weights = self.w[k].as_slice_mut().zip(self.dw[k].as_slice());
            let biases = self.b[k].as_slice_mut().zip(self.db[k].as_slice());
            for (place, (w, g)) in [(2 * k, weights), (2 * k + 1, biases)].into_iter().filter_map(|(p, x)| Some((p, x?))) {
                match rule {
                    Rule::Sgd(lr) => w.iter_mut().zip(g).for_each(|(w, g)| *w -= lr * g),
                    Rule::Adam(lr) => {
                        let (m, v) = (&mut self.m[place], &mut self.v[place]);
                        for (((w, g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
                            *m = 0.9 * *m + 0.1 * g;
                            *v = 0.999 * *v + 0.001 * g * g;
                            *w -= lr * (*m * c1) / ((*v * c2).sqrt() + 1e-8);
                        }
                    }
                }
            }
        }
    }
}

fn squared(name: &'static str, widths: &[usize], batch: usize, unit: Unit, last: Option<Unit>, lr: f32) {
    let x = Array2::from_shape_fn((batch, widths[0]), |(i, j)| number(1, (i * widths[0] + j) as u32));
    let y = numbers(2, batch);
    let mut net = Net::new(widths, x);
    let top = widths.len() - 1;
    run(Work { name, runner: "ndarray", ..Work::default() }, || {
        net.forward(unit, last);
        let mut loss = 0.0;
        for (i, y) in y.iter().enumerate() {
            let p = net.h[top][[i, 0]];
            let slope = if last.is_some() { p * (1.0 - p) } else { 1.0 };
            net.d[top - 1][[i, 0]] = 2.0 * (p - y) * slope / batch as f32;
            loss += (p - y) * (p - y);
        }
        net.backward(unit);
        net.update(Rule::Sgd(lr));
        loss / batch as f32
    });
}

fn classes(name: &'static str, widths: &[usize], batch: usize) {
    let x = Array2::from_shape_fn((batch, widths[0]), |(i, j)| number(1, (i * widths[0] + j) as u32));
    let y = integers(2, batch, 10);
    let mut net = Net::new(widths, x);
    let top = widths.len() - 1;
    run(Work { name, runner: "ndarray", ..Work::default() }, || {
        net.forward(Unit::Relu, None);
        let mut loss = 0.0;
        for (i, &y) in y.iter().enumerate() {
            let z = net.h[top].row(i);
            let most = z.fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            let lse = most + z.fold(0.0, |a, &b| a + (b - most).exp()).ln();
            loss += lse - z[y as usize];
            let mut d = net.d[top - 1].row_mut(i);
            Zip::from(&mut d).and(&z).for_each(|d, &z| *d = (z - lse).exp() / batch as f32);
            d[y as usize] -= 1.0 / batch as f32;
        }
        net.backward(Unit::Relu);
        net.update(Rule::Adam(1e-3));
        loss / batch as f32
    });
}

fn line() {
    let (x, y) = (Array1::from(numbers(1, 100)), Array1::from(numbers(2, 100)));
    let (mut w, mut b) = (0.0f32, 0.0f32);
    run(Work { name: "line", runner: "ndarray", ..Work::default() }, || {
        let (mut loss, mut dw, mut db) = (0.0, 0.0, 0.0);
        Zip::from(&x).and(&y).for_each(|&x, &y| {
            let e = w * x + b - y;
            loss += e * e;
            dw += e * x;
            db += e;
        });
        w -= 0.05 * 2.0 * dw / 100.0;
        b -= 0.05 * 2.0 * db / 100.0;
        loss / 100.0
    });
}

fn main() {
    line();
    squared("mlp_2_4_1", &[2, 4, 1], 100, Unit::Sigmoid, Some(Unit::Sigmoid), 0.5);
    squared("mlp_10_10_10_1", &[10, 10, 10, 1], 32, Unit::Relu, None, 0.01);
    classes("mlp_784_128_10", &[784, 128, 10], 64);
}
