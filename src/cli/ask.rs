//! `nightclerk ask`: where a text would belong and what to answer, from what the published night learned. Nothing is
//! stored.

use super::{Failure, Global, Out};
use crate::pipeline::support::{self, Answer};
use crate::store::{self, Shop, Table, Value};
use anyhow::Result;
use std::io::Read;

/// What is asked.
#[derive(Debug, clap::Args)]
pub struct AskArgs {
    /// The customer's words; '-' reads them from standard input
    #[arg(value_name = "TEXT")]
    text: String,
    /// The language, when it is known (en, zh, de); otherwise told from the text
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
}

/// A text longer than this is no ticket, bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Answers and prints the evidence.
pub fn run(args: &AskArgs, global: &Global) -> Result<()> {
    let text = match args.text.as_str() {
        "-" => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().take(LONGEST).read_to_end(&mut bytes)?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
        text => text.to_owned(),
    };
    if text.trim().is_empty() {
        return Err(Failure::Usage(
            "ask wants the customer's words: nightclerk ask 'Where is my parcel?'".into(),
        )
        .into());
    }
    let shop = Shop::open_read_only(&global.db)?;
    let answer = support::ask(&shop, &text, args.language.as_deref(), store::now())?;
    let out = Out::new(global);
    if out.json() {
        return out.line(&serde_json::to_string_pretty(&answer)?);
    }
    show(&answer, &out)
}

/// A page for people: the decision and why, what else it could be, the old tickets, the draft.
fn show(answer: &Answer, out: &Out) -> Result<()> {
    let (route, draft) = (&answer.route, &answer.draft);
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let mut facts = Table {
        columns: vec!["what".into(), "answer".into()],
        rows: Vec::new(),
    };
    for (what, said) in [
        ("decision", route.decision.to_owned()),
        ("category", or_none(&route.category)),
        ("team", or_none(&route.team)),
        ("agent", or_none(&route.agent_id)),
        ("priority", route.priority.clone()),
        ("language", route.language.clone()),
    ] {
        facts.rows.push(vec![what.into(), said.into()]);
    }
    out.table(&facts)?;
    out.line(&format!("\nwhy: {}\n", route.why))?;
    if !route.candidates.is_empty() {
        out.table(&Table {
            columns: vec!["category".into(), "confidence".into()],
            rows: route
                .candidates
                .iter()
                .map(|one| vec![one.category.clone().into(), one.confidence.into()])
                .collect(),
        })?;
        out.line("")?;
    }
    if !route.neighbours.is_empty() {
        out.table(&Table {
            columns: vec!["old ticket".into(), "distance".into()],
            rows: route
                .neighbours
                .iter()
                .map(|one| vec![one.ticket_id.clone().into(), Value::from(one.distance)])
                .collect(),
        })?;
        out.line("")?;
    }
    match &draft.reply {
        Some(reply) => {
            let from: Vec<String> = draft
                .sources
                .iter()
                .map(|source| format!("{} {}", source.table, source.id))
                .collect();
            out.line(&format!(
                "draft ({}, confidence {:.2}, from {}):\n{reply}",
                draft.decision,
                draft.confidence,
                from.join(", ")
            ))
        }
        None => out.line(&format!(
            "no draft: {}",
            draft.why.unwrap_or("nothing near enough")
        )),
    }
}
