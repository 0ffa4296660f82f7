//! The losses of a training as a picture with a line per data set: what it shows. How it is
//! written stands in `svg.rs` and `png.rs`.

mod png;
mod svg;

pub use png::png;
pub use svg::svg;

use super::history::History;
use super::progress::number;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
/// Room for the labels at the left and below, and for the names above.
const LEFT: f64 = 70.0;
const BELOW: f64 = 40.0;
const ABOVE: f64 = 30.0;
const RIGHT: f64 = 20.0;
/// More points than these are thinned out: the picture has no more columns.
const POINTS: usize = 600;
/// From this ratio of the largest to the smallest loss on, the axis is logarithmic.
const LOGARITHMIC: f64 = 30.0;

/// A color, red first.
type Color = [u8; 3];
const BLACK: Color = [0, 0, 0];
const GREY: Color = [0xdd, 0xdd, 0xdd];
const TRAINING: Color = [0x1f, 0x6f, 0xb4];
const VALIDATION: Color = [0xd4, 0x64, 0x1c];

/// What both forms of the picture show, in units of which it is [`WIDTH`] by [`HEIGHT`].
pub struct Picture {
    lines: Vec<Line>,
    labels: Vec<Label>,
}

/// Straight lines from point to point.
struct Line {
    points: Vec<(f64, f64)>,
    color: Color,
    width: f64,
}

/// Which part of a label is at its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// A word; its place is on the line on which letters stand.
struct Label {
    at: (f64, f64),
    anchor: Anchor,
    color: Color,
    text: String,
}

/// The picture, or `None` where there are not two epochs with finite losses.
pub fn picture(history: &History, title: &str) -> Option<Picture> {
    let training = series(history.epochs.iter().map(|e| (e.epoch, e.training.loss)));
    let validation = series(history.epochs.iter().filter_map(|e| Some((e.epoch, e.validation.as_ref()?.loss))));
    let scale = Scale::new(training.iter().chain(&validation))?;
    let mut picture = Picture { lines: Vec::new(), labels: Vec::new() };
    picture.axes(&scale);
    let kind = if scale.logarithmic { "loss (logarithmic)" } else { "loss" };
    picture.label((LEFT, 18.0), Anchor::Start, BLACK, format!("{title}: {kind} by epoch"));
    let lines = [("training", TRAINING, training), ("validation", VALIDATION, validation)];
    let mut right = WIDTH - RIGHT;
    for (name, color, points) in lines.into_iter().filter(|(_, _, points)| !points.is_empty()) {
        let points = points.iter().map(|p| (scale.x(p.0), scale.y(p.1))).collect();
        picture.lines.push(Line { points, color, width: 1.5 });
        picture.label((right, 18.0), Anchor::End, color, name.to_owned());
        right -= 80.0;
    }
    Some(picture)
}

/// Finite points, thinned out evenly; the last is kept.
fn series(points: impl Iterator<Item = (u64, f64)>) -> Vec<(f64, f64)> {
    let all: Vec<(f64, f64)> = points.filter(|(_, y)| y.is_finite()).map(|(x, y)| (x as f64, y)).collect();
    let step = all.len().div_ceil(POINTS).max(1);
    let last = all.len().saturating_sub(1);
    all.into_iter().enumerate().filter(|(i, _)| (last - i).is_multiple_of(step)).map(|(_, p)| p).collect()
}

/// From epochs and losses to places.
struct Scale {
    x: (f64, f64),
    y: (f64, f64),
    logarithmic: bool,
}

impl Scale {
    fn new<'a>(points: impl Iterator<Item = &'a (f64, f64)>) -> Option<Scale> {
        let none = (f64::INFINITY, f64::NEG_INFINITY);
        let (x, y) = points.fold((none, none), |(a, b), &(x, y)| ((a.0.min(x), a.1.max(x)), (b.0.min(y), b.1.max(y))));
        if x.0 >= x.1 {
            return None;
        }
        let logarithmic = y.0 > 0.0 && y.1 / y.0 >= LOGARITHMIC;
        let y = if logarithmic || y.0 < y.1 { y } else { (y.0 - 0.5, y.1 + 0.5) };
        Some(Scale { x, y, logarithmic })
    }

    fn x(&self, x: f64) -> f64 {
        LEFT + (x - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, y: f64) -> f64 {
        let part = if self.logarithmic {
            (y / self.y.0).ln() / (self.y.1 / self.y.0).ln()
        } else {
            (y - self.y.0) / (self.y.1 - self.y.0)
        };
        HEIGHT - BELOW - part * (HEIGHT - BELOW - ABOVE)
    }

    /// The loss at a part of the height.
    fn loss(&self, part: f64) -> f64 {
        if self.logarithmic {
            self.y.0 * (self.y.1 / self.y.0).powf(part)
        } else {
            self.y.0 + part * (self.y.1 - self.y.0)
        }
    }
}

impl Picture {
    /// Four lines across with their losses, and the first, middle and last epoch.
    fn axes(&mut self, scale: &Scale) {
        for k in 0..=4 {
            let loss = scale.loss(f64::from(k) / 4.0);
            let y = scale.y(loss);
            self.lines.push(Line { points: vec![(LEFT, y), (WIDTH - RIGHT, y)], color: GREY, width: 1.0 });
            self.label((LEFT - 8.0, y + 4.0), Anchor::End, BLACK, number(loss));
        }
        let middle = ((scale.x.0 + scale.x.1) / 2.0).round();
        for epoch in [scale.x.0, middle, scale.x.1] {
            self.label((scale.x(epoch), HEIGHT - BELOW + 20.0), Anchor::Middle, BLACK, format!("{epoch}"));
        }
    }

    fn label(&mut self, at: (f64, f64), anchor: Anchor, color: Color, text: String) {
        self.labels.push(Label { at, anchor, color, text });
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::event::Score;
    use super::super::history::EpochRecord;
    use super::*;

    pub fn history(losses: &[f64]) -> History {
        let score = |loss| Score { loss, metrics: vec![] };
        let record = |(i, &loss): (usize, &f64)| EpochRecord {
            epoch: i as u64 + 1,
            steps: i as u64 + 1,
            training: score(loss),
            validation: Some(score(2.0 * loss)),
        };
        History { epochs: losses.iter().enumerate().map(record).collect(), ..History::default() }
    }

    #[test]
    fn lines_stay_within_the_picture() {
        let text = svg(&picture(&history(&[1.0, 0.5, f64::NAN, 0.25]), "a < b").unwrap());
        assert_eq!(text.matches("<polyline").count(), 5 + 2);
        assert!(text.contains("a &lt; b: loss by epoch"));
        assert!(text.contains("points=\"70.0,"), "{text}");
        assert!(text.contains("620.0,320.0"), "{text}");
    }

    #[test]
    fn wide_ranges_are_logarithmic_and_many_points_few() {
        let losses: Vec<f64> = (0..5000).map(|i| 0.99f64.powi(i)).collect();
        let text = svg(&picture(&history(&losses), "m").unwrap());
        assert!(text.contains("loss (logarithmic)"));
        assert!(text.len() < 40_000, "{}", text.len());
    }

    #[test]
    fn one_epoch_is_no_line() {
        assert!(picture(&history(&[1.0]), "m").is_none());
        assert!(picture(&history(&[f64::NAN, f64::NAN]), "m").is_none());
        assert!(picture(&history(&[1.0, 1.0]), "m").is_some());
    }
}
