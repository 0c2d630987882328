//! What an LSTM or a GRU does at one step beside its matrix products, one sequence of the batch at a time.
//!
//! Gates stand side by side in a row of a batch: input, forget, candidate, output for the LSTM (4h values), reset, update,
//! candidate for the GRU (3h), the orders PyTorch uses. Forward kernels replace the gates' arguments by their values, backward
//! kernels the values by the gradients with respect to the arguments: no second buffer is needed.

use super::functions::{sigmoid, tanh};
use super::{Kernel, LANES, Lanes};

/// An LSTM's step: `c = f c' + i g`, `h = o tanh c`.
#[derive(Debug)]
pub struct LstmForward<'a> {
    /// Batch by 4h: arguments, then values.
    pub gates: &'a mut [f32],
    /// Batch by h: the cells before.
    pub before: &'a [f32],
    /// Batch by h: the cells after.
    pub cells: &'a mut [f32],
    /// Batch by h: their tangents, kept for the way back.
    pub tangents: &'a mut [f32],
    /// Batch by h: the new state.
    pub hidden: &'a mut [f32],
    /// h.
    pub size: usize,
}

impl Kernel for LstmForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let h = self.size;
        let rows = self
            .gates
            .chunks_exact_mut(4 * h)
            .zip(self.before.chunks_exact(h));
        let out = self
            .cells
            .chunks_exact_mut(h)
            .zip(self.tangents.chunks_exact_mut(h));
        for (((gates, before), (cells, tangents)), hidden) in
            rows.zip(out).zip(self.hidden.chunks_exact_mut(h))
        {
            let (gi, rest) = gates.split_at_mut(h);
            let (gf, rest) = rest.split_at_mut(h);
            let (gg, go) = rest.split_at_mut(h);
            for at in (0..h).step_by(LANES) {
                let i = sigmoid(l, l.load_at(gi, at));
                let f = sigmoid(l, l.load_at(gf, at));
                let g = tanh(l, l.load_at(gg, at));
                let o = sigmoid(l, l.load_at(go, at));
                let c = l.fma(f, l.load_at(before, at), l.mul(i, g));
                let t = tanh(l, c);
                l.store_at(i, gi, at);
                l.store_at(f, gf, at);
                l.store_at(g, gg, at);
                l.store_at(o, go, at);
                l.store_at(c, cells, at);
                l.store_at(t, tangents, at);
                l.store_at(l.mul(o, t), hidden, at);
            }
        }
    }
}

/// The way back through an LSTM's step.
#[derive(Debug)]
pub struct LstmBackward<'a> {
    /// Batch by 4h: values, then the gradients with respect to the arguments.
    pub gates: &'a mut [f32],
    /// Batch by h: the cells before.
    pub before: &'a [f32],
    /// Batch by h: the tangents of the cells after.
    pub tangents: &'a [f32],
    /// Batch by h: the gradient with respect to the new state.
    pub d_hidden: &'a [f32],
    /// Batch by h: the gradient with respect to the cells after, then with respect to those before.
    pub d_cells: &'a mut [f32],
    /// h.
    pub size: usize,
}

impl Kernel for LstmBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let h = self.size;
        let one = l.splat(1.0);
        let kept = self.before.chunks_exact(h).zip(self.tangents.chunks_exact(h));
        let given = self
            .d_hidden
            .chunks_exact(h)
            .zip(self.d_cells.chunks_exact_mut(h));
        for ((gates, (before, tangents)), (d_hidden, d_cells)) in
            self.gates.chunks_exact_mut(4 * h).zip(kept).zip(given)
        {
            let (gi, rest) = gates.split_at_mut(h);
            let (gf, rest) = rest.split_at_mut(h);
            let (gg, go) = rest.split_at_mut(h);
            for at in (0..h).step_by(LANES) {
                let (i, f) = (l.load_at(gi, at), l.load_at(gf, at));
                let (g, o) = (l.load_at(gg, at), l.load_at(go, at));
                let (t, dh) = (l.load_at(tangents, at), l.load_at(d_hidden, at));
                let t_slope = l.sub(one, l.mul(t, t));
                let dc = l.fma(l.mul(dh, o), t_slope, l.load_at(d_cells, at));
                let slope = |s| l.mul(s, l.sub(one, s));
                l.store_at(l.mul(l.mul(dc, g), slope(i)), gi, at);
                l.store_at(l.mul(l.mul(dc, l.load_at(before, at)), slope(f)), gf, at);
                l.store_at(l.mul(l.mul(dc, i), l.sub(one, l.mul(g, g))), gg, at);
                l.store_at(l.mul(l.mul(dh, t), slope(o)), go, at);
                l.store_at(l.mul(dc, f), d_cells, at);
            }
        }
    }
}

