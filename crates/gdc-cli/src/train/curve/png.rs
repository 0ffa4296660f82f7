//! The picture as PNG, for where an SVG cannot be shown: smooth lines, and letters of a font that
//! was drawn beforehand.

use super::{Anchor, Color, HEIGHT, Label, Line, Picture, WIDTH};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// Pixels of a unit.
const SCALE: f64 = 2.0;
const COLUMNS: usize = (WIDTH * SCALE) as usize;
const ROWS: usize = (HEIGHT * SCALE) as usize;
const FONT: (FontWeight, RasterHeight) = (FontWeight::Regular, RasterHeight::Size24);
/// How far below the top of a letter's image the line is on which it stands.
const BASELINE: f64 = 19.0;

/// The bytes of the file.
pub fn png(picture: &Picture) -> Result<Vec<u8>, png::EncodingError> {
    let mut canvas = Canvas { pixels: vec![255; COLUMNS * ROWS * 3] };
    picture.lines.iter().for_each(|line| canvas.line(line));
    picture.labels.iter().for_each(|label| canvas.label(label));
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, COLUMNS as u32, ROWS as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&canvas.pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// Rows of pixels, three bytes each.
struct Canvas {
    pixels: Vec<u8>,
}

impl Canvas {
    /// Mixes a color into a pixel, by a part between 0 and 1.
    fn mix(&mut self, column: usize, row: usize, color: Color, part: f64) {
        let start = (row * COLUMNS + column) * 3;
        if let (true, Some(pixel)) = (column < COLUMNS, self.pixels.get_mut(start..start + 3)) {
            for (old, new) in pixel.iter_mut().zip(color) {
                *old = (f64::from(*old) * (1.0 - part) + f64::from(new) * part).round() as u8;
            }
        }
    }

    /// A pixel is covered by as much as the nearest of the segments covers of it, so that joints
    /// are no darker than the rest.
    fn line(&mut self, line: &Line) {
        let half = line.width * SCALE / 2.0;
        let mut covered = vec![0.0_f64; COLUMNS * ROWS];
        for ends in line.points.windows(2) {
            let [a, b] = [ends[0], ends[1]].map(|(x, y)| (x * SCALE, y * SCALE));
            let span = |low: f64, high: f64, most: usize| {
                let from = (low.min(high) - half - 1.0).max(0.0) as usize;
                from..((low.max(high) + half + 2.0).max(0.0) as usize).min(most)
            };
            for row in span(a.1, b.1, ROWS) {
                for column in span(a.0, b.0, COLUMNS) {
                    let part = (half + 0.5 - distance((column as f64 + 0.5, row as f64 + 0.5), a, b)).clamp(0.0, 1.0);
                    let place = &mut covered[row * COLUMNS + column];
                    *place = place.max(part);
                }
            }
        }
        for (place, &part) in covered.iter().enumerate().filter(|(_, part)| **part > 0.0) {
            self.mix(place % COLUMNS, place / COLUMNS, line.color, part);
        }
    }

    /// Letters that the font has not are question marks.
    fn label(&mut self, label: &Label) {
        let (weight, height) = FONT;
        let advance = get_raster_width(weight, height);
        let width = (label.text.chars().count() * advance) as f64;
        let left = label.at.0 * SCALE
            - match label.anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => width / 2.0,
                Anchor::End => width,
            };
        let (left, top) = (left.max(0.0) as usize, (label.at.1 * SCALE - BASELINE).max(0.0) as usize);
        for (place, letter) in label.text.chars().enumerate() {
            let Some(image) = get_raster(letter, weight, height).or_else(|| get_raster('?', weight, height)) else {
                continue;
            };
            for (row, line) in image.rows().enumerate() {
                for (column, &ink) in line.iter().enumerate().filter(|(_, ink)| **ink > 0) {
                    self.mix(left + place * advance + column, top + row, label.color, f64::from(ink) / 255.0);
                }
            }
        }
    }
}

/// From a point to the nearest point of a segment.
fn distance(p: (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 { ((p.0 - a.0) * dx + (p.1 - a.1) * dy) / length } else { 0.0 };
    let t = along.clamp(0.0, 1.0);
    (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy)
}

#[cfg(test)]
mod tests {
    use super::super::tests::history;
    use super::super::{TRAINING, picture};
    use super::*;

    #[test]
    fn a_file_has_its_lines_where_the_picture_has_them() {
        let picture = picture(&history(&[1.0, 0.5, 0.25]), "Model").unwrap();
        let bytes = png(&picture).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width as usize, info.height as usize), (COLUMNS, ROWS));
        let at = |(x, y): (f64, f64)| {
            let start = ((y * SCALE) as usize * COLUMNS + (x * SCALE) as usize) * 3;
            [pixels[start], pixels[start + 1], pixels[start + 2]]
        };
        let line = picture.lines.iter().find(|l| l.color == TRAINING).unwrap();
        let (a, b) = (line.points[0], line.points[1]);
        assert_eq!(at(((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0)), TRAINING);
        assert_eq!(at((1.0, 1.0)), [255; 3]);
        // The title stands at the top and leaves ink there.
        let dark = |pixel: &[u8]| pixel[0] < 64;
        assert!(pixels[..COLUMNS * 3 * 40].chunks_exact(3).filter(|p| dark(p)).count() > 200);
    }

    #[test]
    fn letters_without_an_image_and_long_titles_are_no_fault() {
        let title = "\u{6f22}".repeat(300);
        assert!(png(&picture(&history(&[1.0, 0.5]), &title).unwrap()).is_ok());
    }
}
