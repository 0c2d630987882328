//! The answer for every series, from what the backtest found: the model, the forecast, its interval, and why.

use super::backtest::{Backtest, CLASSES, ENOUGH, ORIGINS, class, screened_out};
use super::choose::{Decision, Standing, decide, standing, standings};
use super::intervals::{OLDER, Widths, around, calibrate, covered, random_walk, width};
use super::model::Fit;
use super::series::{Life, Series, constant};
use crate::fit::{Control, FitError, Stopped};
use rayon::prelude::*;

/// One step ahead, with its intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The forecast.
    pub price: f64,
    /// 80 % from.
    pub lo80: f64,
    /// 80 % to.
    pub hi80: f64,
    /// 95 % from.
    pub lo95: f64,
    /// 95 % to.
    pub hi95: f64,
}

/// The answer for one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// Index of the model.
    pub model: usize,
    /// What it estimated, a JSON object.
    pub parameters: String,
    /// Steps with a price.
    pub observations: usize,
    /// 1 - error / error of the last price over this series' past origins; `None` where that made no error.
    pub skill: Option<f64>,
    /// Share of the newest origin's prices inside the 95 % interval that the older origins would have given.
    pub coverage95: Option<f64>,
    /// Why this model, in plain words.
    pub why: String,
    /// The forecast; empty where a series has ended.
    pub steps: Vec<Step>,
}

/// What the night found out over all series.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlooks {
    /// One per series.
    pub series: Vec<Outlook>,
    /// How each model did over the whole shop.
    pub standings: Vec<Standing>,
    /// How the published mix did.
    pub published: Standing,
    /// Per category: how each model did, and the index of the model its series get.
    pub categories: Vec<(Vec<Standing>, usize)>,
    /// Shares of prices inside the 80 % and 95 % intervals at the newest origin, and how many prices.
    pub coverage: (Option<f64>, Option<f64>, u32),
    /// Series whose chosen model failed on the whole history; the last price stands in.
    pub failed: usize,
}

/// Chooses per category, fits the chosen model to each whole series, and puts intervals around it.
///
/// `category_of[s]` indexes `categories`, whose names appear in the reasons ('' for products without one). The first
/// model is the last price. `horizon` may be longer than that of the backtest.
///
/// # Errors
/// Stopped by the control.
pub fn outlooks(
    series: &[Series],
    category_of: &[usize],
    categories: &[String],
    models: &[Box<dyn Fit>],
    backtests: &[Backtest],
    backtest_horizon: usize,
    horizon: usize,
    control: &Control,
) -> Result<Outlooks, Stopped> {
    let names: Vec<&str> = models.iter().map(|model| model.name()).collect();
    let everything: Vec<usize> = (0..series.len()).collect();
    let shop_standings = standings(backtests, &everything, models.len());
    let shop_decision = decide(&shop_standings, &names, "in the whole shop").unwrap_or_else(|| Decision {
        model: 0,
        why: format!(
            "too few series with a history of {ENOUGH} steps and {ORIGINS} horizons to judge another model"
        ),
    });
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); categories.len()];
    for (s, category) in category_of.iter().enumerate() {
        members[*category].push(s);
    }
    let decisions: Vec<(Vec<Standing>, Decision)> = members
        .par_iter()
        .zip(categories)
        .map(|(members, name)| {
            let place = if name.is_empty() {
                "among products without category".into()
            } else {
                format!("in category '{name}'")
            };
            let standings = standings(backtests, members, models.len());
            let decision = decide(&standings, &names, &place).unwrap_or_else(|| shop_decision.clone());
            (standings, decision)
        })
        .collect();
    let still: Vec<bool> = series.iter().map(|series| screened_out(&series.values)).collect();
    let model_of = |s: usize| {
        if still[s] {
            0
        } else {
            decisions[category_of[s]].1.model
        }
    };

    let widths = |origins: std::ops::Range<usize>| -> (Widths, Vec<Widths>) {
        let of = |class| calibrate(backtests, class, model_of, origins.clone(), backtest_horizon);
        (
            of(None),
            (0..CLASSES)
                .into_par_iter()
                .map(|class| of(Some(class)))
                .collect(),
        )
    };
    let (shop_widths, class_widths) = widths(0..ORIGINS);
    let (shop_older, class_older) = widths(OLDER);

    let quiet = control.quiet();
    let answers: Vec<(Outlook, [u32; 3], bool)> = series
        .par_iter()
        .enumerate()
        .map(|(s, series)| {
            let own = &class_widths[class(&series.values)];
            let mut model = model_of(s);
            let counts = match &backtests[s][0] {
                Some(newest) => covered(newest, model, |step| {
                    width(&class_older[newest.class], &shop_older, step)
                }),
                None => (0, 0, 0),
            };
            let mut why = reason(series, &decisions[category_of[s]].1);
            let (mut steps, mut parameters, mut failed) = (Vec::new(), "{}".to_owned(), false);
            if series.life == Life::Offered {
                let mut answer = fitted(models[model].as_ref(), &series.values, horizon, &quiet)?;
                if answer.is_none() && model != 0 {
                    failed = true;
                    why = format!(
                        "{} could not be fitted to this series, so the last price stands in",
                        names[model]
                    );
                    model = 0;
                    answer = fitted(models[0].as_ref(), &series.values, horizon, &quiet)?;
                }
                if let Some((prices, found)) = answer {
                    parameters = found;
                    steps = around_all(&prices, |step| {
                        width(own, &shop_widths, step).unwrap_or_else(|| random_walk(&series.values, step))
                    });
                }
            }
            let outlook = Outlook {
                model,
                parameters,
                observations: series.observed(),
                skill: skill(&backtests[s], model),
                coverage95: (counts.2 > 0).then(|| f64::from(counts.1) / f64::from(counts.2)),
                why,
                steps,
            };
            Ok((outlook, [counts.0, counts.1, counts.2], failed))
        })
        .collect::<Result<_, Stopped>>()?;

    let total = answers.iter().fold([0u32; 3], |sum, (_, counts, _)| {
        std::array::from_fn(|i| sum[i] + counts[i])
    });
    let share = |part: u32| (total[2] > 0).then(|| f64::from(part) / f64::from(total[2]));
    let failed = answers.iter().filter(|(_, _, failed)| *failed).count();
    Ok(Outlooks {
        series: answers.into_iter().map(|(outlook, _, _)| outlook).collect(),
        published: standing(backtests, &everything, model_of),
        standings: shop_standings,
        categories: decisions
            .into_iter()
            .map(|(standings, decision)| (standings, decision.model))
            .collect(),
        coverage: (share(total[0]), share(total[1]), total[2]),
        failed,
    })
}

