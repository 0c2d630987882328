//! How well units are foretold: windows of eight weeks at the end of the past, each forecast from the weeks before it.
//!
//! The newest window is the judge: nothing is chosen on it. The four before it choose the settings, one question at a
//! time (season? feasts? trend? rivals? how old may a week be? how strong a pool?), and an answer other than the usual
//! one is taken only when it is at least one percent better on their average, because four windows are few. The error
//! is WAPE, `sum |units - forecast| / sum units` over all products and weeks on sale, with the weeks' own prices,
//! promotions and drivers taken as known, beside what needs no model: the last week, the median of eight weeks, the
//! median of all.
//!
//! Totals of four weeks, with what rivals do *not* known, give the widths of [`super::whatif`]'s intervals.

use super::block::Kind;
use super::columns::{Choice, Knowledge};
use super::panel::Panel;
use super::pooled::{Model, Settings};
use super::weeks::AHEAD;
use crate::fit::{Control, Stopped};
use rayon::prelude::*;

/// Weeks of a window.
pub const WINDOW: usize = 8;
/// Windows that choose, besides the one that judges.
pub const CHOOSING: usize = 4;
/// Weeks of history a window needs before it.
pub const BEFORE: usize = 16;
/// Rows on which settings are chosen: larger shops choose on a sample of their products.
const ROWS_TO_CHOOSE: usize = 120_000;
/// An answer must be this much better than the usual one.
const MARGIN: f64 = 0.01;

/// The usual settings.
pub const USUAL: Settings = Settings {
    choice: Choice {
        season: 0,
        feasts: false,
        trend: false,
        rivals: true,
    },
    half_life: 52.0,
    shrink: 300.0,
};

/// The other answers, one question after another.
fn alternatives() -> [fn(Settings) -> Settings; 8] {
    [
        |s| Settings {
            half_life: f64::INFINITY,
            ..s
        },
        |s| Settings {
            choice: Choice {
                rivals: false,
                ..s.choice
            },
            ..s
        },
        |s| Settings {
            choice: Choice {
                season: 1,
                ..s.choice
            },
            ..s
        },
        |s| Settings {
            choice: Choice {
                season: 2,
                ..s.choice
            },
            ..s
        },
        |s| Settings {
            choice: Choice {
                feasts: true,
                ..s.choice
            },
            ..s
        },
        |s| Settings {
            choice: Choice {
                trend: true,
                ..s.choice
            },
            ..s
        },
        |s| Settings { shrink: 1000.0, ..s },
        |s| Settings { shrink: 100.0, ..s },
    ]
}

/// Sums of absolute errors over products and weeks, and of units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Errors {
    /// Of the regression.
    pub demand: f64,
    /// Of the last week.
    pub last: f64,
    /// Of the typical week of eight.
    pub typical8: f64,
    /// Of the typical week of all.
    pub typical: f64,
    /// Units sold.
    pub units: f64,
    /// Products and weeks.
    pub observations: u64,
}

impl Errors {
    /// Adds the sums of others.
    pub fn add(&mut self, other: &Errors) {
        self.demand += other.demand;
        self.last += other.last;
        self.typical8 += other.typical8;
        self.typical += other.typical;
        self.units += other.units;
        self.observations += other.observations;
    }

    /// An error as WAPE; `None` where nothing was sold.
    pub fn wape(&self, error: f64) -> Option<f64> {
        (self.units > 0.0).then(|| error / self.units)
    }

    /// The error of the best answer without a model.
    pub fn naive(&self) -> f64 {
        self.last.min(self.typical8).min(self.typical)
    }
}

/// Four weeks of one product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Total {
    /// Units expected.
    pub expected: f64,
    /// Units sold.
    pub sold: f64,
    /// Units of the four weeks on sale before the window.
    pub before: f64,
}

/// One window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trial {
    /// Week by week.
    pub errors: Errors,
    /// Four weeks at a time.
    pub totals: Vec<Total>,
}

/// Items of a kind as of week `until` that are on sale after it.
pub fn members(panel: &Panel, kind: Kind, until: usize) -> Vec<usize> {
    let of = |item: &super::panel::Item| Kind::of(item, until) == Some(kind);
    (0..panel.items.len())
        .into_par_iter()
        .filter(|&i| of(&panel.items[i]))
        .collect()
}

/// Fits on the weeks before `until`, forecasts the eight from it.
///
/// # Errors
/// Stopped by the control.
pub fn trial(
    panel: &Panel,
    members: &[usize],
    kind: Kind,
    settings: Settings,
    until: usize,
    control: &Control,
) -> Result<Option<Trial>, Stopped> {
    let Some(model) = Model::fit(panel, members, kind, settings, until, control)? else {
        return Ok(None);
    };
    let of_items: Vec<Trial> = members
        .par_iter()
        .enumerate()
        .with_min_len(32)
        .map(|(slot, &i)| of_item(panel, &model, i, slot, until).unwrap_or_default())
        .collect();
    let mut all = Trial::default();
    for one in of_items {
        all.errors.add(&one.errors);
        all.totals.extend(one.totals);
    }
    Ok((all.errors.observations > 0).then_some(all))
}

