//! Prices, step by step: joins the store to the models of [`crate::price`].
//!
//! Results: price_forecasts, price_models, price_stats. The last price is always a candidate, so a shop with a single
//! price has a forecast; what has ended has statistics only.

use super::family::{Family, Verdict};
use super::night::Night;
use super::options::{Frequency as Wanted, PriceOptions};
use crate::price::backtest::{Backtest, ENOUGH, ORIGINS, backtest, backtest_horizon};
use crate::price::calendar::Calendar;
use crate::price::choose::{Standing, mean, skills};
use crate::price::model::{Fit, candidates};
use crate::price::outlook::{Outlooks, outlooks};
use crate::price::series::{Frequency, Posted, Repairs, Series, clean, detect_frequency};
use crate::price::stats::{Stats, stats};
use crate::store::results::{PriceForecast, PriceModel, PriceStats};
use crate::store::{GenerationWriter, Keys, Score, Snapshot};
use anyhow::Result;
use chrono::{Datelike, Days, NaiveDate, TimeZone};
use chrono_tz::Tz;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Steps of a series that are looked at, the newest: three years of days.
const MAX_STEPS: usize = 1096;
/// The model name under which `scores` lists what is written.
const PUBLISHED: &str = "published";

/// The family `prices`.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    /// The options of the job.
    pub options: PriceOptions,
}

/// Rows as read.
#[derive(Debug, Default)]
pub struct Collected {
    /// (product, seller) in text order, with its rows in order of time.
    histories: Vec<History>,
    category_of_product: BTreeMap<String, String>,
}

#[derive(Debug)]
struct History {
    product: String,
    seller: String,
    rows: Vec<Posted>,
}

/// One series per (product, seller), in text order.
#[derive(Debug)]
pub struct Prepared {
    names: Vec<(String, String)>,
    series: Vec<Series>,
    stats: Vec<Stats>,
    categories: Vec<String>,
    category_of: Vec<usize>,
    frequency: Frequency,
    /// Instant and local day of each step ahead.
    ahead: Vec<(i64, i32)>,
}

/// What the candidates would have said in the past.
pub struct Fitted {
    models: Vec<Box<dyn Fit>>,
    backtests: Vec<Backtest>,
    horizon: usize,
}

impl std::fmt::Debug for Fitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fitted")
            .field("horizon", &self.horizon)
            .finish_non_exhaustive()
    }
}

/// Local days of the shop's zone.
#[derive(Debug, Clone, Copy)]
struct Local(Tz);

impl Calendar for Local {
    fn day_of(&self, at: i64) -> i32 {
        let local = self
            .0
            .timestamp_opt(at, 0)
            .single()
            .map(|instant| instant.date_naive());
        local.map_or_else(
            || at.div_euclid(86_400) as i32,
            |date| date.num_days_from_ce() - 719_163,
        )
    }

    fn end_of(&self, day: i32) -> i64 {
        // The next day begins at its first moment that exists: midnight, or later where the clock jumps over it.
        let epoch = NaiveDate::default();
        let next = u64::try_from(i64::from(day) + 1)
            .ok()
            .and_then(|days| epoch.checked_add_days(Days::new(days)));
        let Some(next) = next else {
            return (i64::from(day) + 1) * 86_400 - 1;
        };
        (0..=24)
            .find_map(|quarter| {
                let local = next.and_hms_opt(quarter / 4, quarter % 4 * 15, 0)?;
                self.0.from_local_datetime(&local).earliest()
            })
            .map_or((i64::from(day) + 1) * 86_400 - 1, |start| start.timestamp() - 1)
    }
}

impl Family for Prices {
    const NAME: &'static str = "prices";
    type Collected = Collected;
    type Prepared = Prepared;
    type Fitted = Fitted;
    type Judged = Outlooks;

    fn newest(&self, snapshot: &Snapshot, now: i64) -> Result<Option<i64>> {
        Ok(snapshot.newest_price_at(now)?)
    }

    fn collect(&self, snapshot: &Snapshot, _: &Night<'_>) -> Result<Collected> {
        let mut histories: Vec<History> = Vec::new();
        snapshot.prices(|price| {
            let row = Posted {
                at: price.at,
                price: price.price,
                promotion: price.promotion,
            };
            match histories.last_mut() {
                Some(last) if last.product == price.product_id && last.seller == price.seller => {
                    last.rows.push(row)
                }
                _ => histories.push(History {
                    product: price.product_id.to_owned(),
                    seller: price.seller.to_owned(),
                    rows: vec![row],
                }),
            }
        })?;
        let category_of_product = snapshot
            .products()?
            .into_iter()
            .filter_map(|product| Some((product.product_id, product.category?)))
            .collect();
        Ok(Collected {
            histories,
            category_of_product,
        })
    }

