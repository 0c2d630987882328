//! One series as the network reads it, and the window before an origin.
//!
//! All is told relative to the origin and in a unit that makes series alike: a price of the past is its difference to the
//! same place in the last `back` steps, one of those is its difference to the newest; a price to come is its difference to
//! those steps repeated (the seasonal naive answer, or the last price where `back` is 1). The unit is the mean absolute step over
//! `lag` steps before the origin, that of the mean absolute scaled error. The scaling decides: centred on the last week's mean
//! and scaled by the steps of an hour, the same network does not learn at all. Differences beyond [`FAR`] units are cut.

use super::form::{Form, TRAITS};

/// The largest difference told, in units.
pub const FAR: f64 = 60.0;

/// One series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Track {
    /// Prices or their logarithms; a missing one is the one before.
    level: Vec<f64>,
    /// Whether there was a price.
    seen: Vec<bool>,
    /// The unit as of each origin; 0 where there is none.
    unit: Vec<f64>,
    /// Steps that stood still, and steps that could, before each origin.
    still: Vec<(u32, u32)>,
    /// What is known beside the prices.
    beside: Beside,
    logs: bool,
}

/// What is known beside the prices of a series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beside {
    /// The rows' own promotion flags, 0 or 1: of each step of the past, known when it had come.
    pub promoted: Vec<f32>,
    /// Promotions known ahead, 0 or 1, of each step and of those to come; `NaN` before anybody entered any.
    pub plan: Vec<f32>,
    /// Drivers in the order of the form, of each step and of those to come; `NaN`, or none, where nothing is known.
    pub drivers: Vec<Vec<f32>>,
    /// Hashes of category and brand.
    pub shelf: [u32; 2],
}

/// How far things spread, so that the network sees numbers near one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spread {
    /// Of the differences at each place of the window, oldest first.
    pub window: Vec<f32>,
    /// Of what happened at each step ahead.
    pub ahead: Vec<f32>,
    /// Of each driver.
    pub drivers: Vec<f32>,
    /// What the distances of the lower and of the upper quantile from the middle one are multiplied by: see
    /// [`super::pool::Pool::calibrate`].
    pub band: [f32; 2],
}

impl Spread {
    /// Everything as it is.
    pub fn none(form: &Form) -> Self {
        Self {
            window: vec![1.0; form.window()],
            ahead: vec![1.0; form.horizon],
            drivers: vec![1.0; form.drivers.len()],
            band: [1.0; 2],
        }
    }
}

/// Where a window's forecasts begin and what they are counted in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ground {
    /// The unit.
    pub unit: f64,
    /// The newest level.
    pub last: f64,
}

/// A window's numbers, where they go.
#[derive(Debug)]
pub struct Place<'a> {
    /// Of all sequences of the batch, time-major.
    pub sequence: &'a mut [f32],
    /// This one's number, and how many there are.
    pub row: usize,
    /// How many there are.
    pub rows: usize,
    /// The window's differences, oldest first.
    pub linear: &'a mut [f32],
    /// The traits.
    pub traits: &'a mut [f32],
    /// Step by step, what is known ahead.
    pub ahead: &'a mut [f32],
}

