//! A gated recurrent unit (Cho et al. 2014), a whole batch of sequences at once.
//!
//! `r = σ(x W_r + h' U_r + b_r)`, `z` alike, `n = tanh(x W_n + b_n + r (h' U_n + c_n))`, `h = (1 - z) n + z h'`: PyTorch's formula and
//! order of gates; its second bias is kept for the candidate alone, where it is one of its own. As in the
//! [LSTM](super::lstm): one product for all inputs, one for each step, one for the weights' gradients.

use super::kernels::cells::{GruBackward, GruForward};
use super::kernels::gemm::{Begin, Left, Packed, product, row_product};
use super::kernels::gradients::{Weights, gradients};
use super::kernels::rows::add_columns;
use super::kernels::run;
use super::layout::{Layout, Slot};
use super::random::Init;

/// Where a GRU's parameters lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gru {
    /// Inputs by 3h.
    pub wx: Slot,
    /// h by 3h.
    pub wh: Slot,
    /// 3h: the biases of the input's side.
    pub b: Slot,
    /// 3h: the biases of the state's side. Those of the first two gates are added to the same sums as `b` and learn the same.
    pub bh: Slot,
    /// Values of an input.
    pub inputs: usize,
    /// h, values of the state.
    pub size: usize,
}

/// What the way forward leaves for the way back, and work space.
#[derive(Debug, Default)]
pub struct GruTape {
    steps: usize,
    batch: usize,
    size: usize,
    gates: Vec<f32>,
    recurrent: Vec<f32>,
    hidden: Vec<f32>,
    d_hidden: Vec<f32>,
    pack: Packed,
}

impl GruTape {
    /// An empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// The states after each step: steps by batch by h.
    pub fn hidden(&self) -> &[f32] {
        &self.hidden[self.batch * self.size..]
    }

    /// The states after the last step: batch by h.
    pub fn last(&self) -> &[f32] {
        &self.hidden[self.steps * self.batch * self.size..]
    }

    /// After [`Gru::backward`]: the gradient of the states before the first step, batch by h.
    pub fn d_begin(&self) -> &[f32] {
        &self.d_hidden
    }
}

impl Gru {
    /// Asks for room for `name.wx`, `name.wh`, `name.b` and `name.bh`. Recurrent blocks begin orthogonal.
    pub fn new(layout: &mut Layout, name: &str, inputs: usize, size: usize) -> Self {
        Self {
            wx: layout.add(&format!("{name}.wx"), &[inputs, 3 * size], Init::Glorot),
            wh: layout.add(&format!("{name}.wh"), &[size, 3 * size], Init::Orthogonal(3)),
            b: layout.add(&format!("{name}.b"), &[3 * size], Init::Zero),
            bh: layout.add(&format!("{name}.bh"), &[3 * size], Init::Zero),
            inputs,
            size,
        }
    }

    /// Runs `batch` sequences of `steps` steps, `x` being steps by batch by inputs. They begin at `begin` (batch by h), or at
    /// zero.
    pub fn forward(
        &self,
        params: &[f32],
        x: &[f32],
        steps: usize,
        batch: usize,
        begin: Option<&[f32]>,
        tape: &mut GruTape,
    ) {
        let (h, rows) = (self.size, steps * batch);
        assert_eq!(x.len(), rows * self.inputs, "the input of a GRU");
        (tape.steps, tape.batch, tape.size) = (steps, batch, h);
        tape.gates.resize(rows * 3 * h, 0.0);
        tape.recurrent.resize(rows * 3 * h, 0.0);
        tape.hidden.resize((rows + batch) * h, 0.0);
        match begin {
            Some(hidden) => tape.hidden[..batch * h].copy_from_slice(hidden),
            None => tape.hidden[..batch * h].fill(0.0),
        }
        tape.pack.rows(self.wx.of(params), 3 * h, self.inputs, 3 * h);
        let bias = Begin::Row(self.b.of(params));
        product(
            Left::Rows(x, self.inputs),
            rows,
            &tape.pack,
            bias,
            &mut tape.gates,
            3 * h,
        );
        tape.pack.rows(self.wh.of(params), 3 * h, h, 3 * h);
        let bias = Begin::Row(self.bh.of(params));
        for step in 0..steps {
            let (before, hidden) = tape.hidden[step * batch * h..].split_at_mut(batch * h);
            let recurrent = &mut tape.recurrent[step * batch * 3 * h..][..batch * 3 * h];
            product(Left::Rows(before, h), batch, &tape.pack, bias, recurrent, 3 * h);
            run(GruForward {
                gates: &mut tape.gates[step * batch * 3 * h..][..batch * 3 * h],
                recurrent,
                before,
                hidden: &mut hidden[..batch * h],
                size: h,
            });
        }
    }