    fn prepare(&self, collected: Collected, night: &Night<'_>) -> Result<Prepared> {
        let (calendar, as_of) = (Local(night.zone), night.as_of);
        let cleaned: Vec<(Vec<Posted>, Repairs)> = collected
            .histories
            .par_iter()
            .map(|history| clean(&history.rows, as_of))
            .collect();
        let mut repairs = Repairs::default();
        cleaned.iter().for_each(|(_, found)| repairs += *found);
        night.drop_rows(
            "prices",
            "price is zero, negative or no number",
            repairs.not_a_price,
        );
        night.drop_rows("prices", "later than the night", repairs.later);
        night.drop_rows("prices", "another row of the same instant", repairs.duplicates);

        let frequency = match self.options.frequency {
            Wanted::Auto => detect_frequency(cleaned.iter().map(|(rows, _)| rows.as_slice())),
            Wanted::Hourly => Frequency::Hourly,
            Wanted::Daily => Frequency::Daily,
            Wanted::Weekly => Frequency::Weekly,
            Wanted::Monthly => Frequency::Monthly,
        };
        let instants = frequency.past(as_of, MAX_STEPS, &calendar);
        let ahead = (1..=self.options.horizon as i32)
            .map(|step| frequency.instant(as_of, step, &calendar))
            .map(|at| (at, calendar.day_of(at)))
            .collect();

        let built: Vec<Option<(Series, Stats)>> = collected
            .histories
            .par_iter()
            .zip(&cleaned)
            .map(|(history, (rows, _))| {
                let own = history.seller.is_empty();
                stats(rows, own, as_of, &calendar).map(|stats| (Series::build(rows, own, &instants), stats))
            })
            .collect();
        let category = |product: &str| {
            collected
                .category_of_product
                .get(product)
                .cloned()
                .unwrap_or_default()
        };
        let kept = || {
            collected
                .histories
                .iter()
                .zip(&built)
                .filter(|(_, built)| built.is_some())
        };
        let mut categories: Vec<String> = kept().map(|(history, _)| category(&history.product)).collect();
        let of_each = categories.clone();
        categories.sort_unstable();
        categories.dedup();
        let category_of = of_each
            .iter()
            .map(|name| categories.partition_point(|other| other < name))
            .collect();
        let never = built
            .iter()
            .zip(&cleaned)
            .filter(|(built, _)| built.is_none())
            .map(|(_, (rows, _))| rows.len());
        night.drop_rows(
            "prices",
            "never a price of this product and seller up to the night",
            never.sum::<usize>() as u64,
        );
        let names = kept()
            .map(|(history, _)| (history.product.clone(), history.seller.clone()))
            .collect();
        let (series, stats) = built.into_iter().flatten().unzip();
        Ok(Prepared {
            names,
            series,
            stats,
            categories,
            category_of,
            frequency,
            ahead,
        })
    }

    fn fit(&self, prepared: &Prepared, night: &Night<'_>) -> Result<Fitted> {
        let models = candidates();
        let lengths: Vec<usize> = prepared.series.iter().map(|series| series.values.len()).collect();
        let horizon = backtest_horizon(&lengths, self.options.horizon.max(1));
        let values: Vec<&[f64]> = prepared
            .series
            .iter()
            .map(|series| series.values.as_slice())
            .collect();
        let backtests = backtest(&values, &models, horizon, &night.control)?;
        Ok(Fitted {
            models,
            backtests,
            horizon,
        })
    }

    fn evaluate(
        &self,
        prepared: &Prepared,
        fitted: Fitted,
        night: &Night<'_>,
    ) -> Result<(Outlooks, Verdict)> {
        let found = outlooks(
            &prepared.series,
            &prepared.category_of,
            &prepared.categories,
            &fitted.models,
            &fitted.backtests,
            fitted.horizon,
            self.options.horizon,
            &night.control,
        )?;
        let scores = scores(prepared, &fitted, &found);
        let why = summary(prepared, &fitted, &found);
        Ok((
            found,
            Verdict {
                publish: true,
                why,
                scores,
            },
        ))
    }

