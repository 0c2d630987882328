//! The recursion forwards, and its derivatives backwards.
//!
//! Forwards it leaves a trace: what each step started from and what error it met. Backwards the derivative of the cost by
//! the states after a step becomes that by the states before it, and the weights collect their share on the way; one such
//! pass costs about two forward ones, whatever the number of parameters.

use super::{Error, Season, Spec, Trend};

/// Weights and initial states. `season[j]` belongs to the steps `j, j + period, ...`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Parameters {
    pub(super) alpha: f64,
    pub(super) beta: f64,
    pub(super) gamma: f64,
    /// 1 for a straight line, 0 without trend.
    pub(super) phi: f64,
    pub(super) level: f64,
    pub(super) slope: f64,
    pub(super) season: Vec<f64>,
}

/// One step: the states before it, what it expected and by how much that was wrong (`NaN` where nothing was seen).
#[derive(Debug, Clone, Copy)]
struct Step {
    slope: f64,
    season: f64,
    /// level + phi slope.
    base: f64,
    expected: f64,
    error: f64,
}

/// A pass over a series; the buffers are reused from call to call.
#[derive(Debug, Default)]
pub(super) struct Pass {
    steps: Vec<Step>,
    /// The season after the last step, by slot.
    pub(super) season: Vec<f64>,
    pub(super) level: f64,
    pub(super) slope: f64,
    /// Values that were there.
    pub(super) count: usize,
    /// The sum of squared residuals: errors, or errors relative to what was expected.
    pub(super) squares: f64,
    /// The sum of log |expected| where errors multiply, else 0.
    pub(super) logs: f64,
}

impl Pass {
    /// Runs forwards. `false` where a step expected nothing positive of a model that multiplies, or a state ran away.
    pub(super) fn forwards(&mut self, values: &[f64], spec: Spec, p: &Parameters) -> bool {
        self.steps.clear();
        self.season.clone_from(&p.season);
        (self.level, self.slope) = (p.level, p.slope);
        (self.count, self.squares, self.logs) = (0, 0.0, 0.0);
        let multiplies = spec.error == Error::Multiplicative;
        let guarded = multiplies || spec.season == Season::Multiplicative;
        // Logarithms are dear: what was expected is multiplied up and its logarithm taken now and then.
        let mut product = 1.0f64;
        let (mut level, mut slope, mut slot) = (p.level, p.slope, 0);
        for &value in values {
            let base = level + p.phi * slope;
            let season = if spec.season == Season::None {
                0.0
            } else {
                self.season[slot]
            };
            let expected = match spec.season {
                Season::None => base,
                Season::Additive => base + season,
                Season::Multiplicative => base * season,
            };
            if guarded && !(expected > 0.0 && base > 0.0) {
                return false;
            }
            let error = value - expected;
            self.steps.push(Step {
                slope,
                season,
                base,
                expected,
                error,
            });
            (level, slope) = (base, p.phi * slope);
            if !error.is_nan() {
                let residual = if multiplies { error / expected } else { error };
                self.squares += residual * residual;
                self.count += 1;
                if multiplies {
                    product *= expected;
                    if !(1e-100..1e100).contains(&product) {
                        self.logs += product.ln();
                        product = 1.0;
                    }
                }
                let trended = if spec.season == Season::Multiplicative {
                    error / season
                } else {
                    error
                };
                level += p.alpha * trended;
                slope += p.beta * trended;
                match spec.season {
                    Season::None => {}
                    Season::Additive => self.season[slot] = season + p.gamma * error,
                    Season::Multiplicative => self.season[slot] = season + p.gamma * error / base,
                }
            }
            if spec.season != Season::None {
                slot += 1;
                if slot == self.season.len() {
                    slot = 0;
                }
            }
        }
        self.logs += product.ln();
        (self.level, self.slope) = (level, slope);
        self.count > 0 && self.squares.is_finite() && self.logs.is_finite() && level.is_finite()
    }

    /// -2 log L per value, constants left away.
    pub(super) fn cost(&self) -> f64 {
        let n = self.count as f64;
        (self.squares / n).ln() + 2.0 * self.logs / n
    }

