//! What an old reply says about the customer it was written to, taken out before anybody else reads it.
//!
//! Names, names in chats, sums of money, e-mail addresses, telephone and card numbers, order numbers and other codes, postal addresses and personal
//! links are found by their shape and by the words before them, and each is replaced by a placeholder in the reply's
//! language: `[order number]`, `[单号]`. A draft fills a placeholder with the value of the ticket it answers where that
//! ticket has exactly one of the kind ([`Own`]); card numbers are never filled, and a sentence with a name in a chat is left out
//! of drafts ([`unquotable`]). A placeholder that stays is a hole for an
//! agent to fill, so such a draft is never sent unseen ([`has_hole`]).
//!
//! What stands in the replies to several customers is no secret of one of them: the shop's hotline, its own address, the
//! code of a product. [`Public`] knows those, and they stay.
//!
//! Shapes are no proof: a name in the middle of a sentence that neither the greeting nor the customer's own message
//! mentions is not found. Erasing a customer is therefore done at the source, not here.

mod address;
mod chats;
mod chinese;
mod currencies;
mod greeting;
mod money;
mod nameless;
mod names;
mod numbers;
mod placeholders;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_found;
#[cfg(test)]
mod tests_names;
mod vocative;
mod words;

#[cfg(test)]
use greeting::greeted;
pub(super) use greeting::{opens, thanks};
pub(super) use names::closes;
pub use names::introduced;
use placeholders::{KINDS, PLACEHOLDERS};
pub use placeholders::{has_hole, placeholder};
pub(super) use placeholders::{is_signature, signs, unquotable};

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A customer's name.
    Name,
    /// An e-mail address.
    Mail,
    /// A telephone number.
    Phone,
    /// A payment card: never filled.
    Card,
    /// The number of an order, an invoice, an account; any long number or code.
    Number,
    /// Street and house number, with what belongs to it.
    Address,
    /// A link that leads to something personal.
    Link,
    /// The agent who signs.
    Agent,
    /// A sum of money.
    Amount,
    /// A name in a chat such as WeChat or WhatsApp: never filled, and a sentence that has one is not quoted.
    Chat,
}

/// A stretch of a text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Where.
    pub at: Range<usize>,
}

/// Everything private but names, in order, none overlapping another.
pub fn private(text: &str) -> Vec<Found> {
    let mut found = numbers::links_and_mails(text);
    let links: Vec<Range<usize>> = found.iter().map(|one| one.at.clone()).collect();
    found.retain(|one| one.kind != Kind::Link || numbers::is_personal(&text[one.at.clone()]));
    let free = |at: &Range<usize>, taken: &[Range<usize>]| {
        taken.iter().all(|one| at.end <= one.start || one.end <= at.start)
    };
    let mut taken = links;
    let of = |kind: Kind| move |at: Range<usize>| Found { kind, at };
    for one in chats::chats(text)
        .into_iter()
        .map(of(Kind::Chat))
        .chain(address::addresses(text).into_iter().map(of(Kind::Address)))
        .chain(numbers::numbers(text))
    {
        if free(&one.at, &taken) {
            taken.push(one.at.clone());
            found.push(one);
        }
    }
    found.sort_by_key(|one| one.at.start);
    let mut end = 0;
    found.retain(|one| {
        let apart = one.at.start >= end;
        if apart {
            end = one.at.end;
        }
        apart
    });
    found
}

