//! The arithmetic under the layers: sixteen floats at a time, on the widest instructions the processor has.
//!
//! A kernel is written once, over [`Lanes`]: sixteen `f32` that are one register on AVX-512, two on AVX2 with FMA, and
//! an array for the compiler elsewhere. [`run`] looks at the processor and picks. Because every implementation works on
//! sixteen lanes in the same order, and both x86 ones fuse multiply and add, AVX2 and AVX-512 machines compute the same bits;
//! the portable one rounds after each multiplication (a fused one would be a slow call there) and agrees to rounding.
//!
//! - [`gemm`]: matrix products over weights packed once;
//! - [`gradients`]: the products that give the gradients of weights;
//! - [`functions`]: exponential, hyperbolic tangent, logistic function;
//! - [`cells`]: what an LSTM or GRU does at one step beside its products;
//! - [`rows`]: sums, scalar products, softmax.
//!
//! `unsafe` stands in two small files. `x86.rs`: each use rests on a token type, which exists only where the processor has the
//! instructions. `grid.rs`: numbers of a block whose corners were checked.

pub mod cells;
pub mod functions;
pub mod gemm;
pub mod gradients;
mod grid;
mod lanes;
mod packed;
mod portable;
pub mod rows;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use lanes::{LANES, Lanes};

/// Something that can be computed on any lanes.
pub trait Kernel {
    /// What it answers.
    type Output;
    /// Does it. Implementations are `#[inline(always)]`, as is all they call: the instructions are enabled by the function
    /// that [`run`] wraps around them.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// The instruction sets that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// AVX-512 (foundation).
    Avx512,
    /// AVX2 with FMA.
    Avx2,
    /// What the compiler's target has.
    Portable,
}

impl Machine {
    /// The best this processor has.
    pub fn here() -> Machine {
        #[cfg(target_arch = "x86_64")]
        {
            if x86::Avx512::new().is_some() {
                return Machine::Avx512;
            }
            if x86::Avx2::new().is_some() {
                return Machine::Avx2;
            }
        }
        Machine::Portable
    }
}

/// Runs a kernel on the best instructions of this processor.
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    run_on(Machine::here(), kernel)
}

/// Runs a kernel on the given instructions, or on portable ones where the processor lacks them: how tests compare.
pub fn run_on<K: Kernel>(machine: Machine, kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    match machine {
        Machine::Avx512 => {
            if let Some(lanes) = x86::Avx512::new() {
                return lanes.enter(kernel);
            }
        }
        Machine::Avx2 => {
            if let Some(lanes) = x86::Avx2::new() {
                return lanes.enter(kernel);
            }
        }
        Machine::Portable => {}
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = machine;
    kernel.run(portable::Portable)
}
