//! Tickets, replies and agents as of one instant, turned into what the models learn from and what waits.
//!
//! Only what PEOPLE decided is learned from: categories, teams, agents and priorities of tickets decided by a person,
//! and replies of agents. Notes are read by nobody here. What was closed after the instant counts as still open.

use super::super::Night;
use super::continuity::{self, Happened, Stays};
use super::due::Clock;
use super::knowledge::Class;
use super::labels::{Label, NONE_OF_THESE, classes, label, unknown};
use crate::store::{Agent, Article, Reply, Snapshot, Ticket};
use crate::support::{Message, Unknown, introduced};
use crate::text::{language_of, plain, unquoted, written};
use anyhow::Result;
use std::collections::BTreeMap;

/// Letters of a ticket that are read: the matter is in the beginning, the rest is quoted mail.
const LETTERS: usize = 20_000;
/// Old tickets that are searched for neighbours: the newest.
const HISTORY: usize = 50_000;

/// Rows as read.
#[derive(Debug)]
pub struct Collected {
    tickets: Vec<Ticket>,
    replies: Vec<Reply>,
    agents: Vec<Agent>,
    articles: Vec<Article>,
}

/// A ticket that people categorised or answered.
#[derive(Debug, Clone)]
pub(super) struct Old {
    pub ticket_id: String,
    pub text: String,
    /// So many bytes of `text` are the subject.
    pub subject: usize,
    /// `-` where people said that no category fits.
    pub category: Option<String>,
    pub team: Option<String>,
    pub agent_id: Option<String>,
    pub priority: Option<String>,
    /// The first reply of an agent: its key and what was sent, without quoted mail.
    pub reply: Option<(i64, String)>,
    /// Whose ticket it is: the user, or the ticket where nobody says.
    pub customer: String,
    /// Names that the customer gave, where there is a reply to take them out of.
    pub names: Vec<String>,
    pub created_at: i64,
}

/// A ticket that is not closed.
#[derive(Debug, Clone, Default)]
pub(super) struct Open {
    pub ticket_id: String,
    pub text: String,
    /// So many bytes of `text` are the subject.
    pub subject: usize,
    pub language: String,
    pub category: Option<String>,
    pub team: Option<String>,
    pub agent_id: Option<String>,
    pub priority: Option<String>,
    pub by_person: bool,
    /// A person said that no category fits.
    pub none_fits: bool,
    pub created_at: i64,
    /// The customer's message to be answered: the last one after the ticket itself.
    pub reply_to: Option<i64>,
    /// Whose it is, when somebody says.
    pub user_id: Option<String>,
    /// Whether a person or an agent's reply has touched it.
    pub touched: bool,
    /// The agent who replied last.
    pub replied_by: Option<String>,
    /// Why team and agent are those it had, where they are.
    pub stays: Option<Stays>,
    /// What the customer wrote last, when it was not the ticket itself.
    pub last_message: Option<String>,
    /// Who had this customer's last ticket.
    pub last_agent: Option<String>,
    /// All that the customer wrote, with signatures: what a draft may say of them comes from here.
    pub messages: Vec<String>,
    /// Messages so far but notes.
    pub replies_seen: i64,
    /// Whether the last word is the shop's.
    pub answered: bool,
}

/// What learning and answering start from.
#[derive(Debug)]
pub struct Prepared {
    pub(super) old: Vec<Old>,
    pub(super) open: Vec<Open>,
    pub(super) agents: Vec<Agent>,
    pub(super) articles: Vec<Article>,
    /// What people did with the tickets that earlier nights answered.
    pub(super) happened: Happened,
    pub(super) clock: Clock,
    /// What is learned: categories, or teams in a shop whose people enter teams only.
    pub(super) label: Label,
    /// Rows of `old` with a label, beside the index of the label in `labels`.
    pub(super) labelled: Vec<(usize, u32)>,
    /// Categories or teams, sorted; each has at least two labelled tickets.
    pub(super) labels: Vec<String>,
    /// What people mostly did with the tickets of each label; beside `labels`.
    pub(super) classes: Vec<Class>,
    /// Whether the labels spread over enough days to be judged by the later ones.
    pub(super) timed: bool,
    /// The class of tickets that people marked as none of the categories, where there is one.
    pub(super) unknown: Option<Unknown>,
}

