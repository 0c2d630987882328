//! A long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates by Gers et al. 2000), a whole batch of sequences at
//! once.
//!
//! `[i f g o] = x W_x + h' W_h + b`, `c = σ(f) c' + σ(i) tanh(g)`, `h = σ(o) tanh(c)`: PyTorch's formula and order of gates, its two
//! biases one. The inputs of all steps are multiplied in one product, each step adds one recurrent product of packed
//! weights, and the weights' gradients are one product after the way back.

use super::kernels::cells::{LstmBackward, LstmForward};
use super::kernels::gemm::{Begin, Left, Packed, product, row_product};
use super::kernels::gradients::{Weights, gradients};
use super::kernels::rows::add_columns;
use super::kernels::run;
use super::layout::{Layout, Slot};
use super::random::Init;

/// Where an LSTM's parameters lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lstm {
    /// Inputs by 4h.
    pub wx: Slot,
    /// h by 4h.
    pub wh: Slot,
    /// 4h.
    pub b: Slot,
    /// Values of an input.
    pub inputs: usize,
    /// h, values of the state.
    pub size: usize,
}

/// What the way forward leaves for the way back, and work space.
#[derive(Debug, Default)]
pub struct LstmTape {
    steps: usize,
    batch: usize,
    size: usize,
    gates: Vec<f32>,
    cells: Vec<f32>,
    tangents: Vec<f32>,
    hidden: Vec<f32>,
    d_hidden: Vec<f32>,
    d_cells: Vec<f32>,
    pack: Packed,
}

impl LstmTape {
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

    /// The cells after the last step: batch by h.
    pub fn last_cells(&self) -> &[f32] {
        &self.cells[self.steps * self.batch * self.size..]
    }

    /// After [`Lstm::backward`]: the gradients of the states and of the cells before the first step, batch by h each.
    pub fn d_begin(&self) -> (&[f32], &[f32]) {
        (&self.d_hidden, &self.d_cells)
    }
}

impl Lstm {
    /// Asks for room for `name.wx`, `name.wh` and `name.b`. Recurrent blocks begin orthogonal, the forget gate's bias at 1.
    pub fn new(layout: &mut Layout, name: &str, inputs: usize, size: usize) -> Self {
        Self {
            wx: layout.add(&format!("{name}.wx"), &[inputs, 4 * size], Init::Glorot),
            wh: layout.add(&format!("{name}.wh"), &[size, 4 * size], Init::Orthogonal(4)),
            b: layout.add(
                &format!("{name}.b"),
                &[4 * size],
                Init::OnePart { part: 1, of: 4 },
            ),
            inputs,
            size,
        }
    }

