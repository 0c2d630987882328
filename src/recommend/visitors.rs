//! Visitors: what strangers are shown.
//!
//! A stranger has no history, so one order of the products serves all of them, or all of one place. Which one is a question
//! with an answer in the data: customers were strangers once. On a time cut, the customers whom nobody had seen before
//! it are the test, and these [`Kernel`]s compete:
//!
//! - the window: who bought in the last 7, 14 or 30 days (30 is the naive answer);
//! - fading: a purchase counts half after so many days;
//! - first baskets: strangers begin like those who began, so what was in a customer's first basket counts more
//!   than what came later (a guest's basket is always a first one);
//! - by place: a country's own demand, shrunk towards the shop's: `(n_c + k p) / (N_c + k)` with the country's weights n_c,
//!   their sum N_c and the shares p of the next larger place, so that a country with three buyers sees the shop's list.
//!
//! Some hundred strangers do not tell good kernels from lucky ones: on Online Retail the best on one cut is often no better
//! than the naive answer on the next, while the mean of the ten best is always among the best (on three pairs of cuts
//! 0.111, 0.095 and 0.104 NDCG@10, where the single best reaches 0.101, 0.095 and 0.102, and 30 days 0.101, 0.082 and 0.081).
//! So the ten best on an inner cut rank together, by the mean of their shares. The figures are those of the outer
//! cut, and where the ten do not beat the 30 days there, they are not used; the order that is published stands beside them and
//! stays where tonight's is significantly worse. Products nobody bought within reach of a kernel
//! follow by all signs of interest, fading slowly.

use rayon::prelude::*;

use super::kernels::{Kernel, Known, NAIVE, Pair, WINDOWS, pairs};
use super::lists::Popular;
use super::log::{Log, Strengths};
use super::measure::{Figure, bootstrap};
use super::places::Places;
use crate::fit::{Control, FitError};

/// Strangers that must be tested before the naive answer may lose.
const LEAST_STRANGERS: usize = 20;
/// Kernels that rank together.
const TOGETHER: usize = 10;
/// The model of their order in `scores` and in lists.
pub const TOGETHER_NAME: &str = "popularity_blend";
/// What is published, judged beside tonight's order.
const PUBLISHED: &str = "published";
/// Share of the past that a cut leaves to learn from, as in [`super::cuts`].
const TRAIN_SHARE: f64 = 0.8;
/// Products of a place's list that are kept; behind them it goes on as anywhere.
const PLACE_PRODUCTS: usize = 1000;

/// The instant up to which a cut learns: the quantile of the times of known customers' pairs.
fn boundary(pairs: &[Pair]) -> Option<i64> {
    let mut times: Vec<i64> = pairs.iter().filter(|p| p.user.is_some()).map(|p| p.at).collect();
    times.sort_unstable();
    let last = times.len().checked_sub(1)?;
    Some(times[(TRAIN_SHARE * last as f64) as usize])
}

/// A stranger of the test: where from, and what they bought (ascending).
type Stranger = (Option<usize>, Vec<u32>);

/// Whoever was first seen after the boundary, with their pairs.
fn strangers(pairs: &[Pair], log: &Log, places: &Places, boundary: i64) -> Vec<Stranger> {
    let mut seen_before = vec![false; log.users];
    for event in log.events() {
        if let Some(user) = event.user
            && event.at <= boundary
        {
            seen_before[user as usize] = true;
        }
    }
    pairs
        .chunk_by(|a, b| a.who == b.who)
        .filter(|of| match of[0].user {
            Some(user) => !seen_before[user as usize],
            None => of.iter().all(|pair| pair.at > boundary),
        })
        .map(|of| {
            let mut products: Vec<u32> = of.iter().map(|pair| pair.product).collect();
            products.sort_unstable();
            (of[0].user.and_then(|user| places.of(user as usize)), products)
        })
        .collect()
}

/// Figures on the outer cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Name of the kernel, or [`TOGETHER_NAME`].
    pub model: String,
    /// NDCG@10 over strangers.
    pub ndcg: Figure,
    /// Share of strangers with any hit in the first ten.
    pub hit_rate: Figure,
    /// Strangers tested.
    pub strangers: usize,
}

