//! Nights over prices that no shop should have, and over prices that move enough to have a volatility.

use super::tests::{night, seen};
use crate::store::Shop;

const DAY: i64 = 86_400;
/// The last day of every history.
const LAST: i64 = 20_100;

/// A shop of products with one price a day up to [`LAST`]; `None` is a row without a price.
fn shop(folder: &std::path::Path, histories: &[(&str, Vec<Option<f64>>)]) -> Shop {
    let shop = Shop::create(&folder.join("shop.db")).unwrap();
    let mut sql = String::from("BEGIN;");
    for (product, prices) in histories {
        for (i, price) in prices.iter().enumerate() {
            let at = (LAST + 1 - prices.len() as i64 + i as i64) * DAY;
            let price = match price {
                None => "NULL".to_owned(),
                // SQLite's way to write infinity.
                Some(price) if price.is_infinite() => "9e999".to_owned(),
                Some(price) => format!("{price:e}"),
            };
            sql += &format!("INSERT INTO prices VALUES ('{product}', '', {at}, {price}, 0);");
        }
    }
    shop.conn().execute_batch(&(sql + "COMMIT;")).unwrap();
    shop
}

fn every(count: usize, mut price: impl FnMut(usize) -> f64) -> Vec<Option<f64>> {
    (0..count).map(|i| Some(price(i))).collect()
}

/// What a product may get of a night.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    /// No row anywhere: there was never a price.
    Nothing,
    /// A forecast of every step, all numbers.
    Forecast,
    /// Exactly this price at every step, for the reason that begins so.
    Exactly(f64, &'static str),
    /// Prices that go on rising by 1 a day from here, to a thousandth.
    Line(f64),
}

#[test]
fn odd_histories_get_an_answer_or_a_reason() {
    use Answer::{Exactly, Forecast, Line, Nothing};
    let noise = |i: usize| 50.0 + (i * 7919 % 97) as f64;
    let cases: Vec<(&str, Vec<Option<f64>>, Answer)> = vec![
        ("all missing", vec![None; 60], Nothing),
        ("alternating", every(200, |i| [1.0, 2.0][i % 2]), Forecast),
        (
            "constant",
            every(200, |_| 19.9),
            Exactly(19.9, "last price: the price never changed"),
        ),
        ("far apart", every(200, |i| [1e-300, 1e300][i % 2]), Forecast),
        (
            "gaps",
            (0..201).map(|i| (i % 3 != 1).then(|| noise(i))).collect(),
            Forecast,
        ),
        ("huge", every(200, |i| noise(i) * 1e300), Forecast),
        ("infinite", every(200, |_| f64::INFINITY), Nothing),
        ("line", every(200, |i| 1001.0 + i as f64), Line(1201.0)),
        ("long", every(20_000, noise), Forecast),
        ("negative", every(200, |i| -noise(i)), Nothing),
        ("one point", vec![Some(7.5)], Exactly(7.5, "last price: 1 steps")),
        (
            "one of them",
            every(200, |i| if i == 77 { f64::INFINITY } else { 3.0 }),
            Exactly(3.0, "last price"),
        ),
        ("tiny", every(200, |i| noise(i) * 1e-300), Forecast),
        (
            "two points",
            vec![Some(7.5), Some(8.5)],
            Exactly(8.5, "last price: 2 steps"),
        ),
        ("zero", every(200, |_| 0.0), Nothing),
    ];
    let folder = tempfile::tempdir().unwrap();
    let histories: Vec<_> = cases
        .iter()
        .map(|(name, prices, _)| (*name, prices.clone()))
        .collect();
    let shop = shop(folder.path(), &histories);
    let outcome = night(&shop);
    assert!(outcome.generation.is_some(), "{outcome:?}");
    let count = |sql: String| seen(&shop, &format!("SELECT count(*) FROM {sql}"));
    let number = |n: i64| seen(&shop, &format!("SELECT {n}"));
    for (name, _, answer) in &cases {
        let rows = count(format!("price_forecasts WHERE product_id = '{name}'"));
        if *answer == Nothing {
            assert_eq!(rows, number(0), "{name}");
            assert_eq!(
                count(format!("price_models WHERE product_id = '{name}'")),
                number(0),
                "{name}"
            );
            continue;
        }
        assert_eq!(rows, number(7), "{name}");
        assert_eq!(
            count(format!(
                "price_models WHERE product_id = '{name}' AND why <> '' AND json_valid(parameters)"
            )),
            number(1),
            "{name}"
        );
        // Anything that is no number would have become NULL, and 9e999 is infinite.
        let sound = "lo95 >= 0 AND lo95 <= lo80 AND lo80 <= price AND price <= hi80 AND hi80 <= hi95 AND hi95 < 9e999";
        let what = seen(
            &shop,
            &format!("SELECT * FROM price_forecasts WHERE product_id = '{name}'"),
        );
        assert_eq!(
            count(format!("price_forecasts WHERE product_id = '{name}' AND {sound}")),
            number(7),
            "{name}: {what}"
        );
        match answer {
            Exactly(price, why) => {
                assert_eq!(
                    count(format!(
                        "price_forecasts WHERE product_id = '{name}' AND price = {price:?}"
                    )),
                    number(7),
                    "{name}: {what}"
                );
                assert_eq!(
                    count(format!(
                        "price_models WHERE product_id = '{name}' AND why LIKE '{why}%'"
                    )),
                    number(1),
                    "{name}"
                );
            }
            Line(from) => assert_eq!(
                count(format!(
                    "price_forecasts WHERE product_id = '{name}' AND abs(price / ({from:?} + step - 1) - 1) < 0.001"
                )),
                number(7),
                "{name}: {what}"
            ),
            Forecast | Nothing => {}
        }
    }
    // What was left out is counted, with its reason: among it what is older than three years of days.
    let dropped = |reason: &str| {
        seen(
            &shop,
            &format!("SELECT rows FROM run_drops WHERE reason LIKE '{reason}%'"),
        )
    };
    assert_eq!(dropped("price is zero, negative or no number"), number(601));
    assert_eq!(
        dropped("older than the newest 1096 daily steps"),
        number(20_000 - 1096)
    );
}

