//! Entries of the table for sequences, images and volumes with channels: convolutions and
//! pooling, with the lengths that these give.

use super::Entry;
use super::pen::{Pen, Shape, at, last_axes};

pub const ENTRIES: &[Entry] = &[
    Entry { limits: CONVOLUTION, apply: |s, a, _| convolution(s, a, 1, false) },
    Entry { limits: CONVOLUTION, apply: |s, a, _| convolution(s, a, 2, false) },
    Entry { limits: CONVOLUTION, apply: |s, a, _| convolution(s, a, 2, false) },
    Entry { limits: CONVOLUTION, apply: |s, a, _| convolution(s, a, 3, false) },
    Entry { limits: CONVOLUTION, apply: |s, a, _| convolution(s, a, 1, true) },
    Entry { limits: CONVOLUTION, apply: |s, a, _| convolution(s, a, 2, true) },
    Entry { limits: CONVOLUTION, apply: |s, a, _| convolution(s, a, 3, true) },
    Entry { limits: &[3, 3, 3, 3, 2, 2, 3, 3], apply: depthwise },
    Entry { limits: POOLING, apply: |s, a, _| pooling(s, a, 1) },
    Entry { limits: POOLING, apply: |s, a, _| pooling(s, a, 2) },
    Entry { limits: POOLING, apply: |s, a, _| pooling(s, a, 2) },
    Entry { limits: &[8, 4, 4], apply: adaptive },
];

/// Filters, groups, bias, kind of padding, then for each axis the kernel, stride, dilation,
/// padding before and after, and what a transposed one keeps more.
const CONVOLUTION: &[usize] = &[4, 3, 2, 6, 3, 3, 2, 3, 3, 2, 3, 2, 2, 3, 3, 2, 2, 2, 2, 2, 2, 2];

/// A window along one axis.
#[derive(Clone, Copy)]
struct Window {
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
    extra: usize,
}

impl Window {
    /// How far it reaches.
    fn reach(self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }

    /// How many fit.
    fn places(self, size: usize) -> Option<usize> {
        Some((size + self.before + self.after).checked_sub(self.reach())? / self.stride + 1)
    }

    /// How long its transpose makes an axis.
    fn spread(self, size: usize) -> Option<usize> {
        let long = (size - 1) * self.stride + self.reach() + self.extra;
        long.checked_sub(self.before + self.after).filter(|&n| n > 0)
    }

    /// How many fit with a last one that is not full.
    fn pooled(self, size: usize, ceil: bool) -> Option<usize> {
        let full = self.places(size)?;
        let room = size + self.before + self.after - self.reach();
        let last = room.div_ceil(self.stride);
        Some(if ceil && last * self.stride < size + self.before { last + 1 } else { full })
    }

    /// Whether each of so many windows sees an element.
    fn all_see(self, size: usize, places: usize) -> bool {
        let inside = |p: usize, i: usize| {
            (p * self.stride + i * self.dilation).checked_sub(self.before).is_some_and(|at| at < size)
        };
        (0..places).all(|p| (0..self.kernel).any(|i| inside(p, i)))
    }

    /// The padding `same` of an axis.
    fn same(self, size: usize) -> Window {
        let all = ((size.div_ceil(self.stride) - 1) * self.stride + self.reach()).saturating_sub(size);
        Window { before: all / 2, after: all - all / 2, ..self }
    }
}

/// What is written for each axis, as one number where they are equal and that is asked for.
fn each(windows: &[Window], of: impl Fn(&Window) -> String) -> String {
    let all: Vec<String> = windows.iter().map(of).collect();
    if all.iter().all(|w| *w == all[0]) && !all[0].starts_with('(') {
        return all[0].clone();
    }
    let comma = if all.len() == 1 { "," } else { "" };
    format!("({}{comma})", all.join(", "))
}

/// The windows of attributes, and what to write of them; the padding is by a function where
/// `kind` says so.
fn windows(axes: &[usize], a: &[usize], kind: usize, transposed: bool) -> (Vec<Window>, String) {
    let mut all = Vec::new();
    for (k, &size) in axes.iter().enumerate() {
        let a = &a[(6 * k).min(a.len())..];
        let plain = Window {
            kernel: at(a, 0) + 1,
            stride: at(a, 1) + 1,
            dilation: at(a, 2) + 1,
            before: at(a, 3),
            after: at(a, 4),
            extra: if transposed { at(a, 5) } else { 0 },
        };
        all.push(match kind {
            0 => Window { before: 0, after: 0, ..plain },
            1 => plain.same(if transposed { size * plain.stride } else { size }),
            2 => Window { before: plain.reach() - 1, after: 0, ..plain },
            3 | 4 => Window { after: plain.before, ..plain },
            _ => plain,
        });
    }
    let padding = match kind {
        0 => ["", ", padding = valid"][at(a, 3) % 2].to_owned(),
        1 => ", padding = same".to_owned(),
        2 => ", padding = causal".to_owned(),
        3 | 4 => format!(", padding = {}", each(&all, |w| w.before.to_string())),
        _ => format!(", padding = {}", each(&all, |w| format!("({}, {})", w.before, w.after))),
    };
    (all, padding)
}

