//! What a night learned about tickets, in the form that is kept with its generation: `ask`, the daemon and the
//! extension answer from it without the history's texts. Replies are kept by key and read from the shop when quoted,
//! so that erasing a customer's words erases them here too.

use super::collect::message;
use super::labels::Label;
use super::written::Network;
use crate::store::Shop;
use crate::support::{Classifier, Drafting, NEIGHBOURS, Neighbour, Public, Solved, Threshold, VOTERS};
use crate::text::{Csr, TfIdf};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the artefacts' bytes.
pub(super) const FORMAT: i64 = 6;
/// The name of networks that write replies, as in `scores`.
pub(super) const NETWORK: &str = "seq2seq";

/// The name of a language's network among the artefacts.
pub(super) fn network_name(language: &str) -> String {
    format!("support network {language}")
}

/// A class the model tells apart, a category or a team, and what people mostly did with its tickets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Class {
    pub name: String,
    pub team: Option<String>,
    /// Share of its old tickets that people gave to this team; none where the team is known from the agents' skills only.
    pub team_share: Option<f64>,
    pub priority: Option<String>,
}

impl Class {
    /// Whether people gave at least this share of its tickets to the usual team, as far as they gave them to any.
    pub(super) fn has_one_team(&self, precision: f64) -> bool {
        self.team_share.is_none_or(|share| share >= precision)
    }
}

/// How answers are given: small, read first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Policy {
    /// The name of the model that says the class, as in `scores`; none without labels.
    pub model: Option<String>,
    /// What the classes are.
    pub label: Label,
    pub classes: Vec<Class>,
    pub threshold: Threshold,
    /// The confidence in a category from which the team usual for it was right with the stated precision, among categories
    /// of which people gave that team so large a share; none where no two teams are known to choose from.
    pub usual: Option<Threshold>,
    /// Where the threshold was measured, in words; or why there is none.
    pub measured: String,
    pub drafting: Drafting,
    /// Numbers and addresses that are no customer's.
    pub public: Public,
    /// Categories whose drafts may go out unseen.
    pub send: Vec<String>,
    /// Languages of which a network was learned.
    pub networks: Vec<String>,
}

/// An old ticket as evidence; runs beside the rows of the vectors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Trace {
    pub ticket_id: String,
    /// Index into the policy's classes.
    pub class: Option<u32>,
    pub agent_id: Option<String>,
    /// Key of the agent's first reply.
    pub reply_id: Option<i64>,
}

/// A help article as it may be quoted; runs beside the rows of its vectors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Page {
    pub article_id: String,
    /// First part of the tag, or told from the text.
    pub language: String,
}

/// Everything an answer needs.
#[derive(Debug)]
pub(super) struct Knowledge {
    pub policy: Policy,
    pub words: TfIdf,
    pub solved: Solved,
    pub traces: Vec<Trace>,
    /// Languages of the replies, beside the traces.
    pub languages: Vec<Option<String>>,
    pub pages: Vec<Page>,
    pub articles: Solved,
    pub classifier: Option<Classifier>,
    /// What is told from the text beside the class.
    pub asides: Vec<Aside>,
    /// Networks that write replies, by language: of a night all, read back those whose replies are wanted.
    pub networks: BTreeMap<String, Network>,
}

/// A second thing told from the text, because that was right more often than what follows from the category.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Aside {
    pub about: About,
    /// Teams or priorities, sorted.
    pub values: Vec<String>,
    pub classifier: Classifier,
    /// The confidence from which it was right with the stated precision; asked for teams only, because routing acts on
    /// them.
    pub threshold: Threshold,
}

/// A team or a priority told from the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub value: String,
    pub confidence: f64,
    /// The confidence it would need to be acted on.
    pub needed: f64,
}

/// What an aside is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum About {
    Team,
    Priority,
}

impl About {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            About::Team => "team",
            About::Priority => "priority",
        }
    }
}

/// How much of a guess is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Everything.
    All,
    /// The class, how sure, and whether it may be routed.
    Decision,
}