/// Prices and parameters; `None` where the model has no usable answer.
fn fitted(
    model: &dyn Fit,
    values: &[f64],
    horizon: usize,
    control: &Control,
) -> Result<Option<(Vec<f64>, String)>, Stopped> {
    match model.fit(values, control) {
        Ok(fit) => {
            let prices = fit.forecast(horizon).price;
            let usable = prices.iter().all(|price| price.is_finite() && *price > 0.0);
            Ok(usable.then(|| (prices, fit.parameters().to_string())))
        }
        Err(FitError::Stopped(stopped)) => Err(stopped),
        Err(_) => Ok(None),
    }
}

fn around_all(prices: &[f64], width_at: impl Fn(usize) -> super::intervals::Width) -> Vec<Step> {
    prices
        .iter()
        .enumerate()
        .map(|(step, &price)| {
            let width = width_at(step);
            let (lo80, hi80) = around(price, width.w80);
            let (lo95, hi95) = around(price, width.w95.max(width.w80));
            Step {
                price,
                lo80,
                hi80,
                lo95,
                hi95,
            }
        })
        .collect()
}

fn reason(series: &Series, decision: &Decision) -> String {
    let observed = series.observed();
    match series.life {
        Life::Ended => "no forecast: the offer has ended".into(),
        Life::Silent => "no forecast: this seller was not seen for more than 30 days".into(),
        Life::Offered if observed < ENOUGH => {
            format!("last price: {observed} steps with a price are fewer than the {ENOUGH} a model needs")
        }
        Life::Offered if constant(&series.values) => "last price: the price never changed".into(),
        Life::Offered => decision.why.clone(),
    }
}

fn skill(backtest: &Backtest, model: usize) -> Option<f64> {
    let (mut own, mut naive) = (0.0, 0.0);
    for origin in backtest.iter().flatten() {
        own += origin.trials[model].mae;
        naive += origin.trials[0].mae;
    }
    (naive > 0.0).then(|| 1.0 - own / naive)
}

#[cfg(test)]
mod tests {
    use super::super::backtest::backtest;
    use super::super::model::candidates;
    use super::*;