    fn publish(
        &self,
        prepared: &Prepared,
        judged: &Outlooks,
        generation: &mut GenerationWriter<'_>,
        night: &Night<'_>,
    ) -> Result<()> {
        let products: Vec<&str> = prepared
            .names
            .iter()
            .map(|(product, _)| product.as_str())
            .collect();
        let sellers: Vec<&str> = prepared.names.iter().map(|(_, seller)| seller.as_str()).collect();
        let names: Vec<&str> = candidates().iter().map(|model| model.name()).collect();
        let products = night.shop.keys(Keys::Product, &products)?;
        let sellers = night.shop.keys(Keys::Seller, &sellers)?;
        let models = night.shop.keys(Keys::Model, &names)?;
        // In the order of the tables' keys.
        let mut order: Vec<usize> = (0..prepared.names.len()).collect();
        order.sort_unstable_by_key(|&s| (products[s], sellers[s]));

        generation.write(order.iter().flat_map(|&s| {
            let outlook = &judged.series[s];
            let model_key = models[outlook.model];
            let (product_key, seller_key) = (products[s], sellers[s]);
            outlook
                .steps
                .iter()
                .zip(&prepared.ahead)
                .enumerate()
                .map(move |(i, (step, &(at, day)))| PriceForecast {
                    product_key,
                    seller_key,
                    step: i as i64 + 1,
                    at,
                    day: i64::from(day),
                    price: step.price,
                    lo80: step.lo80,
                    hi80: step.hi80,
                    lo95: step.lo95,
                    hi95: step.hi95,
                    model_key,
                })
        }))?;
        night.control.check()?;
        generation.write(order.iter().map(|&s| {
            let outlook = &judged.series[s];
            PriceModel {
                product_key: products[s],
                seller_key: sellers[s],
                model_key: models[outlook.model],
                parameters: outlook.parameters.clone(),
                observations: outlook.observations as i64,
                skill: outlook.skill,
                coverage95: outlook.coverage95,
                why: outlook.why.clone(),
            }
        }))?;
        night.control.check()?;
        generation.write(order.iter().map(|&s| {
            let stats = &prepared.stats[s];
            PriceStats {
                product_key: products[s],
                seller_key: sellers[s],
                last_price: Some(stats.last_price),
                last_seen_at: Some(stats.last_seen_at),
                last_change_day: stats.last_change_day.map(i64::from),
                min30: stats.min30,
                min30_before_promotion: stats.min30_before_promotion,
                avg30: stats.avg30,
                avg90: stats.avg90,
                min_ever: Some(stats.min_ever),
                min_ever_day: Some(i64::from(stats.min_ever_day)),
                max_ever: Some(stats.max_ever),
                max_ever_day: Some(i64::from(stats.max_ever_day)),
                on_promotion: stats.on_promotion,
                volatility_1d: None, // GARCH's columns
                volatility_30d: None,
            }
        }))?;
        Ok(())
    }
}

/// Every candidate beside the last price, over the shop and by category, then what is written.
fn scores(prepared: &Prepared, fitted: &Fitted, found: &Outlooks) -> Vec<Score> {
    let split = format!(
        "{ORIGINS} past nights, {} {} steps each",
        fitted.horizon,
        prepared.frequency.name()
    );
    let score = |model: &str, slice: &str, metric: &str, value: Option<f64>, chosen: bool| Score {
        result: "price_forecasts",
        model: model.to_owned(),
        slice: slice.to_owned(),
        metric: metric.to_owned(),
        value,
        lo90: None,
        hi90: None,
        split: split.clone(),
        chosen,
    };
    let naive = &found.standings[0];
    let skill = |standing: &Standing, naive: &Standing| mean(&skills(standing, naive));
    let mut scores = Vec::new();
    for (m, (model, standing)) in fitted.models.iter().zip(&found.standings).enumerate() {
        let chosen = found.series.iter().any(|outlook| outlook.model == m);
        scores.push(score(model.name(), "", "mase", mean(&standing.mase), chosen));
        scores.push(score(model.name(), "", "mae", mean(&standing.mae), chosen));
        scores.push(score(model.name(), "", "skill", skill(standing, naive), chosen));
    }
    let published = &found.published;
    scores.push(score(PUBLISHED, "", "mase", mean(&published.mase), true));
    scores.push(score(PUBLISHED, "", "mae", mean(&published.mae), true));
    scores.push(score(PUBLISHED, "", "skill", skill(published, naive), true));
    scores.push(score(PUBLISHED, "", "coverage80", found.coverage.0, true));
    scores.push(score(PUBLISHED, "", "coverage95", found.coverage.1, true));
    for (category, (standings, chosen)) in prepared.categories.iter().zip(&found.categories) {
        // The slice '' is the whole shop: products without a category have none of their own.
        if category.is_empty() {
            continue;
        }
        for (m, (model, standing)) in fitted.models.iter().zip(standings).enumerate() {
            scores.push(score(
                model.name(),
                category,
                "mase",
                mean(&standing.mase),
                m == *chosen,
            ));
        }
    }
    scores
}