    /// The derivatives of [`Pass::cost`] by every parameter, after [`Pass::forwards`].
    pub(super) fn backwards(&self, spec: Spec, p: &Parameters, d: &mut Parameters) {
        let n = self.count as f64;
        let multiplies = spec.error == Error::Multiplicative;
        let trend = spec.trend != Trend::None;
        let by_square = 2.0 / self.squares;
        (d.alpha, d.beta, d.gamma, d.phi) = (0.0, 0.0, 0.0, 0.0);
        // Derivatives by the states after the step at hand.
        let (mut level, mut slope) = (0.0f64, 0.0f64);
        d.season.clear();
        d.season.resize(p.season.len(), 0.0);
        let period = p.season.len().max(1);
        let mut slot = self.steps.len() % period;
        for step in self.steps.iter().rev() {
            slot = if slot == 0 { period - 1 } else { slot - 1 };
            let Step {
                slope: slope_before,
                season,
                base,
                expected,
                error,
            } = *step;
            let (mut by_base, mut by_slope) = (level, p.phi * slope);
            if trend {
                d.phi += slope * slope_before;
            }
            if !error.is_nan() {
                let (mut by_error, mut by_expected) = if multiplies {
                    let relative = error / expected;
                    let by = by_square * relative / expected;
                    (by, 2.0 / (n * expected) - by * relative)
                } else {
                    (by_square * error, 0.0)
                };
                let by_trended = p.alpha * level + p.beta * slope;
                match spec.season {
                    Season::None => {
                        d.alpha += level * error;
                        d.beta += slope * error;
                        by_error += by_trended;
                        by_expected -= by_error;
                        by_base += by_expected;
                    }
                    Season::Additive => {
                        d.alpha += level * error;
                        d.beta += slope * error;
                        let after = d.season[slot];
                        d.gamma += after * error;
                        by_error += by_trended + p.gamma * after;
                        by_expected -= by_error;
                        by_base += by_expected;
                        d.season[slot] = after + by_expected;
                    }
                    Season::Multiplicative => {
                        let trended = error / season;
                        let of_base = error / base;
                        d.alpha += level * trended;
                        d.beta += slope * trended;
                        let after = d.season[slot];
                        d.gamma += after * of_base;
                        by_error += by_trended / season + p.gamma * after / base;
                        by_expected -= by_error;
                        by_base += by_expected * season - p.gamma * after * of_base / base;
                        d.season[slot] = after + by_expected * base - by_trended * trended / season;
                    }
                }
            }
            // base = level before + phi slope before
            if trend {
                d.phi += by_base * slope_before;
                by_slope += p.phi * by_base;
            }
            (level, slope) = (by_base, by_slope);
        }
        (d.level, d.slope) = (level, slope);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every derivative of every member against central differences, with gaps in the series.
    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut values: Vec<f64> = (0..41)
            .map(|t| 50.0 + f64::from(t) + 8.0 * f64::from(t % 4) + 6.0 * random.f64())
            .collect();
        values[9] = f64::NAN;
        values[30] = f64::NAN;
        let mut tried = 0;
        for error in [Error::Additive, Error::Multiplicative] {
            for trend in [Trend::None, Trend::Additive, Trend::Damped] {
                for season in [Season::None, Season::Additive, Season::Multiplicative] {
                    let spec = Spec { error, trend, season };
                    let at = Parameters {
                        alpha: 0.3,
                        beta: if trend == Trend::None { 0.0 } else { 0.1 },
                        gamma: if season == Season::None { 0.0 } else { 0.2 },
                        phi: match trend {
                            Trend::None => 0.0,
                            Trend::Additive => 1.0,
                            Trend::Damped => 0.9,
                        },
                        level: 55.0,
                        slope: if trend == Trend::None { 0.0 } else { 1.5 },
                        season: match season {
                            Season::None => vec![],
                            Season::Additive => vec![-9.0, -3.0, 4.0, 8.0],
                            Season::Multiplicative => vec![0.9, 0.95, 1.05, 1.1],
                        },
                    };
                    let mut pass = Pass::default();
                    let mut cost = |p: &Parameters| {
                        assert!(pass.forwards(&values, spec, p));
                        pass.cost()
                    };
                    let mut numeric = |change: &dyn Fn(&mut Parameters, f64)| {
                        let step = 1e-5;
                        let (mut up, mut down) = (at.clone(), at.clone());
                        change(&mut up, step);
                        change(&mut down, -step);
                        (cost(&up) - cost(&down)) / (2.0 * step)
                    };
                    let mut pairs = vec![numeric(&|p, h| p.alpha += h), numeric(&|p, h| p.level += h)];
                    if trend != Trend::None {
                        pairs.push(numeric(&|p, h| p.beta += h));
                        pairs.push(numeric(&|p, h| p.slope += h));
                        pairs.push(numeric(&|p, h| p.phi += h));
                    }
                    if season != Season::None {
                        pairs.push(numeric(&|p, h| p.gamma += h));
                        for j in 0..4 {
                            pairs.push(numeric(&|p, h| p.season[j] += h));
                        }
                    }
                    let mut d = Parameters::default();
                    assert!(pass.forwards(&values, spec, &at));
                    pass.backwards(spec, &at, &mut d);
                    let mut exact = vec![d.alpha, d.level];
                    if trend != Trend::None {
                        exact.extend([d.beta, d.slope, d.phi]);
                    }
                    if season != Season::None {
                        exact.push(d.gamma);
                        exact.extend(&d.season);
                    }
                    for (exact, numeric) in exact.iter().zip(&pairs) {
                        assert!(
                            (exact - numeric).abs() < 1e-6 * (1.0 + numeric.abs()),
                            "{}: {exact} against {numeric}",
                            spec.name()
                        );
                        tried += 1;
                    }
                }
            }
        }
        assert_eq!(tried, 6 * (2 + 5 + 5) + 4 * 3 * 5);
    }
}
