//! A program under construction: hands out buffers, loop variables and locals.

use crate::apart::MARK;
use crate::pack::Packed;
use gdc_ir::program::{Buffer, BufferId, Local, LocalInfo, LocalTy, LoopVar, NameInfo, Program};

/// What a loop variable is.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    /// It runs over `0..extent`.
    pub extent: usize,
}

/// A [`Program`] that grows, with the extents of its loop variables.
pub(crate) struct Build {
    pub program: Program,
    /// Copies of inputs, which later routines of the same step find unchanged.
    pub packed: Vec<Packed>,
    ranges: Vec<Range>,
}

impl Build {
    pub fn new(program: Program) -> Self {
        Build { program, packed: Vec::new(), ranges: Vec::new() }
    }

    pub fn loop_var(&mut self, name: &str, extent: usize) -> LoopVar {
        let name = if name.is_empty() { "i" } else { name };
        self.program.loop_vars.push(NameInfo { name: name.to_owned() });
        self.ranges.push(Range { extent });
        LoopVar(self.ranges.len() as u32 - 1)
    }

    pub fn extent(&self, var: LoopVar) -> usize {
        self.ranges[var.0 as usize].extent
    }

    pub fn local(&mut self, name: &str, ty: LocalTy, dims: &[usize]) -> Local {
        let info = LocalInfo { name: name.replace(MARK, ""), ty, dims: dims.to_vec() };
        self.program.locals.push(info);
        Local(self.program.locals.len() as u32 - 1)
    }

    /// A new buffer; its name gets a number if it is taken.
    pub fn buffer(&mut self, mut buffer: Buffer) -> BufferId {
        let taken = |name: &str| self.program.buffers.iter().any(|b| b.name == name);
        if taken(&buffer.name) {
            let mut k = 2;
            while taken(&format!("{}.{k}", buffer.name)) {
                k += 1;
            }
            buffer.name = format!("{}.{k}", buffer.name);
        }
        self.program.buffers.push(buffer);
        BufferId(self.program.buffers.len() as u32 - 1)
    }
}
