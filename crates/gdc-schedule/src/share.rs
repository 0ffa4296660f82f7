//! Temporaries of one shape that are never needed at the same time share their place.

use gdc_ir::program::{BufferId, BufferRole, Elem, Program};
use std::collections::{BTreeMap, BTreeSet};

/// A temporary of a single kernel is that kernel's own up to so many elements, which is no memory
/// of the program's.
const OWN: usize = 1024;

/// What a place is for: the side of a batch in parts, the elements and the shape.
type Fits<'b> = (Option<bool>, Elem, &'b [usize]);

/// Decides which temporaries lie where another one lay before. The routines run in their order,
/// some of them not at all, so what is over in that order is over. Where a batch runs in parts,
/// those of the parts run in their order before those of the sums, and each have temporaries of
/// their own; what both see stays where it is.
pub(crate) fn share_places(program: &mut Program) {
    let mut spans: BTreeMap<BufferId, (usize, usize)> = BTreeMap::new();
    let mut sides: BTreeMap<BufferId, BTreeSet<bool>> = BTreeMap::new();
    let mut users: BTreeMap<BufferId, usize> = BTreeMap::new();
    let kernels = program.routines.iter().flat_map(|r| r.kernels.iter().map(|k| (r.is_of_a_part(), k)));
    // The kernels of a stage run at the same time.
    let (mut k, mut before) = (0, None);
    for (of_part, kernel) in kernels {
        let stage = kernel.cut.as_ref().map(|c| c.stage);
        k += usize::from(stage.is_none() || stage != before);
        before = stage;
        for id in kernel.buffers().into_keys() {
            spans.entry(id).or_insert((k, k)).1 = k;
            *users.entry(id).or_default() += 1;
            sides.entry(id).or_default().insert(of_part && program.parts > 0);
        }
    }
    let partial: BTreeSet<BufferId> = program.routines.iter().flat_map(|r| &r.partial).copied().collect();
    let side = |id: BufferId| match sides.get(&id).map(|s| (s.first(), s.len())) {
        Some((Some(&side), 1)) if !partial.contains(&id) => Some(side),
        _ => None,
    };
    let own = |id: BufferId| users.get(&id) == Some(&1) && program.buffer(id).shape.iter().product::<usize>() <= OWN;
    let shares = |id: BufferId| program.buffer(id).role == BufferRole::Temp && side(id).is_some();
    let mut order: Vec<(usize, usize, BufferId)> = spans
        .into_iter()
        .filter(|&(id, _)| shares(id) && !own(id))
        .map(|(id, (first, last))| (first, last, id))
        .collect();
    order.sort_unstable();
    // Places by what fits there: until when each is taken.
    let mut places: BTreeMap<Fits<'_>, Vec<(usize, BufferId)>> = BTreeMap::new();
    let mut within = BTreeMap::new();
    for (first, last, id) in order {
        let buffer = program.buffer(id);
        let fitting = places.entry((side(id), buffer.elem, &buffer.shape)).or_default();
        match fitting.iter_mut().find(|(until, _)| *until < first) {
            Some((until, place)) => {
                *until = last;
                within.insert(id, *place);
            }
            None => fitting.push((last, id)),
        }
    }
    program.within = within;
}

#[cfg(test)]
mod tests {
    use super::*;
    use gdc_ir::program::{Buffer, Index, Kernel, Place, Routine, Stmt, Value};

    /// A kernel that reads some buffers and writes others.
    fn kernel(reads: &[u32], writes: &[u32]) -> Kernel {
        let at = || vec![Index::constant(0)];
        let sum = Value::Op(gdc_ir::Op::Add, reads.iter().map(|&r| Value::Load(BufferId(r), at())).collect());
        let set = |&w: &u32| Stmt::Set { place: Place::Element(BufferId(w), at()), value: sum.clone() };
        Kernel {
            name: String::new(),
            equations: Vec::new(),
            origin: None,
            reason: String::new(),
            real: Elem::F32,
            cut: None,
            body: writes.iter().map(set).collect(),
        }
    }

    #[test]
    fn only_what_is_over_gives_its_place_away() {
        let buffer = |name: &str, n: usize, role| Buffer {
            name: name.to_owned(),
            shape: vec![n],
            elem: Elem::F32,
            role,
            range: None,
        };
        let temp = |name, n| buffer(name, n, BufferRole::Temp);
        let buffers = vec![
            buffer("x", 8, BufferRole::Input),
            temp("a", 8),
            temp("b", 8),
            temp("c", 8),
            temp("d", 9),
            temp("e", 8),
        ];
        // x -> a -> b -> c -> e; d has another shape; e needs a, which is not over before.
        let kernels = vec![
            kernel(&[0], &[1]),
            kernel(&[1], &[2]),
            kernel(&[2], &[3, 4]),
            kernel(&[1, 3, 4], &[5]),
            kernel(&[5], &[5]),
        ];
        let routines = vec![Routine { name: "forward".to_owned(), kernels, ..Routine::default() }];
        let mut program = Program { buffers, routines, ..Program::default() };
        share_places(&mut program);
        assert_eq!(program.within, BTreeMap::from([(BufferId(5), BufferId(2))]));
    }
}
