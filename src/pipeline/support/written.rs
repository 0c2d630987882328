//! Networks of replies as they are kept, asked and spoken of.

use super::super::Night;
use super::draft;
use super::knowledge::{FORMAT, NETWORK, network_name};
use crate::store::{Agent, Score};
use crate::support::{AT_HAND, Drafting, Found, Learning, Public, Quote, Search, Seq2Seq, introduced};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A network as it is kept.
#[derive(Debug)]
pub(super) struct Network {
    pub seq2seq: Seq2Seq,
    /// Tickets whose words it has met, this night and before: learned from, checked on, or at hand for others.
    pub learned: BTreeSet<String>,
}

/// What came of a language.
#[derive(Debug, Clone)]
pub(super) struct Tonight {
    /// How it learned; none where it did not.
    pub learning: Option<Learning>,
    /// Why it did not go on from last night's; none where it did.
    pub anew: Option<String>,
    /// Why not.
    pub skipped: Option<String>,
    /// Answered tickets.
    pub answered: usize,
}

/// Networks by language, and what came of each language.
#[derive(Debug, Default)]
pub(super) struct Networks {
    pub kept: BTreeMap<String, Network>,
    pub tonight: BTreeMap<String, Tonight>,
}

/// A text of a customer or agent as a network may read it.
pub(super) fn readable(
    text: &str,
    language: &str,
    names: &[String],
    signers: &[String],
    public: &Public,
) -> String {
    Quote::reply(text, language, names, signers, public).whole()
}

/// The network's replies to a readable ticket with quotes at hand, as they may be quoted, with their confidence.
pub(super) fn write(
    network: &Seq2Seq,
    ticket: &str,
    quotes: &[(Quote, Option<f64>)],
    language: &str,
    signers: &[String],
    public: &Public,
) -> Vec<(Quote, f64)> {
    let near = quotes
        .iter()
        .filter_map(|(quote, similarity)| Some((quote.whole(), (*similarity)? as f32)));
    let at_hand: Vec<(String, f32)> = near.take(AT_HAND).collect();
    let sources: Vec<(&str, f32)> = at_hand
        .iter()
        .map(|(text, similarity)| (text.as_str(), *similarity))
        .collect();
    let found = network.write(ticket, &sources, &Search::default());
    let quoted = |one: Found| {
        (
            Quote::reply(&one.text, language, &[], signers, public),
            one.confidence,
        )
    };
    found.into_iter().map(quoted).collect()
}

/// What a network has to say to a ticket that waits: `text` is what is read of it, `messages` all that its customer wrote.
pub(super) fn replies(
    network: &Seq2Seq,
    text: &str,
    messages: &[String],
    quotes: &[(Quote, Option<f64>)],
    language: &str,
    agents: &[Agent],
    public: &Public,
) -> Vec<(Quote, f64)> {
    let signers = draft::signers(agents);
    let names: Vec<String> = messages.iter().flat_map(|message| introduced(message)).collect();
    let ticket = readable(text, language, &names, &signers, public);
    write(network, &ticket, quotes, language, &signers, public)
}

/// What stands before the network in its artefact.
#[derive(Serialize, Deserialize)]
struct Head {
    learned: BTreeSet<String>,
}

impl Network {
    /// As an artefact.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let head = Head {
            learned: self.learned.clone(),
        };
        Ok(postcard::to_stdvec(&(head, self.seq2seq.to_bytes()))?)
    }

    /// From an artefact.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Network> {
        let (head, network): (Head, Vec<u8>) = postcard::from_bytes(bytes)?;
        Ok(Network {
            seq2seq: Seq2Seq::from_bytes(&network).map_err(anyhow::Error::msg)?,
            learned: head.learned,
        })
    }

    /// The one of the published generation, or why tonight begins anew: there is none that can be read; it knows what came after the
    /// night's instant; a ticket that it learned from has been deleted, because what is gone from the shop is gone from its
    /// models.
    pub(super) fn of_last_night(language: &str, night: &Night<'_>) -> Result<Result<Network, String>> {
        let anew = |why: &str| Ok(Err(why.to_owned()));
        let Some(published) = night.shop.published("support")? else {
            return anew("there was none before");
        };
        let bytes = match night
            .shop
            .artefact(published.generation, &network_name(language), FORMAT)
        {
            Err(crate::store::Error::Artefact { detail, .. }) => return Ok(Err(detail)),
            bytes => bytes?,
        };
        let Some(bytes) = bytes else {
            return anew("there was none before");
        };
        let network = match Network::from_bytes(&bytes) {
            Ok(network) => network,
            Err(error) => return Ok(Err(format!("last night's cannot be read: {error:#}"))),
        };
        if published.as_of.is_none_or(|as_of| as_of > night.as_of) {
            return anew("last night's knew too much");
        }
        let learned: Vec<String> = network.learned.iter().cloned().collect();
        if night.shop.lacks_any_ticket(&learned)? {
            return anew("a ticket that it learned from is gone");
        }
        Ok(Ok(network))
    }
}

/// Figures of the networks, a slice a language.
pub(super) fn scores(networks: &Networks, drafting: &Drafting) -> Vec<Score> {
    let mut scores = Vec::new();
    for (language, tonight) in &networks.tonight {
        let mut rows: Vec<(&str, f64)> = Vec::new();
        if let Some(learning) = &tonight.learning {
            rows.extend([
                ("steps", learning.steps as f64),
                ("perplexity", learning.perplexity.1),
            ]);
        }
        let begun = match &tonight.anew {
            Some(why) => format!("begun anew: {why}"),
            None => "went on from last night's".to_owned(),
        };
        let network = drafting.manners.get(language).and_then(|manner| manner.network);
        if let Some(network) = network {
            rows.extend([
                ("rouge_l", network.alone.rouge_l),
                ("rouge_l_best_fifth", network.best_fifth),
                ("bleu", network.alone.bleu),
                ("tickets", network.measured_on as f64),
                ("rouge_l_joined", network.joined.rouge_l),
                ("rouge_l_without", network.without.rouge_l),
                ("bleu_joined", network.joined.bleu),
                ("bleu_without", network.without.bleu),
                ("share", if network.joins { network.share } else { 0.0 }),
            ]);
        }
        scores.extend(rows.into_iter().map(|(metric, value)| Score {
            result: "ticket_drafts",
            model: NETWORK.into(),
            slice: language.clone(),
            metric: metric.into(),
            value: Some(value),
            lo90: None,
            hi90: None,
            split: match metric {
                "steps" => begun.clone(),
                _ => "tickets it never learned from".into(),
            },
            chosen: network.is_some_and(|network| network.joins),
        }));
    }
    scores
}

/// What came of the networks, for `why`: of each that learned, else why the language with the most answered tickets has none.
pub(super) fn in_words(networks: &Networks, drafting: &Drafting) -> String {
    let mut said = String::new();
    for (language, tonight) in &networks.tonight {
        let network = drafting.manners.get(language).and_then(|manner| manner.network);
        said.push_str(&match (&tonight.learning, network) {
            (None, _) => continue,
            (Some(_), Some(network)) if network.joins => {
                format!("; a network writes replies in {language} beside the old ones")
            }
            (Some(learning), _) => format!(
                "; a network of replies in {language} learned {} steps and gains nothing yet",
                learning.steps
            ),
        });
    }
    let most = networks.tonight.iter().max_by_key(|one| one.1.answered);
    match most.and_then(|(language, tonight)| Some((language, tonight.skipped.as_ref()?))) {
        Some((language, why)) if said.is_empty() => format!("; no network of replies in {language}: {why}"),
        _ => said,
    }
}