/// What strangers are shown.
#[derive(Debug, Clone)]
pub struct Visitors {
    /// What ranks: [`TOGETHER_NAME`], or the naive answer's name.
    pub model: String,
    /// The kernels behind it.
    pub kernels: Vec<Kernel>,
    /// What the inner cut chose; `None` where it could not.
    pub choice: Option<Choice>,
    /// The winner's order on everything known tonight.
    pub popular: Popular,
    /// What sells, by the best of the kernels that count every purchase of the whole shop alike: a score of every product, at
    /// most 1.
    pub sells: Vec<f32>,
    /// The naive answer, other windows, the best kernel and the ten best together; empty where nobody could be tested.
    pub figures: Vec<Figures>,
    /// Why it won, in plain words.
    pub why: String,
}

impl Visitors {
    /// The name of what ranks, in lists: that of the kernel or of several together, whoever chose them.
    pub fn ranked_by(&self) -> String {
        match self.kernels.as_slice() {
            [kernel] => kernel.name(),
            _ => TOGETHER_NAME.to_owned(),
        }
    }
}

/// (NDCG@10, hit) of every stranger.
fn judge(known: &Known<'_>, strangers: &[Stranger], kernels: &[Kernel]) -> Vec<(f64, f64)> {
    let popular = known.order(kernels, 10, 10);
    let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    strangers
        .iter()
        .map(|(place, bought)| {
            let own = place.map_or(&[][..], |place| popular.places[place].as_slice());
            let list = if own.is_empty() { &popular.anywhere } else { own };
            let hits = list
                .iter()
                .enumerate()
                .filter(|(_, row)| bought.binary_search(&row.0).is_ok());
            let gained: f64 = hits.map(|(rank, _)| discount(rank)).sum();
            let perfect: f64 = (0..bought.len().min(10)).map(discount).sum();
            (gained / perfect, f64::from(gained > 0.0))
        })
        .collect()
}

fn mean_ndcg(judged: &[(f64, f64)]) -> f64 {
    judged.iter().map(|row| row.0).sum::<f64>() / judged.len().max(1) as f64
}

/// What an inner cut chose.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Choice {
    /// The ten best, the best first.
    pub together: Vec<Kernel>,
    /// The best of the kernels that count every purchase of the whole shop alike.
    pub selling: Kernel,
}

/// What an earlier night left.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    /// The kernels behind the order that is published; not empty.
    pub published: Vec<Kernel>,
    /// What its inner cut chose.
    pub choice: Choice,
    /// Whether the night rests on it.
    pub rest: bool,
}

/// Lets the kernels compete on a cut; `None` with too few strangers.
fn compete(
    log: &Log,
    strengths: &Strengths,
    places: &Places,
    train: &[Pair],
    control: &Control,
) -> Result<Option<Choice>, FitError> {
    let Some(inner) = boundary(train) else {
        return Ok(None);
    };
    let tested = strangers(train, log, places, inner);
    if tested.len() < LEAST_STRANGERS {
        return Ok(None);
    }
    let known = Known::at(log, strengths, places, pairs(log, strengths, inner + 1), inner);
    control.check()?;
    let kernels = Kernel::all();
    let judged: Vec<f64> = kernels
        .par_iter()
        .map(|kernel| mean_ndcg(&judge(&known, &tested, &[*kernel])))
        .collect();
    control.check()?;
    let mut order: Vec<usize> = (0..kernels.len()).collect();
    // The first of equals, and the simple ones come first.
    order.sort_by(|&a, &b| judged[b].total_cmp(&judged[a]));
    let plain = order.iter().map(|&at| kernels[at]).find(Kernel::is_plain);
    Ok(Some(Choice {
        together: order.iter().take(TOGETHER).map(|&at| kernels[at]).collect(),
        selling: plain.unwrap_or(NAIVE),
    }))
}

