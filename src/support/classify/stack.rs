//! Several models' scores to one probability: `p proportional to exp(sum_m w_m score_m)`, weights not negative.
//!
//! The weights are those of maximum likelihood on scores of tickets the models had not seen, a handful of numbers for
//! thousands of tickets (a stacked generalisation, Wolpert 1992, restricted to sums). Their size is also the temperature: with
//! one model it is a single number, found by Brent's method (Guo et al., "On Calibration of Modern Neural Networks", ICML
//! 2017); with several, L-BFGS finds all of them over their square roots, so that none becomes negative.
//!
//! A few tickets, all answered rightly, would be likeliest with a probability of one. So a right answer counts as one of
//! `n + 1` in `n + 2` and the rest as any other class, Platt's targets ("Probabilistic outputs for support vector
//! machines", 1999): of four right answers each is 5/6 sure, of ten thousand nothing changes.

use super::linear::softmax;
use crate::fit::{Brent, Control, Differentiable, FitError, Lbfgs, Objective, brent, lbfgs};

/// Scores of one model: row after row, `classes` numbers each.
pub(in crate::support) type Scores = [f32];

/// What is left for the other classes of an answer about one of `n` tickets.
fn doubt(n: usize) -> f64 {
    1.0 / (n as f64 + 2.0)
}

/// The expected score where the class of a row is `label` with a probability of `1 - doubt` and any other else.
fn target(scores: &[f32], label: u32, doubt: f64) -> f64 {
    let own = f64::from(scores[label as usize]);
    let all: f64 = scores.iter().map(|&score| f64::from(score)).sum();
    (1.0 - doubt) * own + doubt * (all - own) / (scores.len() as f64 - 1.0).max(1.0)
}

/// The scale at which one model's scores are likeliest, and the mean of `-ln p(label)` there,
/// with Platt's targets.
pub(in crate::support) fn temperature(
    scores: &Scores,
    labels: &[u32],
    classes: usize,
    control: &Control,
) -> Result<(f64, f64), FitError> {
    let mut p = vec![0f64; classes];
    let doubt = doubt(labels.len());
    let loss = |log_scale: f64| {
        let scale = log_scale.exp();
        let mut sum = 0.0;
        for (scores, &label) in scores.chunks_exact(classes).zip(labels) {
            p.iter_mut()
                .zip(scores)
                .for_each(|(p, &score)| *p = scale * f64::from(score));
            sum += softmax(&mut p) - scale * target(scores, label, doubt);
        }
        sum / labels.len().max(1) as f64
    };
    let cell = std::cell::RefCell::new(loss);
    let options = Brent {
        max_iterations: 25,
        tolerance: 1e-3,
        checkpoint: None,
    };
    let best = brent(|x| (cell.borrow_mut())(x), -4.0, 5.0, &options, &control.quiet())?;
    Ok((best.params[0].exp(), best.cost))
}

/// Weights of `members` at which the labels are likeliest, and the mean of `-ln p(label)` there. Starts from the
/// members' own temperatures divided among them.
pub(in crate::support) fn stack(
    members: &[&Scores],
    labels: &[u32],
    classes: usize,
    start: &[f64],
    control: &Control,
) -> Result<(Vec<f64>, f64), FitError> {
    let problem = Sum {
        members,
        labels,
        classes,
    };
    let start = start
        .iter()
        .map(|weight| (weight / members.len() as f64).max(1e-4).sqrt())
        .collect();
    let options = Lbfgs {
        max_iterations: 40,
        tolerance: 1e-5,
        cost_tolerance: 1e-7,
        ..Lbfgs::default()
    };
    let best = lbfgs(&problem, start, &options, &control.quiet())?;
    Ok((best.params.iter().map(|root| root * root).collect(), best.cost))
}

struct Sum<'a> {
    members: &'a [&'a Scores],
    labels: &'a [u32],
    classes: usize,
}

impl Sum<'_> {
    fn evaluate(&self, roots: &[f64], gradient: Option<&mut [f64]>) -> f64 {
        let n = self.labels.len().max(1) as f64;
        let mut slopes = vec![0f64; roots.len()];
        let (mut p, mut loss) = (vec![0f64; self.classes], 0.0);
        let doubt = doubt(self.labels.len());
        for (row, &label) in self.labels.iter().enumerate() {
            let from = row * self.classes;
            p.fill(0.0);
            for (member, root) in self.members.iter().zip(roots) {
                let weight = root * root;
                p.iter_mut()
                    .zip(&member[from..from + self.classes])
                    .for_each(|(p, &score)| *p += weight * f64::from(score));
            }
            loss += softmax(&mut p);
            for ((slope, root), member) in slopes.iter_mut().zip(roots).zip(self.members) {
                let scores = &member[from..from + self.classes];
                let mean: f64 = p.iter().zip(scores).map(|(p, &score)| p * f64::from(score)).sum();
                let wanted = target(scores, label, doubt);
                loss -= root * root * wanted;
                *slope += mean - wanted;
            }
        }
        if let Some(gradient) = gradient {
            for ((gradient, slope), root) in gradient.iter_mut().zip(slopes).zip(roots) {
                *gradient = 2.0 * root * slope / n;
            }
        }
        loss / n
    }
}

impl Objective for Sum<'_> {
    fn cost(&self, x: &[f64]) -> f64 {
        self.evaluate(x, None)
    }
}

impl Differentiable for Sum<'_> {
    fn cost_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.evaluate(x, Some(gradient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_right_answers_are_not_certain_and_many_are() {
        let surest = |n: usize| {
            // Two classes, every answer right with the same distance between the scores.
            let labels: Vec<u32> = (0..n as u32).map(|i| i % 2).collect();
            let scores: Vec<f32> = labels
                .iter()
                .flat_map(|&label| if label == 0 { [1.0, -1.0] } else { [-1.0, 1.0] })
                .collect();
            let control = Control::unbounded();
            let (scale, _) = temperature(&scores, &labels, 2, &control).unwrap();
            let (weights, _) = stack(&[&scores, &scores], &labels, 2, &[1.0, 1.0], &control).unwrap();
            let sure = |scale: f64| 1.0 / (1.0 + (-2.0 * scale).exp());
            (sure(scale), sure(weights.iter().sum()))
        };
        let (one, several) = surest(4);
        assert!((one - 5.0 / 6.0).abs() < 1e-3, "{one}");
        assert!((several - 5.0 / 6.0).abs() < 1e-3, "{several}");
        assert!(surest(2000).0 > 0.999);
    }
}
