//! Drafts: the replies to the nearest solved tickets and the nearest articles, ready to be quoted; what history says such
//! drafts are worth; and where the words of one come from.

use super::super::{Night, SupportOptions};
use super::answer::Routed;
use super::collect::{Old, Open, Prepared, language};
use super::knowledge::{Knowledge, Page};
use super::written;
use crate::store::{Agent, Article, Score};
use crate::support::{
    AT_HAND, Draft, Drafting, Example, Neighbour, Own, Public, Quote, REPLIES, SAMPLE, Solved,
};
use crate::text::{TfIdf, language_of, plain};
use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// A row that words come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// replies, tickets or articles.
    pub table: &'static str,
    /// Its key, as text.
    pub id: String,
}

/// A draft and where its words come from.
#[derive(Debug, Clone)]
pub(super) struct Drafted {
    pub draft: Draft,
    /// The reply to the nearest ticket alone, cleaned: what the draft is compared with later.
    pub nearest: Option<String>,
    pub sources: Vec<Source>,
}

/// An old reply as it was sent, with the names its customer gave.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub reply: String,
    pub names: Vec<String>,
}

/// How many nearest tickets are looked through for [`REPLIES`] in the right language, a further step each time.
const LOOKS: [usize; 3] = [2 * REPLIES, 8 * REPLIES, 32 * REPLIES];
/// Articles that may lend sentences, and how near they must be.
const ARTICLES: (usize, f32) = (2, 0.15);
/// Letters of an article that are read.
const LETTERS: usize = 8_000;

/// Language of each reply; that of its ticket where the reply does not say.
pub(super) fn languages(old: &[Old]) -> Vec<Option<String>> {
    old.par_iter()
        .map(|old| {
            let (_, reply) = old.reply.as_ref()?;
            let own = language_of(reply);
            Some(if own == "und" { language_of(&old.text) } else { own }.to_owned())
        })
        .collect()
}

/// What is no customer's: told to several, or published in an article.
pub(super) fn public(prepared: &Prepared) -> Public {
    let mut public = Public::default();
    for old in &prepared.old {
        if let Some((_, reply)) = &old.reply {
            public.told(&old.customer, reply);
        }
    }
    for article in &prepared.articles {
        public.published(&article.body);
    }
    public.settled()
}

/// Articles in the vocabulary of the tickets.
pub(super) fn articles(articles: &[Article], words: &TfIdf) -> (Vec<Page>, Solved) {
    let texts: Vec<String> = articles
        .iter()
        .map(|article| format!("{}\n{}", article.title, plain(&article.body, LETTERS)))
        .collect();
    let pages = articles
        .iter()
        .zip(&texts)
        .map(|(article, text)| Page {
            article_id: article.article_id.clone(),
            language: language(article.language.as_deref(), text),
        })
        .collect();
    (pages, Solved::new(&words.transform(&texts)))
}

/// Names of those who sign.
pub(super) fn signers(agents: &[Agent]) -> Vec<String> {
    agents
        .iter()
        .filter_map(|agent| agent.name.clone())
        .filter(|name| !name.is_empty())
        .collect()
}

/// Whether a reply in one language answers a ticket in another. What says nothing of its language fits all.
fn fits(own: &str, wanted: &str) -> bool {
    own == wanted || own == "und" || wanted == "und" || wanted.is_empty()
}

/// The nearest answered tickets of the language.
pub(super) fn answered(
    languages: &[Option<String>],
    wanted: &str,
    nearest: impl Fn(usize) -> Vec<Neighbour>,
) -> Vec<Neighbour> {
    let mut found = Vec::new();
    // Where nothing was answered in the language, looking farther finds nothing either, and takes three searches to do so.
    if !languages.iter().flatten().any(|own| fits(own, wanted)) {
        return found;
    }
    for look in LOOKS {
        let near = nearest(look);
        let all = near.len() < look;
        found = near;
        found.retain(|one| {
            languages[one.row as usize]
                .as_deref()
                .is_some_and(|own| fits(own, wanted))
        });
        found.truncate(REPLIES);
        if all || found.len() == REPLIES {
            break;
        }
    }
    found
}

/// What the similarity of a ticket counts that is about something else.
const ELSEWHERE: f32 = 0.5;

/// Puts the tickets of the decided category first: others count half of their similarity. Like words make no like matter.
fn prefer(near: &mut [Neighbour], decided: impl Fn(u32) -> bool) {
    for one in near.iter_mut() {
        if !decided(one.row) {
            one.similarity *= ELSEWHERE;
        }
    }
    near.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.row.cmp(&b.row)));
}

