//! From what stands in `network!` to what replaces it: the compiler's input and output adapted.

use crate::emit::{self, Place};
use crate::rebuild::{Rebuilt, rebuild};
use crate::{file, literal, message, site};
use gdc_driver::{Failure, Options, Output, Source};
use gdc_syntax::{Diagnostic, FileId, Severity, SourceMap, scan};
use proc_macro2::{Span, TokenStream, TokenTree};
use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// What [`gdc_driver::compile`] is; tests put something simpler in its place.
pub type Compile<'a> = &'a dyn Fn(&Source, &Options) -> Result<Output, Box<Failure>>;

/// How messages call a spec that is written in the macro.
const INLINE: &str = "<network>";

/// The items that `network!(input)` stands for. Mistakes are errors within them.
pub fn network(input: TokenStream, compile: Compile) -> TokenStream {
    let whole = (Span::call_site(), Span::call_site());
    catch_unwind(AssertUnwindSafe(|| match path(&input) {
        Some((name, span)) => from_file(&name, span, compile),
        None => inline(input, compile),
    }))
    .unwrap_or_else(|panic| emit::error(whole, &bug(panic.as_ref())))
}

/// The path in `network!("path.gd")`.
fn path(input: &TokenStream) -> Option<(String, Span)> {
    let mut tokens = input.clone().into_iter();
    let only = tokens.next()?;
    if tokens.next().is_some() {
        return None;
    }
    let name = literal::string(&only)?;
    let span = match &only {
        TokenTree::Group(group) => group.stream().into_iter().next().map(|inner| inner.span()),
        _ => None,
    };
    Some((name, span.unwrap_or(only.span())))
}

/// A spec that is written in the macro.
fn inline(input: TokenStream, compile: Compile) -> TokenStream {
    let rebuilt = rebuild(input);
    let folder = site::folder(Span::call_site()).or_else(site::manifest);
    let source = Source { name: INLINE.to_string(), text: rebuilt.text.clone(), folder };
    let result = guarded(compile, &source);
    Adapter { spec: Spec::Tokens(&rebuilt), text: &rebuilt.text }.finish(result, BTreeSet::new())
}

/// A spec in the file that `name` names; `span` is the literal's.
fn from_file(name: &str, span: Span, compile: Compile) -> TokenStream {
    let folders: Vec<PathBuf> = site::folder(span).into_iter().chain(site::manifest()).collect();
    let found = match file::find(name, &folders) {
        Ok(found) => found,
        Err(missing) => return emit::error((span, span), &missing),
    };
    let folder = found.path.parent().map(PathBuf::from);
    let files = BTreeSet::from([found.path]);
    let text = match found.text {
        Ok(text) => text,
        Err(unreadable) => {
            let mut out = emit::error((span, span), &unreadable);
            out.extend(emit::watch(&files));
            return out;
        }
    };
    let source = Source { name: name.to_string(), text: text.clone(), folder };
    let result = guarded(compile, &source);
    Adapter { spec: Spec::File(span), text: &text }.finish(result, files)
}

/// What came of a compilation; a panic is a result too, so that files are watched all the same.
type Outcome = Result<Result<Output, Box<Failure>>, String>;

fn guarded(compile: Compile, source: &Source) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| compile(source, &Options::default()))).map_err(|panic| bug(panic.as_ref()))
}

/// The message for a panic, which no spec should cause.
fn bug(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    format!("this is a bug in gdc, not in your code\nnote: {text}\nhelp: please report it with the spec")
}

/// Where the spec stands.
enum Spec<'a> {
    Tokens(&'a Rebuilt),
    /// In the file that this literal names.
    File(Span),
}

/// Turns the results of one compilation into items.
struct Adapter<'a> {
    spec: Spec<'a>,
    /// The spec's text.
    text: &'a str,
}

impl Adapter<'_> {
    fn finish(&self, outcome: Outcome, mut files: BTreeSet<PathBuf>) -> TokenStream {
        let mut out = TokenStream::new();
        match outcome {
            Ok(Ok(output)) => {
                files.extend(read(&output.sources));
                out.extend(self.warnings(&output.warnings, &output.sources));
                out.extend(output.tokens);
            }
            Ok(Err(failure)) => {
                files.extend(read(&failure.sources));
                out.extend(self.warnings(&failure.diagnostics, &failure.sources));
                out.extend(self.errors(&failure));
            }
            Err(bug) => {
                let models = model_names(self.text);
                out.extend(emit::errors(&[(self.whole(), bug)], &models));
            }
        }
        out.extend(emit::watch(&files));
        out
    }

    fn errors(&self, failure: &Failure) -> TokenStream {
        let mut errors: Vec<(Place, String)> = Vec::new();
        for diagnostic in &failure.diagnostics {
            if diagnostic.severity == Severity::Error {
                errors.push(self.show(diagnostic, &failure.sources));
            }
        }
        if errors.is_empty() {
            errors.push((self.whole(), bug(&"nothing was generated, and nothing said why")));
        }
        emit::errors(&errors, &failure.models)
    }

    fn warnings(&self, diagnostics: &[Diagnostic], sources: &SourceMap) -> TokenStream {
        let warnings = diagnostics.iter().filter(|d| d.severity == Severity::Warning);
        let shown = warnings.map(|d| {
            let (place, message) = self.show(d, sources);
            emit::warning(place, d.code.0, &message)
        });
        shown.collect()
    }

    /// The place and the words of a diagnostic.
    fn show(&self, diagnostic: &Diagnostic, sources: &SourceMap) -> (Place, String) {
        let tokens = match self.spec {
            Spec::Tokens(tokens) if is_inline(sources, diagnostic.span.file) => tokens,
            _ => {
                return (self.place_of(diagnostic, sources), message::for_file(diagnostic, sources));
            }
        };
        let line = |span| tokens.spans(bytes(span)).and_then(|(first, _)| site::line(first));
        let place = tokens.spans(bytes(diagnostic.span)).unwrap_or(self.whole());
        (place, message::for_tokens(diagnostic, sources, &line))
    }

    /// Where to show a mistake in another file: at what in the macro has to do with it, or at the
    /// path that imports the file.
    fn place_of(&self, diagnostic: &Diagnostic, sources: &SourceMap) -> Place {
        let Spec::Tokens(tokens) = self.spec else { return self.whole() };
        let mut related = diagnostic.secondary.iter().map(|label| label.span);
        let related = related.find(|span| is_inline(sources, span.file)).map(bytes);
        let import = || {
            let path = format!("{:?}", sources.file(diagnostic.span.file).name);
            tokens.text.find(&path).map(|start| start..start + path.len())
        };
        related.or_else(import).and_then(|bytes| tokens.spans(bytes)).unwrap_or(self.whole())
    }

    fn whole(&self) -> Place {
        match self.spec {
            Spec::Tokens(_) => (Span::call_site(), Span::call_site()),
            Spec::File(span) => (span, span),
        }
    }
}

/// The files that a compilation read.
fn read(sources: &SourceMap) -> impl Iterator<Item = PathBuf> {
    sources.files().filter_map(|(_, file)| file.path.clone())
}

fn is_inline(sources: &SourceMap, file: FileId) -> bool {
    let file = sources.file(file);
    file.path.is_none() && file.name == INLINE
}

fn bytes(span: gdc_syntax::Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

/// The names of the models that can be seen in a text, right or wrong, each once.
fn model_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (kind, name, _) in scan::items(text) {
        if kind == "model" && !names.iter().any(|known| known == name) {
            names.push(name.to_string());
        }
    }
    names
}