fn convolution(shape: &[usize], a: &[usize], rank: usize, transposed: bool) -> Option<(String, Shape)> {
    let (rest, own) = last_axes(shape, rank + 1)?;
    let (&channels, axes) = own.split_last()?;
    let groups = at(a, 1) + 1;
    channels.is_multiple_of(groups).then_some(())?;
    let filters = groups * (at(a, 0) % 2 + 1) + if groups == 1 { at(a, 0) / 2 } else { 0 };
    let (windows, padding) = windows(axes, &a[4.min(a.len())..], at(a, 3), transposed);
    let sizes = windows.iter().zip(axes).map(|(w, &n)| if transposed { w.spread(n) } else { w.places(n) });
    let sizes: Vec<usize> = sizes.collect::<Option<_>>()?;
    let name = if transposed { "conv_transpose" } else { "conv" };
    let mut text = format!("$ |> {name}{rank}d({filters}, kernel = {}", each(&windows, |w| w.kernel.to_string()));
    let mut more = |name: &str, simple: usize, of: fn(&Window) -> usize| {
        if windows.iter().any(|w| of(w) != simple) {
            text += &format!(", {name} = {}", each(&windows, |w| of(w).to_string()));
        }
    };
    more("stride", 1, |w| w.stride);
    more("dilation", 1, |w| w.dilation);
    more("extra", 0, |w| w.extra);
    text += &padding;
    if groups > 1 {
        text += &format!(", groups = {groups}");
    }
    if at(a, 2) == 1 {
        text += ", bias = false";
    }
    let shape = rest.iter().copied().chain(sizes).chain([filters]).collect();
    Some((text + ")#", shape))
}

fn depthwise(shape: &[usize], a: &[usize], _: &mut Pen) -> Option<(String, Shape)> {
    let (rest, own) = last_axes(shape, 3)?;
    let [h, w, c] = *own else { return None };
    let multiplier = at(a, 0) % 2 + 1;
    let (windows, padding) = windows(&[h, w], &window_attributes(&a[1.min(a.len())..]), at(a, 0), false);
    let sizes = [windows[0].places(h)?, windows[1].places(w)?];
    let of = |name: &str, of: fn(&Window) -> usize| format!(", {name} = {}", each(&windows, |w| of(w).to_string()));
    let (kernel, stride) = (of("kernel", |w| w.kernel), of("stride", |w| w.stride));
    let text = format!("$ |> depthwise_conv2d({}, multiplier = {multiplier}{stride}{padding})#", &kernel[2..]);
    Some((text, rest.iter().copied().chain(sizes).chain([c * multiplier]).collect()))
}

/// Attributes of windows of two axes from fewer: kernels, strides, padding.
fn window_attributes(a: &[usize]) -> Vec<usize> {
    vec![at(a, 0), at(a, 3), 0, at(a, 5), at(a, 6), 0, at(a, 1), at(a, 4), 0, at(a, 6), at(a, 5), 0]
}

/// Which, ceil mode, counted padding, kind of padding, then for each axis the kernel, stride,
/// dilation, padding before and after.
const POOLING: &[usize] = &[2, 2, 2, 6, 3, 3, 2, 2, 2, 1, 3, 3, 2, 2, 2, 1];

fn pooling(shape: &[usize], a: &[usize], rank: usize) -> Option<(String, Shape)> {
    let (rest, own) = last_axes(shape, rank + 1)?;
    let (&channels, axes) = own.split_last()?;
    let (average, ceil, counted) = (at(a, 0) == 1, at(a, 1) == 1, at(a, 2) == 0);
    let mut own = a[4.min(a.len())..].to_vec();
    if average {
        // It has no dilation.
        (0..rank).for_each(|k| own.iter_mut().skip(6 * k + 2).take(1).for_each(|d| *d = 0));
    }
    let (windows, padding) = windows(axes, &own, at(a, 3), false);
    let mut sizes = Vec::new();
    for (w, &n) in windows.iter().zip(axes) {
        let places = w.pooled(n, ceil)?;
        // The greatest of nothing is -inf, and the mean of nothing none.
        (w.all_see(n, places)).then_some(())?;
        sizes.push(places);
    }
    let name = if average { "avg_pool" } else { "max_pool" };
    let mut text = format!("$ |> {name}{rank}d({}", each(&windows, |w| w.kernel.to_string()));
    text += &format!(", stride = {}{padding}", each(&windows, |w| w.stride.to_string()));
    if windows.iter().any(|w| w.dilation > 1) {
        text += &format!(", dilation = {}", each(&windows, |w| w.dilation.to_string()));
    }
    if ceil {
        text += ", ceil_mode = true";
    }
    if average && !counted {
        text += ", count_pad = false";
    }
    Some((text + ")", rest.iter().copied().chain(sizes).chain([channels]).collect()))
}

/// Pooling of whole axes, or of as many windows as are asked for, and its opposite.
fn adaptive(shape: &[usize], a: &[usize], _: &mut Pen) -> Option<(String, Shape)> {
    let (p, q) = (at(a, 1) + 1, at(a, 2) + 1);
    let (rank, kept): (usize, Shape) = match at(a, 0) {
        0 | 1 => (2, vec![]),
        2 | 3 => (1, vec![]),
        4 => (1, vec![p]),
        _ => (2, vec![p, q]),
    };
    let (rest, own) = last_axes(shape, rank + 1)?;
    let call = match at(a, 0) {
        0 => "global_avg_pool".to_owned(),
        1 => "global_max_pool".to_owned(),
        2 => "global_avg_pool1d".to_owned(),
        3 => "global_max_pool1d".to_owned(),
        4 => format!("adaptive_avg_pool1d({p})"),
        5 => format!("adaptive_avg_pool2d(({p}, {q}))"),
        6 => format!("adaptive_max_pool2d(({p}, {q}))"),
        _ => {
            let shape = rest.iter().copied().chain([own[0] * p, own[1] * q, own[2]]).collect();
            return Some((format!("$ |> upsample2d(({p}, {q}))"), shape));
        }
    };
    Some((format!("$ |> {call}"), rest.iter().copied().chain(kept).chain(own.last().copied()).collect()))
}