/// Lets the kernels compete, or takes what is published where the night rests on it, and ranks everything known by the winners.
/// Intervals come from `draws` resamples.
///
/// # Errors
/// [`FitError::Stopped`] when the night is stopped.
pub fn fit(
    log: &Log,
    strengths: &Strengths,
    places: &Places,
    before: Option<&Before>,
    draws: usize,
    seed: u64,
    control: &Control,
) -> Result<Visitors, FitError> {
    let now = log.newest().unwrap_or(0);
    let everything = pairs(log, strengths, i64::MAX);
    let mut model = NAIVE.name();
    let (mut kernels, mut selling) = (vec![NAIVE], NAIVE);
    let mut figures = Vec::new();
    let mut chosen = None;
    let mut why =
        "too few strangers to choose by, so they are shown the popular products of 30 days".to_owned();
    if let Some(outer) = boundary(&everything) {
        let train = pairs(log, strengths, outer + 1);
        control.check()?;
        let rest = before.filter(|before| before.rest);
        let choice = match rest {
            Some(rest) => Some(rest.choice.clone()),
            None => compete(log, strengths, places, &train, control)?,
        };
        if let Some(choice) = choice {
            selling = choice.selling;
            let mut shown: Vec<(String, Vec<Kernel>)> = WINDOWS
                .iter()
                .map(|&days| Kernel::window(days))
                .chain([selling, choice.together[0]])
                .map(|kernel| (kernel.name(), vec![kernel]))
                .collect();
            shown.push((TOGETHER_NAME.to_owned(), choice.together.clone()));
            // The naive answer is among them anyway.
            let published = before
                .map(|before| before.published.clone())
                .filter(|published| *published != choice.together && published[..] != [NAIVE]);
            shown.extend(published.clone().map(|kernels| (PUBLISHED.to_owned(), kernels)));
            let known = Known::at(log, strengths, places, train, outer);
            let tested = strangers(&everything, log, places, outer);
            figures = judge_all(&known, &tested, shown, draws, seed);
            control.check()?;
            let ndcg = |name: &str| figures.iter().find(|f| f.model == name).map(|f| f.ndcg.value);
            let (naive, best) = (ndcg(&model), ndcg(TOGETHER_NAME));
            if best > naive || tested.is_empty() {
                (model, kernels) = (TOGETHER_NAME.to_owned(), choice.together.clone());
            }
            let mut kept = "";
            if let Some(published) = published
                && gain(&known, &tested, &published, &kernels, draws, seed).lo90 > 0.0
                && ndcg(PUBLISHED) > naive
            {
                (model, kernels) = (PUBLISHED.to_owned(), published);
                kept = ", what is published is significantly better and stays";
            }
            why = match (naive, best) {
                (Some(naive), Some(best)) => format!(
                    "strangers are shown {model}: on {} of them {TOGETHER_NAME} reaches NDCG@10 {best:.4}, the popularity of 30 days {naive:.4}{kept}",
                    tested.len()
                ),
                _ => format!("strangers are shown {model}, chosen on an earlier cut"),
            };
            chosen = Some(choice);
        }
    }
    let known = Known::at(log, strengths, places, everything, now);
    let popular = known.order(&kernels, log.products, PLACE_PRODUCTS);
    let mut sells = vec![0.0; log.products];
    for (product, score) in known.order(&[selling], log.products, 0).anywhere {
        sells[product as usize] = score;
    }
    Ok(Visitors {
        model,
        kernels,
        choice: chosen,
        popular,
        sells,
        figures,
        why,
    })
}

/// The paired gain in NDCG@10 of some kernels over others on the same strangers.
fn gain(
    known: &Known<'_>,
    tested: &[Stranger],
    kernels: &[Kernel],
    over: &[Kernel],
    draws: usize,
    seed: u64,
) -> Figure {
    let (own, other) = (judge(known, tested, kernels), judge(known, tested, over));
    let gains: Vec<f64> = own
        .iter()
        .zip(&other)
        .map(|(own, other)| own.0 - other.0)
        .collect();
    bootstrap(&gains, draws, seed)
}

/// Figures of each contestant once.
fn judge_all(
    known: &Known<'_>,
    tested: &[Stranger],
    contestants: Vec<(String, Vec<Kernel>)>,
    draws: usize,
    seed: u64,
) -> Vec<Figures> {
    let mut figures: Vec<Figures> = Vec::new();
    for (model, kernels) in contestants {
        if tested.is_empty() || figures.iter().any(|done| done.model == model) {
            continue;
        }
        let (ndcg, hits): (Vec<f64>, Vec<f64>) = judge(known, tested, &kernels).into_iter().unzip();
        figures.push(Figures {
            model,
            ndcg: bootstrap(&ndcg, draws, seed),
            hit_rate: bootstrap(&hits, draws, seed),
            strangers: tested.len(),
        });
    }
    figures
}

#[cfg(test)]
mod tests;
