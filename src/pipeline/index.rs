//! Keeping the full-text index: draining the outbox into it, or building it anew.
//!
//! The order that loses nothing, whenever the process dies: (1) read changes from the outbox, (2) put them into the
//! index and commit it together with the last change's number and a mark that the file wrote down just before, (3) only then let the outbox forget up to that number.
//! Dead between 2 and 3: the changes are put a second time, which changes nothing. An index that belongs to another
//! file, is damaged, is ahead of the outbox or bears a mark the file does not know (one of them was restored from a copy) is
//! built anew.

use crate::fit::Control;
use crate::search::{self, Change, Document, IndexWriter, Key, Kind, Opened, State};
use crate::store::{self, Shop};
use crate::text::{plain, unquoted};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// What draining did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    /// Changes put into the index, or documents of a rebuild.
    pub documents: u64,
    /// Why the index was built anew, if it was.
    pub rebuilt: Option<String>,
    /// The tickets among the changes, deleted ones included; all after a rebuild.
    pub tickets: Touched,
}

/// Tickets that something has happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// These, by id; an id may be there twice.
    Ids(Vec<String>),
    /// Nobody knows which: any.
    All,
}

impl Touched {
    /// None.
    pub const NONE: Touched = Touched::Ids(Vec::new());

    /// Both together.
    pub fn add(&mut self, other: Touched) {
        match (&mut *self, other) {
            (Touched::Ids(ids), Touched::Ids(more)) => ids.extend(more),
            _ => *self = Touched::All,
        }
    }
}

/// Why an index is not trusted whose last commit the file does not know, or the other way round.
const RESTORED: &str = "the database and it are not of one time: one of them was restored from a copy";

/// Changes taken from the outbox at a time.
const BATCH: usize = 2000;

/// Brings the index beside the file up to date, once. Only the holder of the leader's lock may call it.
pub fn drain(shop: &Shop, control: &Control) -> Result<Drained> {
    let mut keeper = Keeper::open(shop)?;
    let drained = keeper.catch_up(shop, control)?;
    keeper.close()?;
    Ok(drained)
}

/// Old indexes beside the file that could not be removed when they were replaced.
pub fn left_over(shop: &Shop) -> Result<Vec<PathBuf>> {
    Ok(search::left_over(&shop.beside(".search"))?)
}

/// The index's writer, kept alive by whoever keeps the index fresh all day: opening it verifies every file, and merging
/// segments happens behind it, which a writer that goes after each commit never gets done.
#[derive(Debug)]
pub struct Keeper {
    writer: IndexWriter,
    /// The last change that is in the index.
    seq: i64,
    /// Why it has to be built anew, if it has to.
    rebuild: Option<String>,
}

impl Keeper {
    /// Opens the index beside the file for writing. Only the holder of the leader's lock may.
    pub fn open(shop: &Shop) -> Result<Keeper> {
        let folder = shop.beside(".search");
        let Opened { writer, state } = IndexWriter::open(&folder, &shop.instance()?)
            .with_context(|| format!("opening the search index {}", folder.display()))?;
        let (seq, rebuild) = match state {
            State::MustRebuild { why } => (0, Some(why)),
            State::Current { mark, .. } if !shop.index_marks()?.contains(&mark) => (0, Some(RESTORED.into())),
            State::Current { seq, .. } => (seq, None),
        };
        Ok(Keeper { writer, seq, rebuild })
    }

    /// Takes over every change made so far, up to `BATCH` of them in one commit. With nothing to do it costs two
    /// look-ups in the file: call it as often as a hit may be late.
    pub fn catch_up(&mut self, shop: &Shop, control: &Control) -> Result<Drained> {
        if self.rebuild.is_none() {
            if self.seq > shop.outbox_newest()? {
                self.rebuild = Some("it is ahead of the database: an older copy was restored".into());
            } else if shop.outbox_waiting(self.seq)?.1 {
                self.rebuild = Some("the database asks for it".into());
            }
        }
        let mut drained = Drained {
            documents: 0,
            rebuilt: None,
            tickets: Touched::NONE,
        };
        // What comes after this belongs to the next call: in a busy shop there is always more, and somebody waits to hear.
        let asked_for = shop.outbox_newest()?;
        loop {
            control.check()?;
            if let Some(why) = &self.rebuild {
                self.seq = build_anew(shop, &mut self.writer, &mut drained.documents, control)?;
                drained.rebuilt = Some(why.clone());
                drained.tickets = Touched::All;
                self.rebuild = None;
                shop.outbox_forget(self.seq)?;
            }
            match shop.outbox_changes(self.seq, BATCH)? {
                // So much changed meanwhile that the outbox gave up counting.
                None => self.rebuild = Some("more changed than the outbox holds".into()),
                Some((_, last)) if last == self.seq => return Ok(drained),
                Some((changes, last)) => {
                    drained
                        .tickets
                        .add(Touched::Ids(changes.iter().filter_map(ticket_id).collect()));
                    drained.documents += self.writer.apply(changes.into_iter().map(into_change))?;
                    self.writer.sign_with(shop.index_announced()?);
                    self.writer.commit(last)?;
                    shop.index_committed()?;
                    self.seq = last;
                    shop.outbox_forget(last)?;
                    if last >= asked_for {
                        return Ok(drained);
                    }
                }
            }
        }
    }

