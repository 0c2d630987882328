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
    let mut seq = 0;
    let mut rebuild = match state {
        State::MustRebuild { why } => Some(why),
        State::Current { seq } if seq > newest => {
            Some("it is ahead of the database: an older copy was restored".into())
        }
        State::Current { seq } if shop.outbox_waiting(seq)?.1 => Some("the database asks for it".into()),
        State::Current { seq: known } => {
            seq = known;
            None
        }
    };
    let mut drained = Drained {
        documents: 0,
        rebuilt: None,
    };
    loop {
        control.check()?;
        if let Some(why) = rebuild.take() {
            seq = build_anew(shop, &mut writer, &mut drained.documents, control)?;
            shop.outbox_forget(seq)?;
            drained.rebuilt = Some(why);
        }
        match shop.outbox_changes(seq, BATCH)? {
            // So much changed meanwhile that the outbox gave up counting.
            None => rebuild = Some("more changed than the outbox holds".into()),
            Some((_, last)) if last == seq => break,
            Some((changes, last)) => {
                drained.documents += writer.apply(changes.into_iter().map(into_change))?;
                writer.commit(last)?;
                seq = last;
                shop.outbox_forget(seq)?;
            }
        }
    }
    writer.close()?;
    Ok(drained)
}

/// Indexes everything; returns the number up to which changes are in it.
fn build_anew(shop: &Shop, writer: &mut IndexWriter, documents: &mut u64, control: &Control) -> Result<i64> {
    let newest = shop.outbox_newest()?; // before the first document: what changes after it is delivered again
    let total = shop.count_documents()?;
    *documents = 0;
    let all = shop.documents().map(|change| {
        control.check()?;
        *documents += 1;
        control.progress("indexing documents", *documents, total);
        anyhow::Ok(change?)
    });
    let puts = all.filter_map(|change| match change {
        Ok(change) => document(change).map(Ok),
        Err(e) => Some(Err(e)),
    });
    writer
        .rebuild(puts, newest)
        .context("building the search index anew")?;
    Ok(newest)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::Progress;
    use crate::search::Reader;
    use crate::store::Value;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Writes a rebuild mark in place of all changes, once, while the index is being built.
    struct Flood {
        path: std::path::PathBuf,
        done: AtomicBool,
    }

    impl Progress for Flood {
        fn step(&self, _: &str, _: u64, _: u64) {
            if !self.done.swap(true, Ordering::SeqCst) {
                let shop = Shop::open(&self.path).unwrap();
                let row = |id: &str| vec![Value::from(id), Value::from("lamp")];
                shop.fill("products", &["product_id", "title"], [row("late")].into_iter())
                    .unwrap();
                shop.outbox_forget(i64::MAX).unwrap();
                let mark = vec![Value::from("rebuild"), Value::from("")];
                shop.fill("outbox", &["kind", "id"], [mark].into_iter()).unwrap();
            }
        }
    }

    #[test]
    fn a_rebuild_mark_that_comes_while_draining_is_obeyed() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let row = vec![Value::from("early"), Value::from("lamp")];
        shop.fill("products", &["product_id", "title"], [row].into_iter())
            .unwrap();
        let flood = Arc::new(Flood {
            path: shop.path().into(),
            done: AtomicBool::new(false),
        });
        let drained = drain(&shop, &Control::unbounded().with_progress(flood)).unwrap();
        assert_eq!(
            drained.rebuilt.as_deref(),
            Some("more changed than the outbox holds")
        );
        let found = Reader::open(&shop.beside(".search"))
            .unwrap()
            .search(Kind::Product, "lamp", 10)
            .unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(shop.outbox_waiting(0).unwrap(), (0, false));
    }
}
