//! Choosing: what ranks the products that customers buy again.
//!
//! Time decides what may be seen. The last four weeks test; the choices (from how many earlier cuts the model learns,
//! how strong its ridge is) are made on the four weeks before, by models that learned from still earlier ones; for the
//! rows that are published the same recipe learns from everything, the last four weeks included. The naive answer is how
//! often the customer bought the product, and the model is used only where it beats it.

use super::examples::{Customer, Cut, pairs, returns};
use super::facts::HORIZON;
use super::features::{CROSSED, HABITS};
use super::judge::{Figures, Ranking, judge};
use super::logistic::{Logistic, Rows};
use super::visits::Visits;
use crate::fit::{Control, FitError, Stopped};

/// The naive answer: how often the customer bought the product; ties: bought last.
pub const FREQUENCY: &str = "frequency";
/// The same, every purchase counting half after sixty days.
pub const DECAYED: &str = "frequency_half_60d";
/// The logistic model.
pub const LOGISTIC: &str = "logistic";

/// Customers who bought something again, and pairs bought again, below which nothing is learned.
pub const LEAST_CUSTOMERS: usize = 20;
const LEAST_PAIRS: usize = 100;
/// Numbers of cuts to learn from, and ridges, among which validation chooses; the first of each is the default.
const SPANS: [usize; 3] = [2, 1, 3];
const RIDGES: [f64; 3] = [1e-3, 1e-4, 1e-2];
/// Ridge of the model of who comes back.
const HABITS_RIDGE: f64 = 1e-3;

/// Bounds of the work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Pairs a model learns from, at most (about).
    pub pairs: usize,
    /// Customers the model of who comes back learns from, at most (about).
    pub customers: usize,
    /// Seed of the samples.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            pairs: 100_000,
            customers: 50_000,
            seed: 1,
        }
    }
}

/// How a model is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// Cuts it learns from, four weeks apart.
    pub cuts: usize,
    /// Its ridge.
    pub ridge: f64,
}

/// Who comes back.
#[derive(Debug, Clone, PartialEq)]
enum Whether {
    Model(Logistic),
    /// Everybody or nobody did: the share.
    Share(f64),
}

/// What ranks and scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    which: Logistic,
    whether: Whether,
}

/// What a model learns from.
struct Lesson {
    pairs: Rows,
    returns: Rows,
}

impl Lesson {
    /// A sample of the `cuts` cuts whose four weeks end at or before `now`.
    fn before(visits: &Visits, now: i64, cuts: usize, options: &Options) -> Lesson {
        let (first, _) = visits.span().unwrap_or((now, now));
        let instants = (1..=cuts as i64).map(|number| now - number * HORIZON);
        let known: Vec<Cut<'_>> = instants
            .filter(|&at| at >= first)
            .map(|at| Cut::at(visits, at))
            .collect();
        let known: Vec<&Cut<'_>> = known.iter().collect();
        Lesson {
            pairs: pairs(&known, options.pairs, options.seed),
            returns: returns(&known, options.customers, options.seed),
        }
    }
}

impl Model {
    /// Learns a lesson.
    ///
    /// # Errors
    /// [`FitError::Invalid`] where too little was bought again; else those of the fit.
    fn fit(lesson: &Lesson, ridge: f64, control: &Control) -> Result<Model, FitError> {
        let (_, again) = lesson.pairs.counts();
        if again < LEAST_PAIRS {
            return Err(FitError::Invalid(format!(
                "{again} products were bought again within 28 days, and {LEAST_PAIRS} are needed to learn from"
            )));
        }
        let which = Logistic::fit(&lesson.pairs, &CROSSED, ridge, control)?;
        let (all, back) = lesson.returns.counts();
        let whether = if back == 0 || back == all {
            Whether::Share(back as f64 / all.max(1) as f64)
        } else {
            let crossed: Vec<usize> = (0..HABITS).collect();
            Whether::Model(Logistic::fit(&lesson.returns, &crossed, HABITS_RIDGE, control)?)
        };
        Ok(Model { which, whether })
    }

