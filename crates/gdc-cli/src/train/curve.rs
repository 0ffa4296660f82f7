//! The losses of a training as a picture: an SVG with a line per data set.

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

/// The picture, or `None` where there are not two epochs with finite losses.
pub fn svg(history: &History, title: &str) -> Option<String> {
    let training = series(history.epochs.iter().map(|e| (e.epoch, e.training.loss)));
    let validation = series(history.epochs.iter().filter_map(|e| Some((e.epoch, e.validation.as_ref()?.loss))));
    let scale = Scale::new(training.iter().chain(&validation))?;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    axes(&mut text, &scale);
    let kind = if scale.logarithmic { "loss (logarithmic)" } else { "loss" };
    label(&mut text, (LEFT, 18.0), "start", &format!("{}: {kind} by epoch", escaped(title)));
    let lines = [("training", "#1f6fb4", training), ("validation", "#d4641c", validation)];
    for (k, (name, color, points)) in lines.iter().filter(|(_, _, points)| !points.is_empty()).enumerate() {
        let path: Vec<String> = points.iter().map(|p| format!("{:.1},{:.1}", scale.x(p.0), scale.y(p.1))).collect();
        let path = path.join(" ");
        text.push_str(&format!(
            "<polyline points=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>\n\
             <text x=\"{}\" y=\"18\" text-anchor=\"end\" fill=\"{color}\">{name}</text>\n",
            WIDTH - RIGHT - 80.0 * k as f64
        ));
    }
    text.push_str("</svg>\n");
    Some(text)
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

/// Four lines across with their losses, and the first, middle and last epoch.
fn axes(text: &mut String, scale: &Scale) {
    for k in 0..=4 {
        let loss = scale.loss(f64::from(k) / 4.0);
        let y = scale.y(loss);
        text.push_str(&format!(
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>\n",
            WIDTH - RIGHT
        ));
        label(text, (LEFT - 8.0, y + 4.0), "end", &number(loss));
    }
    let middle = ((scale.x.0 + scale.x.1) / 2.0).round();
    for epoch in [scale.x.0, middle, scale.x.1] {
        label(text, (scale.x(epoch), HEIGHT - BELOW + 20.0), "middle", &format!("{epoch}"));
    }
}

fn label(text: &mut String, at: (f64, f64), anchor: &str, words: &str) {
    let (x, y) = at;
    text.push_str(&format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>\n"));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::event::Score;
    use super::super::history::EpochRecord;
    use super::*;

    fn history(losses: &[f64]) -> History {
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
        let text = svg(&history(&[1.0, 0.5, f64::NAN, 0.25]), "a < b").unwrap();
        assert_eq!(text.matches("<polyline").count(), 2);
        assert!(text.contains("a &lt; b: loss by epoch"));
        assert!(text.contains("points=\"70.0,"), "{text}");
        assert!(text.contains("620.0,320.0"), "{text}");
    }

    #[test]
    fn wide_ranges_are_logarithmic_and_many_points_few() {
        let losses: Vec<f64> = (0..5000).map(|i| 0.99f64.powi(i)).collect();
        let text = svg(&history(&losses), "m").unwrap();
        assert!(text.contains("loss (logarithmic)"));
        assert!(text.len() < 40_000, "{}", text.len());
    }

    #[test]
    fn one_epoch_is_no_line() {
        assert_eq!(svg(&history(&[1.0]), "m"), None);
        assert_eq!(svg(&history(&[f64::NAN, f64::NAN]), "m"), None);
        assert!(svg(&history(&[1.0, 1.0]), "m").is_some());
    }
}
