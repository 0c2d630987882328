//! Pairs: what goes into one basket together.
//!
//! With N baskets, n_a and n_b that hold a and b, and n_ab that hold both, `lift = n_ab N / (n_a n_b)`: how many times
//! more often together than by chance. Lift alone praises accidents, so a pair must occur in at least `least` baskets and pass the
//! log-likelihood ratio test of independence (Dunning 1993, "Accurate methods for the statistics of surprise and coincidence") at
//! `significance`; the default 10.83 is the 0.1 % point of χ² with one degree of freedom. Pairs are ranked by
//! that ratio: much evidence first, not rare coincidence.

use rayon::prelude::*;

use super::log::{Kind, Log};

/// What makes two products a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairOptions {
    /// Baskets that must hold both.
    pub least: u32,
    /// Smallest log-likelihood ratio (2 · log of the ratio, as χ²).
    pub significance: f64,
    /// Partners kept per product.
    pub keep: usize,
    /// Baskets of more products than this are a wholesaler's order, not a taste, and are left out.
    pub widest: usize,
}

impl Default for PairOptions {
    fn default() -> PairOptions {
        PairOptions {
            least: 3,
            significance: 10.83,
            keep: 30,
            widest: 300,
        }
    }
}

/// One partner of a product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Partner {
    /// The other product.
    pub other: u32,
    /// Baskets that hold both.
    pub baskets: u32,
    /// How many times more often than by chance.
    pub lift: f64,
    /// The evidence: the log-likelihood ratio.
    pub ratio: f64,
}

/// The distinct baskets of two or more products (each ascending), by basket number: what was bought, or, in a
/// shop without purchases, what was looked at together. Visitors without a name count too.
pub fn baskets(log: &Log, options: &PairOptions) -> Vec<Vec<u32>> {
    let bought = log.events().iter().any(|e| e.kind == Kind::Purchase);
    let counts = |kind: Kind| {
        if bought {
            kind == Kind::Purchase
        } else {
            matches!(kind, Kind::View | Kind::Cart)
        }
    };
    let mut entries: Vec<(u32, u32)> = log
        .events()
        .iter()
        .filter(|e| counts(e.kind))
        .map(|e| (e.basket, e.product))
        .collect();
    entries.par_sort_unstable();
    entries.dedup();
    entries
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|basket| basket.len() >= 2 && basket.len() <= options.widest)
        .map(|basket| basket.iter().map(|&(_, product)| product).collect())
        .collect()
}

/// The partners of every product, strongest evidence first.
pub fn bought_together(baskets: &[Vec<u32>], products: usize, options: &PairOptions) -> Vec<Vec<Partner>> {
    let mut holding: Vec<Vec<u32>> = vec![Vec::new(); products];
    for (number, basket) in baskets.iter().enumerate() {
        for &product in basket {
            holding[product as usize].push(number as u32);
        }
    }
    let all = baskets.len() as f64;
    (0..products)
        .into_par_iter()
        .map_init(
            || (vec![0u32; products], Vec::<u32>::new()),
            |(counts, touched), a| {
                for &number in &holding[a] {
                    for &b in &baskets[number as usize] {
                        if counts[b as usize] == 0 {
                            touched.push(b);
                        }
                        counts[b as usize] += 1;
                    }
                }
                let mut partners = Vec::new();
                for &b in touched.iter() {
                    let both = std::mem::take(&mut counts[b as usize]);
                    if b as usize == a || both < options.least {
                        continue;
                    }
                    let (n_a, n_b) = (holding[a].len() as f64, holding[b as usize].len() as f64);
                    let lift = f64::from(both) * all / (n_a * n_b);
                    let ratio = likelihood_ratio(f64::from(both), n_a, n_b, all);
                    if lift > 1.0 && ratio >= options.significance {
                        partners.push(Partner {
                            other: b,
                            baskets: both,
                            lift,
                            ratio,
                        });
                    }
                }
                touched.clear();
                partners.sort_unstable_by(|x, y| y.ratio.total_cmp(&x.ratio).then(x.other.cmp(&y.other)));
                partners.truncate(options.keep);
                partners
            },
        )
        .collect()
}

/// Dunning's `2 Σ k ln(k / expected)` over the four cells of the table of a and b.
fn likelihood_ratio(both: f64, n_a: f64, n_b: f64, all: f64) -> f64 {
    let cell = |k: f64, row: f64, column: f64| {
        if k > 0.0 {
            k * (k * all / (row * column)).ln()
        } else {
            0.0
        }
    };
    2.0 * (cell(both, n_a, n_b)
        + cell(n_a - both, n_a, all - n_b)
        + cell(n_b - both, all - n_a, n_b)
        + cell(all - n_a - n_b + both, all - n_a, all - n_b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_basket_is_no_rule_and_many_are() {
        let mut all = vec![vec![0, 1], vec![2, 3], vec![2, 3], vec![2, 3], vec![2, 3]];
        all.extend((0..40).map(|i| vec![4, 5 + i % 3]));
        let rules = bought_together(&all, 8, &PairOptions::default());
        assert!(rules[0].is_empty() && rules[1].is_empty());
        assert_eq!(rules[2].len(), 1);
        let rule = rules[2][0];
        assert_eq!((rule.other, rule.baskets), (3, 4));
        assert!((rule.lift - 4.0 * 45.0 / 16.0).abs() < 1e-12);
    }

    #[test]
    fn the_ratio_by_hand() {
        // Cells 10, 20, 30, 40 of 100: 2 Σ k ln(k N / (row column)), 0.80435 (scipy's
        // chi2_contingency(lambda_="log-likelihood", correction=False) agrees).
        let ratio = likelihood_ratio(10.0, 30.0, 40.0, 100.0);
        assert!((ratio - 0.804_348_646).abs() < 1e-8, "{ratio}");
        assert!(likelihood_ratio(12.0, 30.0, 40.0, 100.0).abs() < 1e-9);
    }
}
