// Every operator and reduction that has a derivative, at places where it has one: what the
// mutants of the derivative table are tried on.
model Zoo {
    input x: [3, 3];
    param w: [3, 3] = 0.8;
    param v: [3] = 0.9;
    let r[i, j] = w[i, j] * x[i, j];
    let turned[i] = sum[j](w[j, i] * v[j] * v[j]);
    let windows[p in 0..5] = sum[i](v[i] * x[0, p - i] else 0);
    loss sum(turned^2) + sum(windows^2);
    loss sum(w / (2 + v)) + sum(w^v) + sum(v^2.5) + sum(-w * v) + sum(v - 0.3 * w);
    loss sum(min(w, x)) + sum(max(w, x)) + sum(min(x, w)) + sum(max(x, w)) + sum(abs(w - x));
    loss sum(sqrt(w)) + sum(exp(w)) + sum(expm1(v)) + sum(log(w)) + sum(log1p(v)) + sum(sin(w)) + sum(cos(v));
    loss sum(area(w, v + 0.5 * w));
    loss sum(tanh(w)) + sum(sigmoid(v)) + sum(softplus(w)) + sum(erf(v));
    loss sum(if x > 0 { w } else { w * w }) + sum(if x > 0.2 { 3 } else { w });
    loss sum[i](max[j](r[i, j])) + sum[i](min[j](r[i, j])) + sum[i](prod[j](r[i, j])) + sum[j](lse[i](r[i, j]));
    optimizer sgd(lr = 0.1);
    train { batch = 2; epochs = 1; }
}
fn area(a, b) { derivative(dy) = (b * dy, a * dy); a * b }
