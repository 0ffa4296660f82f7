//! The network as a picture: a box for each layer, an arrow for what it reads.

use super::layers::{Kind, Layer, Table};
use super::mathml::escaped;
use crate::text::shape;

const BOX_WIDTH: usize = 208;
/// Letters that fit into a box: of names, and of the smaller line below.
const NAME: usize = 24;
const BELOW: usize = 34;
const BOX_HEIGHT: usize = 46;
const GAP_X: usize = 28;
const GAP_Y: usize = 40;
const MARGIN: usize = 12;

/// An `<svg>` element that needs nothing else.
pub fn picture(table: &Table) -> String {
    let rank = ranks(&table.layers);
    let depth = rank.iter().max().map_or(0, |r| r + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); depth];
    rank.iter().enumerate().for_each(|(i, &r)| rows[r].push(i));
    let widest = rows.iter().map(Vec::len).max().unwrap_or(1);
    let width = 2 * MARGIN + widest * (BOX_WIDTH + GAP_X) - GAP_X.min(widest * GAP_X);
    let height = 2 * MARGIN + depth * (BOX_HEIGHT + GAP_Y) - GAP_Y.min(depth * GAP_Y);
    let mut place = vec![(0, 0); table.layers.len()];
    for (r, row) in rows.iter().enumerate() {
        let used = row.len() * (BOX_WIDTH + GAP_X) - GAP_X.min(row.len() * GAP_X);
        let left = (width - used) / 2;
        for (k, &i) in row.iter().enumerate() {
            place[i] = (left + k * (BOX_WIDTH + GAP_X), MARGIN + r * (BOX_HEIGHT + GAP_Y));
        }
    }
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         font-family=\"sans-serif\" font-size=\"13\" role=\"img\" aria-label=\"the network\">\n<defs><marker \
         id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"#667\"/></marker></defs>\n"
    );
    for (i, layer) in table.layers.iter().enumerate() {
        for &from in &layer.reads {
            text.push_str(&arrow(place[from], place[i]));
        }
    }
    for (layer, at) in table.layers.iter().zip(&place) {
        text.push_str(&boxed(layer, *at));
    }
    text + "</svg>\n"
}

/// The length of the longest way from something given.
fn ranks(layers: &[Layer]) -> Vec<usize> {
    let mut rank = vec![0; layers.len()];
    // A row can read one whose last node comes later, so this takes several rounds, but a
    // graph without cycles no more than it has rows.
    for _ in 0..layers.len() {
        let mut changed = false;
        for (i, layer) in layers.iter().enumerate() {
            let own = layer.reads.iter().map(|&r| rank[r] + 1).max().unwrap_or(0).min(layers.len() - 1);
            changed |= own > rank[i];
            rank[i] = rank[i].max(own);
        }
        if !changed {
            break;
        }
    }
    // What is read by one row only, such as a target, stands just before it.
    for (i, layer) in layers.iter().enumerate() {
        if layer.reads.is_empty() {
            let readers = layers.iter().enumerate().filter(|(_, l)| l.reads.contains(&i)).map(|(k, _)| rank[k]);
            rank[i] = readers.min().map_or(0, |r| r.saturating_sub(1));
        }
    }
    rank
}

fn arrow(from: (usize, usize), to: (usize, usize)) -> String {
    let (x1, y1) = (from.0 + BOX_WIDTH / 2, from.1 + BOX_HEIGHT);
    let (x2, y2) = (to.0 + BOX_WIDTH / 2, to.1);
    let bend = ((y2 as i64 - y1 as i64) / 2).max(16);
    format!(
        "<path d=\"M{x1} {y1}C{x1} {} {x2} {} {x2} {y2}\" fill=\"none\" stroke=\"#667\" marker-end=\"url(#tip)\"/>\n",
        y1 as i64 + bend,
        y2 as i64 - bend
    )
}

fn boxed(layer: &Layer, (x, y): (usize, usize)) -> String {
    let (fill, round) = match layer.kind {
        Kind::Input | Kind::Target => ("#e8f1fb", 22),
        Kind::Param | Kind::Layer => ("#fdf0dc", 5),
        Kind::Loss => ("#fbe3e3", 5),
        Kind::Metric => ("#f3f3f3", 5),
        Kind::Value => ("#eef7ea", 5),
    };
    let below = match layer.params {
        0 => shape(&layer.shape),
        n => format!("{} · {n} parameters", shape(&layer.shape)),
    };
    let middle = x + BOX_WIDTH / 2;
    format!(
        "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"{round}\" \
         fill=\"{fill}\" stroke=\"#99a\"/><text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" \
         font-weight=\"bold\">{}</text><text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" \
         font-size=\"11\">{}</text></g>\n",
        escaped(&layer.name),
        y + 19,
        escaped(&end(&layer.name, NAME)),
        y + 35,
        escaped(&start(&below, BELOW)),
    )
}

/// A text without what is too much of its end.
fn start(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// A dotted name without what is too much of its start: layers of one block differ in the end.
fn end(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().skip(length + 1 - most).collect();
    format!("…{}", kept.find('.').map_or(kept.as_str(), |dot| &kept[dot + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_end_and_shapes_their_start() {
        assert_eq!(end("h.0.encoder_block.attend.q", 24), "…encoder_block.attend.q");
        assert_eq!(end("h.0.dense", 24), "h.0.dense");
        assert_eq!(end("averyveryverylongnameofasinglelayer", 10), "…nglelayer");
        assert_eq!(start("[24, 16] · 1152 parameters", 10), "[24, 16] …");
    }
}