    /// Waits for merges under way and lets the index go.
    pub fn close(self) -> Result<()> {
        Ok(self.writer.close()?)
    }
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
    writer.sign_with(shop.index_announced()?);
    writer
        .rebuild(puts, newest)
        .context("building the search index anew")?;
    shop.index_committed()?;
    Ok(newest)
}

fn ticket_id(change: &store::Change) -> Option<String> {
    match change {
        store::Change::Ticket(ticket, _) => Some(ticket.ticket_id.clone()),
        store::Change::Gone(kind, id) if kind == "ticket" => Some(id.clone()),
        _ => None,
    }
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

/// Longer messages are pasted files and taken as they are.
const MESSAGE: usize = 256 * 1024;

/// What of a mail is worth finding: its words, without markup and quoted threads, but with the signature, in which names and
/// numbers stand.
fn words(mail: String) -> String {
    if mail.len() > MESSAGE {
        return mail;
    }
    unquoted(&mail, MESSAGE)
}

/// A help article without markup.
fn page(article: String) -> String {
    if article.len() > MESSAGE {
        return article;
    }
    plain(&article, MESSAGE)
}

fn document(change: store::Change) -> Option<Document> {
    Some(match change {
        store::Change::Ticket(t, messages) => {
            let (notes, replies): (Vec<_>, Vec<_>) = messages.into_iter().partition(|m| m.author == "note");
            Document::Ticket {
                id: t.ticket_id,
                subject: t.subject,
                body: words(t.body),
                replies: replies.into_iter().map(|m| words(m.body)).collect(),
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
            body: page(a.body),
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
    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

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
    fn a_keeper_makes_a_new_ticket_findable_in_one_commit() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let put = |id: &str, body: &str| {
            let row = vec![Value::from(id), Value::from(body), Value::from(1_700_000_000i64)];
            shop.fill("tickets", &["ticket_id", "body", "created_at"], [row].into_iter())
                .unwrap();
        };
        put("T-1", "the first");
        let control = Control::unbounded();
        let mut keeper = Keeper::open(&shop).unwrap();
        let drained = keeper.catch_up(&shop, &control).unwrap();
        assert!(drained.rebuilt.is_some() && drained.tickets == Touched::All);
        let reader = Reader::open(&shop.beside(".search")).unwrap();
        for i in 2..6 {
            put(&format!("T-{i}"), "just arrived");
            let found = || reader.search(Kind::Ticket, "arrived", 10).unwrap().len();
            assert_eq!(found(), i - 2);
            let drained = keeper.catch_up(&shop, &control).unwrap();
            assert_eq!((drained.documents, drained.rebuilt), (1, None));
            assert_eq!(drained.tickets, Touched::Ids(vec![format!("T-{i}")]));
            assert_eq!(found(), i - 1);
            assert_eq!(shop.outbox_waiting(0).unwrap(), (0, false));
        }
        let nothing = keeper.catch_up(&shop, &control).unwrap();
        assert_eq!((nothing.documents, nothing.rebuilt), (0, None));
        assert_eq!(nothing.tickets, Touched::NONE);
        // Killed between the index's commit and the outbox: the change is put again and is there once.
        put("T-9", "just arrived");
        let (changes, last) = shop.outbox_changes(keeper.seq, BATCH).unwrap().unwrap();
        keeper.writer.apply(changes.into_iter().map(into_change)).unwrap();
        keeper.writer.sign_with(shop.index_announced().unwrap());
        keeper.writer.commit(last).unwrap();
        drop(keeper);
        let drained = drain(&shop, &control).unwrap();
        assert_eq!(drained.rebuilt, None);
        assert_eq!(reader.search(Kind::Ticket, "arrived", 10).unwrap().len(), 5);
        // Killed before it: nothing was in the index, and nothing is lost.
        put("T-10", "just arrived");
        let mut keeper = Keeper::open(&shop).unwrap();
        let (changes, _) = shop.outbox_changes(keeper.seq, BATCH).unwrap().unwrap();
        keeper.writer.apply(changes.into_iter().map(into_change)).unwrap();
        drop(keeper);
        assert_eq!(drain(&shop, &control).unwrap().documents, 1);
        assert_eq!(reader.search(Kind::Ticket, "arrived", 10).unwrap().len(), 6);
    }

    #[test]
    fn what_a_mail_program_wrote_is_not_found() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let put = |id: &str, body: &str| {
            let row = vec![Value::from(id), Value::from(body), Value::from(1_700_000_000i64)];
            shop.fill("tickets", &["ticket_id", "body", "created_at"], [row].into_iter())
                .unwrap();
        };
        put(
            "html",
            "<html><head><style>p {color: red}</style></head><body><div>Where is <b>order</b> A-77?</div>\
             <blockquote>an old matter</blockquote></body></html>",
        );
        put(
            "thread",
            "The kettle leaks.\n-- \nAnn Archer\n\nOn Monday Bob <bob@x.example> wrote:\n> a lid is missing",
        );
        let log = format!("{} needle", "line of a log <div>\n".repeat(20_000));
        put("log", &log);
        drain(&shop, &Control::unbounded()).unwrap();
        let reader = Reader::open(&shop.beside(".search")).unwrap();
        let found = |query: &str| -> Vec<String> {
            let hits = reader.search(Kind::Ticket, query, 10).unwrap();
            hits.into_iter().map(|hit| hit.id).collect()
        };
        for (query, expected) in [
            ("order A-77", vec!["html"]),
            ("style", vec![]),
            ("color", vec![]),
            ("blockquote", vec![]),
            ("kettle", vec!["thread"]),
            ("archer", vec!["thread"]),
            ("bob", vec![]),
            ("lid", vec![]),
            ("needle", vec!["log"]),
        ] {
            assert_eq!(found(query), expected, "{query}");
        }
    }

    #[test]
    fn a_file_put_back_from_a_copy_gets_a_new_index_though_the_numbers_agree() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.db");
        let control = Control::unbounded();
        let put = |shop: &Shop, ids: std::ops::Range<i32>, word: &str| {
            let row = |i| vec![Value::from(format!("p{i}")), Value::from(word)];
            shop.fill("products", &["product_id", "title"], ids.map(row))
                .unwrap();
        };
        let found = |word: &str| {
            let reader = Reader::open(&crate::store::beside(&path, ".search")).unwrap();
            reader.search(Kind::Product, word, 100).unwrap().len()
        };
        let shop = Shop::create(&path).unwrap();
        put(&shop, 0..10, "first");
        drain(&shop, &control).unwrap();
        shop.checkpoint().unwrap();
        let older = std::fs::read(&path).unwrap();
        put(&shop, 10..30, "lost");
        drain(&shop, &control).unwrap();
        drop(shop);
        let newer = std::fs::read(&path).unwrap();
        // One commit ago, with as many changes since as the index has seen, by plain copying.
        let put_back = |bytes: &[u8]| {
            for suffix in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(crate::store::beside(&path, suffix));
            }
            std::fs::write(&path, bytes).unwrap();
            Shop::open(&path).unwrap()
        };
        let shop = put_back(&older);
        put(&shop, 10..40, "new");
        assert_eq!(drain(&shop, &control).unwrap().rebuilt.as_deref(), Some(RESTORED));
        assert_eq!((found("first"), found("lost"), found("new")), (10, 0, 30));
        drop(shop);
        // And the newer file with the index of another history.
        let shop = put_back(&newer);
        assert_eq!(drain(&shop, &control).unwrap().rebuilt.as_deref(), Some(RESTORED));
        assert_eq!((found("first"), found("lost"), found("new")), (10, 20, 0));
        assert_eq!(drain(&shop, &control).unwrap().rebuilt, None);
    }

    #[test]
    fn an_article_is_found_by_its_last_word_however_long_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let row = |id: &str, body: String| vec![Value::from(id), Value::from("guide"), Value::from(body)];
        let long = "lorem ipsum ".repeat(30_000);
        let rows = [
            row("short", "<p>how to <b>return</b></p>".into()),
            row("long", format!("{long} return")),
        ];
        shop.fill("articles", &["article_id", "title", "body"], rows.into_iter())
            .unwrap();
        drain(&shop, &Control::unbounded()).unwrap();
        let reader = Reader::open(&shop.beside(".search")).unwrap();
        assert_eq!(reader.search(Kind::Article, "return", 10).unwrap().len(), 2);
    }

    #[test]
    fn catching_up_ends_in_a_shop_that_never_stops_writing() {
        // More than anybody writes while three of them catch up, on whatever machine.
        const MOST: i64 = 1_000_000;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.db");
        let shop = Shop::create(&path).unwrap();
        let mut keeper = Keeper::open(&shop).unwrap();
        let (written, done) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, end) = (written.clone(), done.clone());
        let writer = std::thread::spawn(move || {
            let shop = Shop::open(&path).unwrap();
            for number in 0..MOST {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                let row = [
                    format!("t{number}").into(),
                    Value::from("parcel"),
                    Value::from(1_700_000_000i64),
                ];
                let columns = ["ticket_id", "body", "created_at"];
                shop.fill("tickets", &columns, [row.to_vec()].into_iter())
                    .unwrap();
                count.store(number + 1, Ordering::SeqCst);
            }
        });
        for least in [50, 100, 150] {
            while written.load(Ordering::SeqCst) < least {
                std::thread::yield_now();
            }
            let drained = keeper.catch_up(&shop, &Control::unbounded()).unwrap();
            assert!(drained.documents > 0);
        }
        let ended_after = written.load(Ordering::SeqCst);
        done.store(true, Ordering::SeqCst);
        writer.join().unwrap();
        assert!(ended_after < MOST, "it ended with the writing");
        keeper.catch_up(&shop, &Control::unbounded()).unwrap();
        assert_eq!(keeper.seq, shop.outbox_newest().unwrap());
        keeper.close().unwrap();
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