/// One guess at a ticket's class.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Guess {
    /// Index into the policy's classes and confidence, surest first; without the class of unknown tickets.
    pub candidates: Vec<(u32, f64)>,
    /// Probability that it is none of the classes, where that is likelier than any of them.
    pub none_of_these: Option<f64>,
    /// Team and priority, where the text tells them better than the class does.
    pub team: Option<Told>,
    pub priority: Option<Told>,
    /// The nearest old tickets.
    pub near: Vec<Neighbour>,
}

impl Knowledge {
    /// Reads a text of which `subject` bytes are the subject; `skip` is the ticket itself, which is no evidence about
    /// itself. Where only the decision is asked for, the guess has no priority, and no neighbours but those that vote.
    pub(super) fn guess(&self, text: &str, subject: usize, skip: Option<&str>, asked: Asked) -> Guess {
        let votes = self.classifier.as_ref().is_some_and(Classifier::wants_neighbours);
        let mut near = match (votes, asked) {
            (true, _) => self.nearest(text, 2 * VOTERS, skip),
            (false, Asked::All) => self.nearest(text, NEIGHBOURS, skip),
            (false, Asked::Decision) => Vec::new(),
        };
        let voters: Vec<(u32, f32)> = near
            .iter()
            .filter_map(|one| Some((self.traces[one.row as usize].class?, one.similarity)))
            .take(VOTERS)
            .collect();
        near.truncate(NEIGHBOURS);
        let message = message(text, subject);
        let p = self.classifier.as_ref().map_or(Vec::new(), |classifier| {
            classifier.probabilities(&message, &voters)
        });
        let mut candidates: Vec<(u32, f64)> = (0..).zip(p).collect();
        candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let unknown = self.policy.threshold.unknown;
        let none_of_these = candidates
            .first()
            .filter(|(class, _)| Some(*class) == unknown)
            .map(|(_, p)| *p);
        candidates.retain(|(class, _)| Some(*class) != unknown);
        let aside = |about: About| {
            let aside = self.asides.iter().find(|aside| aside.about == about)?;
            let p = aside.classifier.probabilities(&message, &[]);
            let best = p
                .iter()
                .enumerate()
                .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))?;
            Some(Told {
                value: aside.values.get(best.0)?.clone(),
                confidence: *best.1,
                needed: aside.threshold.needed(best.0 as u32),
            })
        };
        Guess {
            candidates,
            none_of_these,
            team: aside(About::Team),
            priority: match asked {
                Asked::All => aside(About::Priority),
                Asked::Decision => None,
            },
            near,
        }
    }

    /// The `k` old tickets nearest to a text; `skip` is left out.
    fn nearest(&self, text: &str, k: usize, skip: Option<&str>) -> Vec<Neighbour> {
        let (columns, values): (Vec<u32>, Vec<f32>) = self.words.vector(text).into_iter().unzip();
        let mut near = self
            .solved
            .nearest(&columns, &values, k + usize::from(skip.is_some()));
        near.retain(|one| Some(self.traces[one.row as usize].ticket_id.as_str()) != skip);
        near.truncate(k);
        near
    }

    /// Stores all parts with a generation.
    pub(super) fn save(&self, mut store: impl FnMut(&str, i64, &[u8]) -> Result<()>) -> Result<()> {
        let mut part = |name: &str, bytes: postcard::Result<Vec<u8>>| {
            store(
                name,
                FORMAT,
                &bytes.with_context(|| format!("model `{name}` cannot be written"))?,
            )
        };
        part("support policy", postcard::to_stdvec(&self.policy))?;
        part("support words", postcard::to_stdvec(&self.words))?;
        part("support vectors", postcard::to_stdvec(self.solved.rows()))?;
        part(
            "support traces",
            postcard::to_stdvec(&(&self.traces, &self.languages)),
        )?;
        part(
            "support articles",
            postcard::to_stdvec(&(&self.pages, self.articles.rows())),
        )?;
        part(
            "support classifier",
            postcard::to_stdvec(&(&self.classifier, &self.asides)),
        )?;
        for (language, network) in &self.networks {
            store(&network_name(language), FORMAT, &network.to_bytes()?)?;
        }
        Ok(())
    }

    /// Reads what a generation learned.
    ///
    /// # Errors
    /// Models that are not there, damaged, or do not belong together.
    pub(super) fn of(shop: &Shop, generation: i64) -> Result<Knowledge> {
        let policy: Policy = read(shop, generation, "support policy")?;
        let (traces, languages): (Vec<Trace>, Vec<Option<String>>) =
            read(shop, generation, "support traces")?;
        let rows: Csr = read(shop, generation, "support vectors")?;
        let (pages, articles): (Vec<Page>, Csr) = read(shop, generation, "support articles")?;
        let words: TfIdf = read(shop, generation, "support words")?;
        // Columns cost memory whether they are used or not, so they are compared before anything is built on them.
        let columns = |rows: &Csr| rows.columns == words.vocabulary_len();
        // The search among them takes weights for what they are when they were learned.
        let weights = |rows: &Csr| rows.values.iter().all(|value| value.is_finite() && *value >= 0.0);
        let known = |trace: &Trace| {
            trace
                .class
                .is_none_or(|class| (class as usize) < policy.classes.len())
        };
        if rows.rows != traces.len()
            || rows.rows != languages.len()
            || articles.rows != pages.len()
            || !columns(&rows)
            || !columns(&articles)
            || !weights(&rows)
            || !weights(&articles)
            || !traces.iter().all(known)
        {
            bail!(
                "the support models of generation {generation} do not belong together; run the support job again"
            );
        }
        let (classifier, asides): (Option<Classifier>, Vec<Aside>) =
            read(shop, generation, "support classifier")?;
        let mut classifiers = classifier
            .iter()
            .chain(asides.iter().map(|aside| &aside.classifier));
        if !classifiers.all(Classifier::is_sound) {
            bail!(
                "the classifier of generation {generation} does not fit its vocabulary; run the support job again"
            );
        }
        let mut networks = BTreeMap::new();
        for language in policy
            .networks
            .iter()
            .filter(|language| policy.drafting.joins(language))
        {
            networks.insert(language.clone(), read_network(shop, generation, language)?);
        }
        Ok(Knowledge {
            networks,
            policy,
            words,
            solved: Solved::new(&rows),
            traces,
            languages,
            pages,
            articles: Solved::new(&articles),
            classifier,
            asides,
        })
    }
}

