//! Recommendations: the five steps of this family.
//!
//! `collect` reads and prepares, the pure functions of [`crate::recommend`] fit and judge, `write` publishes.
//! A personal model that does not beat the 30-day popularity is not used: then everybody gets the popular
//! products, and `why` says so.

mod again;
mod cold;
mod collect;
mod deep;
mod kept;
mod next;
mod pages;
mod report;
mod scores;
mod wishes;
mod write;

use std::collections::BTreeMap;

use anyhow::Result;

use self::cold::Cold;
use self::collect::text;
pub use self::collect::{Collected, Prepared};
use self::kept::Before;
use self::next::Next;
use self::scores::Page;
use super::{AlreadyBought, Family, Night, RecommendationOptions, Verdict};
use crate::recommend::choose::{self, Ground, Published};
use crate::recommend::content;
use crate::recommend::fitted::Limits;
use crate::recommend::log::{Log, Strengths};
use crate::recommend::measure::METRICS;
use crate::recommend::memory::{Memory, OfLists, OfVisitors};
use crate::recommend::neighbours::Neighbours;
use crate::recommend::purpose::Purpose;
use crate::recommend::trial::{From as Start, Trial};
use crate::recommend::visitors::{self, Visitors};
use crate::store::{GenerationWriter, Score, Snapshot};
use crate::text::{Csr, TfIdf, TfIdfOptions};

/// Neighbours by words that are kept per product.
const NEAREST_WORDS: usize = 100;
/// Words in more than this share of the texts say nothing about likeness.
const COMMON_WORDS: f64 = 0.2;

/// The family, with the options of its job file.
#[derive(Debug, Clone, Default)]
pub struct Recommendations {
    /// `[recommendations]`.
    pub options: RecommendationOptions,
}

/// Rows left out, by table and reason.
type Drops = BTreeMap<(&'static str, String), u64>;

/// What was learned.
#[derive(Debug)]
pub struct Learned {
    before: Before,
    vectors: Csr,
    words: Neighbours,
    trial: Trial,
    visitors: Visitors,
    next: Next,
    cold: Cold,
    again: again::BuyingAgain,
}

/// What the night decided. The models of the trial are gone: what is published is fitted on everything, and both at once would
/// take twice the memory.
#[derive(Debug)]
pub struct Judged {
    vectors: Csr,
    words: Neighbours,
    /// What every kind of event counts.
    strengths: Strengths,
    /// What the next night gets to know.
    memory: Memory,
    verdict: choose::Verdict,
    /// The network in the winner, where one is.
    network: Option<deep::Judged>,
    visitors: Visitors,
    next: Next,
    cold: Cold,
    again: again::BuyingAgain,
}

/// Two parts of a night that ask nothing of each other: at once, the first on a thread of its own, where there is more than one to
/// compute with. What they find is the same either way.
fn at_once<A: Send, B>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    if rayon::current_num_threads() == 1 {
        return (first(), second());
    }
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        let first = first
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (first, second)
    })
}

impl Recommendations {
    fn purpose(&self) -> Purpose {
        match self.options.purpose {
            super::Purpose::NextWeeks => Purpose::NextWeeks,
            super::Purpose::Basket => Purpose::Basket,
        }
    }

