//! Sheets: the scores of every component, laid out so that a blend's weights can be tried thousands of times.
//!
//! For each user of a cut a sheet holds a pool of products: the first `DEEP` of each component, with and without lift, and
//! of each window of popularity. A product that none of them puts there cannot come into the first ten of a blend
//! of them, but for combinations so even that they decide nothing; the figure that is reported comes from full
//! ranking (see [`super::measure`]), only tuning looks at pools. One evaluation is a few million multiplications.

use rayon::prelude::*;

use super::blend::component;
use super::cuts::Cut;
use super::demand::WINDOWS;
use super::fitted::Models;
use super::measure::is_spent;
use super::neighbours::Neighbours;
use super::profile::Decay;
use super::rank::best;
use super::settings::{COMPONENTS, Settings};

/// Products that each component brings into a user's pool.
const DEEP: usize = 60;
/// Products that each window of popularity brings.
const POPULAR: usize = 40;
/// The first places that count.
const PLACES: usize = 10;

/// One product of a pool.
#[derive(Debug, Clone, Copy)]
struct Entry {
    product: u32,
    /// Every component's score over its largest.
    parts: [f32; COMPONENTS.len()],
    hit: bool,
}

#[derive(Debug, Clone)]
struct Pool {
    entries: Vec<Entry>,
    /// The gain of a perfect list.
    ideal: f32,
}

/// The pools of some users of one cut.
#[derive(Debug)]
pub struct Sheet<'a> {
    models: &'a Models,
    pools: Vec<Pool>,
    discount: [f32; PLACES],
}

impl<'a> Sheet<'a> {
    /// Lays out the pools of `users`, who must be tested by `cut`; profiles fade as `settings` say.
    pub fn new(
        models: &'a Models,
        words: &Neighbours,
        cut: &Cut,
        users: &[usize],
        settings: &Settings,
    ) -> Sheet<'a> {
        let candidates = cut.train.seen_products();
        let products = candidates.len();
        let discount: [f32; PLACES] = std::array::from_fn(|place| 1.0 / (place as f32 + 2.0).log2());
        let lift = models.demand.lift(1, 2.0, 0.5);
        let popular: Vec<Vec<f32>> = (0..WINDOWS.len()).map(|w| models.demand.popularity(w)).collect();
        let components: Vec<_> = (0..COMPONENTS.len())
            .map(|number| component(models, words, number))
            .collect();
        let pool =
            |scores: &mut Vec<Vec<f32>>, lifted: &mut Vec<f32>, allowed: &mut Vec<bool>, user: usize| {
                let history = cut.train.of(user);
                let spent = || history.iter().filter(|s| is_spent(s, cut.purchases));
                allowed.copy_from_slice(&candidates);
                spent().for_each(|s| allowed[s.product as usize] = false);
                let mut chosen: Vec<u32> = Vec::new();
                for (number, (own, model)) in scores.iter_mut().zip(&components).enumerate() {
                    own.fill(0.0);
                    let decay = Decay {
                        tau_days: settings.tau_days[number],
                        from: models.age_from,
                    };
                    model.add_scores(&decay.profile(history), 1.0, own);
                    // The maximum is the blend's: over all products outside the history.
                    history.iter().for_each(|s| own[s.product as usize] = 0.0);
                    let largest = own.iter().copied().fold(0.0, f32::max);
                    let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
                    own.iter_mut().for_each(|x| *x *= scale);
                    chosen.extend(best(own, DEEP, |p| allowed[p]).iter().map(|e| e.0));
                    for ((to, &x), &l) in lifted.iter_mut().zip(own.iter()).zip(&lift) {
                        *to = x * l;
                    }
                    chosen.extend(best(lifted, DEEP, |p| allowed[p]).iter().map(|e| e.0));
                }
                for window in &popular {
                    chosen.extend(best(window, POPULAR, |p| allowed[p]).iter().map(|e| e.0));
                }
                chosen.sort_unstable();
                chosen.dedup();
                let test = &cut.test[user];
                let entry = |product: u32| Entry {
                    product,
                    parts: std::array::from_fn(|number| scores[number][product as usize]),
                    hit: test.binary_search(&product).is_ok(),
                };
                Pool {
                    entries: chosen.into_iter().map(entry).collect(),
                    ideal: discount[..PLACES.min(test.len())].iter().sum(),
                }
            };
        let pools = users
            .par_iter()
            .map_init(
                || {
                    (
                        vec![vec![0.0f32; products]; COMPONENTS.len()],
                        vec![0.0f32; products],
                        vec![false; products],
                    )
                },
                |(scores, lifted, allowed), &user| pool(scores, lifted, allowed, user),
            )
            .collect();
        Sheet {
            models,
            pools,
            discount,
        }
    }

    /// The mean NDCG@10 of the blend with these numbers; 0 without users.
    pub fn ndcg(&self, settings: &Settings) -> f64 {
        let lift = self.models.demand.lift(
            usize::from(settings.lift_window),
            settings.lift_prior,
            settings.lift_power,
        );
        let popularity = self
            .models
            .demand
            .popularity(usize::from(settings.popularity_window));
        let weights = settings.weights.map(|w| w as f32);
        let added = settings.popularity as f32;
        let gains: Vec<f32> = self
            .pools
            .par_iter()
            .with_min_len(64)
            .map_init(Vec::new, |scored: &mut Vec<(f32, u32, bool)>, pool| {
                let personal = |entry: &Entry| {
                    let sum: f32 = entry.parts.iter().zip(&weights).map(|(x, w)| x * w).sum();
                    sum * lift[entry.product as usize]
                };
                scored.clear();
                scored.extend(pool.entries.iter().map(|e| (personal(e), e.product, e.hit)));
                let largest = scored.iter().map(|e| e.0).fold(0.0, f32::max);
                let (scale, weight) = if largest > 0.0 {
                    (1.0 / largest, added)
                } else {
                    (0.0, 1.0)
                };
                for (score, product, _) in scored.iter_mut() {
                    *score = *score * scale + weight * popularity[*product as usize];
                }
                let first = PLACES.min(scored.len());
                if first < scored.len() {
                    scored.select_nth_unstable_by(first, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                }
                let top = &mut scored[..first];
                top.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                let gained: f32 = top
                    .iter()
                    .zip(&self.discount)
                    .filter(|((_, _, hit), _)| *hit)
                    .map(|(_, d)| d)
                    .sum();
                gained / pool.ideal
            })
            .collect();
        let sum: f64 = gains.iter().map(|&g| f64::from(g)).sum();
        sum / gains.len().max(1) as f64
    }

    /// Users laid out.
    pub fn users(&self) -> usize {
        self.pools.len()
    }
}
