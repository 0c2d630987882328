//! The network over all series, in the night: its calendar, what last night kept of it, what the scores say of it.
//!
//! [`crate::price::lstm`] learns and forecasts; here it gets its surroundings. Its two networks are artefacts of the
//! generation, so that the next night goes on from them, and a rollback rolls them back too.

use super::collect::Prepared;
use super::local::Local;
use crate::neural::random::mix;
use crate::pipeline::Night;
use crate::pipeline::options::PriceOptions;
use crate::price::backtest::{ORIGINS, Plan};
use crate::price::calendar::Calendar;
use crate::price::combine::Admission;
use crate::price::frequency::Frequency;
use crate::price::lstm::Phases;
use crate::price::lstm::night::{Lessons, Pupil, Taught, Terms, covered, teach};
use crate::price::lstm::seer::Networks;
use crate::price::subject::{Groups, Source, Subject};
use crate::store::{self, GenerationWriter, Score};
use anyhow::Result;
use std::f64::consts::TAU;

/// The names of its artefacts.
const ARTEFACTS: [&str; 2] = ["lstm of the past", "lstm of tonight"];
/// Their version, beside that in their own header.
const FORMAT: i64 = 1;
const DAY: i64 = 86_400;

/// The series, with the night's networks.
pub(super) struct Seeing<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) lessons: &'a Lessons,
}

impl Source for Seeing<'_> {
    fn count(&self) -> usize {
        self.prepared.count()
    }

    fn subject(&self, s: usize) -> Subject {
        self.prepared.subject(s)
    }

    fn groups(&self) -> &Groups {
        self.prepared.groups()
    }

    fn frequency(&self) -> Frequency {
        self.prepared.frequency()
    }

    fn networks(&self) -> Option<Networks<'_>> {
        self.lessons.taught().map(Taught::networks)
    }
}

/// Teaches the night's networks, or says why not.
pub(super) fn learn(
    prepared: &Prepared,
    plan: &Plan,
    options: &PriceOptions,
    night: &Night<'_>,
) -> Result<Lessons> {
    let mut before = [None, None];
    if let Some(published) = night.shop.published(super::FAMILY)? {
        for (before, name) in before.iter_mut().zip(ARTEFACTS) {
            *before = match night.shop.artefact(published.generation, name, FORMAT) {
                // Damaged: no network, as whoever reads it will say.
                Err(store::Error::Artefact { .. }) => Some(Vec::new()),
                found => found?,
            };
        }
    }
    let terms = Terms {
        steps: options.lstm_steps,
        // Another day's draws other windows of the series.
        seed: mix(night.seed, night.as_of.cast_unsigned()),
        horizon: options.horizon.max(1),
        phases: phases(prepared, night),
        instants: &prepared.instants,
        before,
    };
    let control = night.control_with_checkpoints(super::FAMILY)?;
    Ok(teach(prepared, plan, terms, &control)?)
}

/// Where each step stands in its day, its week and its year, as far as its series can tell: sine and cosine of each.
fn phases(prepared: &Prepared, night: &Night<'_>) -> Phases {
    let calendar = Local(night.zone);
    let columns = match prepared.frequency {
        Frequency::Hourly | Frequency::Daily => 4,
        Frequency::Weekly | Frequency::Monthly => 2,
    };
    let mut values = Vec::with_capacity((prepared.instants.len() + prepared.ahead.len()) * columns);
    let past = prepared
        .instants
        .iter()
        .rev()
        .map(|&at| (at, calendar.day_of(at)));
    for (at, day) in past.chain(prepared.ahead.iter().copied()) {
        let week = f64::from((day + 3).rem_euclid(7)) / 7.0;
        let year = f64::from(day) / 365.2425;
        let hour = night.second_of_day(at) as f64 / DAY as f64;
        let turns: &[f64] = match prepared.frequency {
            Frequency::Hourly => &[hour, week],
            Frequency::Daily => &[week, year],
            Frequency::Weekly | Frequency::Monthly => &[year],
        };
        for turn in turns {
            let (sine, cosine) = (turn * TAU).sin_cos();
            values.extend([sine as f32, cosine as f32]);
        }
    }
    Phases {
        values,
        columns,
        past: prepared.instants.len(),
    }
}

/// Keeps both networks with the generation.
pub(super) fn keep(lessons: &Lessons, generation: &mut GenerationWriter<'_>) -> Result<()> {
    if let Some(taught) = lessons.taught() {
        for (name, bytes) in ARTEFACTS.iter().zip(taught.bytes()) {
            generation.artefact(name, FORMAT, &bytes)?;
        }
    }
    Ok(())
}

fn score(model: &str, metric: &str, value: Option<f64>, split: String, chosen: bool) -> Score {
    Score {
        result: "price_forecasts",
        model: model.to_owned(),
        slice: String::new(),
        metric: metric.to_owned(),
        value,
        lo90: None,
        hi90: None,
        split,
        chosen,
    }
}

/// Why there is no network; or how far it learned, how its own bounds fared, and what it did for the combination.
pub(super) fn scores(
    prepared: &Prepared,
    lessons: &Lessons,
    admission: Option<&Admission>,
    plan: &Plan,
    night: &Night<'_>,
) -> Result<Vec<Score>> {
    let taught = match lessons {
        Lessons::Taught(taught) => taught,
        Lessons::Skipped(why) => {
            return Ok(vec![score(
                "lstm",
                "steps",
                Some(0.0),
                format!("skipped: {why}"),
                false,
            )]);
        }
    };
    let told = |pupil: &Pupil| match &pupil.anew {
        None => "went on from last night's".to_owned(),
        Some(why) => format!("begun anew: {why}"),
    };
    let steps = [&taught.past, &taught.tonight].map(|pupil| pupil.course.steps);
    let mut scores = vec![score(
        "lstm",
        "steps",
        Some(steps.iter().sum::<u64>() as f64),
        format!(
            "{} changes of {} prices; the judged one {}, tonight's {}",
            taught.moves,
            taught.series,
            told(&taught.past),
            told(&taught.tonight)
        ),
        admission.is_some_and(|admission| admission.joined),
    )];
    let split = format!(
        "{ORIGINS} past nights, {} {} steps each",
        plan.horizon,
        prepared.frequency.name()
    );
    let [inside, all] = covered(
        &Seeing { prepared, lessons },
        taught,
        plan,
        &night.control.quiet(),
    )?;
    let share = (all > 0).then(|| inside as f64 / all as f64);
    scores.push(score("lstm", "coverage80", share, split.clone(), false));
    if let Some(admission) = admission {
        let (with, without) = admission.means();
        let joined = admission.joined;
        scores.push(score(
            "combination with lstm",
            "mase",
            Some(with),
            split.clone(),
            joined,
        ));
        scores.push(score(
            "combination without lstm",
            "mase",
            Some(without),
            split,
            !joined,
        ));
    }
    Ok(scores)
}

/// The network's part in the night, for its sentence; nothing where there is none.
pub(super) fn summary(lessons: &Lessons, admission: Option<&Admission>) -> String {
    match (lessons, admission) {
        (Lessons::Taught(_), Some(admission)) => {
            let (with, without) = admission.means();
            let verdict = if admission.joined {
                "joined"
            } else {
                "did not join"
            };
            format!("; the network {verdict} the combination (error {with:.3} with it, {without:.3} without)")
        }
        _ => String::new(),
    }
}
