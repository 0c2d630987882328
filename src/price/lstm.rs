//! One network over all series of the shop: an LSTM whose answers for all steps ahead come at once, as quantiles.

pub mod form;
pub mod net;
pub mod pool;
pub mod start;
pub mod window;

use self::form::{Form, MIDDLE, QUANTILES, TRAITS};
use self::net::{Batch, Net, Work};
use self::pool::Pool;
use self::window::{Place, Track};
use crate::fit::{Adam, Control, Fall, FitError, Schedule, adam};

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
    /// The rows from the step on that has `offset` steps of the past at and after it.
    pub fn from(&self, offset: usize) -> &[f32] {
        let row = self.past.saturating_sub(offset);
        self.values.get(row * self.columns..).unwrap_or_default()
    }
}

/// A network that has learned.
#[derive(Debug)]
pub struct Network {
    /// Its shape.
    pub form: Form,
    pub(crate) net: Net,
    /// Its parameters.
    pub params: Vec<f32>,
    /// Spreads of the window's places and of the steps ahead.
    pub spread: [Vec<f32>; 2],
}

/// Steps and pace of learning.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Steps.
    pub steps: u64,
    /// The full learning rate.
    pub rate: f64,
    /// Share of the rate at the end.
    pub floor: f64,
}

/// Windows that tell spreads and the ridge.
pub const FIRST: usize = 16_384;

impl Network {
    /// Learns over `tracks`.
    pub fn learn(
        form: &Form,
        tracks: &[Track],
        posted: &[bool],
        phases: &Phases,
        held: usize,
        kept: usize,
        before: Option<(Vec<f32>, [Vec<f32>; 2])>,
        budget: Budget,
        seed: u64,
        control: &Control,
    ) -> Result<(Self, f64, f64), FitError> {
        let net = Net::new(form);
        let mut pool = Pool::new(form, &net, tracks, posted, phases, held, kept, seed);
        let (params, spread) = match before {
            Some((params, spread)) => {
                pool.spread_as(spread.clone());
                (params, spread)
            }
            None => {
                let spread = pool.measure(FIRST);
                let batch = pool.drawn(FIRST);
                let mut params = net.init(seed);
                start::ridge(&net, form, &batch, &mut params);
                (params, spread)
            }
        };
        if budget.steps == 0 {
            return Ok((
                Self {
                    form: form.clone(),
                    net,
                    params,
                    spread,
                },
                0.0,
                0.0,
            ));
        }
        pool.lay_validation();
        let options = Adam {
            rate: budget.rate,
            schedule: Schedule {
                warm_up: 50,
                fall: Fall::Cosine(budget.floor),
            },
            clip: Some(1.0),
            max_epochs: u64::MAX / 1000,
            max_steps: Some(budget.steps),
            ..Adam::default()
        };
        let learned = adam(&mut pool, params, &options, control)?;
        if std::env::var("EPOCHS").is_ok() {
            for (i, epoch) in learned.epochs.iter().enumerate().step_by(10) {
                eprintln!("{i} {:.4} {:.4}", epoch.training, epoch.validation);
            }
        }
        Ok((
            Self {
                form: form.clone(),
                net,
                params: learned.params,
                spread,
            },
            learned.start,
            learned.loss,
        ))
    }

    /// The forecasts of one series after `cut`: steps by quantiles, ascending at each step.
    pub fn forecast(
        &self,
        track: &Track,
        cut: usize,
        phases: &Phases,
        work: &mut Work,
    ) -> Option<Vec<[f64; QUANTILES.len()]>> {
        let form = &self.form;
        if !track.begins(cut, form) {
            return None;
        }
        let mut batch = Batch::default();
        batch.resize(1, form);
        let mut place = Place {
            sequence: &mut batch.sequence,
            row: 0,
            rows: 1,
            linear: &mut batch.linear,
            traits: &mut batch.traits[..TRAITS],
            ahead: &mut batch.ahead,
        };
        let ground = track.look(cut, form, &self.spread[0], phases.from(track.len() - cut), &mut place);
        batch.shelves.copy_from_slice(&track.shelf);
        let answers = self.net.forward(&self.params, form, &batch, work);
        Some(
            answers
                .chunks_exact(QUANTILES.len())
                .enumerate()
                .map(|(step, told)| {
                    let mut told: [f32; 3] = [told[0], told[1], told[2]];
                    let middle = told[MIDDLE];
                    told[0] = told[0].min(middle);
                    told[2] = told[2].max(middle);
                    told.map(|told| track.price(cut, step, form, ground, told * self.spread[1][step]))
                })
                .collect(),
        )
    }
}