    /// What every cut of the night stands on.
    fn ground<'a>(
        &self,
        log: &'a Log,
        vectors: &'a Csr,
        words: &'a Neighbours,
        night: &Night<'_>,
    ) -> Ground<'a> {
        Ground {
            log,
            vectors,
            words,
            purpose: self.purpose(),
            limits: Limits::full(self.options.ease_products),
            seed: night.seed,
        }
    }

    fn scores(&self, trial: &Trial, verdict: &choose::Verdict, seed: u64) -> Vec<Score> {
        let mut scores = Vec::new();
        let split = self.purpose().split();
        for candidate in &verdict.candidates {
            let fitted_on = candidate.fitted_on.as_ref();
            let page = Page {
                result: "recommendations",
                model: candidate.name,
                slice: "",
                split: &fitted_on.map_or_else(|| split.to_owned(), |cut| format!("{split}; {cut}")),
                chosen: candidate.name == verdict.winner,
            };
            for (number, metric) in METRICS.iter().enumerate() {
                scores.push(page.figure(metric, candidate.judged.figure(number, choose::DRAWS, seed)));
            }
            let coverage = candidate.judged.coverage(choose::DRAWS, seed);
            scores.push(page.figure("coverage@10", coverage));
            scores.push(page.count("users", candidate.judged.of_users.len() as f64));
        }
        scores.push(deep::score(trial, verdict));
        if let Some(choice) = verdict.choice {
            let page = Page {
                result: "recommendations",
                model: choose::CHOICE,
                slice: "",
                split: &format!("{split}; chosen on one half of the customers, measured on the other"),
                chosen: false,
            };
            scores.push(page.figure("ndcg@10", choice));
        }
        if let Some(inner) = &trial.tuned.inner {
            let ease = inner.ease.as_ref();
            let ease = ease.map_or_else(String::new, |cut| format!("; EASE on the {cut}"));
            let page = Page {
                result: "recommendations",
                model: choose::BLEND,
                slice: "tuning",
                split: &format!(
                    "{} inner cut(s) of the training part, the same way{ease}",
                    inner.cuts
                ),
                chosen: false,
            };
            scores.push(page.count("ndcg@10", inner.ndcg));
            scores.push(page.count("users", inner.users as f64));
            scores.push(page.count("evaluations", inner.evaluations as f64));
        }
        scores
    }

    /// What the next night gets to know.
    fn memory(&self, prepared: &Prepared, learned: &Learned, verdict: &choose::Verdict) -> Memory {
        let Learned {
            before,
            trial,
            visitors,
            next,
            cold,
            again,
            ..
        } = learned;
        let (nights, events) = match before.rested() {
            Some(memory) => (memory.nights + 1, memory.events),
            None => (0, prepared.log.events().len() as u64),
        };
        Memory {
            purpose: self.purpose(),
            nights,
            events,
            lists: (trial.rested || trial.tuned.inner.is_some()).then(|| OfLists {
                model: verdict.model.to_owned(),
                settings: verdict.settings,
            }),
            sessions: next.remembered(),
            visitors: visitors.choice.clone().map(|choice| OfVisitors {
                published: visitors.kernels.clone(),
                choice,
            }),
            again: again.remembered(),
            cold: cold.choice(),
        }
    }
}

impl Family for Recommendations {
    const NAME: &'static str = "recommendations";
    type Collected = Collected;
    type Prepared = Prepared;
    type Fitted = Learned;
    type Judged = Judged;

    fn newest(&self, snapshot: &Snapshot, now: i64) -> Result<Option<i64>> {
        Ok(snapshot.newest_event_at(now)?)
    }

    fn exclude_bought(&self) -> bool {
        self.options.already_bought != AlreadyBought::Allow
    }

