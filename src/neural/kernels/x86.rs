//! Sixteen floats as one AVX-512 register or two AVX2 registers.
//!
//! The `unsafe` of the instructions. Two facts carry all of it: a token ([`Avx512`], [`Avx2`]) is made only by `new`, after
//! the processor said that it has the instructions; and loads and stores go through references to sixteen floats, which is
//! what the unaligned instructions read and write, or read no more than a slice has.

#![allow(unsafe_code)]

use super::Kernel;
use super::lanes::{LANES, Lanes};
use std::arch::x86_64::*;

/// A processor with AVX-512F. Its field keeps others from making one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    pub(super) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }

    pub(super) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f")]
        fn inside<K: Kernel>(lanes: Avx512, kernel: K) -> K::Output {
            kernel.run(lanes)
        }
        // SAFETY: the token shows that the processor has AVX-512F.
        unsafe { inside(self, kernel) }
    }
}

/// A processor with AVX2 and FMA.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    pub(super) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn inside<K: Kernel>(lanes: Avx2, kernel: K) -> K::Output {
            kernel.run(lanes)
        }
        // SAFETY: the token shows that the processor has AVX2 and FMA.
        unsafe { inside(self, kernel) }
    }
}

/// One function on one register: the token of the receiver is the proof.
macro_rules! one_register {
    ($($name:ident($($argument:ident),*) = $instruction:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: __m512),*) -> __m512 {
            // SAFETY: the token shows that the processor has AVX-512F.
            unsafe { $instruction($($argument),*) }
        }
    )*};
}

impl Lanes for Avx512 {
    type V = __m512;
    const WIDE: bool = true;

    one_register! {
        add(a, b) = _mm512_add_ps;
        sub(a, b) = _mm512_sub_ps;
        mul(a, b) = _mm512_mul_ps;
        div(a, b) = _mm512_div_ps;
        sqrt(a) = _mm512_sqrt_ps;
        fma(a, b, c) = _mm512_fmadd_ps;
        max(a, b) = _mm512_max_ps;
        min(a, b) = _mm512_min_ps;
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: the token shows that the processor has AVX-512F.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> __m512 {
        // SAFETY: the token shows that the processor has AVX-512F; the reference is to sixteen floats.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn load_part(self, from: &[f32]) -> __m512 {
        let mask = (1u32 << from.len().min(LANES)).wrapping_sub(1) as __mmask16;
        // SAFETY: the token shows that the processor has AVX-512F; lanes from the length of the slice on are masked, and masked
        // ones are not read.
        unsafe { _mm512_maskz_loadu_ps(mask, from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, v: __m512, to: &mut [f32; LANES]) {
        // SAFETY: the token shows that the processor has AVX-512F; the reference is to sixteen floats.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), v) }
    }

    #[inline(always)]
    fn to_exponent(self, a: __m512) -> __m512 {
        // SAFETY: the token shows that the processor has AVX-512F.
        unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_castps_si512(a))) }
    }
}

/// Sixteen floats in two registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair(__m256, __m256);

/// One function on both registers.
macro_rules! two_registers {
    ($($name:ident($($argument:ident),*) = $instruction:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: Pair),*) -> Pair {
            // SAFETY: the token shows that the processor has AVX2 and FMA.
            unsafe { Pair($instruction($($argument.0),*), $instruction($($argument.1),*)) }
        }
    )*};
}

impl Lanes for Avx2 {
    type V = Pair;
    const WIDE: bool = false;

    two_registers! {
        add(a, b) = _mm256_add_ps;
        sub(a, b) = _mm256_sub_ps;
        mul(a, b) = _mm256_mul_ps;
        div(a, b) = _mm256_div_ps;
        sqrt(a) = _mm256_sqrt_ps;
        fma(a, b, c) = _mm256_fmadd_ps;
        max(a, b) = _mm256_max_ps;
        min(a, b) = _mm256_min_ps;
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Pair {
        // SAFETY: the token shows that the processor has AVX2 and FMA.
        let one = unsafe { _mm256_set1_ps(x) };
        Pair(one, one)
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Pair {
        let from = from.as_ptr();
        // SAFETY: the token shows that the processor has AVX2 and FMA; the reference is to sixteen floats.
        unsafe { Pair(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }

    #[inline(always)]
    fn store(self, v: Pair, to: &mut [f32; LANES]) {
        let to = to.as_mut_ptr();
        // SAFETY: the token shows that the processor has AVX2 and FMA; the reference is to sixteen floats.
        unsafe {
            _mm256_storeu_ps(to, v.0);
            _mm256_storeu_ps(to.add(8), v.1);
        }
    }

    #[inline(always)]
    fn to_exponent(self, a: Pair) -> Pair {
        // SAFETY: the token shows that the processor has AVX2 and FMA.
        let shift = |a| unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(a))) };
        Pair(shift(a.0), shift(a.1))
    }
}