/// Only prices that changed often enough have a volatility, in fractions, and the scores say how many.
#[test]
fn prices_that_move_every_day_have_a_volatility() {
    let walk = |days: usize, seed: u64, size: f64| {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut level: f64 = 80.0;
        every(days, move |_| {
            // Uniform with standard deviation `size`.
            level *= f64::exp(size * f64::sqrt(12.0) * (random.f64() - 0.5));
            level
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let mut ended = walk(600, 4, 0.01);
    ended.push(None);
    let shop = shop(
        folder.path(),
        &[
            ("calm", walk(900, 1, 0.01)),
            ("ended", ended),
            ("enough", walk(251, 3, 0.02)),
            ("posted", every(900, |day| 10.0 + (day / 20 % 3) as f64)),
            ("short", walk(250, 3, 0.02)),
            ("wild", walk(900, 2, 0.05)),
        ],
    );
    night(&shop);
    let expected = [("calm", 0.01, 0.25), ("enough", 0.02, 0.5), ("wild", 0.05, 0.25)];
    for (product, size, within) in expected {
        let (low, high) = (f64::exp(-within), f64::exp(within));
        let month = size * f64::sqrt(30.0);
        assert_eq!(
            seen(
                &shop,
                &format!(
                    "SELECT volatility_1d / {size} BETWEEN {low} AND {high}, \
                     volatility_30d / {month} BETWEEN {low} AND {high} \
                     FROM price_stats WHERE product_id = '{product}'"
                )
            ),
            seen(&shop, "SELECT 1, 1"),
            "{product}: {}",
            seen(
                &shop,
                &format!(
                    "SELECT volatility_1d, volatility_30d FROM price_stats WHERE product_id = '{product}'"
                )
            )
        );
    }
    assert_eq!(
        seen(
            &shop,
            "SELECT group_concat(product_id) FROM (SELECT product_id FROM price_stats WHERE volatility_1d IS NULL AND \
             volatility_30d IS NULL ORDER BY 1)"
        ),
        seen(&shop, "SELECT 'ended,posted,short'")
    );
    assert_eq!(
        seen(
            &shop,
            "SELECT value, split FROM scores WHERE result = 'price_stats' AND model = 'GARCH' AND metric = 'fitted'"
        ),
        seen(
            &shop,
            "SELECT 1.0, '3 prices that changed on 250 days or more of the last three years'"
        )
    );
    assert_eq!(
        seen(
            &shop,
            "SELECT value BETWEEN 0.93 AND 1 FROM scores WHERE result = 'price_stats' AND metric = 'within95'"
        ),
        seen(&shop, "SELECT 1")
    );
}

/// One absurd price among ordinary ones is nobody's error but its own.
#[test]
fn one_absurd_price_does_not_become_the_shops_error() {
    let ordinary = |seed: u64| {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut price = 10.0;
        every(200, move |_| {
            if random.f64() < 0.2 {
                price = (price * (0.9 + 0.2 * random.f64()) * 100.0).round() / 100.0;
            }
            price
        })
    };
    let names: Vec<String> = (0..20).map(|p| format!("p{p:02}")).collect();
    let mut histories: Vec<(&str, Vec<Option<f64>>)> = names
        .iter()
        .zip(0..)
        .map(|(name, seed)| (name.as_str(), ordinary(seed)))
        .collect();
    let figures = |histories: &[(&str, Vec<Option<f64>>)]| {
        let folder = tempfile::tempdir().unwrap();
        let shop = shop(folder.path(), histories);
        let outcome = night(&shop);
        let mae = seen(
            &shop,
            "SELECT value < 5 FROM scores WHERE metric = 'mae' AND slice = '' AND model = 'published'",
        );
        let averages = seen(
            &shop,
            "SELECT count(*) FROM price_stats WHERE avg30 < 1.8e308 AND avg90 < 1.8e308",
        );
        (outcome.why, mae, averages)
    };
    // In the newest ten days, twice, so that it is no slip of the pen; as large as a number can be.
    for day in [194, 195] {
        histories[3].1[day] = Some(1.7e308);
    }
    let (why, mae, averages) = figures(&histories);
    assert!(
        why.contains("a price rose a hundredfold") && why.contains("skill against"),
        "{why}"
    );
    assert_eq!(
        (mae.as_str(), averages.as_str()),
        ("[[Integer(1)]]", "[[Integer(20)]]"),
        "{why}"
    );
}
