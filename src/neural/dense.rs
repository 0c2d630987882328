//! A dense layer, `y = x W + b`.

use super::kernels::gemm::{Begin, Left, Packed, product, row_product};
use super::kernels::gradients::{Weights, gradients};
use super::kernels::rows::add_columns;
use super::layout::{Layout, Slot};
use super::random::Init;

/// Where a dense layer's parameters lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dense {
    /// Inputs by outputs.
    pub weight: Slot,
    /// Outputs long; none for a layer without bias.
    pub bias: Option<Slot>,
    /// Values of an input row.
    pub inputs: usize,
    /// Values of an output row.
    pub outputs: usize,
}

impl Dense {
    /// Asks for room for `name.w` and `name.b`.
    pub fn new(layout: &mut Layout, name: &str, inputs: usize, outputs: usize) -> Self {
        let weight = layout.add(&format!("{name}.w"), &[inputs, outputs], Init::Glorot);
        let bias = Some(layout.add(&format!("{name}.b"), &[outputs], Init::Zero));
        Self {
            weight,
            bias,
            inputs,
            outputs,
        }
    }

    /// Asks for room for `name.w` alone.
    pub fn without_bias(layout: &mut Layout, name: &str, inputs: usize, outputs: usize) -> Self {
        let weight = layout.add(&format!("{name}.w"), &[inputs, outputs], Init::Glorot);
        Self {
            weight,
            bias: None,
            inputs,
            outputs,
        }
    }

    fn begin<'p>(&self, params: &'p [f32]) -> Begin<'p> {
        self.bias.map_or(Begin::Zero, |bias| Begin::Row(bias.of(params)))
    }

    /// `y`, rows by outputs, from `x`, rows by inputs. `pack` is work space.
    pub fn forward(&self, params: &[f32], x: &[f32], y: &mut [f32], pack: &mut Packed) {
        let rows = rows(x.len(), self.inputs, y.len(), self.outputs);
        pack.rows(self.weight.of(params), self.outputs, self.inputs, self.outputs);
        product(
            Left::Rows(x, self.inputs),
            rows,
            pack,
            self.begin(params),
            y,
            self.outputs,
        );
    }

    /// Adds the parameters' gradients; overwrites `dx`, if it is wanted, with the inputs'.
    pub fn backward(
        &self,
        params: &[f32],
        x: &[f32],
        dy: &[f32],
        dx: Option<&mut [f32]>,
        grads: &mut [f32],
        pack: &mut Packed,
    ) {
        let rows = rows(x.len(), self.inputs, dy.len(), self.outputs);
        let to = self.weight.of_mut(grads);
        let weights = Weights {
            x,
            stride: self.inputs,
            columns: self.inputs,
            to,
        };
        gradients(&mut [weights], dy, self.outputs, rows, self.outputs, pack);
        if let Some(bias) = self.bias {
            add_columns(dy, bias.of_mut(grads));
        }
        if let Some(dx) = dx {
            assert_eq!(dx.len(), x.len(), "gradients of a dense layer's input");
            pack.turned(self.weight.of(params), self.outputs, self.outputs, self.inputs);
            product(
                Left::Rows(dy, self.outputs),
                rows,
                pack,
                Begin::Zero,
                dx,
                self.inputs,
            );
        }
    }

    /// One row, without packing.
    pub fn serve(&self, params: &[f32], x: &[f32], y: &mut [f32]) {
        row_product(x, self.weight.of(params), self.begin(params), y);
    }
}

fn rows(x: usize, inputs: usize, y: usize, outputs: usize) -> usize {
    let rows = x / inputs.max(1);
    assert!(
        x == rows * inputs && y == rows * outputs,
        "the shapes of a dense layer"
    );
    rows
}

#[cfg(test)]
mod tests {
    use super::super::testing::{affine, close, numbers, slopes, weighted};
    use super::*;

    fn truth(dense: &Dense, params: &[f64], x: &[f64]) -> Vec<f64> {
        let weight = &params[dense.weight.start..][..dense.weight.len];
        let zeros = vec![0.0; dense.outputs];
        let bias = dense
            .bias
            .map_or(&zeros[..], |bias| &params[bias.start..][..bias.len]);
        x.chunks_exact(dense.inputs)
            .flat_map(|x| affine(x, weight, bias))
            .collect()
    }

    #[test]
    fn its_values_and_gradients_are_the_formulas() {
        let mut layout = Layout::new();
        let layers = [
            Dense::new(&mut layout, "one", 7, 18),
            Dense::without_bias(&mut layout, "two", 7, 18),
        ];
        let params = layout.init(1);
        let (x, dy) = (numbers(5 * 7, 2), numbers(5 * 18, 3));
        let wide = |v: &[f32]| v.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        for dense in layers {
            let (mut y, mut pack) = (vec![9.0; 5 * 18], Packed::new());
            dense.forward(&params, &x, &mut y, &mut pack);
            close(&y, &truth(&dense, &wide(&params), &wide(&x)), 1e-6);
            let (mut dx, mut grads) = (vec![9.0; x.len()], vec![0.0; params.len()]);
            dense.backward(&params, &x, &dy, Some(&mut dx), &mut grads, &mut pack);
            let (_, slope) = slopes(&params, |p| weighted(&truth(&dense, p, &wide(&x)), &dy));
            close(&grads, &slope, 1e-5);
            let (_, slope) = slopes(&x, |x| weighted(&truth(&dense, &wide(&params), x), &dy));
            close(&dx, &slope, 1e-5);
            let mut one = vec![0.0; 18];
            dense.serve(&params, &x[14..21], &mut one);
            assert_eq!(one, y[36..54]);
        }
    }
}