pub(super) fn collect(snapshot: &Snapshot) -> Result<Collected> {
    Ok(Collected {
        tickets: snapshot.tickets()?,
        replies: snapshot.replies()?,
        agents: snapshot.agents()?,
        articles: snapshot.articles()?,
    })
}

pub(super) fn prepare(collected: Collected, night: &Night<'_>) -> Result<Prepared> {
    let as_of = night.as_of;
    let clock = Clock::new(night.zone, night.settings.working_hours.as_deref())?;
    let mut happened = Happened::awaited(night)?;
    let mut messages: BTreeMap<String, Vec<Reply>> = BTreeMap::new();
    let (mut later, mut notes) = (0, 0);
    for reply in collected.replies {
        if reply.at > as_of {
            later += 1;
        } else if reply.author == "note" {
            notes += 1;
        } else {
            messages.entry(reply.ticket_id.clone()).or_default().push(reply);
        }
    }
    night.drop_rows("replies", "later than the night's instant", later);
    night.drop_rows("replies", "a note: never learned from", notes);

    let (mut old, mut open) = (Vec::new(), Vec::new());
    let (mut later, mut empty) = (0, 0);
    for ticket in collected.tickets {
        if ticket.created_at > as_of {
            later += 1;
            continue;
        }
        let thread = messages.remove(&ticket.ticket_id).unwrap_or_default();
        let text = text(&ticket.subject, &ticket.body);
        let closed = ticket.status == "closed" && ticket.closed_at.is_none_or(|at| at <= as_of);
        if !closed {
            open.push(waiting(&ticket, &text, &thread));
        }
        happened.look(&ticket, &thread);
        // What was decided by closing a ticket later was not known yet.
        let known = ticket.by_person && (closed || ticket.status != "closed");
        let reply = thread
            .iter()
            .find(|m| m.author == "agent" && !m.body.trim().is_empty());
        let kept = |value: Option<String>| value.filter(|value| known && !value.is_empty());
        let row = Old {
            category: kept(ticket.category),
            team: kept(ticket.team),
            agent_id: reply
                .and_then(|m| m.agent_id.clone())
                .or_else(|| kept(ticket.agent_id)),
            priority: kept(ticket.priority),
            reply: reply.map(|m| (m.reply_id, sent(&m.body))),
            customer: ticket.user_id.unwrap_or_else(|| ticket.ticket_id.clone()),
            names: if reply.is_some() {
                names(&ticket.body)
            } else {
                Vec::new()
            },
            subject: subject(&ticket.subject, &text),
            ticket_id: ticket.ticket_id,
            text,
            created_at: ticket.created_at,
        };
        match row.category.is_some() || row.team.is_some() || row.reply.is_some() {
            true if row.text.trim().is_empty() => empty += 1,
            true => old.push(row),
            false => {}
        }
    }
    night.drop_rows("tickets", "later than the night's instant", later);
    night.drop_rows("tickets", "without subject and body: not learned from", empty);
    night.drop_rows(
        "replies",
        "of a ticket that is not there",
        messages.values().map(|m| m.len() as u64).sum(),
    );
    if old.len() > HISTORY {
        old.sort_by(|a, b| {
            a.created_at
                .cmp(&b.created_at)
                .then_with(|| a.ticket_id.cmp(&b.ticket_id))
        });
        let aged = old.len() - HISTORY;
        night.drop_rows(
            "tickets",
            format!("older than the newest {HISTORY} solved"),
            aged as u64,
        );
        old.drain(..aged);
        old.sort_by(|a, b| a.ticket_id.cmp(&b.ticket_id));
    }
    let (label, labels, labelled) = label(&old, night);
    let days = |f: fn(i64, i64) -> i64| {
        labelled
            .iter()
            .map(|&(row, _)| night.day_of(old[row].created_at))
            .reduce(f)
    };
    let timed = days(i64::max)
        .zip(days(i64::min))
        .is_some_and(|(last, first)| last - first >= 7);
    let unknown = unknown(&labels, &labelled, &old, as_of, timed);
    let classes = classes(&old, label, &labels, &collected.agents);
    let usual = match label {
        Label::Category => classes.as_slice(),
        Label::Team => &[],
    };
    continuity::keep(
        &mut open,
        &old,
        &night.shop.published_routes()?,
        &collected.agents,
        usual,
    );
    Ok(Prepared {
        old,
        open,
        agents: collected.agents,
        articles: collected.articles,
        label,
        labelled,
        labels,
        classes,
        timed,
        unknown,
        happened,
        clock,
    })
}

