//! The clerk of one connection: which file is meant, and a guest's connection to it.
//!
//! Without a schema named, the file is `main` if that is a nightclerk one, else the only attached file that is. The guest
//! ([`Shop::open_as_guest`]) is opened by the first call that needs it and kept. What it has read is good until its
//! `data_version` moves, which costs two microseconds to ask; so a call after no commit of anybody reads nothing twice, and
//! one after a publication finds the new generation.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::cache;
use super::host::Host;
use crate::pipeline::finder::{self, Lore, State};
use crate::pipeline::support::{Models, Staff};
use crate::recommend::sessions::kept::{self, Kept};
use crate::search::{Hit, Kind, Options, Reader};
use crate::store::{self, ModelsKey, Shop};

/// Files of which guests are kept.
const MOST_GUESTS: usize = 8;
/// Products of a session that are looked at, the latest ones: nobody looks at more before the next click, and each is looked up.
const LONGEST_SESSION: usize = 1000;

/// What one connection of the host keeps.
#[derive(Debug)]
pub(super) struct Clerk {
    host: Host,
    guests: Mutex<Vec<Guest>>,
    /// Which files are nightclerk ones.
    known: Mutex<HashMap<PathBuf, bool>>,
}

/// A connection of ours to one file, and what was read through it.
#[derive(Debug)]
pub(super) struct Guest {
    path: PathBuf,
    shop: Shop,
    /// The process that opened it.
    process: u32,
    version: i64,
    seen: Seen,
    reader: Option<(Lore, Reader)>,
}

/// What was read as of one data version.
#[derive(Debug, Default)]
struct Seen {
    support: Option<Option<ModelsKey>>,
    sessions: Option<Option<ModelsKey>>,
    staff: Option<Arc<Staff>>,
    lore: bool,
    /// The state of the index that was found to belong to the file.
    index: Option<State>,
}

impl Clerk {
    pub(super) fn new(host: Host) -> Clerk {
        Clerk {
            host,
            guests: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// The file that a call means.
    pub(super) fn locate(&self, schema: Option<&str>) -> Result<PathBuf> {
        if let Some(schema) = schema {
            let file = self.host.file_of(schema);
            let file = file.with_context(|| {
                format!("there is no database file attached as {schema:?}: ATTACH 'shop.db' AS {schema}")
            })?;
            ensure!(
                self.is_ours(&file)?,
                "{} ({schema:?}) is no nightclerk file",
                file.display()
            );
            return Ok(file);
        }
        if let Some(main) = self.host.file_of("main")
            && self.seems_ours(&main)
        {
            return Ok(main);
        }
        let mut found: Vec<PathBuf> = Vec::new();
        for schema in self.host.schemas()? {
            if let Some(file) = self.host.file_of(&schema)
                && !found.contains(&file)
                && self.seems_ours(&file)
            {
                found.push(file);
            }
        }
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => bail!("no nightclerk file is open on this connection: ATTACH 'shop.db' AS clerk"),
            many => bail!(
                "{many} nightclerk files are attached: name the schema that is meant as the last argument"
            ),
        }
    }

    /// Whether a file is a nightclerk one. Never asked on the host's own connection, where the answer would begin a transaction; nor of
    /// the file itself: whoever opens it himself and closes it again takes the host's locks on it away (POSIX locks belong to the
    /// process). What was found of a file stands, unless the file was empty.
    fn is_ours(&self, file: &Path) -> Result<bool> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&ours) = known.get(file) {
            return Ok(ours);
        }
        let ours = Shop::is_one(file)?;
        if let Some(ours) = ours {
            known.insert(file.to_owned(), ours);
        }
        Ok(ours == Some(true))
    }

    /// The same where nobody named the file: one that cannot be asked now (another database of the application, locked) is not meant.
    fn seems_ours(&self, file: &Path) -> bool {
        self.is_ours(file).unwrap_or(false)
    }

    /// Runs a question on the guest of the file that is meant.
    pub(super) fn ask<T>(
        &self,
        schema: Option<&str>,
        question: impl FnOnce(&mut Guest) -> Result<T>,
    ) -> Result<T> {
        let path = self.locate(schema)?;
        let mut guests = self.guests.lock().unwrap_or_else(|poisoned| {
            // A question ended in a panic: what it left is not to be built upon.
            self.guests.clear_poison();
            let mut guests = poisoned.into_inner();
            guests.clear();
            guests
        });
        let process = std::process::id();
        // A child does not touch what its parent opened, not even to close it.
        let (own, of_parent): (Vec<Guest>, Vec<Guest>) =
            guests.drain(..).partition(|guest| guest.process == process);
        of_parent.into_iter().for_each(std::mem::forget);
        *guests = own;
        let at = match guests.iter().position(|guest| guest.path == path) {
            Some(at) => at,
            None => {
                if guests.len() == MOST_GUESTS {
                    guests.remove(0);
                }
                guests.push(Guest::open(&path)?);
                guests.len() - 1
            }
        };
        let guest = &mut guests[at];
        guest.look()?;
        question(guest)
    }
}