    /// The way back. `d_hidden` is the loss's gradient with respect to the state after each step (steps by batch by h) beside what
    /// flows through later steps. Adds the parameters' gradients, overwrites `dx`, if it is wanted, with the input's. The
    /// tape is used up.
    pub fn backward(
        &self,
        params: &[f32],
        x: &[f32],
        tape: &mut GruTape,
        d_hidden: &[f32],
        dx: Option<&mut [f32]>,
        grads: &mut [f32],
    ) {
        let (h, batch) = (self.size, tape.batch);
        let rows = tape.steps * batch;
        assert!(
            tape.size == h && d_hidden.len() == rows * h,
            "the gradient of a GRU's states"
        );
        assert_eq!(x.len(), rows * self.inputs, "the input of a GRU");
        tape.d_hidden.clear();
        tape.d_hidden.resize(batch * h, 0.0);
        tape.pack.turned(self.wh.of(params), 3 * h, 3 * h, h);
        for step in (0..tape.steps).rev() {
            let recurrent = &mut tape.recurrent[step * batch * 3 * h..][..batch * 3 * h];
            let own = &d_hidden[step * batch * h..][..batch * h];
            tape.d_hidden.iter_mut().zip(own).for_each(|(a, b)| *a += b);
            run(GruBackward {
                gates: &mut tape.gates[step * batch * 3 * h..][..batch * 3 * h],
                recurrent,
                before: &tape.hidden[step * batch * h..][..batch * h],
                d_hidden: &mut tape.d_hidden,
                size: h,
            });
            product(
                Left::Rows(recurrent, 3 * h),
                batch,
                &tape.pack,
                Begin::There,
                &mut tape.d_hidden,
                h,
            );
        }
        let to = self.wh.of_mut(grads);
        let weights = Weights {
            x: &tape.hidden,
            stride: h,
            columns: h,
            to,
        };
        gradients(
            &mut [weights],
            &tape.recurrent,
            3 * h,
            rows,
            3 * h,
            &mut tape.pack,
        );
        add_columns(&tape.recurrent, self.bh.of_mut(grads));
        let to = self.wx.of_mut(grads);
        let weights = Weights {
            x,
            stride: self.inputs,
            columns: self.inputs,
            to,
        };
        gradients(&mut [weights], &tape.gates, 3 * h, rows, 3 * h, &mut tape.pack);
        add_columns(&tape.gates, self.b.of_mut(grads));
        if let Some(dx) = dx {
            tape.pack.turned(self.wx.of(params), 3 * h, 3 * h, self.inputs);
            product(
                Left::Rows(&tape.gates, 3 * h),
                rows,
                &tape.pack,
                Begin::Zero,
                dx,
                self.inputs,
            );
        }
    }

    /// One step of one sequence: `hidden` (h) moves on. `work` is work space.
    pub fn serve(&self, params: &[f32], x: &[f32], hidden: &mut [f32], work: &mut Vec<f32>) {
        let h = self.size;
        work.resize(7 * h, 0.0);
        let (gates, rest) = work.split_at_mut(3 * h);
        let (recurrent, before) = rest.split_at_mut(3 * h);
        before.copy_from_slice(hidden);
        row_product(x, self.wx.of(params), Begin::Row(self.b.of(params)), gates);
        row_product(
            before,
            self.wh.of(params),
            Begin::Row(self.bh.of(params)),
            recurrent,
        );
        run(GruForward {
            gates,
            recurrent,
            before,
            hidden,
            size: h,
        });
    }
}

#[cfg(test)]
mod tests;
