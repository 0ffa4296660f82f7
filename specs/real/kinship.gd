/// Two family trees learnt from questions like "who is Victoria's uncle?" (Hinton, 1986): a
/// vector for each person, and for each relation a matrix that leads from one to another. The
/// four questions that are held back follow from the other hundred.
model Kinship {
    input  person: in 0..24;
    input  relation: in 0..12;
    target answer: [24];
    param people: [24, 8] = normal(0, 1);
    param lead: [12, 8, 8] = normal(0, 0.35);
    let who = embed(people, person);
    let there[j] = sum[i](who[i] * lead[relation, i, j]);
    let logits[k] = sum[j](there[j] * people[k, j]) - 3;
    output probs = sigmoid(logits);
    loss sum(binary_cross_entropy(answer, logits));
    loss penalty = l2_penalty(people, 0.005) + l2_penalty(lead, 0.005);
    metric right = all(binary_accuracy(answer, logits));
    optimizer adam(lr = cosine(1e-2, steps = 16000));
    train { batch = 25; epochs = 4000; }
}
