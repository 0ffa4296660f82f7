//! A random model of a seed: nodes are tried, and those that do not fit left out again.

use super::heads::{self, Head};
use super::{Input, Net, Node, Style, entries};
use crate::generate::{OPTIMIZERS, TRANSFORMS};
use crate::random::Random;

/// The model of a seed.
pub fn make(seed: u64) -> Net {
    let mut random = Random::new(seed ^ 0x006c_6179_6572_7300);
    let batch = *random.pick(&[1, 2, 3, 3, 4, 5, 7, 8, 16, 17]);
    let transform = if random.chance(20) { *random.pick(TRANSFORMS) } else { "" };
    let optimizer = format!("{}{transform}", random.pick(OPTIMIZERS));
    let head = Head { kind: 0, attributes: Vec::new() };
    let (input, double) = (self::input(&mut random, batch), random.chance(20));
    let mut net = Net { seed, batch, input, nodes: Vec::new(), head, optimizer, double };
    let wanted = random.within(2, 5);
    for _ in 0..40 {
        if net.nodes.len() == wanted {
            break;
        }
        let node = node(&mut random, 2);
        net.nodes.push(node);
        if !fits(&net) {
            net.nodes.pop();
        }
    }
    if !net.learns() {
        net.nodes.push(Node::Call(0, vec![random.below(5)]));
    }
    for _ in 0..20 {
        let head = Head {
            kind: random.below(heads::KINDS),
            attributes: heads::LIMITS.iter().map(|&n| random.below(n)).collect(),
        };
        let with = Net { head, ..net.clone() };
        if fits(&with) {
            return with;
        }
    }
    net
}

/// The longest text written out, in bytes, with what stands for layers that are more work than
/// they are text: to compile more takes seconds.
const LONGEST: usize = 1300;

/// Whether it can be written, and is not too long.
fn fits(net: &Net) -> bool {
    net.length(Style::Rolled).max(net.length(Style::Flat)) < LONGEST
}

fn input(random: &mut Random, batch: usize) -> Input {
    loop {
        let rank = *random.pick(&[0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4]);
        if rank == 0 {
            return Input::Tokens(random.within(1, 5), random.within(2, 5), random.below(6));
        }
        let shape: Vec<usize> = (0..rank).map(|_| random.within(1, 5)).collect();
        if shape.iter().product::<usize>() <= Net::room(batch) {
            return Input::Real(shape);
        }
    }
}

/// A node with so many levels of nodes in it, at most.
fn node(random: &mut Random, levels: usize) -> Node {
    let kind = if levels == 0 { 0 } else { random.below(20) };
    let mut chain =
        |most: usize| -> Vec<Node> { (0..random.within(1, most)).map(|_| node(random, levels - 1)).collect() };
    match kind {
        13 | 14 => Node::Residual(chain(3)),
        15 => {
            let (a, b) = (chain(2), chain(2));
            Node::Branches(a, b, random.below(6))
        }
        16 => {
            let nodes = chain(2);
            Node::Repeat(random.within(1, 3), nodes)
        }
        17 => Node::Layer(chain(3)),
        18 => Node::Model(chain(3)),
        19 => Node::Shared(random.within(1, 3)),
        _ => {
            let which = random.below(entries().count());
            let limits = entries().nth(which).map_or(&[][..], |entry| entry.limits);
            // Most attributes are the simplest: all at once rarely fit.
            let attribute = |&n: &usize| if random.chance(50) { random.below(n) } else { 0 };
            Node::Call(which, limits.iter().map(attribute).collect())
        }
    }
}