    /// The probability, for each pair of a customer, that it is bought again within [`HORIZON`].
    pub fn scores(&self, customer: &Customer) -> Vec<f32> {
        let mut row = Vec::new();
        let comes = match &self.whether {
            Whether::Model(model) => model.probability(&customer.habits, &mut row),
            Whether::Share(share) => *share,
        };
        let of_pair = |pair: &super::examples::Example| {
            (comes * self.which.probability(&pair.features, &mut row)) as f32
        };
        customer.pairs.iter().map(of_pair).collect()
    }
}

/// What ranks the rows that are published.
#[derive(Debug, Clone, PartialEq)]
pub enum Ranker {
    /// [`FREQUENCY`].
    Frequency,
    /// [`LOGISTIC`].
    Model(Model),
}

impl Ranker {
    /// One score per pair, between 0 and 1: the model's probability; n / (n + 2) after n purchases by frequency.
    pub fn scores(&self, customer: &Customer) -> Vec<f32> {
        match self {
            Ranker::Frequency => frequency(customer),
            Ranker::Model(model) => model.scores(customer),
        }
    }
}

fn frequency(customer: &Customer) -> Vec<f32> {
    let of_pair = |visits: u32| visits as f32 / (visits as f32 + 2.0);
    customer.pairs.iter().map(|pair| of_pair(pair.visits)).collect()
}

fn decayed(customer: &Customer) -> Vec<f32> {
    customer
        .pairs
        .iter()
        .map(|pair| pair.features[super::features::DECAY60])
        .collect()
}

/// One candidate's figures on the last four weeks.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name in `scores`.
    pub name: &'static str,
    /// Its figures.
    pub figures: Figures,
}

/// The verdict of a night.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// All candidates that could be judged, the naive answer first.
    pub candidates: Vec<Candidate>,
    /// The name of the winner.
    pub winner: &'static str,
    /// How the model is made, where it won.
    pub recipe: Recipe,
    /// Why it won, in plain words.
    pub why: String,
}

/// A fit that failed for its data leaves the naive answer; one that was stopped ends the night.
fn given<T>(fitted: Result<T, FitError>) -> Result<Result<T, String>, Stopped> {
    match fitted {
        Ok(model) => Ok(Ok(model)),
        Err(FitError::Stopped(stopped)) => Err(stopped),
        Err(FitError::Invalid(why)) => Ok(Err(why)),
        Err(other) => Ok(Err(other.to_string())),
    }
}

/// Chooses the recipe on the four weeks that end at `now - HORIZON`; the default where they cannot be judged.
fn recipe(visits: &Visits, now: i64, options: &Options, control: &Control) -> Result<Recipe, Stopped> {
    let mut best = Recipe {
        cuts: SPANS[0],
        ridge: RIDGES[0],
    };
    let at = now - 2 * HORIZON;
    let cut = Cut::at(visits, at);
    let lessons = SPANS.map(|cuts| (cuts, Lesson::before(visits, at, cuts, options)));
    let mut known: Option<f64> = None; // of the best so far
    for round in 0..2 {
        let tried: Vec<(Recipe, &Lesson)> = match round {
            0 => lessons
                .iter()
                .map(|(cuts, lesson)| (Recipe { cuts: *cuts, ..best }, lesson))
                .collect(),
            _ => {
                let of_best = lessons.iter().filter(|(cuts, _)| *cuts == best.cuts);
                let other = |(_, lesson)| {
                    RIDGES[1..]
                        .iter()
                        .map(move |&ridge| (Recipe { ridge, ..best }, lesson))
                };
                of_best
                    .map(|(cuts, lesson)| (cuts, lesson))
                    .flat_map(other)
                    .collect()
            }
        };
        let mut models = Vec::new();
        for (recipe, lesson) in tried {
            control.check()?;
            if let Ok(model) = given(Model::fit(lesson, recipe.ridge, control))? {
                models.push((recipe, model));
            }
        }
        let scores = |model: &Model| {
            let model = model.clone();
            move |customer: &Customer| model.scores(customer)
        };
        let rankings: Vec<_> = models.iter().map(|(_, model)| scores(model)).collect();
        let rankings: Vec<Ranking<'_>> = rankings.iter().map(|ranking| ranking as Ranking<'_>).collect();
        for (figures, (recipe, _)) in judge(&cut, &rankings).iter().zip(&models) {
            let better = known.is_none_or(|known| figures.mean_ndcg() > known);
            if figures.ndcg.len() >= LEAST_CUSTOMERS && better {
                (known, best) = (Some(figures.mean_ndcg()), *recipe);
            }
        }
    }
    Ok(best)
}