impl Track {
    /// From prices, one per step, `NaN` missing. Values without logarithm where those are wanted are taken as missing.
    pub fn new(values: &[f64], form: &Form, beside: Beside) -> Self {
        let usable = |value: f64| value.is_finite() && (!form.logs || value > 0.0);
        let told = |value: f64| if form.logs { value.ln() } else { value };
        let n = values.len();
        let first = values.iter().copied().find(|value| usable(*value));
        let mut last = first.map_or(0.0, told);
        let mut level = Vec::with_capacity(n);
        let mut seen = Vec::with_capacity(n);
        for &value in values {
            seen.push(usable(value));
            if usable(value) {
                last = told(value);
            }
            level.push(last);
        }
        let mut unit = Vec::with_capacity(n + 1);
        let mut still = Vec::with_capacity(n + 1);
        let (mut sum, mut count, mut counts) = (0.0, 0u32, (0u32, 0u32));
        let (mut near, mut near_count) = (0.0, 0u32);
        unit.push(0.0);
        still.push(counts);
        for t in 0..n {
            if t >= form.lag && seen[t] && seen[t - form.lag] {
                sum += (level[t] - level[t - form.lag]).abs();
                count += 1;
            }
            if t >= 1 && seen[t] && seen[t - 1] {
                let step = (level[t] - level[t - 1]).abs();
                near += step;
                near_count += 1;
                counts.1 += 1;
                counts.0 += u32::from(step <= 1e-9 * level[t].abs().max(f64::from(form.logs)));
            }
            let mean = |sum: f64, count: u32| sum / f64::from(count.max(1));
            let size = level[t].abs().max(if form.logs { 1.0 } else { 0.0 });
            let found = [mean(sum, count), mean(near, near_count)]
                .into_iter()
                .find(|mean| mean.is_finite() && *mean > 1e-9 * size);
            unit.push(found.unwrap_or(0.0));
            still.push(counts);
        }
        Self {
            level,
            seen,
            unit,
            still,
            beside,
            logs: form.logs,
        }
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.level.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.level.is_empty()
    }

    /// Category and brand.
    pub fn shelf(&self) -> [u32; 2] {
        self.beside.shelf
    }

