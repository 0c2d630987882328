//! Choosing: what ranks the products that customers buy again.
//!
//! Time decides what may be seen. The last four weeks test; the choices (from how many earlier cuts the model learns,
//! how strong its ridge is) are made on the four weeks before, by models that learned from still earlier ones; for the
//! rows that are published the same recipe learns from everything, the last four weeks included. The naive answer is how
//! often the customer bought the product, and anything else is used only where it beats it. A model made by the recipe that is
//! published stands beside tonight's and stays where tonight's is significantly worse.

use super::examples::{Customer, Cut, Example};
use super::facts::HORIZON;
use super::features::DECAY60;
use super::judge::{Figures, Ranking, judge};
use super::model::{Lesson, Model};
use super::visits::Visits;
use crate::fit::{Control, FitError, Stopped};

pub use super::model::Options;

/// The naive answer: how often the customer bought the product; ties: bought last.
pub const FREQUENCY: &str = "frequency";
/// The same, every purchase counting half after sixty days.
pub const DECAYED: &str = "frequency_half_60d";
/// The logistic model.
pub const LOGISTIC: &str = "logistic";
/// The logistic model by the recipe that is published.
pub const PUBLISHED: &str = "published";

/// Customers who bought something again, below whom nothing is chosen.
pub const LEAST_CUSTOMERS: usize = 20;
/// Numbers of cuts to learn from, and ridges, among which validation chooses; the first of each is the default.
const SPANS: [usize; 3] = [2, 1, 3];
const RIDGES: [f64; 3] = [1e-3, 1e-4, 1e-2];

/// Bootstrap draws of a comparison.
const DRAWS: usize = 500;

/// How a model is made.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recipe {
    /// Cuts it learns from, four weeks apart.
    pub cuts: usize,
    /// Its ridge.
    pub ridge: f64,
}

impl Recipe {
    /// Whether a model can be made so: what is read back from a file is not trusted.
    pub fn is_sane(&self) -> bool {
        SPANS.contains(&self.cuts) && self.ridge > 0.0 && self.ridge.is_finite()
    }
}

/// What is known of the recipe before the night.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// The recipe of the model that is published, to be judged beside tonight's.
    Published(Recipe),
    /// A recipe to be used as it is.
    Rest(Recipe),
}

/// What ranks the rows that are published.
#[derive(Debug, Clone, PartialEq)]
pub enum Ranker {
    /// [`FREQUENCY`].
    Frequency,
    /// [`DECAYED`].
    Decayed,
    /// [`LOGISTIC`].
    Model(Model),
}

impl Ranker {
    /// One score per pair, between 0 and 1: the model's probability; n / (n + 2) after n purchases by frequency, each counting half
    /// after sixty days by the decayed one.
    pub fn scores(&self, customer: &Customer) -> Vec<f32> {
        match self {
            Ranker::Frequency => frequency(customer),
            Ranker::Decayed => decayed(customer),
            Ranker::Model(model) => model.scores(customer),
        }
    }
}

fn frequency(customer: &Customer) -> Vec<f32> {
    let of_pair = |visits: u32| visits as f32 / (visits as f32 + 2.0);
    customer.pairs.iter().map(|pair| of_pair(pair.visits)).collect()
}