/// Measures drafts on a seeded sample of the answered tickets, each hidden in turn.
pub(super) fn measure(
    prepared: &Prepared,
    solved: &Solved,
    languages: &[Option<String>],
    public: &Public,
    options: &SupportOptions,
    night: &Night<'_>,
) -> Result<Drafting> {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, language) in languages.iter().enumerate() {
        if let Some(language) = language {
            rows.entry(language).or_default().push(row);
        }
    }
    let signers = signers(&prepared.agents);
    let mut dice = fastrand::Rng::with_seed(night.seed);
    let mut chosen: Vec<(usize, &str, usize)> = Vec::new();
    for (language, rows) in &rows {
        let mut sample = rows.clone();
        dice.shuffle(&mut sample);
        sample.truncate(2 * SAMPLE);
        for row in sample {
            // Another of the language, unless it is the only one.
            let at = dice.usize(..rows.len());
            let other = if rows[at] == row {
                rows[(at + 1) % rows.len()]
            } else {
                rows[at]
            };
            chosen.push((row, language, other));
        }
    }
    let examples: Vec<Example> = chosen
        .par_iter()
        .map(|&(row, language, other)| {
            let near = answered(languages, language, |look| solved.nearest_others(row, look));
            example(prepared, (row, language, other), &near, &signers, public)
        })
        .collect();
    Drafting::measure(&examples, options.suggest_above_chance, || {
        Ok(night.control.check()?)
    })
}

/// An answered ticket with its reply hidden: its row, its language, and the row of a random other.
pub(super) fn example(
    prepared: &Prepared,
    (row, language, other): (usize, &str, usize),
    near: &[Neighbour],
    signers: &[String],
    public: &Public,
) -> Example {
    let reply = |row: usize| {
        let old = &prepared.old[row];
        old.reply.as_ref().map_or("", |(_, body)| body.as_str())
    };
    let quote = |near: &Neighbour| {
        let row = near.row as usize;
        let quote = Quote::reply(reply(row), language, &prepared.old[row].names, signers, public);
        (quote, Some(f64::from(near.similarity)))
    };
    Example {
        language: language.to_owned(),
        reply: reply(row).to_owned(),
        nearest: near
            .first()
            .map_or("", |near| reply(near.row as usize))
            .to_owned(),
        random: reply(other).to_owned(),
        quotes: near.iter().map(quote).collect(),
        written: Vec::new(),
    }
}

