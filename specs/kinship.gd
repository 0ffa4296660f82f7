/// Two family trees learnt from questions like "who is Victoria's uncle?", with a vector for
/// each person and relation (Hinton, 1986); the four questions held back follow from the others.
model Kinship {
    input  person: in 0..24;
    input  relation: in 0..12;
    target answer: [24];
    let who  = embedding(person, 6);
    let what = embedding(relation, 6);
    let h    = concat(who, what) |> dense(16) |> tanh;
    let logits = h |> dense(24);
    output probs = sigmoid(logits);
    loss   sum(binary_cross_entropy(answer, logits));
    metric right = all(binary_accuracy(answer, logits));
    optimizer adamw(lr = cosine(1e-2, steps = 4000), decay = 0.1);
    train { batch = 25; epochs = 1000; }
}
