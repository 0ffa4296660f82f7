/// Invents first names, letter by letter: a long short-term memory over the letters so far, which
/// `stream` also gives one letter at a time. 0 begins a name and ends it; a to z are 1 to 26.
/// `crates/gdc/examples/names.rs` draws names with it.
model Names {
    const t = 12;
    input  letters: [t] in 0..27;
    target next:    [t] in 0..27;
    let logits = letters |> embedding(16) |> lstm(96, forget = 1.0) |> dense(27);
    output scores = logits;
    // Nats a name: what follows the end of a name is its end again, which costs nothing.
    loss   sum(cross_entropy(logits, next));
    stream t;
    optimizer adamw(lr = cosine(4e-3, steps = 1800), decay = 0.1) with clip_global_norm(5.0);
    train { batch = 32; epochs = 15; }
}
