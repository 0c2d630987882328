//! Softmax over a sample of the classes: learning which of 20,000 products comes next without scoring them all.
//!
//! Each batch draws negatives once for all its rows, from a known distribution ([`Sampler`]); a row's target competes with
//! them. From every logit the logarithm of its class's expected number in the sample is taken (logQ correction, Bengio and Senécal
//! 2008), which makes the sampled loss a consistent stand-in for the full one. A negative that is a row's own target is left
//! out of that row.

use super::embedding::Embedding;
use super::kernels::gemm::{Begin, Left, Packed, product};
use super::kernels::gradients::{Weights, gradients};
use super::kernels::rows::{add_scaled, dot, softmax_times};
use crate::fit::Gradient;
use fastrand::Rng;

/// A distribution over classes to draw from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampler {
    cumulative: Vec<f64>,
}

impl Sampler {
    /// Draws class i in proportion to `weights[i]`; counts to the power of 0.75 are usual. Weights that are no positive numbers count
    /// as 0; nothing to draw from is an error.
    ///
    /// # Errors
    /// Says so.
    pub fn new(weights: impl IntoIterator<Item = f64>) -> Result<Self, String> {
        let mut sum = 0.0;
        let cumulative: Vec<f64> = weights
            .into_iter()
            .map(|w| {
                sum += if w.is_finite() && w > 0.0 { w } else { 0.0 };
                sum
            })
            .collect();
        if sum > 0.0 && sum.is_finite() {
            Ok(Self { cumulative })
        } else {
            Err("there is no class to draw".into())
        }
    }

    /// One class.
    pub fn draw(&self, rng: &mut Rng) -> u32 {
        let sum = self.cumulative[self.cumulative.len() - 1];
        let at = rng.f64() * sum;
        // The last class with any weight is the answer to rounding at the upper end.
        let last = self.cumulative.partition_point(|c| *c < sum);
        self.cumulative.partition_point(|c| *c <= at).min(last) as u32
    }

    /// The logarithm of how often `class` is expected among `count` draws.
    pub fn log_expected(&self, class: u32, count: usize) -> f32 {
        let class = class as usize;
        let before = if class == 0 {
            0.0
        } else {
            self.cumulative[class - 1]
        };
        let share = (self.cumulative[class] - before) / self.cumulative[self.cumulative.len() - 1];
        // A target that is never drawn as a negative counts as the rarest that could be.
        (share.max(1e-12) * count as f64).ln() as f32
    }
}

/// Rows of a block.
const BLOCK: usize = 128;

/// Work space of [`Sampled::learn`].
#[derive(Debug, Default)]
pub struct SampledWork {
    negatives: Vec<f32>,
    d_negatives: Vec<f32>,
    logits: Vec<f32>,
    begin: Vec<f32>,
    d_begin: Vec<f32>,
    twins: Vec<(u32, u32)>,
    forward: Packed,
    backward: Packed,
    pass: Packed,
}

/// An output layer whose classes are the rows of a table, with a bias each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampled {
    /// Classes by width of the state.
    pub table: Embedding,
    /// Classes by 1.
    pub bias: Option<Embedding>,
}