/// Judges the candidates on the four weeks before `now` and chooses.
///
/// # Errors
/// [`Stopped`] when the night is stopped.
pub fn choose(visits: &Visits, now: i64, options: &Options, control: &Control) -> Result<Verdict, Stopped> {
    let recipe = recipe(visits, now, options, control)?;
    let at = now - HORIZON;
    let cut = Cut::at(visits, at);
    let lesson = Lesson::before(visits, at, recipe.cuts, options);
    control.check()?;
    let model = given(Model::fit(&lesson, recipe.ridge, control))?;
    control.check()?;
    let by_model = model
        .as_ref()
        .ok()
        .map(|model| |customer: &Customer| model.scores(customer));
    let mut rankings: Vec<(&'static str, Ranking<'_>)> = vec![(FREQUENCY, &frequency), (DECAYED, &decayed)];
    rankings.extend(
        by_model
            .as_ref()
            .map(|ranking| (LOGISTIC, ranking as Ranking<'_>)),
    );
    let (names, rankings): (Vec<_>, Vec<_>) = rankings.into_iter().unzip();
    let figures = judge(&cut, &rankings);
    let candidates: Vec<Candidate> = names
        .into_iter()
        .zip(figures)
        .map(|(name, figures)| Candidate { name, figures })
        .collect();
    let (winner, why) = winner(&candidates, model.err());
    Ok(Verdict {
        candidates,
        winner,
        recipe,
        why,
    })
}

fn winner(candidates: &[Candidate], failed: Option<String>) -> (&'static str, String) {
    let of = |name| candidates.iter().find(|candidate| candidate.name == name);
    let tested = of(FREQUENCY).map_or(0, |candidate| candidate.figures.ndcg.len());
    let naive = of(FREQUENCY).map_or(0.0, |candidate| candidate.figures.mean_ndcg());
    if tested < LEAST_CUSTOMERS {
        let why = format!(
            "buy_again by frequency: {tested} customers bought something again in the last 28 days, and \
             {LEAST_CUSTOMERS} are needed to test a model"
        );
        return (FREQUENCY, why);
    }
    if let Some(failed) = failed {
        return (FREQUENCY, format!("buy_again by frequency: {failed}"));
    }
    let model = of(LOGISTIC).map_or(0.0, |candidate| candidate.figures.mean_ndcg());
    if model > naive {
        let why = format!(
            "buy_again by the logistic model: NDCG@10 {model:.4} on {tested} customers who bought something again in \
             the last 28 days, frequency {naive:.4}"
        );
        (LOGISTIC, why)
    } else {
        let why = format!(
            "buy_again by frequency: the logistic model (NDCG@10 {model:.4}) does not beat it ({naive:.4}) on {tested} \
             customers"
        );
        (FREQUENCY, why)
    }
}

/// The winner, learned from everything up to `now`. Where its model cannot be fitted again, frequency and why.
///
/// # Errors
/// [`Stopped`] when the night is stopped.
pub fn refitted(
    verdict: &Verdict,
    visits: &Visits,
    now: i64,
    options: &Options,
    control: &Control,
) -> Result<Result<Ranker, String>, Stopped> {
    if verdict.winner != LOGISTIC {
        return Ok(Ok(Ranker::Frequency));
    }
    let lesson = Lesson::before(visits, now, verdict.recipe.cuts, options);
    control.check()?;
    Ok(given(Model::fit(&lesson, verdict.recipe.ridge, control))?.map(Ranker::Model))
}
