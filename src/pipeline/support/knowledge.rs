//! What a night learned about tickets, in the form that is kept with its generation: `ask`, the daemon and the
//! extension answer from it without the history's texts. Replies are kept by key and read from the shop when quoted,
//! so that erasing a customer's words erases them here too.

use super::collect::Label;
use crate::store::Shop;
use crate::support::{Classifier, Drafting, NEIGHBOURS, Neighbour, Public, Solved, Threshold, votes};
use crate::text::{Csr, TfIdf};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// Version of the artefacts' bytes.
const FORMAT: i64 = 3;

/// Which model says the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Uses {
    /// The linear classifier.
    Linear,
    /// The votes of the nearest old tickets.
    Neighbours,
    /// Nothing: too few labels.
    Nothing,
}

/// A class the model tells apart, a category or a team, and what people mostly did with its tickets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Class {
    pub name: String,
    pub team: Option<String>,
    pub priority: Option<String>,
}

/// How answers are given: small, read first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Policy {
    pub uses: Uses,
    /// What the classes are.
    pub label: Label,
    pub classes: Vec<Class>,
    pub threshold: Threshold,
    /// Where the threshold was measured, in words; or why there is none.
    pub measured: String,
    pub drafting: Drafting,
    /// Numbers and addresses that are no customer's.
    pub public: Public,
    /// Categories whose drafts may go out unseen.
    pub send: Vec<String>,
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
    pub linear: Option<(TfIdf, Classifier)>,
}

/// One guess at a ticket's class.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Guess {
    /// Index into the policy's classes and confidence, surest first.
    pub candidates: Vec<(u32, f64)>,
    /// The nearest old tickets.
    pub near: Vec<Neighbour>,
}

impl Knowledge {
    /// Reads a text; `skip` is the ticket itself, which is no evidence about itself.
    pub(super) fn guess(&self, text: &str, skip: Option<&str>) -> Guess {
        let (columns, values): (Vec<u32>, Vec<f32>) = self.words.vector(text).into_iter().unzip();
        let mut near = self
            .solved
            .nearest(&columns, &values, NEIGHBOURS + usize::from(skip.is_some()));
        near.retain(|one| Some(self.traces[one.row as usize].ticket_id.as_str()) != skip);
        near.truncate(NEIGHBOURS);
        let mut candidates: Vec<(u32, f64)> = match (self.policy.uses, &self.linear) {
            (Uses::Linear, Some((vectors, classifier))) => {
                let (columns, values): (Vec<u32>, Vec<f32>) = vectors.vector(text).into_iter().unzip();
                let p = classifier.probabilities(&columns, &values);
                p.into_iter()
                    .enumerate()
                    .map(|(class, p)| (class as u32, p))
                    .collect()
            }
            (Uses::Neighbours, _) => votes(&near, |row| self.traces[row as usize].class),
            _ => Vec::new(),
        };
        candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Guess { candidates, near }
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
        part("support classifier", postcard::to_stdvec(&self.linear))
    }

    /// Reads what the published generation learned; none when nothing is published.
    pub(super) fn load(shop: &Shop) -> Result<Option<Knowledge>> {
        let Some(published) = shop.published("support")? else {
            return Ok(None);
        };
        let generation = published.generation;
        let policy = read(shop, generation, "support policy")?;
        let (traces, languages): (Vec<Trace>, Vec<Option<String>>) =
            read(shop, generation, "support traces")?;
        let rows: Csr = read(shop, generation, "support vectors")?;
        let (pages, articles): (Vec<Page>, Csr) = read(shop, generation, "support articles")?;
        if rows.rows != traces.len() || rows.rows != languages.len() || articles.rows != pages.len() {
            bail!(
                "the support models of generation {generation} do not belong together; run the support job again"
            );
        }
        Ok(Some(Knowledge {
            policy,
            words: read(shop, generation, "support words")?,
            solved: Solved::new(&rows),
            traces,
            languages,
            pages,
            articles: Solved::new(&articles),
            linear: read(shop, generation, "support classifier")?,
        }))
    }
}

fn read<T: for<'d> Deserialize<'d>>(shop: &Shop, generation: i64, name: &str) -> Result<T> {
    let bytes = shop.artefact(generation, name, FORMAT)?;
    let remedy = "run the support job again";
    let bytes = bytes.with_context(|| format!("generation {generation} has no model `{name}`; {remedy}"))?;
    postcard::from_bytes(&bytes)
        .with_context(|| format!("model `{name}` of generation {generation} is unreadable; {remedy}"))
}