/// The draft for a routed ticket: to the customer's last message when there is one. `networked`: a network is asked too, where
/// its replies are wanted. `told` and `article` read the texts
/// of a solved ticket's reply and of an article, by row; what is no longer there is not quoted.
pub(super) fn draft(
    knowledge: &Knowledge,
    ticket: &Open,
    routed: &Routed,
    agents: &[Agent],
    networked: bool,
    told: impl Fn(usize) -> Option<Told>,
    article: impl Fn(usize) -> Option<String>,
) -> Drafted {
    let policy = &knowledge.policy;
    let text = match &ticket.last_message {
        Some(message) => format!("{}\n{message}", ticket.text),
        None => ticket.text.clone(),
    };
    let (columns, values): (Vec<u32>, Vec<f32>) = knowledge.words.vector(&text).into_iter().unzip();
    let mut near = answered(&knowledge.languages, &ticket.language, |look| {
        knowledge.solved.nearest(&columns, &values, look)
    });
    near.retain(|one| knowledge.traces[one.row as usize].ticket_id != ticket.ticket_id);
    if let Some(category) = routed.category.as_ref().filter(|_| routed.route) {
        let decided = |row: u32| {
            let class = knowledge.traces[row as usize].class;
            class.is_none_or(|class| policy.classes[class as usize].name == *category)
        };
        prefer(&mut near, decided);
    }
    let signers = signers(agents);
    let mut quotes: Vec<(Quote, Option<f64>)> = Vec::new();
    let mut sources: Vec<Vec<Source>> = Vec::new();
    for near in near {
        let row = near.row as usize;
        let trace = &knowledge.traces[row];
        let (Some(told), Some(reply_id)) = (told(row), trace.reply_id) else {
            continue;
        };
        let language = knowledge.languages[row].as_deref().unwrap_or(&ticket.language);
        let quote = Quote::reply(&told.reply, language, &told.names, &signers, &policy.public);
        quotes.push((quote, Some(f64::from(near.similarity))));
        sources.push(vec![
            Source {
                table: "replies",
                id: reply_id.to_string(),
            },
            Source {
                table: "tickets",
                id: trace.ticket_id.clone(),
            },
        ]);
    }
    let pages = knowledge.articles.nearest(&columns, &values, 4 * ARTICLES.0);
    let pages = pages
        .iter()
        .filter(|near| near.similarity >= ARTICLES.1)
        .filter(|near| fits(&knowledge.pages[near.row as usize].language, &ticket.language))
        .take(ARTICLES.0);
    for page in pages {
        let row = page.row as usize;
        if let Some(body) = article(row) {
            quotes.push((Quote::text(&plain(&body, LETTERS)), None));
            sources.push(vec![Source {
                table: "articles",
                id: knowledge.pages[row].article_id.clone(),
            }]);
        }
    }
    let signer = routed
        .agent_id
        .as_ref()
        .and_then(|id| agents.iter().find(|agent| agent.agent_id == *id));
    // What a draft may say of the customer is looked for where there can be a draft.
    let own = match quotes.iter().any(|quote| quote.1.is_some()) {
        true => {
            let messages: Vec<&str> = ticket.messages.iter().map(String::as_str).collect();
            Own::of(&messages, signer.and_then(|agent| agent.name.as_deref()))
        }
        false => Own::default(),
    };
    let may_send = routed.route
        && routed
            .category
            .as_ref()
            .is_some_and(|category| policy.send.contains(category));
    let network = (knowledge.networks.get(&ticket.language))
        .filter(|_| networked && policy.drafting.joins(&ticket.language));
    let replies = network.map_or(Vec::new(), |network| {
        let (seq2seq, messages) = (&network.seq2seq, &ticket.messages);
        written::replies(
            seq2seq,
            &text,
            messages,
            &quotes,
            &ticket.language,
            agents,
            &policy.public,
        )
    });
    let draft = policy
        .drafting
        .draft_with(&quotes, &replies, &ticket.language, &own, may_send);
    // What a network wrote came from the replies it had at hand.
    let mut used: Vec<usize> = Vec::new();
    for &at in &draft.quoted {
        let from = match at < quotes.len() {
            true => at..at + 1,
            false => {
                0..quotes
                    .iter()
                    .take(AT_HAND)
                    .filter(|quote| quote.1.is_some())
                    .count()
            }
        };
        used.extend(from.filter(|at| !used.contains(at)).collect::<Vec<_>>());
    }
    let sources = used.into_iter().flat_map(|at| sources[at].clone()).collect();
    let nearest = quotes
        .first()
        .filter(|quote| quote.1.is_some())
        .map(|quote| own.fill(&quote.0.whole()));
    Drafted {
        draft,
        nearest,
        sources,
    }
}

/// Figures of drafts, a slice a language.
pub(super) fn scores(drafting: &Drafting) -> Vec<Score> {
    let mut scores = Vec::new();
    for (language, manner) in &drafting.manners {
        let figures = manner.scores;
        for (model, metric, value) in [
            ("consensus", "rouge_l", figures.rouge_l),
            ("consensus", "rouge_l_best_fifth", figures.best_fifth),
            ("consensus", "bleu", figures.bleu),
            ("consensus", "tickets", figures.measured_on as f64),
            ("consensus", "temperature", manner.weighing.temperature),
            ("consensus", "beta", manner.weighing.beta),
            ("consensus", "replies", manner.weighing.replies as f64),
            ("nearest reply", "rouge_l", figures.nearest),
            ("naive", "rouge_l", figures.naive),
        ] {
            scores.push(Score {
                result: "ticket_drafts",
                model: model.into(),
                slice: language.clone(),
                metric: metric.into(),
                value: Some(value),
                lo90: None,
                hi90: None,
                split: "each hidden in turn".into(),
                chosen: model == "consensus",
            });
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_looked_for_in_a_language_nobody_answered_in() {
        let languages = [None, Some("en".to_owned())];
        let near = |look: usize| {
            assert!(look > 0);
            vec![Neighbour {
                row: 1,
                similarity: 0.5,
            }]
        };
        assert_eq!(answered(&languages, "en", near).len(), 1);
        assert_eq!(answered(&languages, "und", near).len(), 1);
        assert!(answered(&languages, "zh", |_| panic!("looked")).is_empty());
        assert!(answered(&[None, None], "und", |_| panic!("looked")).is_empty());
    }

    #[test]
    fn tickets_of_the_decided_category_come_first() {
        let near = |row, similarity| Neighbour { row, similarity };
        let mut found = vec![near(3, 0.6), near(1, 0.5), near(2, 0.4)];
        prefer(&mut found, |row| row != 3);
        let rows: Vec<(u32, f32)> = found.iter().map(|one| (one.row, one.similarity)).collect();
        assert_eq!(rows, [(1, 0.5), (2, 0.4), (3, 0.3)]);
    }
}