/// How a value is compared: letters and digits in lower case.
fn plain(value: &str) -> String {
    value
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Values that belong to nobody: found in what the shop wrote to at least [`Public::CUSTOMERS`] customers, or to everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Public {
    writers: BTreeMap<String, BTreeSet<String>>,
    always: BTreeSet<String>,
}

impl Public {
    /// Customers who must have been told a value before it is nobody's.
    pub const CUSTOMERS: usize = 3;

    /// Notes what a reply told a customer.
    pub fn told(&mut self, customer: &str, reply: &str) {
        for one in private(reply) {
            let customers = self.writers.entry(plain(&reply[one.at])).or_default();
            if customers.len() < Public::CUSTOMERS {
                customers.insert(customer.to_owned());
            }
        }
    }

    /// Notes what is published for everybody: help articles.
    pub fn published(&mut self, text: &str) {
        self.always
            .extend(private(text).into_iter().map(|one| plain(&text[one.at])));
    }

    /// Forgets what was told to few, and to whom: what remains may be kept.
    pub fn settled(mut self) -> Public {
        for (value, customers) in std::mem::take(&mut self.writers) {
            if customers.len() >= Public::CUSTOMERS {
                self.always.insert(value);
            }
        }
        self
    }

    /// Whether a value is nobody's.
    pub fn has(&self, value: &str) -> bool {
        let value = plain(value);
        self.always.contains(&value)
            || self
                .writers
                .get(&value)
                .is_some_and(|customers| customers.len() >= Public::CUSTOMERS)
    }
}

/// An old reply without what is private. `customer`: names the old customer gave ([`introduced`]); `agents`: names of
/// those who sign.
pub fn cleaned(
    reply: &str,
    language: &str,
    customer: &[String],
    agents: &[String],
    public: &Public,
) -> String {
    let mut found: Vec<Found> = private(reply)
        .into_iter()
        .filter(|one| !public.has(&reply[one.at.clone()]))
        .collect();
    let mut named: Vec<String> = customer.to_vec();
    let greetings = greeting::names(reply);
    // A user number may stand for a name there.
    let apart = |one: &Found, at: &Range<usize>| one.at.end <= at.start || at.end <= one.at.start;
    found.retain(|one| greetings.iter().all(|at| apart(one, at)));
    let mut add = |kind: Kind, at: Range<usize>| {
        if found
            .iter()
            .all(|one| at.end <= one.at.start || one.at.end <= at.start)
        {
            found.push(Found { kind, at });
        }
    };
    let signatures = names::signed(reply, agents);
    let called = vocative::courteous(reply).into_iter().filter(|at| {
        signatures
            .iter()
            .all(|one| one.end <= at.start || at.end <= one.start)
    });
    for at in greetings.into_iter().chain(called) {
        let name = &reply[at.clone()];
        // The words of "[Your Name]" stand in other holes as well.
        if !(name.starts_with(['[', '<', '{']) && name.contains(' ')) {
            named.push(name.to_owned());
            named.extend(capital(name));
        }
        add(Kind::Name, at);
    }
    for at in signatures {
        add(Kind::Agent, at);
    }
    for at in names::mentions(reply, &named) {
        add(Kind::Name, at);
    }
    found.sort_by_key(|one| one.at.start);
    let (mut clean, mut from) = (String::with_capacity(reply.len()), 0);
    for one in found {
        clean.push_str(&reply[from..one.at.start]);
        clean.push_str(placeholder(one.kind, language));
        from = one.at.end;
    }
    clean.push_str(&reply[from..]);
    clean
}

/// A name in small letters as it is usually written.
fn capital(name: &str) -> Option<String> {
    let mut letters = name.chars();
    let first = letters.next().filter(|first| first.is_lowercase())?;
    Some(first.to_uppercase().chain(letters).collect())
}

/// What a ticket says about its customer: at most one value a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    values: BTreeMap<Kind, String>,
}

impl Own {
    /// Reads the customer's messages; kinds with two different values are left out. `agent`: who will sign.
    pub fn of(messages: &[&str], agent: Option<&str>) -> Own {
        let mut values: BTreeMap<Kind, Option<String>> = BTreeMap::new();
        let mut note = |kind: Kind, value: &str| {
            let known = values.entry(kind).or_insert_with(|| Some(value.to_owned()));
            if known.as_deref().is_some_and(|known| plain(known) != plain(value)) {
                *known = None;
            }
        };
        for message in messages {
            for one in private(message) {
                if !matches!(one.kind, Kind::Card | Kind::Link | Kind::Chat) {
                    note(one.kind, &message[one.at]);
                }
            }
            for name in introduced(message) {
                note(Kind::Name, &name);
            }
        }
        let mut values: BTreeMap<Kind, String> = values
            .into_iter()
            .filter_map(|(kind, value)| Some((kind, value?)))
            .collect();
        if let Some(agent) = agent {
            values.insert(Kind::Agent, agent.to_owned());
        }
        Own { values }
    }

    /// Fills the placeholders of which the ticket knows the value. A signature without a signer goes.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for row in &PLACEHOLDERS {
            for (kind, hole) in KINDS.iter().zip(row.1) {
                if !filled.contains(hole) {
                    continue;
                }
                // Two sums in one reply are two facts: one value cannot be both.
                let twice = *kind == Kind::Amount && filled.matches(hole).count() > 1;
                match self.values.get(kind).filter(|_| !twice) {
                    Some(value) => filled = filled.replace(hole, value),
                    None if *kind == Kind::Agent => {
                        filled = filled
                            .replace(&format!("{hole}, "), "")
                            .replace(&format!("，{hole}"), "")
                            .replace(&format!(",{hole}"), "")
                            .replace(&format!(" {hole}"), "")
                            .replace(hole, "")
                            .trim_end_matches([',', '，', ' ', '\n'])
                            .to_owned();
                    }
                    None if *kind == Kind::Name => filled = nameless::without_name(&filled, hole),
                    None => {}
                }
            }
        }
        filled
    }
}