    /// Series of two kinds: noise around a level, where smoothing wins by a lot, and a random walk, where nothing
    /// beats the last price.
    fn shop(count: usize, length: usize) -> (Vec<Series>, Vec<usize>) {
        let mut random = fastrand::Rng::with_seed(11);
        let mut walk = 0.0;
        let series = (0..count)
            .map(|s| {
                let values = (0..length)
                    .map(|_| {
                        let noise = (0..4).map(|_| random.f64() - 0.5).sum::<f64>();
                        walk = if s % 2 == 0 { noise } else { walk + noise * 0.1 };
                        20.0 * (walk * 0.1f64).exp()
                    })
                    .collect();
                walk = 0.0;
                Series {
                    values,
                    life: Life::Offered,
                }
            })
            .collect();
        (series, (0..count).map(|s| s % 2).collect())
    }

    fn night(series: &[Series], category_of: &[usize], horizon: usize) -> Outlooks {
        let control = Control::unbounded();
        let models = candidates();
        let values: Vec<&[f64]> = series.iter().map(|series| series.values.as_slice()).collect();
        let backtests = backtest(&values, &models, horizon, &control).unwrap();
        let names = ["noisy".to_owned(), String::new()];
        outlooks(
            series,
            category_of,
            &names,
            &models,
            &backtests,
            horizon,
            horizon + 2,
            &control,
        )
        .unwrap()
    }

    #[test]
    fn each_category_gets_what_wins_there() {
        let (series, category_of) = shop(60, 120);
        let found = night(&series, &category_of, 7);
        assert_ne!(found.categories[0].1, 0, "{:?}", found.series[0]);
        assert_eq!(found.categories[1].1, 0, "{:?}", found.series[1]);
        assert!(
            found.series[0].why.contains("in category 'noisy'"),
            "{}",
            found.series[0].why
        );
        assert!(
            found.series[1].why.starts_with("no model beat"),
            "{}",
            found.series[1].why
        );
        assert!(found.series[0].skill.unwrap() > 0.0);
        assert_eq!(found.series[1].skill, Some(0.0));
        let published = super::super::choose::mean(&found.published.mase).unwrap();
        assert!(published < super::super::choose::mean(&found.standings[0].mase).unwrap());
        for outlook in &found.series {
            assert_eq!(outlook.steps.len(), 9);
            for step in &outlook.steps {
                assert!(
                    0.0 < step.lo95 && step.lo95 <= step.lo80 && step.lo80 < step.price,
                    "{step:?}"
                );
                assert!(
                    step.price < step.hi80 && step.hi80 <= step.hi95 && step.hi95.is_finite(),
                    "{step:?}"
                );
            }
        }
        let (in80, in95, count) = found.coverage;
        assert_eq!(count, 60 * 7);
        assert!(
            (in80.unwrap() - 0.8).abs() < 0.1 && (in95.unwrap() - 0.95).abs() < 0.05,
            "{in80:?} {in95:?}"
        );
    }

    #[test]
    fn odd_series_get_the_last_price_or_none_and_a_reason() {
        let offered = |values: Vec<f64>| Series {
            values,
            life: Life::Offered,
        };
        let (mut series, mut category_of) = shop(20, 90);
        series.push(offered(vec![5.0; 90]));
        series.push(offered(vec![5.0, 6.0]));
        series.push(offered(vec![]));
        series.push(Series {
            values: vec![5.0, f64::NAN],
            life: Life::Ended,
        });
        series.push(offered(
            (0..90).map(|i| if i % 2 == 0 { 1e-8 } else { 1e12 }).collect(),
        ));
        category_of.extend([0; 5]);
        let found = night(&series, &category_of, 7);
        let [constant, short, empty, ended, wild] = &found.series[20..] else {
            unreachable!()
        };
        assert!(constant.why.contains("never changed") && constant.steps[0].price == 5.0);
        assert!(short.why.contains("2 steps") && short.steps[8].price == 6.0);
        assert!(empty.steps.is_empty() && empty.why.contains("0 steps"));
        assert!(ended.steps.is_empty() && ended.why.contains("ended"));
        assert!(
            wild.steps
                .iter()
                .all(|s| s.price.is_finite() && s.hi95.is_finite() && s.lo95 >= 0.0)
        );
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let (series, category_of) = shop(40, 100);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| night(&series, &category_of, 7))
        };
        assert_eq!(on(1), on(3));
    }
}
