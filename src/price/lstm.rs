//! One network over all series of the shop: an LSTM that answers for all steps ahead at once, as quantiles.
//!
//! A network per series is hopeless (one such entry came 55th of 59 in the M4 competition): a series is too short. One network over
//! all of them has as many examples as the shop has prices, and what one series shows serves another. It reads a window of
//! differences in units of the mean step ([`window`]), block by block; a linear map of the same window, begun at the pooled ridge
//! regression ([`start`]), carries most of the answer; the LSTM adds what is not linear, the calendar, promotions, drivers, categories
//! and brands ([`net`]). The answers are the quantiles 0.1, 0.5 and 0.9 of every step ahead, learned by the pinball loss
//! (Wen et al., arXiv 1711.11053); the middle one is the forecast.
//!
//! It is judged as every other model, at past nights that it knows nothing of: one network learns up to the oldest of
//! them, and a second one, which forecasts, from everything ([`night`]). Where the shop's past says that it helps, it joins the
//! combination; where it does not, `scores` says so. Its parameters stay with the published night, and the next one goes on from
//! them.
//!
//! | file | subject |
//! |---|---|
//! | [`form`] | the shape, by the step of the series |
//! | [`window`] | a series as it is read |
//! | [`net`] | the layers, forward and back |
//! | [`start`] | spreads and the pooled ridge |
//! | [`pool`] | which windows it learns from |
//! | [`night`] | what a night does with it |
//! | [`seer`] | the trained network among the other models |
//! | [`kept`] | as bytes, until the next night |

pub mod form;
pub mod kept;
pub mod net;
pub mod night;
pub mod pool;
pub mod seer;
pub mod start;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_nights;
pub mod window;

use self::form::{Form, MIDDLE, QUANTILES};
use self::net::{Batch, Net, Work};
use self::pool::{Cut, Pool};
use self::window::{Place, Spread, Track};
use crate::fit::{Adam, Checkpoint, Control, Ended, Fall, FitError, Schedule, adam};

/// The calendar around the night: columns of each step, from the oldest looked at to the last one ahead.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Phases {
    /// Row by row.
    pub values: Vec<f32>,
    /// Columns of a row.
    pub columns: usize,
    /// Rows up to the newest step, it included.
    pub past: usize,
}

impl Phases {
    /// The rows from that step on after which `offset` steps of the past follow, it included.
    pub fn from(&self, offset: usize) -> &[f32] {
        let row = self.past.saturating_sub(offset);
        self.values.get(row * self.columns..).unwrap_or_default()
    }
}

/// A network that has learned.
#[derive(Debug, Clone)]
pub struct Network {
    /// Its shape.
    pub form: Form,
    net: Net,
    /// Its parameters.
    pub params: Vec<f32>,
    /// The spreads it was begun with.
    pub spread: Spread,
}

/// A step ahead: the quantiles, ascending.
pub type Quantiles = [f64; QUANTILES.len()];

/// Steps and pace of learning.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// Steps.
    pub steps: u64,
    /// The full learning rate.
    pub rate: f64,
    /// What is seen.
    pub cut: Cut,
    /// Decides first weights and windows.
    pub seed: u64,
    /// The name of its checkpoints.
    pub name: &'static str,
}

/// How learning went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// Validation loss at the start, in units.
    pub start: f64,
    /// Validation loss of what was kept.
    pub loss: f64,
    /// Steps made.
    pub steps: u64,
}

/// Windows that tell spreads and the ridge, at the most.
const FIRST: usize = 16_384;
/// Numbers that those windows may fill, 128 MiB: a horizon of a thousand steps with all drivers would fill a gigabyte.
const ROOM: usize = 1 << 25;
/// Gradients are shortened to this.
const CLIP: f64 = 1.0;
/// Steps until the full rate.
const WARM_UP: u64 = 50;
/// Share of the rate at the end.
const FLOOR: f64 = 0.02;