impl Drop for Clerk {
    fn drop(&mut self) {
        let guests = std::mem::take(self.guests.get_mut().unwrap_or_else(PoisonError::into_inner));
        for guest in guests {
            if guest.process == std::process::id() {
                super::guard::let_go("nightclerk", "close", guest);
            } else {
                std::mem::forget(guest);
            }
        }
    }
}

impl Guest {
    fn open(path: &Path) -> Result<Guest> {
        Ok(Guest {
            path: path.to_owned(),
            shop: Shop::open_as_guest(path)?,
            process: std::process::id(),
            version: 0,
            seen: Seen::default(),
            reader: None,
        })
    }

    /// Forgets what was read where somebody has committed since.
    fn look(&mut self) -> Result<()> {
        let version = self.shop.data_version()?;
        if version != self.version {
            self.version = version;
            self.seen = Seen::default();
        }
        Ok(())
    }

    pub(super) fn shop(&self) -> &Shop {
        &self.shop
    }

    /// Searches the index beside the file, as `nightclerk search --json` does.
    pub(super) fn search(&mut self, kind: Kind, query: &str, k: usize, snippets: bool) -> Result<Vec<Hit>> {
        let reader = self.reader()?;
        let options = Options {
            limit: k,
            snippets,
            ..Options::default()
        };
        Ok(reader.find(kind, query, &options)?.hits)
    }

    /// The index beside the file, if it is the file's own as it is now.
    pub(super) fn reader(&mut self) -> Result<&Reader> {
        if !self.seen.lore || self.reader.is_none() {
            let lore = Lore::read(&self.shop)?;
            if self.reader.as_ref().is_none_or(|(known, _)| *known != lore) {
                let reader = lore.given_to(cache::index(&self.shop.beside(".search"))?);
                self.reader = Some((lore, reader));
            }
            self.seen.lore = true;
        }
        let (_, reader) = self.reader.as_ref().context("the index was just opened")?;
        // The state before the file: a commit's mark is in the file before the commit is in the index.
        let state = reader.state()?;
        if self.seen.index.is_none() || self.seen.index != state {
            if finder::belongs(&self.shop, state.as_ref())?.is_none() {
                bail!(finder::foreign(&self.shop));
            }
            self.seen.index = state;
        }
        Ok(reader)
    }

    /// Documents in the index, and changes it does not hold yet.
    pub(super) fn index(&mut self) -> Result<(u64, u64)> {
        let documents = self.reader()?.documents()?;
        let (_, reader) = self.reader.as_ref().context("the index was just opened")?;
        Ok((documents, finder::waiting(&self.shop, reader)?))
    }

    /// The published models of tickets.
    fn support(&mut self) -> Result<Arc<Models>> {
        let shop = &self.shop;
        if self.seen.support.is_none() {
            self.seen.support = Some(shop.models_key("support", "support policy")?);
        }
        let key = self.seen.support.as_ref().and_then(Option::as_ref);
        let key = key.context("the support job has published nothing yet: nightclerk run support")?;
        ensure!(
            key.parts > 0,
            "the models of tickets are gone with a customer who was erased: nightclerk run support"
        );
        cache::model(&self.path, cache::Kind::Support, key, || {
            let models = Models::read(shop, key.generation)?;
            Ok((models, shop.model_bytes(key.generation, "support")?))
        })
    }

