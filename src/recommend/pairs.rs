//! Pairs: what goes into one basket together.
//!
//! With N baskets, n_a and n_b that hold a and b, and n_ab that hold both, `lift = n_ab N / (n_a n_b)`: how many times
//! more often together than by chance. Lift alone praises accidents, so a pair must occur in at least `least` baskets and pass the
//! log-likelihood ratio test of independence (Dunning 1993, "Accurate methods for the statistics of surprise and coincidence").
//! A shop of 4,000 products tries eight million pairs, of which a test at 0.1 % alone would pass eight thousand by chance;
//! so the bar is set for all of them at once (Benjamini and Hochberg 1995, "Controlling the false discovery rate"): of the
//! pairs that pass, at most `false_share` are expected to be chance. Pairs are ranked by the ratio: much evidence first, not
//! rare coincidence.

use rayon::prelude::*;

use super::log::{Kind, Log};

/// What makes two products a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairOptions {
    /// Baskets that must hold both.
    pub least: u32,
    /// Expected share of chance among the pairs that pass.
    pub false_share: f64,
    /// Partners kept per product.
    pub keep: usize,
    /// Baskets of more products than this are a wholesaler's order, not a taste, and are left out.
    pub widest: usize,
}

impl Default for PairOptions {
    fn default() -> PairOptions {
        PairOptions {
            least: 3,
            false_share: 0.01,
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

/// The baskets of every product.
#[derive(Debug, Clone)]
pub struct Baskets {
    of: Vec<Vec<u32>>,
    holding: Vec<Vec<u32>>,
}

impl Baskets {
    /// From baskets of distinct products.
    pub fn new(of: Vec<Vec<u32>>, products: usize) -> Baskets {
        let mut holding: Vec<Vec<u32>> = vec![Vec::new(); products];
        for (number, basket) in of.iter().enumerate() {
            for &product in basket {
                holding[product as usize].push(number as u32);
            }
        }
        Baskets { of, holding }
    }

    /// Two products' numbers, whatever they prove: what is said of a pair that a person put there.
    pub fn pair(&self, a: u32, b: u32) -> Partner {
        let (of_a, of_b) = (&self.holding[a as usize], &self.holding[b as usize]);
        let both = of_a
            .iter()
            .filter(|number| of_b.binary_search(number).is_ok())
            .count();
        self.partner(a, b, both as u32)
    }

    fn partner(&self, a: u32, b: u32, both: u32) -> Partner {
        let all = self.of.len() as f64;
        let (n_a, n_b) = (
            self.holding[a as usize].len() as f64,
            self.holding[b as usize].len() as f64,
        );
        let chance = n_a * n_b;
        Partner {
            other: b,
            baskets: both,
            lift: if chance > 0.0 {
                f64::from(both) * all / chance
            } else {
                0.0
            },
            ratio: if chance > 0.0 {
                likelihood_ratio(f64::from(both), n_a, n_b, all)
            } else {
                0.0
            },
        }
    }

    /// The products of each product's baskets that are found there more often than by chance, in at least `least`.
    fn candidates(&self, least: u32) -> Vec<Vec<Partner>> {
        let products = self.holding.len();
        (0..products)
            .into_par_iter()
            .map_init(
                || (vec![0u32; products], Vec::<u32>::new()),
                |(counts, touched), a| {
                    for &number in &self.holding[a] {
                        for &b in &self.of[number as usize] {
                            if counts[b as usize] == 0 {
                                touched.push(b);
                            }
                            counts[b as usize] += 1;
                        }
                    }
                    let mut partners = Vec::new();
                    for &b in touched.iter() {
                        let both = std::mem::take(&mut counts[b as usize]);
                        if b as usize != a && both >= least {
                            partners.push(self.partner(a as u32, b, both));
                        }
                    }
                    touched.clear();
                    partners.retain(|partner| partner.lift > 1.0);
                    partners
                },
            )
            .collect()
    }

    /// The partners of every product that are no accident, strongest evidence first.
    pub fn partners(&self, options: &PairOptions) -> Vec<Vec<Partner>> {
        let mut partners = self.candidates(options.least);
        let tried = self
            .holding
            .iter()
            .filter(|baskets| baskets.len() >= options.least as usize)
            .count();
        let ratios = partners
            .iter()
            .enumerate()
            .flat_map(|(a, of)| of.iter().filter(move |p| a < p.other as usize).map(|p| p.ratio));
        let bar = bar(
            ratios.collect(),
            tried as f64 * (tried as f64 - 1.0) / 2.0,
            options.false_share,
        );
        for of in &mut partners {
            of.retain(|partner| partner.ratio >= bar);
            of.sort_unstable_by(|x, y| y.ratio.total_cmp(&x.ratio).then(x.other.cmp(&y.other)));
            of.truncate(options.keep);
        }
        partners
    }
}

/// The smallest ratio that passes when `tried` pairs were tried: with the p-values in order, the largest p_k that is not above
/// `k / tried · share`. Only positive association is asked for, so half of χ²'s tail counts.
fn bar(mut ratios: Vec<f64>, tried: f64, share: f64) -> f64 {
    ratios.par_sort_unstable_by(|a, b| b.total_cmp(a));
    let passes = |(k, ratio): &(usize, &f64)| 0.5 * chi2_tail(**ratio) <= (*k as f64 + 1.0) / tried * share;
    ratios
        .iter()
        .enumerate()
        .rfind(passes)
        .map_or(f64::INFINITY, |(_, &ratio)| ratio)
}

/// P(χ² with one degree of freedom > x) = erfc(√(x / 2)), by the Chebyshev fit of Press et al., "Numerical Recipes", section
/// 6.2, whose relative error is below 1.2e-7 everywhere.
fn chi2_tail(x: f64) -> f64 {
    let z = (x.max(0.0) / 2.0).sqrt();
    let t = 1.0 / (1.0 + 0.5 * z);
    let series = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
        -1.265_512_23,
    ];
    let exponent = series.iter().fold(0.0, |sum, c| sum * t + c);
    t * (-z * z + exponent).exp()
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
        let baskets = Baskets::new(all, 8);
        let rules = baskets.partners(&PairOptions::default());
        assert!(rules[0].is_empty() && rules[1].is_empty());
        assert_eq!(rules[2].len(), 1);
        let rule = rules[2][0];
        assert_eq!((rule.other, rule.baskets), (3, 4));
        assert!((rule.lift - 4.0 * 45.0 / 16.0).abs() < 1e-12);
        assert_eq!(baskets.pair(2, 3), rule);
        assert_eq!((baskets.pair(0, 1).baskets, baskets.pair(0, 2).lift), (1, 0.0));
    }

    #[test]
    fn chance_makes_no_rules_however_many_pairs_are_tried() {
        // 1,000 products thrown into 6,000 baskets of eight: a third of a basket for each of half a million pairs.
        let mut random = fastrand::Rng::with_seed(2);
        let mut thrown: Vec<Vec<u32>> = Vec::new();
        for _ in 0..6000 {
            let mut basket: Vec<u32> = (0..8).map(|_| random.u32(0..1000)).collect();
            basket.sort_unstable();
            basket.dedup();
            thrown.push(basket);
        }
        let alone = Baskets::new(thrown.clone(), 1000).candidates(3);
        let by_chance = alone.iter().flatten().filter(|p| p.ratio > 10.83).count() / 2;
        assert!(by_chance > 100, "{by_chance} pass a test at 0.1 % alone");
        let rules = Baskets::new(thrown.clone(), 1000).partners(&PairOptions::default());
        assert_eq!(rules.iter().flatten().count(), 0);
        // Ten pairs that belong together are found among them, and nothing else is.
        thrown.extend((0..10).flat_map(|pair| vec![vec![2 * pair, 2 * pair + 1]; 12]));
        let rules = Baskets::new(thrown, 1000).partners(&PairOptions::default());
        let found: Vec<(usize, u32)> = (0..1000)
            .flat_map(|a| rules[a].iter().map(move |p| (a, p.other)))
            .collect();
        let planted: Vec<(usize, u32)> = (0..20).map(|a| (a as usize, a ^ 1)).collect();
        assert_eq!(found, planted);
    }

    #[test]
    fn the_tail_of_chi_square() {
        // scipy.stats.chi2.sf(x, 1).
        for (x, p) in [
            (0.0, 1.0),
            (1.0, 0.317_310_507_862_914_1),
            (10.827_566_170_662_733, 0.001),
            (40.0, 2.539_628_589_470_865e-10),
            (200.0, 2.088_487_583_762_545e-45),
        ] {
            assert!((chi2_tail(x) / p - 1.0).abs() < 2e-7, "{x}: {}", chi2_tail(x));
        }
        // By hand: 0.5 p of 20, 10 and 5 are 3.9e-6, 7.8e-4 and 1.3e-2; of 100 tried at 0.05 the bars are 5e-4, 1e-3, 1.5e-3.
        assert_eq!(bar(vec![5.0, 20.0, 10.0], 100.0, 0.05), 10.0);
        assert_eq!(bar(vec![5.0], 100.0, 0.05), f64::INFINITY);
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