impl Network {
    /// Learns over `tracks`, of which `posted` says which are posted prices; from `before`, or from the pooled ridge.
    ///
    /// # Errors
    /// Stopped; nothing to learn from.
    pub fn learn(
        form: &Form,
        tracks: &[Track],
        posted: &[bool],
        phases: &Phases,
        before: Option<(Vec<f32>, Spread)>,
        lesson: &Lesson,
        control: &Control,
    ) -> Result<(Self, Course), FitError> {
        let net = Net::new(form);
        let mut pool = Pool::new(form, &net, tracks, posted, phases, lesson.cut, lesson.seed);
        if pool.series() == 0 {
            return Err(FitError::Invalid("no series is long enough to learn from".into()));
        }
        let (params, spread) = match before {
            Some((params, spread)) => {
                pool.spread_as(spread.clone());
                (params, spread)
            }
            None => {
                let rows = first_windows(form);
                let spread = pool.measure(rows);
                let batch = pool.drawn(rows);
                let mut params = net.init(lesson.seed);
                start::ridge(&net, form, &batch, &mut params);
                (params, spread)
            }
        };
        if pool.lay_validation() == 0 {
            return Err(FitError::Invalid(
                "no series has a price in the horizon that would check it".into(),
            ));
        }
        let options = Adam {
            rate: lesson.rate,
            schedule: Schedule {
                warm_up: WARM_UP,
                fall: Fall::Cosine(FLOOR),
            },
            clip: Some(CLIP),
            max_epochs: lesson.steps.div_ceil(pool::BATCHES).max(1),
            max_steps: Some(lesson.steps.max(1)),
            checkpoint: control.checkpoints().map(|_| Checkpoint {
                name: lesson.name.to_owned(),
                fingerprint: fingerprint(form, tracks, posted, phases, lesson, &params, &spread),
                every: 1,
            }),
            ..Adam::default()
        };
        let learned = adam(&mut pool, params, &options, control)?;
        debug_assert_ne!(learned.ended, Ended::LineSearch);
        let spread = Spread {
            band: pool.calibrate(&learned.params),
            ..spread
        };
        let course = Course {
            start: learned.start,
            loss: learned.loss,
            steps: learned.steps,
        };
        let network = Self {
            form: form.clone(),
            net,
            params: learned.params,
            spread,
        };
        Ok((network, course))
    }

    /// The forecasts of one series after its first `cut` values, which `offset` steps of the past follow; `None` where it has no unit or
    /// no newest price there. `batch` and `work` are work space.
    pub fn forecast(
        &self,
        track: &Track,
        cut: usize,
        phases: &[f32],
        batch: &mut Batch,
        work: &mut Work,
    ) -> Option<Vec<Quantiles>> {
        let form = &self.form;
        if !track.begins(cut, form) {
            return None;
        }
        batch.resize(1, form);
        let mut place = Place {
            sequence: &mut batch.sequence,
            row: 0,
            rows: 1,
            linear: &mut batch.linear,
            traits: &mut batch.traits,
            ahead: &mut batch.ahead,
        };
        let ground = track.look(cut, form, &self.spread, phases, &mut place);
        batch.shelves.copy_from_slice(&track.shelf());
        let answers = self.net.forward(&self.params, form, batch, work);
        let steps = answers.chunks_exact(QUANTILES.len()).enumerate();
        Some(
            steps
                .map(|(step, told)| {
                    // Quantiles learned one by one may cross; the middle one is right.
                    let mut told: [f32; QUANTILES.len()] = std::array::from_fn(|q| told[q]);
                    let middle = told[MIDDLE];
                    let [below, above] = self.spread.band;
                    told[MIDDLE - 1] = middle + (told[MIDDLE - 1] - middle).min(0.0) * below;
                    told[MIDDLE + 1] = middle + (told[MIDDLE + 1] - middle).max(0.0) * above;
                    told.map(|told| track.price(cut, step, form, ground, told * self.spread.ahead[step]))
                })
                .collect(),
        )
    }
}

/// Windows that tell spreads and the ridge.
fn first_windows(form: &Form) -> usize {
    FIRST.min(ROOM / form.numbers())
}

/// Everything a lesson depends on.
fn fingerprint(
    form: &Form,
    tracks: &[Track],
    posted: &[bool],
    phases: &Phases,
    lesson: &Lesson,
    params: &[f32],
    spread: &Spread,
) -> u128 {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    hash.update(env!("CARGO_PKG_VERSION").as_bytes());
    hash.update(format!("{form:?}{lesson:?}{posted:?}{}", phases.past).as_bytes());
    for values in [
        params,
        &phases.values,
        &spread.window,
        &spread.ahead,
        &spread.drivers,
        &spread.band,
    ] {
        values
            .iter()
            .for_each(|x| hash.update(&x.to_bits().to_le_bytes()));
    }
    tracks
        .iter()
        .for_each(|track| track.told(&mut |bytes| hash.update(bytes)));
    hash.digest128()
}
