//! Kernels: how the purchases of the past are weighed into one order of the products for people of whom nothing is
//! known but, at most, where they are from.
//!
//! A [`Pair`] is somebody's first purchase of a product: who orders weekly counts once. A [`Kernel`] says what a pair counts at
//! an instant; [`Known`] holds the pairs known then and ranks products by any kernel, for the shop and for each place.

use super::demand::DAY;
use super::history::Histories;
use super::lists::Popular;
use super::log::{Kind, Log, Strengths};
use super::places::Places;
use super::rank::best;

/// How the past fades.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Fading {
    /// All of the last so many days, nothing before.
    Window(f64),
    /// Half after so many days.
    HalfLife(f64),
}

/// One way to rank products for strangers.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Kernel {
    /// How the past fades.
    pub fading: Fading,
    /// What a product of a later basket counts beside one of a first basket.
    pub later: f64,
    /// k of the shrinkage towards the next larger place; `None` = one list for all places.
    pub shrink: Option<f64>,
}

/// The naive answer.
pub const NAIVE: Kernel = Kernel {
    fading: Fading::Window(30.0),
    later: 1.0,
    shrink: None,
};

/// The windows and half-lives that compete, in days; what later baskets count; k of the shrinkage.
pub const WINDOWS: [f64; 3] = [30.0, 14.0, 7.0];
const HALF_LIVES: [f64; 5] = [3.5, 7.0, 14.0, 28.0, 56.0];
const LATER: [f64; 3] = [1.0, 0.25, 0.0];
const SHRINKS: [Option<f64>; 3] = [None, Some(1000.0), Some(250.0)];
/// Half-life of interest in products that no kernel reaches, in days.
const INTEREST_DAYS: f64 = 90.0;

impl Kernel {
    /// Who bought in the last so many days.
    pub fn window(days: f64) -> Kernel {
        Kernel {
            fading: Fading::Window(days),
            ..NAIVE
        }
    }

    /// Its name in `scores.model` and in lists: popularity_14d, popularity_half_7d, with +first where first baskets count
    /// more (+first_only: alone) and +place where places differ.
    pub fn name(&self) -> String {
        let mut name = match self.fading {
            Fading::Window(days) => format!("popularity_{days}d"),
            Fading::HalfLife(days) => format!("popularity_half_{days}d"),
        };
        if self.later == 0.0 {
            name.push_str("+first_only");
        } else if self.later < 1.0 {
            name.push_str("+first");
        }
        if self.shrink.is_some() {
            name.push_str("+place");
        }
        name
    }

    /// Whether its numbers can weigh anything: what is read back from a file is not trusted.
    pub fn is_sane(&self) -> bool {
        let (Fading::Window(days) | Fading::HalfLife(days)) = self.fading;
        days > 0.0
            && days.is_finite()
            && (0.0..=1.0).contains(&self.later)
            && self.shrink.is_none_or(|k| k > 0.0 && k.is_finite())
    }

    /// Whether it counts every purchase of the whole shop alike.
    pub fn is_plain(&self) -> bool {
        self.later == 1.0 && self.shrink.is_none()
    }

    fn weight(&self, pair: &Pair, now: i64) -> f64 {
        let days = (now - pair.at) as f64 / DAY as f64;
        let fading = match self.fading {
            Fading::Window(window) => f64::from(days < window),
            Fading::HalfLife(half) => 0.5f64.powf(days / half),
        };
        fading * if pair.first_basket { 1.0 } else { self.later }
    }

    /// All that compete, the naive answer first.
    pub fn all() -> Vec<Kernel> {
        let windows = WINDOWS.iter().map(|&days| (Fading::Window(days), &LATER[..1]));
        let half_lives = HALF_LIVES
            .iter()
            .map(|&days| (Fading::HalfLife(days), &LATER[..]));
        let mut kernels = Vec::new();
        for (fading, later) in windows.chain(half_lives) {
            for &later in later {
                kernels.extend(SHRINKS.iter().map(|&shrink| Kernel {
                    fading,
                    later,
                    shrink,
                }));
            }
        }
        kernels
    }
}

/// Somebody's first purchase of a product (in a shop without purchases: first interest in it).
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// `None`: a guest.
    pub user: Option<u32>,
    /// Numbers people, guests by their baskets.
    pub who: u32,
    /// What.
    pub product: u32,
    /// When.
    pub at: i64,
    /// In their first basket.
    pub first_basket: bool,
}

/// The pairs known before the instant `until`.
pub fn pairs(log: &Log, strengths: &Strengths, until: i64) -> Vec<Pair> {
    let purchases = log.has_purchases();
    let histories = Histories::build(log, strengths, |event| event.at < until);
    let target = |kind: Kind| !purchases || kind == Kind::Purchase;
    let known = log.events().partition_point(|e| e.user.is_some());
    let mut pairs = Vec::new();
    for of_user in log.events()[..known].chunk_by(|a, b| a.user == b.user) {
        let Some(user) = of_user[0].user else { continue };
        let told = of_user.iter().filter(|e| e.at < until && target(e.kind));
        let Some(first) = told.clone().min_by_key(|e| (e.at, e.line)) else {
            continue;
        };
        let mut opening: Vec<u32> = told
            .filter(|e| e.basket == first.basket)
            .map(|e| e.product)
            .collect();
        opening.dedup(); // events of a user come by product
        let wanted = histories.of(user as usize).iter();
        let wanted = wanted.filter(|s| if purchases { s.bought } else { s.strength > 0.0 });
        pairs.extend(wanted.map(|signal| Pair {
            user: Some(user),
            who: user,
            product: signal.product,
            at: signal.first,
            first_basket: opening.binary_search(&signal.product).is_ok(),
        }));
    }
    // Guests: each basket is somebody, each product in it counts once.
    let mut guests: Vec<(u32, u32, i64)> = log.events()[known..]
        .iter()
        .filter(|e| e.at < until && target(e.kind))
        .map(|e| (e.basket, e.product, e.at))
        .collect();
    guests.sort_unstable();
    guests.dedup_by_key(|&mut (basket, product, _)| (basket, product));
    for (basket, number) in guests.chunk_by(|a, b| a.0 == b.0).zip(log.users as u32..) {
        pairs.extend(basket.iter().map(|&(_, product, at)| Pair {
            user: None,
            who: number,
            product,
            at,
            first_basket: true,
        }));
    }
    pairs
}