fn of_item(panel: &Panel, model: &Model, item: usize, slot: usize, until: usize) -> Option<Trial> {
    let item = &panel.items[item];
    let window: Vec<usize> = (until..(until + WINDOW).min(panel.weeks.past()))
        .filter(|&week| item.week(week).on_sale())
        .collect();
    if window.is_empty() {
        return None;
    }
    let mut past: Vec<f64> = item
        .on_sale(until)
        .map(|(_, week)| f64::from(week.units))
        .collect();
    let last = *past.last()?;
    let before: f64 = past.iter().rev().take(AHEAD).sum();
    let newest = past.len().saturating_sub(WINDOW);
    let typical8 = typical(model.kind, &mut past[newest..].to_vec());
    let typical = typical(model.kind, &mut past);
    let forecast = |knowledge| model.forecast(panel, item, slot, window.iter().copied(), knowledge);
    let mut trial = Trial::default();
    for (&week, log) in window.iter().zip(forecast(Knowledge::AsItWas)?) {
        let units = f64::from(item.week(week).units);
        trial.errors.add(&Errors {
            demand: (units - log.exp()).abs(),
            last: (units - last).abs(),
            typical8: (units - typical8).abs(),
            typical: (units - typical).abs(),
            units,
            observations: 1,
        });
    }
    let expected = forecast(Knowledge::OthersAsOf(until))?;
    let smear = model.items[slot].as_ref()?.smear;
    for half in [until, until + AHEAD] {
        let weeks = || {
            window
                .iter()
                .enumerate()
                .filter(|(_, week)| (half..half + AHEAD).contains(week))
        };
        if weeks().count() == AHEAD {
            trial.totals.push(Total {
                expected: smear * weeks().map(|(i, _)| expected[i].exp()).sum::<f64>(),
                sold: weeks().map(|(_, &week)| f64::from(item.week(week).units)).sum(),
                before,
            });
        }
    }
    Some(trial)
}

/// The median of steady weeks, the mean of slow ones; 0 of nothing.
fn typical(kind: Kind, weeks: &mut [f64]) -> f64 {
    weeks.sort_by(f64::total_cmp);
    match (kind, weeks.len()) {
        (_, 0) => 0.0,
        (Kind::Slow, n) => weeks.iter().sum::<f64>() / n as f64,
        (Kind::Steady, n) if n % 2 == 1 => weeks[n / 2],
        (Kind::Steady, n) => (weeks[n / 2 - 1] + weeks[n / 2]) / 2.0,
    }
}

/// What the windows found for one kind of products.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    /// The settings the choosing windows chose.
    pub settings: Settings,
    /// The newest window, not used to choose.
    pub judging: Trial,
    /// The windows that chose, newest first, with the chosen settings.
    pub choosing: Vec<Trial>,
}

impl Trials {
    /// Whether the regression foretold units better than the best answer without a model, over all windows.
    pub fn trusted(&self) -> bool {
        let mut sum = self.judging.errors;
        for trial in &self.choosing {
            sum.add(&trial.errors);
        }
        sum.demand < sum.naive()
    }

    /// The totals of all windows, window by window.
    pub fn totals(&self) -> Vec<&[Total]> {
        let all = [&self.judging].into_iter().chain(&self.choosing);
        all.map(|trial| trial.totals.as_slice()).collect()
    }
}

/// Chooses settings and measures them; `None` with too little history for a window.
///
/// # Errors
/// Stopped by the control.
pub fn trials(panel: &Panel, kind: Kind, control: &Control) -> Result<Option<Trials>, Stopped> {
    let past = panel.weeks.past();
    let oldest = panel.items.iter().map(|item| item.from).min().unwrap_or(past);
    let cut = |window: usize| {
        past.checked_sub(WINDOW * (window + 1))
            .filter(|cut| *cut >= oldest + BEFORE)
    };
    // Larger shops: every n-th product, whoever its neighbours are.
    let sampled = |until: usize| {
        let all = members(panel, kind, until);
        let rows: usize = all.iter().map(|&i| panel.items[i].on_sale(until).count()).sum();
        let every = rows.div_ceil(ROWS_TO_CHOOSE).max(1);
        all.into_iter().step_by(every).collect::<Vec<usize>>()
    };
    let windows: Vec<(usize, Vec<usize>)> = (1..=CHOOSING)
        .filter_map(cut)
        .map(|until| (until, sampled(until)))
        .filter(|(_, members)| !members.is_empty())
        .collect();
    let measure = |settings: Settings| -> Result<Vec<Option<Trial>>, Stopped> {
        windows
            .iter()
            .map(|(until, members)| trial(panel, members, kind, settings, *until, control))
            .collect()
    };
    let mut settings = USUAL;
    let mut chosen = measure(settings)?;
    for (i, other) in alternatives().iter().enumerate() {
        control.progress("demand: settings", i as u64, alternatives().len() as u64);
        if other(settings) == settings {
            continue;
        }
        let tried = measure(other(settings))?;
        let ratios: Vec<f64> = tried
            .iter()
            .zip(&chosen)
            .filter_map(|(tried, chosen)| Some((tried.as_ref()?, chosen.as_ref()?)))
            .filter(|(_, chosen)| chosen.errors.demand > 0.0)
            .map(|(tried, chosen)| tried.errors.demand / chosen.errors.demand)
            .collect();
        let better = ratios.iter().sum::<f64>() < (1.0 - MARGIN) * ratios.len() as f64;
        if ratios.len() == windows.len() && better {
            settings = other(settings);
            chosen = tried;
        }
    }
    let Some(until) = cut(0) else { return Ok(None) };
    let judges = members(panel, kind, until);
    let judging = trial(panel, &judges, kind, settings, until, control)?;
    Ok(judging.map(|judging| Trials {
        settings,
        judging,
        choosing: chosen.into_iter().flatten().collect(),
    }))
}