/// The night in one sentence.
fn summary(prepared: &Prepared, fitted: &Fitted, found: &Outlooks) -> String {
    if prepared.series.is_empty() {
        return "there are no prices yet: import some into the table prices".into();
    }
    let forecast = found
        .series
        .iter()
        .filter(|outlook| !outlook.steps.is_empty())
        .count();
    let mut used: Vec<String> = Vec::new();
    for (m, model) in fitted.models.iter().enumerate() {
        let count = found
            .series
            .iter()
            .filter(|outlook| outlook.model == m && !outlook.steps.is_empty())
            .count();
        if count > 0 {
            used.push(format!("{} for {count}", model.name()));
        }
    }
    let judged = match mean(&skills(&found.published, &found.standings[0])) {
        Some(skill) => format!(
            "skill against the last price {:+.1} % over {ORIGINS} past nights",
            skill * 100.0
        ),
        None => format!("too little history to judge (a series needs {ENOUGH} steps before a past night)"),
    };
    let failed = match found.failed {
        0 => String::new(),
        n => format!("; {n} fits failed and were answered by the last price"),
    };
    format!(
        "{forecast} of {} series forecast, {} steps: {}; {judged}{failed}",
        prepared.series.len(),
        prepared.frequency.name(),
        if used.is_empty() {
            "none".into()
        } else {
            used.join(", ")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Shop;

    #[test]
    fn local_days_end_where_the_zone_says() {
        let berlin = Local(chrono_tz::Europe::Berlin);
        // 2024-03-31 has 23 hours there: from 2024-03-30T23:00Z to 2024-03-31T22:00Z.
        let day = berlin.day_of(1_711_839_600);
        assert_eq!(berlin.end_of(day) + 1, 1_711_922_400);
        assert_eq!(berlin.end_of(day - 1) + 1, 1_711_839_600);
        assert_eq!(berlin.day_of(1_711_839_599), day - 1);
        // Midnight of 2018-11-04 does not exist in Sao Paulo: the day begins at one o'clock, 03:00Z.
        let brazil = Local(chrono_tz::America::Sao_Paulo);
        let day = brazil.day_of(1_541_300_400);
        assert_eq!(brazil.end_of(day - 1) + 1, 1_541_300_400);
        assert_eq!(brazil.day_of(1_541_300_399), day - 1);
    }

    struct Nobody;

    impl crate::fit::Progress for Nobody {
        fn step(&self, _: &str, _: u64, _: u64) {}
    }

    impl crate::pipeline::Watch for Nobody {
        fn stage(&self, _: crate::pipeline::Stage) {}
    }

    /// A shop of 150 days: 20 noisy teas, a constant, an offer that ended, a silent seller, a running promotion.
    fn shop(folder: &std::path::Path) -> Shop {
        let shop = Shop::create(&folder.join("shop.db")).unwrap();
        let mut random = fastrand::Rng::with_seed(5);
        let mut sql = String::from("BEGIN;");
        let mut row = |product: &str, seller: &str, day: i64, price: &str, promotion: u8| {
            sql += &format!(
                "INSERT INTO prices VALUES ('{product}', '{seller}', {}, {price}, {promotion});",
                day * 86_400
            );
        };
        for tea in 0..20 {
            for day in 0..150 {
                row(
                    &format!("tea{tea:02}"),
                    "",
                    day,
                    &format!("{:.2}", 8.0 + 4.0 * random.f64()),
                    0,
                );
            }
        }
        row("constant", "", 3, "5.0", 0);
        row("ended", "", 3, "5.0", 0);
        row("ended", "", 100, "NULL", 0);
        row("tea00", "rival", 60, "7.5", 0);
        row("promoted", "", 10, "9.0", 0);
        row("promoted", "", 130, "10.0", 0);
        row("promoted", "", 140, "6.0", 1);
        row("free", "", 140, "0.0", 0);
        for tea in 0..20 {
            sql += &format!(
                "INSERT INTO products (product_id, title, category) VALUES ('tea{tea:02}', 't', 'tea');"
            );
        }
        shop.conn().execute_batch(&(sql + "COMMIT;")).unwrap();
        shop
    }

    fn night(shop: &Shop) -> crate::pipeline::Outcome {
        let brief = crate::pipeline::Brief {
            shop,
            run: shop.begin_run("prices", None, 1).unwrap(),
            now: 1_000_000_000,
            as_of: crate::pipeline::AsOf::Data,
            seed: 1,
            control: crate::fit::Control::unbounded(),
            dry_run: false,
            publish_older: false,
            watch: std::sync::Arc::new(Nobody),
        };
        let options = PriceOptions {
            horizon: 7,
            ..PriceOptions::default()
        };
        crate::pipeline::run(&Prices { options }, brief).unwrap()
    }

    fn seen(shop: &Shop, sql: &str) -> String {
        format!("{:?}", shop.select(sql, &[]).unwrap().rows)
    }

    #[test]
    fn a_night_of_prices_from_rows_to_views() {
        let folder = tempfile::tempdir().unwrap();
        let shop = shop(folder.path());
        let outcome = night(&shop);
        assert!(
            outcome.generation.is_some() && outcome.why.contains("22 of 24 series forecast, daily"),
            "{outcome:?}"
        );
        let count = |sql: &str| seen(&shop, &format!("SELECT count(*) {sql}"));
        assert_eq!(count("FROM price_forecasts"), seen(&shop, "SELECT 22 * 7"));
        assert_eq!(count("FROM price_models"), seen(&shop, "SELECT 24"));
        assert_eq!(count("FROM price_stats"), seen(&shop, "SELECT 24"));
        assert_eq!(
            count("FROM price_models WHERE model = 'last price' AND product_id LIKE 'tea%' AND seller = ''"),
            seen(&shop, "SELECT 0"),
            "noise around a level is forecast better by its mean"
        );
        assert_eq!(
            seen(
                &shop,
                "SELECT min30_before_promotion, on_promotion, last_change_day FROM price_stats WHERE product_id = 'promoted'"
            ),
            seen(&shop, "SELECT 9.0, 1, '1970-05-21'")
        );
        assert_eq!(
            seen(
                &shop,
                "SELECT step, day, price FROM price_forecasts WHERE product_id = 'promoted' AND step IN (1, 7)"
            ),
            seen(
                &shop,
                "SELECT 1, '1970-05-31', 6.0 UNION ALL SELECT 7, '1970-06-06', 6.0"
            )
        );
        assert_eq!(
            count(
                "FROM price_forecasts WHERE lo95 > lo80 OR lo80 > price OR price > hi80 OR hi80 > hi95 OR lo95 < 0"
            ),
            seen(&shop, "SELECT 0")
        );
        let why = seen(
            &shop,
            "SELECT why FROM price_models WHERE product_id IN ('constant', 'ended') OR seller = 'rival' ORDER BY product_id",
        );
        assert!(
            why.contains("never changed") && why.contains("has ended") && why.contains("not seen"),
            "{why}"
        );
        assert_eq!(
            count("FROM scores WHERE model = 'published' AND metric = 'skill' AND value > 0.05"),
            seen(&shop, "SELECT 1")
        );
        assert_eq!(
            count("FROM run_drops WHERE table_name = 'prices' AND rows = 1"),
            seen(&shop, "SELECT 1")
        );
    }

    #[test]
    fn the_same_shop_gives_the_same_views() {
        let views = || {
            let folder = tempfile::tempdir().unwrap();
            let shop = shop(folder.path());
            night(&shop);
            ["price_forecasts", "price_models", "price_stats"]
                .map(|view| seen(&shop, &format!("SELECT * FROM {view}")))
        };
        assert_eq!(views(), views());
    }

    #[test]
    fn an_empty_shop_publishes_nothing_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let shop = Shop::create(&folder.path().join("shop.db")).unwrap();
        let outcome = night(&shop);
        assert_eq!(
            (outcome.rows, outcome.why.contains("no prices yet")),
            (0, true),
            "{outcome:?}"
        );
    }
}