    fn nothing_to_show(&self) -> Option<&'static str> {
        Some("no product can be shown: there are none, or all are hidden, out of stock or blocked by a rule")
    }

    fn repeats(&self) -> Option<String> {
        Some(format!("{:?}", self.options))
    }

    fn models(&self) -> &'static [&'static str] {
        &[kept::SESSIONS]
    }

    fn collect(&self, snapshot: &Snapshot, night: &Night<'_>) -> Result<Collected> {
        Ok(collect::collect(
            snapshot,
            night.as_of,
            night.rules_at(),
            night.settings.history_days,
            night
                .shop
                .published(Self::NAME)?
                .and_then(|published| published.as_of),
        )?)
    }

    fn prepare(&self, collected: Collected, night: &Night<'_>) -> Result<Prepared> {
        let (prepared, drops) = collect::prepare(collected);
        for ((table, reason), rows) in drops {
            night.drop_rows(table, reason, rows);
        }
        report::write(&prepared, night)?;
        Ok(prepared)
    }

    fn fit(&self, prepared: &Prepared, night: &Night<'_>) -> Result<Learned> {
        let control = &night.control_with_checkpoints(Self::NAME)?;
        let before = Before::read(night, self.purpose(), prepared.log.events().len())?;
        let texts: Vec<String> = prepared.products.iter().map(text).collect();
        let (_, vectors) = TfIdf::fit(&texts, &TfIdfOptions::default());
        control.check()?;
        let words = content::nearest(&vectors, NEAREST_WORDS, COMMON_WORDS);
        control.check()?;
        let ground = self.ground(&prepared.log, &vectors, &words, night);
        let strengths = self.options.strengths();
        let start = match before.lists() {
            Some(lists) if before.rested().is_some() => Start::Rest(lists.settings),
            Some(lists) => Start::Before(lists.settings),
            None => Start::Nothing,
        };
        let learning = deep::learning(self, prepared, &before, night)?;
        let sessions = next::Learning::of(prepared, &self.options, night)?;
        // Networks learn on one thread, and nothing else waits for those of sessions.
        let (next, others) = at_once(
            || Next::fit(prepared, &texts, &words, before.sessions(), sessions, control),
            || {
                let trial = Trial::fit(&ground, &strengths, start, learning.as_ref(), control)?;
                let visitors = visitors::fit(
                    &prepared.log,
                    &trial.strengths,
                    &prepared.places,
                    before.visitors().as_ref(),
                    choose::DRAWS,
                    night.seed,
                    control,
                )?;
                let cold = Cold::fit(&texts, &ground, &trial, before.cold(), &self.options, night)?;
                let again = again::BuyingAgain::fit(prepared, before.again(), night)?;
                Ok::<_, anyhow::Error>((trial, visitors, cold, again))
            },
        );
        let (trial, visitors, cold, again) = others?;
        let next = next?;
        Ok(Learned {
            before,
            vectors,
            words,
            trial,
            visitors,
            next,
            cold,
            again,
        })
    }

    fn evaluate(
        &self,
        prepared: &Prepared,
        learned: Learned,
        night: &Night<'_>,
    ) -> Result<(Judged, Verdict)> {
        let ground = self.ground(&prepared.log, &learned.vectors, &learned.words, night);
        let published = learned
            .before
            .lists()
            .and_then(|lists| Published::new(&lists.model, lists.settings));
        let verdict = choose::choose(&learned.trial, &ground, published, &night.control)?;
        let memory = self.memory(prepared, &learned, &verdict);
        let Learned {
            before,
            vectors,
            words,
            trial,
            visitors,
            next,
            cold,
            again,
        } = learned;
        let mut scores = self.scores(&trial, &verdict, night.seed);
        scores.extend(scores::of_visitors(&visitors));
        scores.extend(next.scores());
        scores.extend(cold.scores(night.seed));
        scores.extend(again.scores());
        // There is always something to publish: where no personal model wins, the popular products.
        let parts = [
            Some(verdict.why.clone()),
            before.note(),
            Some(visitors.why.clone()),
            Some(next.why().to_owned()),
            Some(again.why().to_owned()),
            prepared.unfit_rules.clone(),
        ];
        let why = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let judged = Judged {
            vectors,
            words,
            strengths: trial.strengths,
            memory,
            network: deep::Judged::of(&trial, &verdict),
            verdict,
            visitors,
            next,
            cold,
            again,
        };
        let verdict = Verdict {
            publish: true,
            why,
            scores,
        };
        Ok((judged, verdict))
    }

    fn publish(
        &self,
        prepared: &Prepared,
        judged: &Judged,
        generation: &mut GenerationWriter<'_>,
        night: &Night<'_>,
    ) -> Result<()> {
        write::write(self, prepared, judged, generation, night)
    }
}
