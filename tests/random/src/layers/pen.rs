//! What a model's text is written with: names, labels, statements, items.

/// The sizes of axes.
pub type Shape = Vec<usize>;

/// How a model is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// With `for`, layers, models as layers, recurrent layers and scans.
    Rolled,
    /// All of that written out, each turn and each step a statement of its own.
    Flat,
}

/// The text so far, and what an entry of the table may want to know.
pub struct Pen {
    pub style: Style,
    /// Samples of a step.
    pub batch: usize,
    /// Definitions that stand before the model.
    pub items: String,
    /// Statements.
    pub lines: String,
    /// Names given so far.
    names: usize,
    /// Whether a layer's body is written, where a label may stand only once.
    pub in_layer: bool,
    /// A sequence that attention can go to.
    pub memory: Option<(String, Shape)>,
    /// Whether the value is an input as it is given.
    pub fresh: bool,
    /// Whether anything draws while it trains.
    pub draws: bool,
    /// How much longer its text would be if some layers were written out.
    pub more: usize,
    /// Whether the model's input is integers, some of which may be equal.
    pub words: bool,
    /// Whether a layer was written that may have parameters.
    pub learns: bool,
}

impl Pen {
    pub fn new(style: Style, batch: usize) -> Self {
        let (items, lines) = (String::new(), String::new());
        let (names, memory, more) = (0, None, 0);
        let (in_layer, fresh, draws, words, learns) = (false, false, true, false, false);
        Pen { style, batch, items, lines, names, in_layer, memory, fresh, draws, more, words, learns }
    }

    /// A new name.
    pub fn name(&mut self, stem: &str) -> String {
        self.names += 1;
        format!("{stem}{}", self.names)
    }

    /// A statement.
    pub fn line(&mut self, text: &str) {
        self.lines += &format!("    {text}\n");
    }

    /// `let` with `$` for a value and `#` for a label; the name.
    pub fn bind(&mut self, text: &str, value: &str) -> String {
        let name = self.name("v");
        let mut parts = text.split('#');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            self.learns = true;
            if self.in_layer {
                text += &format!(" as {}", self.name("part"));
            }
            text += part;
        }
        self.line(&format!("let {name} = {};", text.replace('$', value)));
        name
    }

    /// Statements that stand elsewhere: their text and what `write` gave.
    pub fn apart(
        &mut self,
        in_layer: bool,
        write: impl FnOnce(&mut Pen) -> Option<(String, Shape)>,
    ) -> Option<(String, String, Shape)> {
        let lines = std::mem::take(&mut self.lines);
        let (memory, fresh) = (self.memory.take(), std::mem::replace(&mut self.fresh, false));
        let before = std::mem::replace(&mut self.in_layer, in_layer);
        let written = write(self);
        self.in_layer = before;
        (self.memory, self.fresh) = (memory, fresh);
        let body = std::mem::replace(&mut self.lines, lines);
        let (value, shape) = written?;
        Some((body, value, shape))
    }

    /// Whether the value may hardly vary, but for rounding, which a normalisation with a small `eps`
    /// would make large: anything but an input of numbers as it is given.
    pub fn may_be_even(&self) -> bool {
        self.words || !self.fresh
    }

    /// Of how many values, at least, statistics over the batch and these axes are.
    pub fn observed(&self, axes: &[usize]) -> usize {
        self.batch.div_ceil(2) * axes.iter().product::<usize>()
    }
}

/// `[2, 3]`.
pub fn numbers(shape: &[usize]) -> String {
    let all: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", all.join(", "))
}

/// One of a list of words by an attribute.
pub fn word(words: &[&'static str], attribute: usize) -> &'static str {
    words[attribute % words.len()]
}

/// An attribute, 0 where there is none.
pub fn at(attributes: &[usize], place: usize) -> usize {
    attributes.get(place).copied().unwrap_or(0)
}

/// The shape with another last axis.
pub fn with_last(shape: &[usize], last: usize) -> Shape {
    let before = &shape[..shape.len().saturating_sub(1)];
    before.iter().copied().chain([last]).collect()
}

/// The last so many axes, and those before; nothing if there are not that many.
pub fn last_axes(shape: &[usize], count: usize) -> Option<(&[usize], &[usize])> {
    Some(shape.split_at(shape.len().checked_sub(count)?))
}
