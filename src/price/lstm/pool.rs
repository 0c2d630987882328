//! What the network learns from: series of the whole shop, and windows drawn from them.
//!
//! Windows are drawn as if every series were as long as the others; at most half of them are of posted prices, where there are
//! others: what stands still needs no more to be learned from for being frequent. An epoch is [`BATCHES`] batches. The loss that
//! decides is that of the newest horizon before the cut, of which no batch knows anything.

use super::form::{Form, MIDDLE, QUANTILES};
use super::net::{Batch, Net, Work};
use super::start::spreads;
use super::window::{Place, Spread, Track};
use super::{Phases, form::TRAITS};
use crate::fit::{Gradient, Stochastic};
use crate::neural::random::dice;

/// Batches of an epoch.
pub const BATCHES: u64 = 50;
/// Windows of a batch.
pub const ROWS: usize = 64;
/// The largest share of windows of posted prices, where there are others.
const MOST_POSTED: f64 = 0.5;
/// Windows that validate, at the most.
const VALIDATED: usize = 768;
/// Steps ahead in the validating windows that factors want.
const ENOUGH_TO_CALIBRATE: usize = 500;
/// Windows validated together.
const TOGETHER: usize = 128;

/// How much of each series a lesson sees, in steps before its newest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Nothing of the newest so many steps is seen, neither by batches nor by validation.
    pub held: usize,
    /// Nothing of so many is learned from.
    pub learned: usize,
    /// What happened in the newest so many steps before those held validates.
    pub validated: usize,
}

/// Series to learn from.
#[derive(Debug)]
pub struct Pool<'a> {
    form: &'a Form,
    net: &'a Net,
    tracks: &'a [Track],
    /// Averaged prices, then posted ones; those that have a window to learn from.
    kinds: [Vec<u32>; 2],
    cut: Cut,
    phases: &'a Phases,
    spread: Spread,
    seed: u64,
    batch: Batch,
    work: Work,
    validation: Vec<Batch>,
}

impl<'a> Pool<'a> {
    /// A pool over these tracks; `posted` says which are posted prices.
    pub fn new(
        form: &'a Form,
        net: &'a Net,
        tracks: &'a [Track],
        posted: &[bool],
        phases: &'a Phases,
        cut: Cut,
        seed: u64,
    ) -> Self {
        let mut kinds = [Vec::new(), Vec::new()];
        for (s, track) in tracks.iter().enumerate() {
            let until = track.len().saturating_sub(cut.learned);
            if (form.least_past()..until).any(|cut| track.begins(cut, form)) {
                kinds[usize::from(posted[s])].push(s as u32);
            }
        }
        Self {
            form,
            net,
            tracks,
            kinds,
            cut,
            phases,
            spread: Spread::none(form),
            seed,
            batch: Batch::default(),
            work: Work::default(),
            validation: Vec::new(),
        }
    }

    /// Series with a window to learn from.
    pub fn series(&self) -> usize {
        self.kinds.iter().map(Vec::len).sum()
    }

