//! Sixteen floats and what can be done with them.

/// Floats in one [`Lanes::V`].
pub const LANES: usize = 16;

/// An instruction set, as a token whose existence shows that the processor has it.
pub trait Lanes: Copy {
    /// Sixteen `f32`.
    type V: Copy;
    /// Whether thirty-two registers are there, which decides the tile of a matrix product.
    const WIDE: bool;

    /// `x` sixteen times.
    fn splat(self, x: f32) -> Self::V;
    /// From memory.
    fn load(self, from: &[f32; LANES]) -> Self::V;
    /// To memory.
    fn store(self, v: Self::V, to: &mut [f32; LANES]);
    /// a + b.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a - b.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// a · b.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// a / b, correctly rounded.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// √a, correctly rounded.
    fn sqrt(self, a: Self::V) -> Self::V;
    /// a · b + c, fused on x86.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger; `b` where one is no number.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// The smaller; `b` where one is no number.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// The bits of each float shifted left by 23, read as floats again: turns an integer in the low bits of the mantissa into
    /// an exponent.
    fn to_exponent(self, a: Self::V) -> Self::V;

    /// Fewer than sixteen floats, zeros behind them.
    #[inline(always)]
    fn load_part(self, from: &[f32]) -> Self::V {
        let mut padded = [0.0; LANES];
        padded[..from.len()].copy_from_slice(from);
        self.load(&padded)
    }

    /// The sixteen floats at `at`; zeros after the end of `from`.
    #[inline(always)]
    fn load_at(self, from: &[f32], at: usize) -> Self::V {
        let rest = from.get(at..).unwrap_or_default();
        match rest.first_chunk() {
            Some(whole) => self.load(whole),
            None => self.load_part(rest),
        }
    }

    /// Puts the lanes at `at`, those after the end of `to` nowhere.
    #[inline(always)]
    fn store_at(self, v: Self::V, to: &mut [f32], at: usize) {
        let rest = &mut to[at..];
        match rest.first_chunk_mut() {
            Some(whole) => self.store(v, whole),
            None => {
                let mut padded = [0.0; LANES];
                self.store(v, &mut padded);
                let length = rest.len();
                rest.copy_from_slice(&padded[..length]);
            }
        }
    }

    /// The sum of the lanes, always in the same order: halves onto halves.
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        let mut x = [0.0; LANES];
        self.store(v, &mut x);
        let eight: [f32; 8] = std::array::from_fn(|i| x[i] + x[i + 8]);
        let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
        (four[0] + four[2]) + (four[1] + four[3])
    }

    /// The largest lane.
    #[inline(always)]
    fn largest(self, v: Self::V) -> f32 {
        let mut x = [0.0; LANES];
        self.store(v, &mut x);
        x.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }
}