    /// The published model of sessions.
    fn sessions(&mut self) -> Result<Arc<Kept>> {
        let shop = &self.shop;
        if self.seen.sessions.is_none() {
            self.seen.sessions = Some(shop.models_key("recommendations", kept::NAME)?);
        }
        let key = self.seen.sessions.as_ref().and_then(Option::as_ref);
        let key =
            key.context("the recommendations job has published nothing yet: nightclerk run recommendations")?;
        ensure!(
            key.parts > 0,
            "the sessions remembered are gone with a customer who was erased, or were never kept: nightclerk run \
             recommendations"
        );
        cache::model(&self.path, cache::Kind::Sessions, key, || {
            let bytes = shop.artefact(key.generation, kept::NAME, kept::FORMAT)?;
            let bytes = bytes.context("the model of sessions is gone")?;
            let kept = Kept::from_bytes(&bytes).map_err(|what| {
                anyhow!("the model of sessions cannot be used: {what}; run the recommendations job again")
            })?;
            Ok((kept, bytes.len()))
        })
    }

    fn staff(&mut self) -> Result<Arc<Staff>> {
        if self.seen.staff.is_none() {
            self.seen.staff = Some(Arc::new(Staff::read(&self.shop)?));
        }
        self.seen.staff.clone().context("just read")
    }

    /// Runs what reads the file, all of it as of one instant.
    fn at_one_instant<T>(&mut self, read: impl FnOnce(&mut Guest) -> Result<T>) -> Result<T> {
        self.shop.begin()?;
        // Somebody may have committed since the last look. A panic goes on after the end: a reader left open holds the log.
        let read = catch_unwind(AssertUnwindSafe(|| self.look().and_then(|()| read(self))));
        self.shop.end()?;
        read.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// What a text is about.
    pub(super) fn classify(&mut self, text: &str) -> Result<String> {
        let models = self.at_one_instant(Guest::support)?;
        Ok(serde_json::to_string(&models.classify(text))?)
    }

    /// Where a text belongs.
    pub(super) fn route(&mut self, text: &str, language: Option<&str>) -> Result<String> {
        let (models, staff) = self.at_one_instant(|guest| Ok((guest.support()?, guest.staff()?)))?;
        Ok(serde_json::to_string(&models.route(
            &staff,
            text,
            language,
            store::now(),
        ))?)
    }

    /// What to answer to a text.
    pub(super) fn draft(&mut self, text: &str, language: Option<&str>) -> Result<String> {
        self.at_one_instant(|guest| {
            let (models, staff) = (guest.support()?, guest.staff()?);
            let answer = models.answer(&guest.shop, &staff, text, language, store::now());
            Ok(serde_json::to_string(&answer.draft)?)
        })
    }

    /// What comes next in a session that met these products, the latest last: at most `k` that may be shown now, one of an
    /// article, none that the session has met nor another of its article. Of a long session the end counts
    /// ([`LONGEST_SESSION`]).
    pub(super) fn recommend(&mut self, met: &[String], k: usize) -> Result<Vec<(String, f64)>> {
        self.at_one_instant(|guest| {
            let model = guest.sessions()?;
            let shop = &guest.shop;
            let mut articles: HashSet<String> = HashSet::new();
            let met = &met[met.len().saturating_sub(LONGEST_SESSION)..];
            let mut keys = Vec::with_capacity(met.len());
            for product in met {
                if let Some((key, article)) = shop.product_met(product)? {
                    keys.push(key);
                    articles.extend(article);
                }
            }
            let page = met.last().map(String::as_str);
            let seen: HashSet<i64> = keys.iter().copied().collect();
            // Some may not be shown now: ask for a few more, and for all if that was not enough.
            for most in [2 * k + 40, usize::MAX] {
                let next = model.next(&keys, most);
                let all = next.len() < most;
                let mut rows = Vec::with_capacity(k);
                let mut taken = articles.clone();
                for (key, score) in next {
                    if rows.len() == k {
                        break;
                    }
                    if seen.contains(&key) {
                        continue;
                    }
                    let Some(shown) = shop.shown_next(key, page)? else {
                        continue;
                    };
                    if let Some(article) = shown.group_id
                        && !taken.insert(article)
                    {
                        continue;
                    }
                    rows.push((shown.product_id, f64::from(score)));
                }
                if rows.len() == k || all {
                    return Ok(rows);
                }
            }
            bail!("a list is never longer than all there is")
        })
    }
}