    /// The values of driver `d` that are known.
    pub fn driver(&self, d: usize) -> impl Iterator<Item = f32> + '_ {
        let values = self.beside.drivers.get(d).map_or(&[][..], Vec::as_slice);
        values.iter().copied().filter(|x| x.is_finite())
    }

    /// All that learning can depend on, as bytes for a fingerprint.
    pub fn told(&self, to: &mut impl FnMut(&[u8])) {
        self.level.iter().for_each(|x| to(&x.to_bits().to_le_bytes()));
        self.seen.iter().for_each(|x| to(&[u8::from(*x)]));
        let Beside {
            promoted,
            plan,
            drivers,
            shelf,
        } = &self.beside;
        for column in [promoted, plan].into_iter().chain(drivers) {
            to(&(column.len() as u64).to_le_bytes());
            column.iter().for_each(|x| to(&x.to_bits().to_le_bytes()));
        }
        shelf.iter().for_each(|x| to(&x.to_le_bytes()));
    }

    /// Whether a promotion ran at step `u`, as known once it had come.
    fn promoted(&self, u: usize) -> f32 {
        let flag = self.beside.promoted.get(u).copied().unwrap_or(0.0);
        f32::from(u8::from(flag > 0.0 || self.planned(u) > 0.0))
    }

    /// Whether one was entered ahead for step `u`.
    fn planned(&self, u: usize) -> f32 {
        let plan = self.beside.plan.get(u).copied().unwrap_or(0.0);
        f32::from(u8::from(plan > 0.0))
    }

    /// Whether a forecast may begin after the first `cut` values.
    pub fn begins(&self, cut: usize, form: &Form) -> bool {
        cut >= form.least_past() && cut <= self.len() && self.unit[cut] > 0.0 && self.seen[cut - 1]
    }

    /// What stands for step `cut + step` before anything is learned.
    fn naive(&self, cut: usize, step: usize, form: &Form) -> f64 {
        self.level[cut - form.back + step % form.back]
    }

    /// Writes the window before `cut`, of which [`Self::begins`] is true.
    pub fn look(
        &self,
        cut: usize,
        form: &Form,
        spread: &Spread,
        phases: &[f32],
        to: &mut Place<'_>,
    ) -> Ground {
        let ground = Ground {
            unit: self.unit[cut],
            last: self.level[cut - 1],
        };
        let window = form.window();
        let inputs = form.inputs();
        for j in 0..window {
            let (block, within) = (j / form.block, j % form.block);
            let input = (block * to.rows + to.row) * inputs + within;
            let at = |channel: usize| input + channel * form.block;
            let Some(u) = (cut + j).checked_sub(window) else {
                to.linear[j] = 0.0;
                (0..form.channels()).for_each(|channel| to.sequence[at(channel)] = 0.0);
                to.sequence[at(1)] = -1.0;
                continue;
            };
            let base = match cut - form.back {
                newest if u < newest => {
                    let behind = (newest - u) % form.back;
                    self.level[newest + (form.back - behind) % form.back]
                }
                _ => ground.last,
            };
            let told = ((self.level[u] - base) / ground.unit).clamp(-FAR, FAR) as f32 / spread.window[j];
            to.linear[j] = told;
            to.sequence[at(0)] = squeezed(told);
            to.sequence[at(1)] = match (u > 0 && self.seen[u - 1], self.seen[u]) {
                (true, true) if self.still[u].0 < self.still[u + 1].0 => 0.0,
                (true, true) => 1.0,
                _ => -1.0,
            };
            let mut next = 2;
            if form.promotions {
                to.sequence[at(next)] = self.promoted(u);
                next += 1;
            }
            for (driver, spread) in self.beside.drivers.iter().zip(&spread.drivers) {
                to.sequence[at(next)] = moved(driver, u, cut - 1, *spread);
                next += 1;
            }
        }
        let (still, steps) = self.still[cut];
        let size = if self.logs { 1.0 } else { ground.last.abs() };
        let relative = (ground.unit / size.max(1e-300)).clamp(1e-6, 1e6).ln();
        let missing = (cut.saturating_sub(window)..cut)
            .filter(|&u| !self.seen[u])
            .count();
        let short = window.saturating_sub(cut);
        to.traits[..TRAITS].copy_from_slice(&[
            (relative as f32 + 4.0) / 2.0,
            still as f32 / steps.max(1) as f32,
            (missing + short) as f32 / window as f32,
        ]);
        // Plans count from the night that could know them.
        let planned = self.beside.plan.get(cut).is_some_and(|first| !first.is_nan());
        let width = form.ahead();
        for step in 0..form.horizon {
            let row = &mut to.ahead[step * width..][..width];
            row[..form.phases].copy_from_slice(
                phases
                    .get(step * form.phases..)
                    .map_or(&[], |p| &p[..form.phases]),
            );
            let mut next = form.phases;
            if form.promotions {
                row[next] = if planned { self.planned(cut + step) } else { 0.0 };
                next += 1;
            }
            for (driver, spread) in self.beside.drivers.iter().zip(&spread.drivers) {
                row[next] = moved(driver, cut + step, cut - 1, *spread);
                next += 1;
            }
        }
        ground
    }

    /// Writes what happened after `cut` before step `until`, in units, with weight 1 where it is known, else 0.
    pub fn happened(
        &self,
        cut: usize,
        until: usize,
        form: &Form,
        ground: Ground,
        values: &mut [f32],
        weights: &mut [f32],
    ) {
        for step in 0..form.horizon {
            let u = cut + step;
            if u < until.min(self.len()) && self.seen[u] {
                let told = (self.level[u] - self.naive(cut, step, form)) / ground.unit;
                values[step] = told.clamp(-FAR, FAR) as f32;
                weights[step] = 1.0;
            } else {
                values[step] = 0.0;
                weights[step] = 0.0;
            }
        }
    }

    /// The price that an answer for step `cut + step` stands for.
    pub fn price(&self, cut: usize, step: usize, form: &Form, ground: Ground, told: f32) -> f64 {
        let level = self.naive(cut, step, form) + f64::from(told) * ground.unit;
        if self.logs { level.exp() } else { level }
    }
}

/// Close to the number itself where that is small, to its logarithm where it is large.
fn squeezed(x: f32) -> f32 {
    x.signum() * x.abs().ln_1p()
}

/// A driver's distance from where it stood; 0 where either is unknown.
fn moved(driver: &[f32], u: usize, from: usize, spread: f32) -> f32 {
    match (driver.get(u), driver.get(from)) {
        (Some(x), Some(y)) if (x - y).is_finite() => squeezed((x - y) / spread),
        _ => 0.0,
    }
}
