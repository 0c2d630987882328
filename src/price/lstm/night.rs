//! What a night does with the network.
//!
//! Two are learned, each for half of the budget of steps. The *past* one knows nothing of the judged origins: it learns from what
//! lies before the oldest of them, and it is what every origin judges. *Tonight's* knows everything there is, and forecasts. Each
//! is kept as it was when it forecast best the newest horizon of what it may know, of which it learns nothing, and each goes on from last
//! night's of its kind, unless that knows more than it may (a night as of an older day) or is of another form. Tonight's has
//! learned from more than the judged one, so the past says rather too little of it than too much.
//!
//! A network needs many examples: with fewer than [`LEAST_SERIES`] series or [`LEAST_MOVES`] changes of price among them a night learns
//! none and says so. At most [`MOST_SERIES`] series of each kind of price are learned from, taken evenly; all are forecast.

use super::form::{DRIVERS, Form, MIDDLE};
use super::kept;
use super::pool::Cut;
use super::seer::{Networks, beside};
use super::window::{FAR, Track};
use super::{Course, Lesson, Network, Phases};
use crate::fit::{Control, FitError, Stopped};
use crate::price::backtest::{ORIGINS, Plan};
use crate::price::profile::{Kind, kind};
use crate::price::series::{Life, constant};
use crate::price::subject::{SHOP, Source, Subject};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Series with a window to learn from that a network needs.
pub const LEAST_SERIES: usize = 50;
/// Changes of price among them that it needs: what stands still shows nothing.
pub const LEAST_MOVES: usize = 50_000;
/// Series of averaged, and of posted, prices that it learns from at the most.
pub const MOST_SERIES: usize = 2000;
/// The learning rate of a network that begins.
const RATE: f64 = 3e-3;
/// Of one that goes on.
const ON: f64 = 1e-3;

/// What a night brings to its network.
#[derive(Debug)]
pub struct Terms<'a> {
    /// Steps of learning, in all.
    pub steps: u64,
    /// Decides first weights and windows.
    pub seed: u64,
    /// Steps forecast.
    pub horizon: usize,
    /// The calendar.
    pub phases: Phases,
    /// The instants of the steps up to the night, the newest first.
    pub instants: &'a [i64],
    /// What last night kept: the past one, and tonight's.
    pub before: [Option<Vec<u8>>; 2],
}

/// One network and how it came about.
#[derive(Debug)]
pub struct Pupil {
    /// The network.
    pub network: Network,
    /// The instant of the newest price that shaped it: that it was chosen by, if not learned from.
    pub until: i64,
    /// Why it did not go on from last night's; `None` where it did.
    pub anew: Option<String>,
    /// How it learned.
    pub course: Course,
}

/// The networks of a night.
#[derive(Debug)]
pub struct Taught {
    /// Judged.
    pub past: Pupil,
    /// Forecasts.
    pub tonight: Pupil,
    phases: Phases,
    /// Series learned from.
    pub series: usize,
    /// Changes of price among them.
    pub moves: usize,
}

impl Taught {
    /// For whoever forecasts.
    pub fn networks(&self) -> Networks<'_> {
        Networks {
            past: &self.past.network,
            tonight: &self.tonight.network,
            phases: &self.phases,
        }
    }

    /// Both as bytes, the past one first: next night goes on from them.
    pub fn bytes(&self) -> [Vec<u8>; 2] {
        [&self.past, &self.tonight].map(|pupil| kept::write(&pupil.network, pupil.until))
    }
}

/// A network, or why there is none.
#[derive(Debug)]
pub enum Lessons {
    /// Learned.
    Taught(Box<Taught>),
    /// Not, for this reason.
    Skipped(String),
}

impl Lessons {
    /// The networks, if there are any.
    pub fn taught(&self) -> Option<&Taught> {
        match self {
            Self::Taught(taught) => Some(taught),
            Self::Skipped(_) => None,
        }
    }
}

/// Steps at which the price changed.
fn moves(values: &[f64]) -> usize {
    let pairs = values
        .windows(2)
        .filter(|pair| !pair[0].is_nan() && !pair[1].is_nan());
    pairs.filter(|pair| !constant(pair)).count()
}

/// Whether a series says anything to learn from.
fn speaks(subject: &Subject, kind: Kind, form: &Form, held: usize) -> bool {
    subject.life == Life::Offered && kind != Kind::Still && subject.values.len() > form.least_past() + held
}

