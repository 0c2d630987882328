//! Old texts as they may be quoted: a reply without what was its customer's, an article; cut into sentences. And the draft
//! that is put together from them.

use super::consensus::{Candidate, ROUNDS, Weighing, compose};
use super::measure::rouge_words;
use super::private::{Own, Public, cleaned, closes, is_signature, opens, signs, thanks, unquotable};
use super::sentences::sentences;
use std::collections::HashMap;

/// A text ready to be quoted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quote {
    /// Sentences, each with the white space that followed it.
    sentences: Vec<(String, String)>,
}

impl Quote {
    /// What an agent wrote to another customer, cleaned; a sentence that cannot be told to anybody else is left out. `customer`: names that customer gave; `agents`: who may have signed.
    pub fn reply(
        reply: &str,
        language: &str,
        customer: &[String],
        agents: &[String],
        public: &Public,
    ) -> Quote {
        let mut quote = Quote::text(&cleaned(reply, language, customer, agents, public));
        quote.sentences.retain(|(text, _)| !unquotable(text));
        quote
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
    /// Which of the quotes, then of the written replies, lent a sentence, in the order of their first.
    pub quoted: Vec<usize>,
}

/// Puts a draft together. `quotes`: replies with the similarity of their tickets, nearest first, and texts that may be
/// quoted but are no evidence, without; `written`: replies by a network with their confidence. None when there is no reply
/// among the quotes.
pub fn write(
    quotes: &[(Quote, Option<f64>)],
    written: &[(Quote, f64)],
    weighing: &Weighing,
    own: &Own,
) -> Option<Written> {
    let written = if weighing.written > 0.0 { written } else { &[] };
    let old = quotes
        .iter()
        .map(|(quote, similarity)| (quote, *similarity, None));
    let new = written.iter().map(|(quote, likely)| (quote, None, Some(*likely)));
    let texts: Vec<(&Quote, Option<f64>, Option<f64>)> = old.chain(new).collect();
    let mut dictionary = HashMap::new();
    let words: Vec<Vec<Vec<u32>>> = texts
        .iter()
        .map(|(quote, ..)| {
            let sentences = quote.sentences.iter();
            sentences
                .map(|(text, _)| rouge_words(text, &mut dictionary))
                .collect()
        })
        .collect();
    let candidates: Vec<Candidate<'_>> = texts
        .iter()
        .zip(&words)
        .map(|((_, similarity, written), words)| Candidate {
            sentences: words,
            similarity: *similarity,
            written: *written,
        })
        .collect();
    let draft = compose(&candidates, weighing, ROUNDS)?;
    let mut text = String::new();
    let mut quoted = Vec::new();
    let said = |part: &(usize, usize)| texts[part.0].0.sentences[part.1].0.as_str();
    let parts = once_opened_once_closed(&draft.parts, said);
    for (at, &(quote, sentence)) in parts.iter().enumerate() {
        let (part, gap) = &texts[quote].0.sentences[sentence];
        text.push_str(part);
        if at + 1 < parts.len() {
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

/// The parts with one greeting, at the head, and one closing with one signature, at the end: exchanged sentences may have
/// brought a second. Where there are several closings the signed one stays, else the first.
fn once_opened_once_closed<'a>(
    parts: &[(usize, usize)],
    said: impl Fn(&(usize, usize)) -> &'a str,
) -> Vec<(usize, usize)> {
    let mut opened = false;
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for part in parts {
        let greets = opens(said(part));
        if !(greets && opened) {
            kept.push(*part);
        }
        opened |= greets || thanks(said(part));
    }
    let closing: Vec<usize> = (0..kept.len()).filter(|&at| closes(said(&kept[at]))).collect();
    let signed = |at: &usize| {
        signs(said(&kept[*at]))
            || kept
                .get(at + 1)
                .is_some_and(|next| is_signature(said(next)) && !closes(said(next)))
    };
    let chosen = closing
        .iter()
        .copied()
        .find(|at| signed(at))
        .or(closing.first().copied());
    let signature = match chosen {
        Some(at) if signs(said(&kept[at])) => Some(at),
        _ => (0..kept.len()).rev().find(|&at| is_signature(said(&kept[at]))),
    };
    (0..kept.len())
        .filter(|&at| {
            let part = said(&kept[at]);
            !(closes(part) && chosen != Some(at) || is_signature(part) && signature != Some(at))
        })
        .map(|at| kept[at])
        .collect()
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
            written: 0.0,
        };
        let own = Own::of(&["My name is Dora Ek. Where is order 777?"], None);
        let draft = write(&quotes, &[], &weighing, &own).unwrap();
        assert_eq!(
            draft.text,
            "Dear Dora Ek, order #777 is on its way.\n\nYours, the shop"
        );
        assert_eq!(draft.quoted, [1]);
        let nobody = write(&quotes, &[], &weighing, &Own::default()).unwrap();
        assert!(
            nobody.text.starts_with("Hello, order #[order number]"),
            "{}",
            nobody.text
        );
        assert_eq!(write(&quotes[3..], &[], &weighing, &own), None);
        assert_eq!(quotes[3].0.whole(), "Parcels take three days.");
    }

    #[test]
    fn a_sentence_with_a_name_in_a_chat_is_left_out() {
        for (text, left) in [
            ("包裹已发出。请加微信wxid_75abc。谢谢！", "包裹已发出。谢谢！"),
            ("包裹已发出。请加我微信abcdefgh。", "包裹已发出。"),
            (
                "It is done. Write to WhatsApp +49 171 2345678. Thank you!",
                "It is done. Thank you!",
            ),
            ("It is done. My Telegram is hugobauer.", "It is done. "),
        ] {
            let quote = Quote::reply(text, "zh", &[], &[], &Public::default());
            assert_eq!(quote.whole(), left, "{text}");
        }
        let own = "My WhatsApp is +49 171 2345678, WeChat: anna_75.";
        assert_eq!(
            Own::of(&[own], None).fill("[phone number] [chat name]"),
            "[phone number] [chat name]"
        );
    }

    #[test]
    fn a_draft_greets_once_closes_once_and_is_signed_once() {
        let agents = [
            "Martin Doyle".to_owned(),
            "Grace Lin".to_owned(),
            "Li Wei".to_owned(),
        ];
        let clean = |text: &str| cleaned(text, "en", &[], &agents, &Public::default());
        for (text, expected) in [
            (
                "It is done.\nKind regards, Li",
                "It is done.\nKind regards, [agent]",
            ),
            (
                "It is done.\nHave a nice day! Grace",
                "It is done.\nHave a nice day! [agent]",
            ),
            (
                "It is done.\nMartin, customer care",
                "It is done.\n[agent], customer care",
            ),
            (
                "It is done.\nAll the best, Martin Doyle Grace",
                "It is done.\nAll the best, [agent]",
            ),
            (
                "It is done.\nKind regards, Zoe",
                "It is done.\nKind regards, [agent]",
            ),
            (
                "It is done.\nKind regards,\nCustomer Support",
                "It is done.\nKind regards,\nCustomer Support",
            ),
        ] {
            assert_eq!(clean(text), expected, "{text}");
        }
        let said = [
            "Thank you for your message.",
            "Hi,",
            "I have unlocked it.",
            "Have a nice day!",
            "All the best, [agent]",
            "[agent]",
        ];
        let parts: Vec<(usize, usize)> = (0..said.len()).map(|at| (0, at)).collect();
        let left: Vec<&str> = once_opened_once_closed(&parts, |part| said[part.1])
            .into_iter()
            .map(|part| said[part.1])
            .collect();
        assert_eq!(left, [said[0], said[2], said[4]]);
        let greeted = [(0, 1), (0, 0), (0, 2)];
        assert_eq!(once_opened_once_closed(&greeted, |part| said[part.1]), greeted);
        assert_eq!(
            Own::default().fill("Done.\nKind regards, [agent]"),
            "Done.\nKind regards"
        );
    }
}