    /// Runs `batch` sequences of `steps` steps, `x` being steps by batch by inputs. They begin at `begin` (states and cells, batch
    /// by h each), or at zero.
    pub fn forward(
        &self,
        params: &[f32],
        x: &[f32],
        steps: usize,
        batch: usize,
        begin: Option<(&[f32], &[f32])>,
        tape: &mut LstmTape,
    ) {
        let (h, rows) = (self.size, steps * batch);
        assert_eq!(x.len(), rows * self.inputs, "the input of an LSTM");
        (tape.steps, tape.batch, tape.size) = (steps, batch, h);
        tape.gates.resize(rows * 4 * h, 0.0);
        tape.tangents.resize(rows * h, 0.0);
        tape.cells.resize((rows + batch) * h, 0.0);
        tape.hidden.resize((rows + batch) * h, 0.0);
        match begin {
            Some((hidden, cells)) => {
                tape.hidden[..batch * h].copy_from_slice(hidden);
                tape.cells[..batch * h].copy_from_slice(cells);
            }
            None => {
                tape.hidden[..batch * h].fill(0.0);
                tape.cells[..batch * h].fill(0.0);
            }
        }
        tape.pack.rows(self.wx.of(params), 4 * h, self.inputs, 4 * h);
        let bias = Begin::Row(self.b.of(params));
        product(
            Left::Rows(x, self.inputs),
            rows,
            &tape.pack,
            bias,
            &mut tape.gates,
            4 * h,
        );
        tape.pack.rows(self.wh.of(params), 4 * h, h, 4 * h);
        for step in 0..steps {
            let (old_hidden, hidden) = tape.hidden[step * batch * h..].split_at_mut(batch * h);
            let (before, cells) = tape.cells[step * batch * h..].split_at_mut(batch * h);
            let gates = &mut tape.gates[step * batch * 4 * h..][..batch * 4 * h];
            product(
                Left::Rows(old_hidden, h),
                batch,
                &tape.pack,
                Begin::There,
                gates,
                4 * h,
            );
            run(LstmForward {
                gates,
                before,
                cells: &mut cells[..batch * h],
                tangents: &mut tape.tangents[step * batch * h..][..batch * h],
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
        tape: &mut LstmTape,
        d_hidden: &[f32],
        dx: Option<&mut [f32]>,
        grads: &mut [f32],
    ) {
        let (h, batch) = (self.size, tape.batch);
        let rows = tape.steps * batch;
        assert!(
            tape.size == h && d_hidden.len() == rows * h,
            "the gradient of an LSTM's states"
        );
        assert_eq!(x.len(), rows * self.inputs, "the input of an LSTM");
        tape.d_hidden.clear();
        tape.d_hidden.resize(batch * h, 0.0);
        tape.d_cells.clear();
        tape.d_cells.resize(batch * h, 0.0);
        tape.pack.turned(self.wh.of(params), 4 * h, 4 * h, h);
        for step in (0..tape.steps).rev() {
            let gates = &mut tape.gates[step * batch * 4 * h..][..batch * 4 * h];
            let own = &d_hidden[step * batch * h..][..batch * h];
            tape.d_hidden.iter_mut().zip(own).for_each(|(a, b)| *a += b);
            run(LstmBackward {
                gates,
                before: &tape.cells[step * batch * h..][..batch * h],
                tangents: &tape.tangents[step * batch * h..][..batch * h],
                d_hidden: &tape.d_hidden,
                d_cells: &mut tape.d_cells,
                size: h,
            });
            product(
                Left::Rows(gates, 4 * h),
                batch,
                &tape.pack,
                Begin::Zero,
                &mut tape.d_hidden,
                h,
            );
        }
        let [wx, wh] = self.wx.both_of_mut(self.wh, grads);
        let mut weights = [
            Weights {
                x,
                stride: self.inputs,
                columns: self.inputs,
                to: wx,
            },
            Weights {
                x: &tape.hidden,
                stride: h,
                columns: h,
                to: wh,
            },
        ];
        gradients(&mut weights, &tape.gates, 4 * h, rows, 4 * h, &mut tape.pack);
        add_columns(&tape.gates, self.b.of_mut(grads));
        if let Some(dx) = dx {
            tape.pack.turned(self.wx.of(params), 4 * h, 4 * h, self.inputs);
            product(
                Left::Rows(&tape.gates, 4 * h),
                rows,
                &tape.pack,
                Begin::Zero,
                dx,
                self.inputs,
            );
        }
    }

    /// One step of one sequence: `hidden` and `cells` (h each) move on. `work` is work space.
    pub fn serve(
        &self,
        params: &[f32],
        x: &[f32],
        hidden: &mut [f32],
        cells: &mut [f32],
        work: &mut Vec<f32>,
    ) {
        let h = self.size;
        work.resize(6 * h, 0.0);
        let (gates, rest) = work.split_at_mut(4 * h);
        let (before, tangents) = rest.split_at_mut(h);
        before.copy_from_slice(cells);
        row_product(x, self.wx.of(params), Begin::Row(self.b.of(params)), gates);
        row_product(hidden, self.wh.of(params), Begin::There, gates);
        run(LstmForward {
            gates,
            before,
            cells,
            tangents,
            hidden,
            size: h,
        });
    }
}

#[cfg(test)]
mod tests;
