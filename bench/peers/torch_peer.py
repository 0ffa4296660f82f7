"""PyTorch, eager and compiled. Usage: torch_peer.py [--compile] WORK..."""

import sys

import torch
import torch.nn.functional as F
from work import STEPS, data, report, weights

torch.set_num_threads(1)


def mlp(w, x, act, last=lambda z: z):
    for k in range(0, len(w) - 2, 2):
        x = act(torch.addmm(w[k + 1], x, w[k]))
    return last(torch.addmm(w[-1], x, w[-2]))


def lenet(w, x):
    x = x[:, None]
    x = F.max_pool2d(F.relu(F.conv2d(x, w[0], w[1], padding=2)), 2)
    x = F.max_pool2d(F.relu(F.conv2d(x, w[2], w[3])), 2)
    return mlp(w[4:], x.permute(0, 2, 3, 1).flatten(1), F.relu)


def transformer(w, tokens):
    h = F.embedding(tokens, w[0]) + w[1]
    for b in w[2:14], w[14:26]:
        x = F.layer_norm(h, (64,), b[0], b[1])
        q, k, v = (torch.einsum("bim,mhe->bhie", x, m) for m in b[2:5])
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + torch.einsum("bhie,hem->bim", o, b[5])
        x = F.layer_norm(h, (64,), b[6], b[7])
        h = h + F.gelu(x @ b[8] + b[9]) @ b[10] + b[11]
    return F.layer_norm(h, (64,), w[26], w[27]) @ w[28] + w[29]


def lstm(w, x):
    """PyTorch's own, of all steps at once; its weights are transposed, and it has two biases."""
    start = x.new_zeros(1, x.shape[0], 64)
    flat = [w[0], w[1], w[2], w[5]]
    _, h, _ = torch.lstm(x, (start, start), flat, True, 1, 0.0, True, False, True)
    return torch.addmm(w[4], h[0], w[3])


LOSS = {
    "quadratic": lambda w, x, y: (w[0] - 3) ** 2,
    "line": lambda w, x, y: F.mse_loss(w[0] * x + w[1], y),
    "logistic": lambda w, x, y: F.softplus(mlp(w, x, None)).mean() - (y * mlp(w, x, None)).mean(),
    "mlp_2_4_1": lambda w, x, y: F.mse_loss(mlp(w, x, torch.sigmoid, torch.sigmoid), y),
    "mlp_10_10_10_1": lambda w, x, y: F.mse_loss(mlp(w, x, F.relu), y),
    "lstm": lambda w, x, y: F.mse_loss(lstm(w, x), y),
    "lenet": lambda w, x, y: F.cross_entropy(lenet(w, x), y),
    "transformer": lambda w, x, y: F.cross_entropy(transformer(w, x).flatten(0, 1), y.flatten()),
}
LOSS["logistic"] = lambda w, x, y: bce(mlp(w, x, None), y)


def bce(z, y):
    return (F.softplus(z) - y * z).mean()


RATE = {"quadratic": 0.1, "line": 0.05, "logistic": 0.5, "mlp_2_4_1": 0.5, "mlp_10_10_10_1": 0.01}


def optimizer(work, w):
    if work in RATE:
        return torch.optim.SGD(w, lr=RATE[work])
    if work == "mlp_512x4_10":
        return torch.optim.SGD(w, lr=1e-3, momentum=0.9)
    if work == "transformer":
        return torch.optim.AdamW(w, lr=3e-4, weight_decay=0.01, fused=True)
    return torch.optim.Adam(w, lr=1e-3, fused=True)


def main(work, compiled):
    x, y = (torch.from_numpy(a) for a in data(work))
    if y.dtype == torch.int32:
        y = y.long()
    w = [torch.tensor(a) for a in weights(work)]
    if work == "lenet":
        for k in 0, 2:
            w[k] = w[k][:, :, :, 0, :].permute(3, 2, 0, 1).contiguous()
    w = [a.requires_grad_() for a in w]
    if work == "lstm":
        w = [w[0].detach().t().contiguous(), w[1].detach().t().contiguous(), *w[2:]]
        w = [a.detach().requires_grad_() for a in w]
        # A second bias, which stays zero as gdc and JAX have none.
        trained, w = w, [*w, torch.zeros(256)]
    else:
        trained = w
    loss_of = LOSS.get(work, lambda w, x, y: F.cross_entropy(mlp(w, x, F.relu), y))
    opt = optimizer(work, trained)

    def forward(w, x, y):
        return loss_of(w, x, y)

    if compiled:
        forward = torch.compile(forward)

    def step():
        opt.zero_grad(set_to_none=True)
        loss = forward(w, x, y)
        loss.backward()
        opt.step()
        return loss

    for _ in range(STEPS):
        loss = step()

    def run(turns):
        for _ in range(turns):
            step()

    report(work, "torch compiled" if compiled else "torch eager", loss.item(), run)


compiled = "--compile" in sys.argv
for name in sys.argv[1:]:
    if not name.startswith("--"):
        main(name, compiled)
