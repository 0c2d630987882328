//! Old texts as they may be quoted: a reply without what was its customer's, an article; cut into sentences. And the draft
//! that is put together from them.

use super::consensus::{Candidate, ROUNDS, Weighing, compose};
use super::measure::rouge_words;
use super::private::{Own, Public, cleaned};
use super::sentences::sentences;
use std::collections::HashMap;

/// A text ready to be quoted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quote {
    /// Sentences, each with the white space that followed it.
    sentences: Vec<(String, String)>,
}

impl Quote {
    /// What an agent wrote to another customer, cleaned. `customer`: names that customer gave; `agents`: who may have signed.
    pub fn reply(
        reply: &str,
        language: &str,
        customer: &[String],
        agents: &[String],
        public: &Public,
    ) -> Quote {
        Quote::text(&cleaned(reply, language, customer, agents, public))
    }

    /// A text that is for everybody.
    pub fn text(text: &str) -> Quote {
        Quote {
            sentences: sentences(text)
                .into_iter()
                .map(|one| (one.text.to_owned(), one.gap.to_owned()))
                .collect(),
        }
    }

    /// The whole text.
    pub fn whole(&self) -> String {
        self.sentences
            .iter()
            .flat_map(|(text, gap)| [text.as_str(), gap.as_str()])
            .collect()
    }
}

/// A draft in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The text, placeholders filled where the ticket says with what.
    pub text: String,
    /// Expected ROUGE-L by the weights, 0 to 1: not yet what such drafts were worth.
    pub expected: f64,
    /// Which of the quotes lent a sentence, in the order of their first.
    pub quoted: Vec<usize>,
}

/// Puts a draft together. `quotes`: replies with the similarity of their tickets, nearest first, and texts that may be
/// quoted but are no evidence, without. None when there is no reply among them.
pub fn write(quotes: &[(Quote, Option<f64>)], weighing: &Weighing, own: &Own) -> Option<Written> {
    let mut dictionary = HashMap::new();
    let words: Vec<Vec<Vec<u32>>> = quotes
        .iter()
        .map(|(quote, _)| {
            quote
                .sentences
                .iter()
                .map(|(text, _)| rouge_words(text, &mut dictionary))
                .collect()
        })
        .collect();
    let candidates: Vec<Candidate<'_>> = quotes
        .iter()
        .zip(&words)
        .map(|((_, similarity), words)| Candidate {
            sentences: words,
            similarity: *similarity,
        })
        .collect();
    let draft = compose(&candidates, weighing, ROUNDS)?;
    let mut text = String::new();
    let mut quoted = Vec::new();
    for (at, &(quote, sentence)) in draft.parts.iter().enumerate() {
        let (part, gap) = &quotes[quote].0.sentences[sentence];
        text.push_str(part);
        if at + 1 < draft.parts.len() {
            // The last sentence of a reply has no gap of its own.
            let wide = part
                .ends_with(|c: char| matches!(c, '。' | '！' | '？' | '…' | '；') || crate::text::is_cjk(c));
            text.push_str(if gap.is_empty() && !wide { " " } else { gap });
        }
        if !quoted.contains(&quote) {
            quoted.push(quote);
        }
    }
    Some(Written {
        text: own.fill(&text),
        expected: draft.expected,
        quoted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_written_from_what_others_were_told_and_fills_this_tickets_own() {
        let public = Public::default();
        let reply = |text: &str, customer: &str| {
            (
                Quote::reply(text, "en", &[customer.to_owned()], &[], &public),
                Some(0.5),
            )
        };
        let quotes = [
            reply(
                "Dear Anna, order #10432 is on its way. Sorry!\n\nYours, the shop",
                "Anna",
            ),
            reply("Dear Bob, order #20999 is on its way.\n\nYours, the shop", "Bob"),
            reply(
                "Dear Cy, order #31111 is on its way. Cy, please wait.\n\nYours, the shop",
                "Cy",
            ),
            (Quote::text("Parcels take three days."), None),
        ];
        let weighing = Weighing {
            replies: 20,
            temperature: 0.1,
            beta: 1.0,
        };
        let own = Own::of(&["My name is Dora Ek. Where is order 777?"], None);
        let draft = write(&quotes, &weighing, &own).unwrap();
        assert_eq!(
            draft.text,
            "Dear Dora Ek, order #777 is on its way.\n\nYours, the shop"
        );
        assert_eq!(draft.quoted, [1]);
        let nobody = write(&quotes, &weighing, &Own::default()).unwrap();
        assert!(
            nobody.text.starts_with("Hello, order #[order number]"),
            "{}",
            nobody.text
        );
        assert_eq!(write(&quotes[3..], &weighing, &own), None);
        assert_eq!(quotes[3].0.whole(), "Parcels take three days.");
    }
}