    /// Numbers of the series with a window to learn from, averaged prices first.
    pub fn taught(&self) -> impl Iterator<Item = usize> + '_ {
        self.kinds.iter().flatten().map(|s| *s as usize)
    }

    /// Takes spreads as told by `rows` windows.
    pub fn measure(&mut self, rows: usize) -> Spread {
        let batch = self.drawn(rows);
        let drivers = (0..self.form.drivers.len())
            .map(|d| {
                let values: Vec<f32> = self.taught().flat_map(|s| self.tracks[s].driver(d)).collect();
                let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / values.len().max(1) as f64;
                let centred: Vec<f32> = values.iter().map(|x| (f64::from(*x) - mean) as f32).collect();
                spreads(&centred, None, 1)[0]
            })
            .collect();
        self.spread = Spread {
            window: spreads(&batch.linear, None, self.form.window()),
            ahead: spreads(&batch.happened, Some(&batch.weights), self.form.horizon),
            drivers,
            band: [1.0; 2],
        };
        self.spread.clone()
    }

    /// Takes spreads that were measured before.
    pub fn spread_as(&mut self, spread: Spread) {
        self.spread = spread;
    }

    /// `rows` windows at once, for the start.
    pub fn drawn(&mut self, rows: usize) -> Batch {
        let mut batch = Batch::default();
        self.draw(&mut batch, rows, u64::MAX, 0);
        batch
    }

    fn draw(&self, batch: &mut Batch, rows: usize, epoch: u64, number: u64) {
        let mut dice = dice(self.seed, epoch, number);
        batch.resize(rows, self.form);
        let posted = match self.kinds.each_ref().map(Vec::len) {
            [0, _] => 1.0,
            [averaged, posted] => (posted as f64 / (averaged + posted) as f64).min(MOST_POSTED),
        };
        for row in 0..rows {
            let kind = &self.kinds[usize::from(dice.f64() < posted)];
            let s = kind[dice.usize(..kind.len())] as usize;
            let track = &self.tracks[s];
            let until = track.len() - self.cut.learned;
            let first = self.form.least_past();
            // Some origin begins: the kinds were made so. The first one from a drawn place on, around the end.
            let drawn = first + dice.usize(..until - first);
            let cut = (drawn..until)
                .chain(first..drawn)
                .find(|cut| track.begins(*cut, self.form))
                .unwrap_or(drawn);
            self.put(batch, row, s, cut, until);
        }
    }

    fn put(&self, batch: &mut Batch, row: usize, s: usize, cut: usize, until: usize) {
        let (form, track) = (self.form, &self.tracks[s]);
        let (window, horizon, known) = (form.window(), form.horizon, form.ahead());
        let mut place = Place {
            sequence: &mut batch.sequence,
            row,
            rows: batch.rows,
            linear: &mut batch.linear[row * window..][..window],
            traits: &mut batch.traits[row * TRAITS..][..TRAITS],
            ahead: &mut batch.ahead[row * horizon * known..][..horizon * known],
        };
        let phases = self.phases.from(track.len() - cut);
        let ground = track.look(cut, form, &self.spread, phases, &mut place);
        let happened = &mut batch.happened[row * horizon..][..horizon];
        let weights = &mut batch.weights[row * horizon..][..horizon];
        track.happened(cut, until, form, ground, happened, weights);
        for ((value, weight), spread) in happened.iter_mut().zip(weights).zip(&self.spread.ahead) {
            *value /= spread;
            // The loss counts in units of the series, the same for all steps.
            *weight *= spread;
        }
        batch.shelves[2 * row..][..2].copy_from_slice(&track.shelf());
    }

    /// Lays the validating windows, of series spread evenly over all. Says how many prices they have to meet.
    pub fn lay_validation(&mut self) -> usize {
        let mut all: Vec<usize> = self.taught().collect();
        all.sort_unstable();
        let stride = all.len().div_ceil(VALIDATED).max(1);
        let begin = |s: usize| {
            self.tracks[s]
                .len()
                .saturating_sub(self.cut.held + self.cut.validated)
        };
        let taken: Vec<(usize, usize)> = all
            .into_iter()
            .step_by(stride)
            .map(|s| (s, begin(s)))
            .filter(|(s, cut)| self.tracks[*s].begins(*cut, self.form))
            .collect();
        self.validation = taken
            .chunks(TOGETHER)
            .map(|windows| {
                let mut batch = Batch::default();
                batch.resize(windows.len(), self.form);
                for (row, (s, cut)) in windows.iter().enumerate() {
                    let until = self.tracks[*s].len() - self.cut.held;
                    self.put(&mut batch, row, *s, *cut, until);
                }
                batch
            })
            .collect();
        let weights = self.validation.iter().flat_map(|batch| &batch.weights);
        weights.filter(|weight| **weight > 0.0).count()
    }
}

impl Pool<'_> {
    /// The factors by which the outer quantiles' distances from the middle one would have let a tenth of what happened in the
    /// validating windows lie beyond each, halved in logarithms towards 1: one horizon is one draw of the shop's fortune
    /// (conformalised quantile regression, Romano, Patterson and Candes, NeurIPS 32, 2019, with distances for scores).
    pub fn calibrate(&mut self, params: &[f32]) -> [f32; 2] {
        let mut beyond = [Vec::new(), Vec::new()];
        for batch in &self.validation {
            let answers = self.net.forward(params, self.form, batch, &mut self.work);
            let told = answers.chunks_exact(QUANTILES.len());
            for ((told, happened), weight) in told.zip(&batch.happened).zip(&batch.weights) {
                if *weight > 0.0 {
                    for (side, outer) in [MIDDLE - 1, MIDDLE + 1].into_iter().enumerate() {
                        let distance = told[outer] - told[MIDDLE];
                        let right = if side == 0 { distance < 0.0 } else { distance > 0.0 };
                        if right {
                            beyond[side].push((happened - told[MIDDLE]) / distance);
                        }
                    }
                }
            }
        }
        beyond.map(|mut ratios| {
            if ratios.len() < ENOUGH_TO_CALIBRATE {
                return 1.0;
            }
            ratios.sort_unstable_by(f32::total_cmp);
            let at = ((ratios.len() - 1) as f64 * f64::from(QUANTILES[MIDDLE + 1])).round() as usize;
            ratios[at].clamp(0.25, 4.0).sqrt()
        })
    }
}

impl Stochastic for Pool<'_> {
    fn batches(&self) -> u64 {
        BATCHES
    }

    fn batch(&mut self, params: &[f32], epoch: u64, number: u64, gradient: &mut Gradient) -> f64 {
        let mut batch = std::mem::take(&mut self.batch);
        self.draw(&mut batch, ROWS, epoch, number);
        let loss = self
            .net
            .learn(params, self.form, &batch, &mut self.work, gradient);
        self.batch = batch;
        loss
    }

    fn validate(&mut self, params: &[f32]) -> f64 {
        let (mut sum, mut weight) = (0.0, 0.0);
        for batch in &self.validation {
            let own: f64 = batch.weights.iter().map(|w| f64::from(*w)).sum();
            sum += own * self.net.loss(params, self.form, batch, &mut self.work);
            weight += own;
        }
        sum / weight
    }
}
