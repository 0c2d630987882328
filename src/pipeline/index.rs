//! Keeping the full-text index: draining the outbox into it, or building it anew.
//!
//! The order that loses nothing, whenever the process dies: (1) read changes from the outbox, (2) put them into the
//! index and commit it together with the last change's number, (3) only then let the outbox forget up to that number.
//! Dead between 2 and 3: the changes are put a second time, which changes nothing. An index that belongs to another
//! file, is damaged, or is ahead of the outbox (the file was restored from an older copy) is built anew.

use crate::fit::Control;
use crate::search::{Change, Document, IndexWriter, Key, Kind, Opened, State};
use crate::store::{self, Shop};
use anyhow::{Context, Result};

/// What draining did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    /// Changes put into the index, or documents of a rebuild.
    pub documents: u64,
    /// Why the index was built anew, if it was.
    pub rebuilt: Option<String>,
}

/// Changes taken from the outbox at a time.
const BATCH: usize = 2000;

/// Brings the index beside the file up to date. Only the holder of the leader's lock may call it.
pub fn drain(shop: &Shop, control: &Control) -> Result<Drained> {
    let folder = shop.beside(".search");
    let Opened { mut writer, state } = IndexWriter::open(&folder, &shop.instance()?)
        .with_context(|| format!("opening the search index {}", folder.display()))?;
    let newest = shop.outbox_newest()?;
    let usable = match state {
        State::MustRebuild { why } => Err(why),
        State::Current { seq } if seq > newest => {
            Err("it is ahead of the database: an older copy was restored".into())
        }
        State::Current { seq } if shop.outbox_waiting(seq)?.1 => Err("the database asks for it".to_owned()),
        State::Current { seq } => Ok(seq),
    };
    let mut documents = 0;
    let mut seq = match &usable {
        Ok(seq) => *seq,
        Err(_) => {
            let total = shop.count_documents()?;
            let all = shop.documents().map(|change| {
                control.check()?;
                documents += 1;
                control.progress("indexing documents", documents, total);
                anyhow::Ok(change?)
            });
            let puts = all.filter_map(|change| match change {
                Ok(change) => document(change).map(Ok),
                Err(e) => Some(Err(e)),
            });
            writer
                .rebuild(puts, newest)
                .context("building the search index anew")?;
            newest
        }
    };
    loop {
        control.check()?;
        let (changes, last) = shop.outbox_changes(seq, BATCH)?;
        if last == seq {
            break;
        }
        documents += writer.apply(changes.into_iter().map(into_change))?;
        writer.commit(last)?;
        seq = last;
    }
    shop.outbox_forget(seq)?;
    writer.close()?;
    Ok(Drained {
        documents,
        rebuilt: usable.err(),
    })
}

fn into_change(change: store::Change) -> Change {
    match change {
        store::Change::Gone(kind, id) => {
            // The triggers write these three words and no other.
            Change::Remove(Key {
                kind: Kind::parse(&kind).unwrap_or(Kind::Ticket),
                id,
            })
        }
        other => match document(other) {
            Some(document) => Change::Put(document),
            None => unreachable!("only Gone has no document"),
        },
    }
}

fn document(change: store::Change) -> Option<Document> {
    Some(match change {
        store::Change::Ticket(t, messages) => {
            let (notes, replies): (Vec<_>, Vec<_>) = messages.into_iter().partition(|m| m.author == "note");
            Document::Ticket {
                id: t.ticket_id,
                subject: t.subject,
                body: t.body,
                replies: replies.into_iter().map(|m| m.body).collect(),
                notes: notes.into_iter().map(|m| m.body).collect(),
                status: t.status,
                category: t.category,
                team: t.team,
                agent_id: t.agent_id,
                language: t.language,
                created_at: t.created_at,
            }
        }
        store::Change::Article(a) => Document::Article {
            id: a.article_id,
            title: a.title,
            body: a.body,
            category: a.category,
            language: a.language,
        },
        store::Change::Product(p) => Document::Product {
            id: p.product_id,
            title: p.title,
            description: p.description.unwrap_or_default(),
            category: p.category,
            brand: p.brand,
            properties: p.properties,
            created_at: p.created_at,
        },
        store::Change::Gone(..) => return None,
    })
}