impl Sampled {
    /// Mean sampled cross entropy of `states`, rows by width, for `targets`; weights of rows as in
    /// [`cross_entropy`](super::loss::cross_entropy()). Overwrites `d_states`, adds to the gradients of table and bias.
    /// `corrections` are [`Sampler::log_expected`] of each class, or none for no correction.
    pub fn learn(
        &self,
        params: &[f32],
        states: &[f32],
        targets: &[u32],
        weights: Option<&[f32]>,
        negatives: &[u32],
        corrections: Option<&[f32]>,
        d_states: &mut [f32],
        grads: &mut Gradient,
        work: &mut SampledWork,
    ) -> f64 {
        let (width, rows, count) = (self.table.width, targets.len(), negatives.len());
        assert_eq!(states.len(), rows * width, "a state for every target");
        assert_eq!(d_states.len(), states.len(), "gradients of the states");
        let total: f64 = weights.map_or(rows as f64, |w| w.iter().map(|w| f64::from(*w)).sum());
        if total == 0.0 {
            d_states.fill(0.0);
            return 0.0;
        }
        let offset = |class: u32| {
            let bias = self.bias.map_or(0.0, |bias| bias.row(params, class)[0]);
            bias - corrections.map_or(0.0, |c| c[class as usize])
        };
        work.negatives.resize(count * width, 0.0);
        self.table.forward(params, negatives, &mut work.negatives);
        work.begin.clear();
        work.begin.extend(negatives.iter().map(|class| offset(*class)));
        work.twins.clear();
        work.twins
            .extend(negatives.iter().zip(0..).map(|(class, at)| (*class, at)));
        work.twins.sort_unstable();
        // A row: the negatives' logits, then the target's. A block of rows at a time, which stays in cache.
        let stride = count + 1;
        work.forward.turned(&work.negatives, width, width, count);
        work.backward.rows(&work.negatives, width, count, width);
        work.d_negatives.clear();
        work.d_negatives.resize(count * width, 0.0);
        work.d_begin.clear();
        work.d_begin.resize(count, 0.0);
        let mut sum = 0.0;
        for first in (0..rows).step_by(BLOCK) {
            let rows = BLOCK.min(rows - first);
            let states = &states[first * width..][..rows * width];
            let d_states = &mut d_states[first * width..][..rows * width];
            let targets = &targets[first..][..rows];
            work.logits.resize(rows * stride, 0.0);
            let begin = Begin::Row(&work.begin);
            product(
                Left::Rows(states, width),
                rows,
                &work.forward,
                begin,
                &mut work.logits,
                stride,
            );
            for (at, (row, target)) in work.logits.chunks_exact_mut(stride).zip(targets).enumerate() {
                let weight = weights.map_or(1.0, |weights| weights[first + at]);
                let state = &states[at * width..][..width];
                if weight == 0.0 {
                    row.fill(0.0);
                    continue;
                }
                let logit = dot(state, self.table.row(params, *target)) + offset(*target);
                row[count] = logit;
                let twins = work.twins.partition_point(|(class, _)| class < target);
                for (_, twin) in work.twins[twins..]
                    .iter()
                    .take_while(|(class, _)| class == target)
                {
                    row[*twin as usize] = f32::NEG_INFINITY;
                }
                let scale = (f64::from(weight) / total) as f32;
                sum += f64::from(weight) * f64::from(softmax_times(row, scale) - logit);
                row[count] -= scale;
                let own = row[count];
                add_scaled(
                    own,
                    state,
                    grads.row(self.table.table.start, width, *target as usize),
                );
                if let Some(bias) = self.bias {
                    grads.row(bias.table.start, 1, *target as usize)[0] += own;
                }
                add_scaled(1.0, &row[..count], &mut work.d_begin);
            }
            product(
                Left::Rows(&work.logits, stride),
                rows,
                &work.backward,
                Begin::Zero,
                d_states,
                width,
            );
            for (at, target) in targets.iter().enumerate() {
                let own = work.logits[at * stride + count];
                add_scaled(
                    own,
                    self.table.row(params, *target),
                    &mut d_states[at * width..][..width],
                );
            }
            let to = &mut work.d_negatives[..];
            let one = Weights {
                x: &work.logits,
                stride,
                columns: count,
                to,
            };
            gradients(&mut [one], states, width, rows, width, &mut work.pass);
        }
        self.table.backward(negatives, &work.d_negatives, grads);
        if let Some(bias) = self.bias {
            bias.backward(negatives, &work.d_begin, grads);
        }
        sum / total
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout;
    use super::super::random::Init;
    use super::super::testing::{close, numbers, slopes};
    use super::*;

    #[test]
    fn its_loss_and_gradients_are_the_formulas() {
        let (classes, width) = (9, 20);
        let mut layout = Layout::new();
        let table = Embedding::new(&mut layout, "out", classes, width, Init::Normal(0.5));
        let bias = Embedding::new(&mut layout, "bias", classes, 1, Init::Normal(0.5));
        let sampled = Sampled {
            table,
            bias: Some(bias),
        };
        let params = layout.init(1);
        let states = numbers(4 * width, 2);
        let (targets, weights) = ([3, 0, 8, 3], [1.0, 0.5, 0.0, 2.0]);
        let negatives = [1, 3, 5, 1, 0, 7]; // a target twice, a class twice
        let corrections = numbers(classes, 3);
        let truth = |params: &[f64], states: &[f64]| {
            let logit = |row: usize, class: u32| {
                let vector = &params[table.table.start + class as usize * width..][..width];
                let dot: f64 = states[row * width..][..width]
                    .iter()
                    .zip(vector)
                    .map(|(a, b)| a * b)
                    .sum();
                dot + params[bias.table.start + class as usize] - f64::from(corrections[class as usize])
            };
            let mut sum = 0.0;
            for (row, (target, w)) in targets.iter().zip(weights).enumerate() {
                let others = negatives
                    .iter()
                    .filter(|n| *n != target)
                    .map(|n| logit(row, *n).exp());
                let own = logit(row, *target);
                sum += w * ((others.sum::<f64>() + own.exp()).ln() - own);
            }
            sum / 3.5
        };
        let wide = |v: &[f32]| v.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        let mut grads = Gradient::new(layout.len(), &layout.tables()).unwrap();
        let mut d_states = vec![9.0; states.len()];
        let weights: Vec<f32> = weights.iter().map(|w| *w as f32).collect();
        let loss = sampled.learn(
            &params,
            &states,
            &targets,
            Some(&weights),
            &negatives,
            Some(&corrections),
            &mut d_states,
            &mut grads,
            &mut SampledWork::default(),
        );
        let (wanted, slope) = slopes(&params, |p| truth(p, &wide(&states)));
        assert!((loss - wanted).abs() < 1e-6, "{loss} {wanted}");
        close(grads.as_slice(), &slope, 1e-6);
        let (_, slope) = slopes(&states, |s| truth(&wide(&params), s));
        close(&d_states, &slope, 1e-6);
        grads.clear();
        assert!(
            grads.as_slice().iter().all(|g| *g == 0.0),
            "every touched row was noted"
        );
    }

    #[test]
    fn draws_in_proportion() {
        let sampler = Sampler::new([0.0, 1.0, f64::NAN, 3.0, 0.0]).unwrap();
        let mut rng = Rng::with_seed(2);
        let mut counts = [0; 5];
        for _ in 0..40_000 {
            counts[sampler.draw(&mut rng) as usize] += 1;
        }
        assert_eq!((counts[0], counts[2], counts[4]), (0, 0, 0));
        assert!((f64::from(counts[1]) / 10_000.0 - 1.0).abs() < 0.05, "{counts:?}");
        assert!((sampler.log_expected(3, 8) - 6.0_f32.ln()).abs() < 1e-6);
        assert!(sampler.log_expected(0, 8).is_finite());
        for nothing in [vec![], vec![0.0, -1.0], vec![f64::INFINITY]] {
            assert!(Sampler::new(nothing).is_err());
        }
    }
}
