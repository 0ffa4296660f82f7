//! From a model that fails to a small one that fails alike: nodes go, or give way to what is in
//! them; attributes, turns and sizes become smaller.

use super::heads::Head;
use super::{Input, Net, Node, Style};

/// The smallest model found for which `fails` holds. At most `tries` are tried.
pub fn shrink(net: &Net, tries: usize, fails: &mut dyn FnMut(&Net) -> bool) -> Net {
    let mut best = net.clone();
    let mut left = tries;
    let mut from = 0;
    loop {
        // On from the place reached: what stands before has just been tried.
        let candidates = smaller(&best);
        let count = candidates.len();
        let mut found = false;
        for (k, candidate) in candidates.into_iter().enumerate().skip(from) {
            if candidate.text(Style::Rolled).is_none() || candidate.text(Style::Flat).is_none() {
                continue;
            }
            if left == 0 {
                return best;
            }
            left -= 1;
            if fails(&candidate) {
                (best, from, found) = (candidate, k, true);
                break;
            }
        }
        if !found && (from == 0 || count == 0) {
            return best;
        }
        if !found {
            from = 0;
        }
    }
}

/// All models that are one change smaller.
fn smaller(net: &Net) -> Vec<Net> {
    let mut all: Vec<Net> = chains(&net.nodes).into_iter().map(|nodes| Net { nodes, ..net.clone() }).collect();
    let input = |input: Input| Net { input, ..net.clone() };
    match &net.input {
        Input::Real(shape) => {
            all.extend((0..shape.len()).map(|k| {
                let mut shape = shape.clone();
                shape.remove(k);
                input(Input::Real(shape))
            }));
            all.extend(lists(shape, 1).into_iter().map(|shape| input(Input::Real(shape))));
        }
        &Input::Tokens(length, range, width) => {
            all.push(input(Input::Real(vec![length, if width == 0 { range } else { width }])));
            let lists = lists(&[length, range, width], 1);
            all.extend(lists.into_iter().map(|l| input(Input::Tokens(l[0], l[1], l[2]))));
        }
    }
    all.extend(below(net.batch, 1).into_iter().map(|batch| Net { batch, ..net.clone() }));
    if net.head.kind != 0 {
        all.push(Net { head: Head { kind: 0, attributes: Vec::new() }, ..net.clone() });
    }
    all.extend(
        lists(&net.head.attributes, 0)
            .into_iter()
            .map(|attributes| Net { head: Head { attributes, ..net.head.clone() }, ..net.clone() }),
    );
    let sgd = "sgd(lr = 0.1)";
    if net.optimizer != sgd {
        all.push(Net { optimizer: sgd.to_owned(), ..net.clone() });
    }
    if net.double {
        all.push(Net { double: false, ..net.clone() });
    }
    all
}

/// Smaller numbers, the smallest first.
fn below(n: usize, least: usize) -> Vec<usize> {
    let mut all = vec![least, n / 2, n.saturating_sub(1)];
    all.retain(|&m| (least..n).contains(&m));
    all.dedup();
    all
}

/// Lists with one number smaller.
fn lists(list: &[usize], least: usize) -> Vec<Vec<usize>> {
    let with = |k: usize, n: usize| list.iter().enumerate().map(move |(j, &old)| if j == k { n } else { old });
    let each = list.iter().enumerate();
    each.flat_map(|(k, &n)| below(n, least).into_iter().map(move |n| with(k, n).collect())).collect()
}

/// Chains that are smaller.
fn chains(nodes: &[Node]) -> Vec<Vec<Node>> {
    let mut all = Vec::new();
    let mut replace = |k: usize, by: Vec<Node>| {
        all.push([&nodes[..k], &by, &nodes[k + 1..]].concat());
    };
    for k in (0..nodes.len()).rev() {
        replace(k, Vec::new());
        parts(&nodes[k]).into_iter().for_each(|part| replace(k, part));
    }
    all
}

/// What can stand for a node.
fn parts(node: &Node) -> Vec<Vec<Node>> {
    let one = |node: Node| vec![node];
    let around = |nodes: &[Node], make: &dyn Fn(Vec<Node>) -> Node| -> Vec<Vec<Node>> {
        [nodes.to_vec()].into_iter().chain(chains(nodes).into_iter().map(|c| one(make(c)))).collect()
    };
    match node {
        Node::Call(which, attributes) => lists(attributes, 0).into_iter().map(|a| one(Node::Call(*which, a))).collect(),
        Node::Residual(nodes) => around(nodes, &Node::Residual),
        Node::Layer(nodes) => around(nodes, &Node::Layer),
        Node::Model(nodes) => around(nodes, &Node::Model),
        Node::Branches(a, b, how) => {
            let mut all = around(a, &|a| Node::Branches(a, b.clone(), *how));
            all.extend(around(b, &|b| Node::Branches(a.clone(), b, *how)));
            all
        }
        Node::Repeat(turns, nodes) => {
            let mut all = around(nodes, &|nodes| Node::Repeat(*turns, nodes));
            all.extend(below(*turns, 1).into_iter().map(|turns| one(Node::Repeat(turns, nodes.clone()))));
            all
        }
        Node::Shared(times) => below(*times, 1).into_iter().map(|times| one(Node::Shared(times))).collect(),
    }
}