/// A ticket that is not closed; `thread`: its messages without notes, oldest first.
pub(super) fn waiting(ticket: &Ticket, text: &str, thread: &[Reply]) -> Open {
    let last = thread.last();
    let last_customer = last.filter(|m| m.author == "customer");
    Open {
        ticket_id: ticket.ticket_id.clone(),
        text: text.to_owned(),
        subject: subject(&ticket.subject, text),
        language: language(ticket.language.as_deref(), text),
        category: ticket
            .category
            .clone()
            .filter(|category| category != NONE_OF_THESE && !category.is_empty()),
        team: ticket.team.clone().filter(|team| !team.is_empty()),
        agent_id: ticket.agent_id.clone().filter(|agent| !agent.is_empty()),
        priority: ticket.priority.clone(),
        by_person: ticket.by_person,
        none_fits: ticket.by_person && ticket.category.as_deref() == Some(NONE_OF_THESE),
        created_at: ticket.created_at,
        reply_to: last_customer.map(|m| m.reply_id),
        last_message: last_customer.map(|m| written(&m.body, LETTERS)),
        last_agent: None,
        user_id: ticket.user_id.clone(),
        touched: thread.iter().any(|m| m.author == "agent")
            || (ticket.by_person
                && [&ticket.category, &ticket.team, &ticket.agent_id, &ticket.priority]
                    .iter()
                    .any(|value| value.as_ref().is_some_and(|value| !value.is_empty()))),
        replied_by: thread
            .iter()
            .rev()
            .find(|m| m.author == "agent")
            .and_then(|m| m.agent_id.clone()),
        stays: None,
        messages: messages(&ticket.subject, &ticket.body)
            .into_iter()
            .chain(
                thread
                    .iter()
                    .filter(|m| m.author == "customer")
                    .map(|m| plain(&m.body, LETTERS)),
            )
            .collect(),
        replies_seen: thread.len() as i64,
        answered: last.is_some_and(|m| m.author != "customer"),
    }
}

/// What is read of a ticket: the subject and what the customer wrote, without markup, quoted threads and signature.
pub(super) fn text(subject: &str, body: &str) -> String {
    let (subject, body) = (plain(subject, LETTERS), written(body, LETTERS));
    let subject = subject.trim();
    let joined = if subject.is_empty() {
        body
    } else {
        format!("{subject}\n{body}")
    };
    match joined.char_indices().nth(LETTERS) {
        Some((end, _)) => joined[..end].to_owned(),
        None => joined,
    }
}

/// The ticket's own words, with the signature.
pub(super) fn messages(subject: &str, body: &str) -> Vec<String> {
    vec![plain(subject, LETTERS), plain(body, LETTERS)]
}

/// Names that a customer gives in a ticket.
pub(super) fn names(body: &str) -> Vec<String> {
    introduced(&unquoted(body, LETTERS))
}

/// What an agent sent, without quoted mail.
pub(super) fn sent(body: &str) -> String {
    unquoted(body, LETTERS)
}

/// How many bytes of what is read of a ticket are its subject.
fn subject(subject: &str, text: &str) -> usize {
    plain(subject, LETTERS).trim().len().min(text.len())
}

/// What is read of a ticket in its two parts.
pub(super) fn message(text: &str, subject: usize) -> Message<'_> {
    let (subject, body) = text.split_at_checked(subject).unwrap_or(("", text));
    Message {
        subject,
        body: if subject.is_empty() {
            body
        } else {
            body.strip_prefix('\n').unwrap_or(body)
        },
    }
}

/// First part of the tag somebody entered, else told from the text; `und` when neither says.
pub(super) fn language(entered: Option<&str>, text: &str) -> String {
    let first = entered
        .and_then(|tag| tag.split(['-', '_']).next())
        .map(str::to_lowercase);
    first
        .filter(|tag| !tag.is_empty())
        .unwrap_or_else(|| language_of(text).to_owned())
}