/// The tickets the published models were learned from; none when there are no models.
///
/// # Errors
/// Models that cannot be read.
pub fn learned_from(shop: &Shop) -> Result<Option<Vec<String>>> {
    let name = "support traces";
    let Some(published) = shop.published("support")? else {
        return Ok(None);
    };
    if shop.artefact(published.generation, name, FORMAT)?.is_none() {
        return Ok(None);
    }
    let (traces, _): (Vec<Trace>, Vec<Option<String>>) = read(shop, published.generation, name)?;
    let mut from: Vec<String> = traces.into_iter().map(|trace| trace.ticket_id).collect();
    // A network may have learned from tickets that are gone by now.
    let policy: Policy = read(shop, published.generation, "support policy")?;
    for language in &policy.networks {
        from.extend(read_network(shop, published.generation, language)?.learned);
    }
    Ok(Some(from))
}

fn read_network(shop: &Shop, generation: i64, language: &str) -> Result<Network> {
    let (name, remedy) = (network_name(language), "run the support job again");
    let bytes = shop.artefact(generation, &name, FORMAT)?;
    let bytes = bytes.with_context(|| format!("generation {generation} has no model `{name}`; {remedy}"))?;
    Network::from_bytes(&bytes)
        .with_context(|| format!("model `{name}` of generation {generation} is unreadable; {remedy}"))
}

fn read<T: for<'d> Deserialize<'d>>(shop: &Shop, generation: i64, name: &str) -> Result<T> {
    let bytes = shop.artefact(generation, name, FORMAT)?;
    let remedy = "run the support job again";
    let bytes = bytes.with_context(|| format!("generation {generation} has no model `{name}`; {remedy}"))?;
    postcard::from_bytes(&bytes)
        .with_context(|| format!("model `{name}` of generation {generation} is unreadable; {remedy}"))
}
