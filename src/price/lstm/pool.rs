//! What the network learns from: series of the whole shop, and windows drawn from them.
//!
//! Windows are drawn as if every series were as long as the others, and, where the shop has both, half of them from averaged
//! and half from posted prices: what stands still needs no more to be learned from for being frequent. An epoch is
//! [`BATCHES`] batches. The loss that decides is that of the newest horizon before the cut, of which no batch knows anything.

use super::form::Form;
use super::net::{Batch, Net, Work};
use super::window::{Place, Track};
use crate::fit::{Gradient, Stochastic};
use crate::neural::random::dice;

/// Batches of an epoch.
pub const BATCHES: u64 = 50;
/// Windows of a batch.
pub const ROWS: usize = 64;
/// Windows that validate, at the most.
const VALIDATED: usize = 768;
/// Windows validated together.
const TOGETHER: usize = 128;

/// Series to learn from, up to a step that lies `held` steps before the end of each.
#[derive(Debug)]
pub struct Pool<'a> {
    form: &'a Form,
    net: &'a Net,
    tracks: &'a [Track],
    /// Averaged prices, then posted ones; those that have a window to learn from.
    kinds: [Vec<u32>; 2],
    /// Steps at the end of each series that are not looked at.
    held: usize,
    /// Steps before those that validate.
    kept: usize,
    /// What is known of the calendar, by steps from the newest: see [`super::Phases`].
    phases: &'a super::Phases,
    /// Spread of each place of the window, and of each step ahead.
    spread: [Vec<f32>; 2],
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
        phases: &'a super::Phases,
        held: usize,
        kept: usize,
        seed: u64,
    ) -> Self {
        let mut kinds = [Vec::new(), Vec::new()];
        for (s, track) in tracks.iter().enumerate() {
            let until = track.len().saturating_sub(held + kept);
            if (form.least_past()..until).any(|cut| track.begins(cut, form)) {
                kinds[usize::from(posted[s])].push(s as u32);
            }
        }
        Self {
            form,
            net,
            tracks,
            kinds,
            held,
            kept,
            phases,
            spread: [vec![1.0; form.window()], vec![1.0; form.horizon]],
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

    /// Spreads of the window's places and of the steps ahead, as told by `rows` windows.
    pub fn measure(&mut self, rows: usize) -> [Vec<f32>; 2] {
        let batch = self.drawn(rows);
        let spread = [
            super::start::spreads(&batch.linear, None, self.form.window()),
            super::start::spreads(&batch.happened, Some(&batch.weights), self.form.horizon),
        ];
        self.spread = spread.clone();
        spread
    }

    /// Takes spreads that were measured before.
    pub fn spread_as(&mut self, spread: [Vec<f32>; 2]) {
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
        for row in 0..rows {
            let both = self.kinds.iter().all(|kind| !kind.is_empty());
            let kind = match both {
                true => &self.kinds[row % 2],
                false => self.kinds.iter().find(|kind| !kind.is_empty()).unwrap_or(&self.kinds[0]),
            };
            let s = kind[dice.usize(..kind.len())] as usize;
            let track = &self.tracks[s];
            let until = track.len() - self.held - self.kept;
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
            traits: &mut batch.traits[row * super::form::TRAITS..][..super::form::TRAITS],
            ahead: &mut batch.ahead[row * horizon * known..][..horizon * known],
        };
        let phases = self.phases.from(track.len() - cut);
        let ground = track.look(cut, form, &self.spread[0], phases, &mut place);
        let happened = &mut batch.happened[row * horizon..][..horizon];
        let weights = &mut batch.weights[row * horizon..][..horizon];
        track.happened(cut, until, form, ground, happened, weights);
        for ((value, weight), spread) in happened.iter_mut().zip(weights).zip(&self.spread[1]) {
            *value /= spread;
            // The loss counts in units of the series, the same for all steps.
            *weight *= spread;
        }
        batch.shelves[2 * row..][..2].copy_from_slice(&track.shelf);
    }

    /// Lays the validating windows: the last `kept` steps before those held, of series spread evenly over all.
    pub fn lay_validation(&mut self) {
        let all: Vec<u32> = {
            let mut all: Vec<u32> = self.kinds.iter().flatten().copied().collect();
            all.sort_unstable();
            all
        };
        let stride = all.len().div_ceil(VALIDATED).max(1);
        let taken: Vec<(usize, usize)> = all
            .iter()
            .step_by(stride)
            .map(|s| *s as usize)
            .map(|s| (s, self.tracks[s].len() - self.held - self.kept))
            .filter(|(s, cut)| self.tracks[*s].begins(*cut, self.form))
            .collect();
        self.validation = taken
            .chunks(TOGETHER)
            .map(|windows| {
                let mut batch = Batch::default();
                batch.resize(windows.len(), self.form);
                for (row, (s, cut)) in windows.iter().enumerate() {
                    let until = self.tracks[*s].len() - self.held;
                    self.put(&mut batch, row, *s, *cut, until);
                }
                batch
            })
            .collect();
    }
}

impl Stochastic for Pool<'_> {
    fn batches(&self) -> u64 {
        BATCHES
    }

    fn batch(&mut self, params: &[f32], epoch: u64, number: u64, gradient: &mut Gradient) -> f64 {
        let mut batch = std::mem::take(&mut self.batch);
        self.draw(&mut batch, ROWS, epoch, number);
        let loss = self.net.learn(params, self.form, &batch, &mut self.work, gradient);
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