/// What is known at one instant, ready to be ranked by any kernel.
#[derive(Debug)]
pub struct Known<'a> {
    pairs: Vec<Pair>,
    /// Interest of all kinds, fading slowly, at most 1: breaks ties, and ranks what nobody bought.
    interest: Vec<f64>,
    now: i64,
    places: &'a Places,
}

impl<'a> Known<'a> {
    /// From the pairs known at `now`.
    pub fn at(log: &Log, strengths: &Strengths, places: &'a Places, pairs: Vec<Pair>, now: i64) -> Known<'a> {
        let mut interest = vec![0.0f64; log.products];
        for event in log.events().iter().filter(|e| e.at <= now) {
            let worth = match event.kind {
                Kind::View => strengths.view,
                Kind::Wish => strengths.wish,
                Kind::Cart => strengths.cart,
                Kind::Purchase => strengths.purchase,
                Kind::Rating => strengths.rating * (event.rating - 2.0) / 3.0,
                Kind::Return | Kind::Dismiss => 0.0,
            };
            let days = (now - event.at) as f64 / DAY as f64;
            interest[event.product as usize] += f64::from(worth.max(0.0)) * 0.5f64.powf(days / INTEREST_DAYS);
        }
        let largest = interest.iter().copied().fold(0.0, f64::max);
        if largest > 0.0 {
            interest.iter_mut().for_each(|x| *x /= largest);
        }
        Known {
            pairs,
            interest,
            now,
            places,
        }
    }

    /// The shop's shares by a kernel, interest as a tie break a million times smaller.
    fn anywhere(&self, kernel: &Kernel) -> Vec<f64> {
        let mut weights = vec![0.0f64; self.interest.len()];
        for pair in &self.pairs {
            weights[pair.product as usize] += kernel.weight(pair, self.now);
        }
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let tie = if largest > 0.0 { largest * 1e-6 } else { 1.0 };
        weights
            .iter_mut()
            .zip(&self.interest)
            .for_each(|(w, i)| *w += i * tie);
        let sum: f64 = weights.iter().sum();
        if sum > 0.0 {
            weights.iter_mut().for_each(|w| *w /= sum);
        }
        weights
    }

    /// The shares at every place; `None` where the kernel has one order for all.
    fn by_place(&self, kernel: &Kernel, anywhere: &[f64]) -> Option<Vec<Vec<f64>>> {
        let k = kernel.shrink?;
        let mut own: Vec<Vec<(u32, f64)>> = vec![Vec::new(); self.places.names.len()];
        for pair in &self.pairs {
            let weight = kernel.weight(pair, self.now);
            if let Some(user) = pair.user
                && weight > 0.0
            {
                for place in self.places.all_of(user as usize) {
                    own[place].push((pair.product, weight));
                }
            }
        }
        // Larger places come first, so a pair of country and language finds its country's shares ready.
        let mut all: Vec<Vec<f64>> = Vec::with_capacity(own.len());
        for (own, parent) in own.iter().zip(&self.places.parents) {
            let towards = parent.map_or(anywhere, |parent| &all[parent]);
            let sum: f64 = own.iter().map(|&(_, weight)| weight).sum();
            let mut shares: Vec<f64> = towards.iter().map(|p| k * p).collect();
            own.iter()
                .for_each(|&(product, weight)| shares[product as usize] += weight);
            shares.iter_mut().for_each(|share| *share /= sum + k);
            all.push(shares);
        }
        Some(all)
    }

    /// The order of several kernels together, by the mean of their shares: the `anywhere` best products anywhere and the
    /// `local` best at every place (an empty list where no kernel tells places apart).
    pub fn order(&self, kernels: &[Kernel], anywhere: usize, local: usize) -> Popular {
        let places = self.places.names.len();
        let mut shop = vec![0.0f64; self.interest.len()];
        let mut at_places = vec![vec![0.0f64; self.interest.len()]; places];
        let mut told_apart = false;
        let add = |to: &mut [f64], shares: &[f64]| to.iter_mut().zip(shares).for_each(|(t, s)| *t += s);
        for kernel in kernels {
            let shares = self.anywhere(kernel);
            let own = self.by_place(kernel, &shares);
            told_apart |= own.is_some();
            for (place, to) in at_places.iter_mut().enumerate() {
                add(to, own.as_ref().map_or(&shares, |own| &own[place]));
            }
            add(&mut shop, &shares);
        }
        Popular {
            anywhere: ranked(&shop, anywhere),
            places: at_places
                .iter()
                .map(|shares| {
                    if told_apart {
                        ranked(shares, local)
                    } else {
                        Vec::new()
                    }
                })
                .collect(),
        }
    }
}

/// The `most` best, scores over the largest.
fn ranked(scores: &[f64], most: usize) -> Vec<(u32, f32)> {
    let largest = scores.iter().copied().fold(0.0, f64::max);
    let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
    let narrow: Vec<f32> = scores.iter().map(|score| (score * scale) as f32).collect();
    best(&narrow, most, |_| true)
}