/// Teaches tonight's networks.
///
/// # Errors
/// Stopped by the control; a checkpoint that cannot be kept.
pub fn teach(
    source: &dyn Source,
    plan: &Plan,
    terms: Terms<'_>,
    control: &Control,
) -> Result<Lessons, FitError> {
    let skipped = |why: String| Ok(Lessons::Skipped(why));
    if terms.steps == 0 {
        return skipped("its budget of steps is 0".into());
    }
    let frequency = source.frequency();
    let mut form = Form::new(frequency, terms.horizon);
    form.phases = terms.phases.columns;
    form.shelves = source.groups().count() > SHOP + 2;
    let (held, validated) = (ORIGINS * plan.horizon, plan.horizon);
    let learned = held + validated;
    // (posted or averaged, changes, promotions, drivers) of each series that speaks.
    type Heard = Option<(bool, usize, bool, Vec<String>)>;
    let heard: Vec<Heard> = (0..source.count())
        .into_par_iter()
        .map(|s| {
            control.check()?;
            let subject = source.subject(s);
            let kind = kind(&subject.values);
            let names = subject.outside.iter().map(|(name, _)| name.to_string()).collect();
            Ok(speaks(&subject, kind, &form, learned).then(|| {
                let promotions = subject.promoted.is_some() || subject.plan.is_some();
                (kind == Kind::Posted, moves(&subject.values), promotions, names)
            }))
        })
        .collect::<Result<_, Stopped>>()?;
    let (mut series, mut moves, mut drivers) = (0, 0, BTreeSet::new());
    for (_, count, promotions, names) in heard.iter().flatten() {
        series += 1;
        moves += count;
        form.promotions |= promotions;
        drivers.extend(names.iter().cloned());
    }
    if series < LEAST_SERIES || moves < LEAST_MOVES {
        return skipped(format!(
            "{series} series with {moves} changes of price are long enough to learn from; a network needs {LEAST_SERIES} with \
             {LEAST_MOVES}"
        ));
    }
    form.drivers = drivers.into_iter().take(DRIVERS).collect();
    let mut taken: Vec<usize> = [false, true]
        .into_iter()
        .flat_map(|posted| {
            let of: Vec<usize> = heard
                .iter()
                .enumerate()
                .filter(|(_, heard)| heard.as_ref().is_some_and(|heard| heard.0 == posted))
                .map(|(s, _)| s)
                .collect();
            let stride = of.len().div_ceil(MOST_SERIES).max(1);
            of.into_iter().step_by(stride)
        })
        .collect();
    taken.sort_unstable();
    let posted: Vec<bool> = taken
        .iter()
        .map(|&s| heard[s].as_ref().is_some_and(|heard| heard.0))
        .collect();
    drop(heard);
    let tracks: Vec<Track> = taken
        .par_iter()
        .map(|&s| {
            let subject = source.subject(s);
            let all = subject.values.len();
            Track::new(&subject.values, &form, beside(&subject, &form, all))
        })
        .collect();

    let teach = |which: usize, held: usize, name: &'static str| -> Result<Pupil, FitError> {
        // The newest price that shapes it: those learned from are older, but the horizon behind them chose among its states.
        let until = terms.instants.get(held).copied().unwrap_or(i64::MIN);
        let (mut before, mut anew) = match terms.before[which].as_deref().map(|blob| kept::read(blob, &form))
        {
            None => (None, Some("there was none before".to_owned())),
            Some(Err(error)) => (None, Some(error.to_string())),
            Some(Ok((_, _, knew))) if knew > until => (None, Some("last night's knew too much".to_owned())),
            Some(Ok((params, spread, _))) => (Some((params, spread)), None),
        };
        loop {
            let lesson = Lesson {
                steps: terms.steps.div_ceil(2),
                rate: if anew.is_none() { ON } else { RATE },
                cut: Cut {
                    held,
                    learned: held + validated,
                    validated,
                },
                seed: terms.seed,
                name,
            };
            match Network::learn(
                &form,
                &tracks,
                &posted,
                &terms.phases,
                before.take(),
                &lesson,
                control,
            ) {
                // Numbers beyond measure cannot be learned away: no honest error is larger than the largest difference told.
                Err(FitError::NoFiniteCost { .. }) if anew.is_none() => {
                    anew = Some("last night's makes no sense".to_owned());
                }
                Ok((_, course)) if anew.is_none() && course.loss > FAR => {
                    anew = Some("last night's makes no sense".to_owned());
                }
                learned => {
                    let (network, course) = learned?;
                    return Ok(Pupil {
                        network,
                        until,
                        anew,
                        course,
                    });
                }
            }
        }
    };
    let both =
        teach(0, held, "lstm of the past").and_then(|past| Ok((past, teach(1, 0, "lstm of tonight")?)));
    match both {
        Ok((past, tonight)) => Ok(Lessons::Taught(Box::new(Taught {
            past,
            tonight,
            phases: terms.phases,
            series,
            moves,
        }))),
        Err(FitError::Invalid(why)) => skipped(why),
        Err(FitError::NoFiniteCost { .. }) => {
            skipped("it found no finite loss: its prices differ beyond measure".into())
        }
        Err(error) => Err(error),
    }
}

/// How many prices of the judged origins lay between the quantiles 0.1 and 0.9, and how many there were.
///
/// # Errors
/// Stopped by the control.
pub fn covered(
    source: &dyn Source,
    taught: &Taught,
    plan: &Plan,
    control: &Control,
) -> Result<[u64; 2], Stopped> {
    let stride = source.count().div_ceil(2 * MOST_SERIES).max(1);
    let found: Vec<[u64; 2]> = (0..source.count())
        .into_par_iter()
        .step_by(stride)
        .map(|s| {
            control.check()?;
            let subject = source.subject(s);
            let mut counts = [0; 2];
            if kind(&subject.values) == Kind::Still {
                return Ok(counts);
            }
            let networks = taught.networks();
            let seer = networks.of(&subject, false);
            for k in 1..=ORIGINS {
                let Some(cut) = subject.values.len().checked_sub(k * plan.horizon) else {
                    break;
                };
                let future = &subject.values[cut..cut + plan.horizon];
                for (actual, told) in future.iter().zip(seer.quantiles(cut).into_iter().flatten()) {
                    if !actual.is_nan() {
                        counts[1] += 1;
                        let near = 1e-9 * actual.abs();
                        let inside = told[MIDDLE - 1] - near <= *actual && *actual <= told[MIDDLE + 1] + near;
                        counts[0] += u64::from(inside);
                    }
                }
            }
            Ok(counts)
        })
        .collect::<Result<_, Stopped>>()?;
    Ok(found
        .into_iter()
        .fold([0; 2], |sum, own| [sum[0] + own[0], sum[1] + own[1]]))
}