/// A GRU's step: `n = tanh(x_n + r (U_n h' + b_n))`, `h = (1 - z) n + z h'`.
#[derive(Debug)]
pub struct GruForward<'a> {
    /// Batch by 3h: the input's part of the arguments, then the values.
    pub gates: &'a mut [f32],
    /// Batch by 3h: the state's part of the arguments; its last third is kept for the way back.
    pub recurrent: &'a [f32],
    /// Batch by h: the state before.
    pub before: &'a [f32],
    /// Batch by h: the new state.
    pub hidden: &'a mut [f32],
    /// h.
    pub size: usize,
}

impl Kernel for GruForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let h = self.size;
        let states = self.before.chunks_exact(h).zip(self.hidden.chunks_exact_mut(h));
        for ((gates, recurrent), (before, hidden)) in self
            .gates
            .chunks_exact_mut(3 * h)
            .zip(self.recurrent.chunks_exact(3 * h))
            .zip(states)
        {
            let (gr, rest) = gates.split_at_mut(h);
            let (gz, gn) = rest.split_at_mut(h);
            let (ur, rest) = recurrent.split_at(h);
            let (uz, un) = rest.split_at(h);
            for at in (0..h).step_by(LANES) {
                let r = sigmoid(l, l.add(l.load_at(gr, at), l.load_at(ur, at)));
                let z = sigmoid(l, l.add(l.load_at(gz, at), l.load_at(uz, at)));
                let n = tanh(l, l.fma(r, l.load_at(un, at), l.load_at(gn, at)));
                l.store_at(r, gr, at);
                l.store_at(z, gz, at);
                l.store_at(n, gn, at);
                let kept = l.sub(l.load_at(before, at), n);
                l.store_at(l.fma(z, kept, n), hidden, at);
            }
        }
    }
}

/// The way back through a GRU's step.
#[derive(Debug)]
pub struct GruBackward<'a> {
    /// Batch by 3h: values, then the gradients with respect to the input's part of the arguments.
    pub gates: &'a mut [f32],
    /// Batch by 3h: the state's part of the arguments (the last third is read), then the gradients with respect to it.
    pub recurrent: &'a mut [f32],
    /// Batch by h: the state before.
    pub before: &'a [f32],
    /// Batch by h: the gradient with respect to the new state, then its direct part with respect to the state before, to which
    /// the recurrent product is added.
    pub d_hidden: &'a mut [f32],
    /// h.
    pub size: usize,
}

impl Kernel for GruBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let h = self.size;
        let one = l.splat(1.0);
        let states = self.before.chunks_exact(h).zip(self.d_hidden.chunks_exact_mut(h));
        for ((gates, recurrent), (before, d_hidden)) in self
            .gates
            .chunks_exact_mut(3 * h)
            .zip(self.recurrent.chunks_exact_mut(3 * h))
            .zip(states)
        {
            let (gr, rest) = gates.split_at_mut(h);
            let (gz, gn) = rest.split_at_mut(h);
            let (ur, rest) = recurrent.split_at_mut(h);
            let (uz, un) = rest.split_at_mut(h);
            for at in (0..h).step_by(LANES) {
                let (r, z, n) = (l.load_at(gr, at), l.load_at(gz, at), l.load_at(gn, at));
                let dh = l.load_at(d_hidden, at);
                let open = l.sub(one, z);
                let dz = l.mul(l.mul(dh, l.sub(l.load_at(before, at), n)), l.mul(z, open));
                let dn = l.mul(l.mul(dh, open), l.sub(one, l.mul(n, n)));
                let dr = l.mul(l.mul(dn, l.load_at(un, at)), l.mul(r, l.sub(one, r)));
                l.store_at(dr, gr, at);
                l.store_at(dr, ur, at);
                l.store_at(dz, gz, at);
                l.store_at(dz, uz, at);
                l.store_at(dn, gn, at);
                l.store_at(l.mul(dn, r), un, at);
                l.store_at(l.mul(dh, z), d_hidden, at);
            }
        }
    }
}