fn decayed(customer: &Customer) -> Vec<f32> {
    // The feature is ln(count + 0.01).
    let count = |pair: &Example| (pair.features[DECAY60].exp() - 0.01).max(0.0);
    let of_count = |count: f32| count / (count + 2.0);
    customer.pairs.iter().map(|pair| of_count(count(pair))).collect()
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
pub fn choose(
    visits: &Visits,
    now: i64,
    known: Known,
    options: &Options,
    control: &Control,
) -> Result<Verdict, Stopped> {
    let recipe = match known {
        Known::Rest(recipe) => recipe,
        Known::Nothing | Known::Published(_) => recipe(visits, now, options, control)?,
    };
    let at = now - HORIZON;
    let cut = Cut::at(visits, at);
    let lesson = Lesson::before(visits, at, recipe.cuts, options);
    control.check()?;
    let model = given(Model::fit(&lesson, recipe.ridge, control))?;
    control.check()?;
    let before = match known {
        Known::Published(before) if before != recipe => {
            let lesson = Lesson::before(visits, at, before.cuts, options);
            let model = given(Model::fit(&lesson, before.ridge, control))?;
            model.ok().map(|model| (before, model))
        }
        _ => None,
    };
    control.check()?;
    let by_published = before
        .as_ref()
        .map(|(_, model)| |customer: &Customer| model.scores(customer));
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
    rankings.extend(
        by_published
            .as_ref()
            .map(|ranking| (PUBLISHED, ranking as Ranking<'_>)),
    );
    let (names, rankings): (Vec<_>, Vec<_>) = rankings.into_iter().unzip();
    let figures = judge(&cut, &rankings);
    let candidates: Vec<Candidate> = names
        .into_iter()
        .zip(figures)
        .map(|(name, figures)| Candidate { name, figures })
        .collect();
    let (winner, why) = winner(&candidates, model.err(), options.seed);
    let recipe = match before {
        Some((before, _)) if winner == PUBLISHED => before,
        _ => recipe,
    };
    Ok(Verdict {
        candidates,
        winner,
        recipe,
        why,
    })
}

fn winner(candidates: &[Candidate], failed: Option<String>, seed: u64) -> (&'static str, String) {
    let of = |name| candidates.iter().find(|candidate| candidate.name == name);
    let ndcg = |name| of(name).map(|candidate| candidate.figures.mean_ndcg());
    let tested = of(FREQUENCY).map_or(0, |candidate| candidate.figures.ndcg.len());
    let naive = ndcg(FREQUENCY).unwrap_or(0.0);
    if tested < LEAST_CUSTOMERS {
        let why = format!(
            "buy_again by frequency: {tested} customers bought something again in the last 28 days, and \
             {LEAST_CUSTOMERS} are needed to test a model"
        );
        return (FREQUENCY, why);
    }
    // Ties go to the earlier, simpler one.
    let mut best = (FREQUENCY, naive);
    for name in [DECAYED, LOGISTIC] {
        if let Some(found) = ndcg(name)
            && found > best.1
        {
            best = (name, found);
        }
    }
    let mut kept = "";
    if let (Some(before), Some(tonight)) = (of(PUBLISHED), of(best.0))
        && before.figures.mean_ndcg() > naive
        && before.figures.gain_over(&tonight.figures, DRAWS, seed).lo90 > 0.0
    {
        best = (PUBLISHED, before.figures.mean_ndcg());
        kept = ", made as what is published was, because tonight's choice is significantly worse";
    }
    let failed = failed.map_or_else(String::new, |failed| format!("; no logistic model: {failed}"));
    let how = match best.0 {
        FREQUENCY => "frequency",
        DECAYED => "frequency, every purchase counting half after 60 days",
        _ => "the logistic model",
    };
    let model = match ndcg(LOGISTIC) {
        Some(model) if best.0 != LOGISTIC && best.0 != PUBLISHED => {
            format!(", the logistic model {model:.4}")
        }
        _ => String::new(),
    };
    let why = format!(
        "buy_again by {how}: NDCG@10 {:.4} on {tested} customers who bought something again in the last 28 days, \
         frequency {naive:.4}{model}{kept}{failed}",
        best.1
    );
    (best.0, why)
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
    match verdict.winner {
        FREQUENCY => return Ok(Ok(Ranker::Frequency)),
        DECAYED => return Ok(Ok(Ranker::Decayed)),
        _ => {}
    }
    let lesson = Lesson::before(visits, now, verdict.recipe.cuts, options);
    control.check()?;
    Ok(given(Model::fit(&lesson, verdict.recipe.ridge, control))?.map(Ranker::Model))
}
