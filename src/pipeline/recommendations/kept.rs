//! What the published generation remembers, as the parts of this family take it.
//!
//! Only what was known at the night's own instant may speak: a night that looks back (`--as-of`) must not learn from numbers
//! that were tuned on what came later.

use anyhow::{Context, Result};

use super::Recommendations;
use crate::pipeline::{Family, Night};
use crate::recommend::again::choose::{Known, LOGISTIC};
use crate::recommend::cold::Choice;
use crate::recommend::memory::{Memory, OfLists};
use crate::recommend::purpose::Purpose;
use crate::recommend::sessions::judge::Published as OfSessions;
use crate::recommend::visitors::Before as OfVisitors;
use crate::store::{self, GenerationWriter};

pub(super) use crate::recommend::sessions::kept::NAME as SESSIONS;

/// Under which name it is kept with its generation.
const NAME: &str = "memory";
/// Version of its bytes.
const FORMAT: i64 = 4;

/// What an earlier night left, and what tonight makes of it.
#[derive(Debug)]
pub(super) struct Before {
    memory: Option<Memory>,
    rests: bool,
    note: Option<String>,
}

impl Before {
    /// Reads it for a night of this purpose over so many events. Where it cannot be read (damaged, or of another version) the
    /// night starts without it and says so: to fail would be to fail for ever, because only a night replaces it.
    pub(super) fn read(night: &Night<'_>, purpose: Purpose, events: usize) -> Result<Before> {
        let nothing = |note: Option<String>| Before {
            memory: None,
            rests: false,
            note,
        };
        let Some(published) = night.shop.published(Recommendations::NAME)? else {
            return Ok(nothing(None));
        };
        if published.as_of.is_none_or(|as_of| as_of > night.as_of) {
            let note = "tuned afresh, because what is published knows of later days";
            return Ok(nothing(Some(note.to_owned())));
        }
        let unread = |why: String| nothing(Some(format!("tuned without last night's numbers: {why}")));
        let bytes = match night.shop.artefact(published.generation, NAME, FORMAT) {
            Ok(None) => return Ok(nothing(None)),
            Ok(Some(bytes)) => bytes,
            Err(e @ store::Error::Artefact { .. }) => return Ok(unread(e.to_string())),
            Err(e) => return Err(e.into()),
        };
        let memory = match postcard::from_bytes::<Memory>(&bytes) {
            Ok(memory) if memory.is_sane() => memory,
            Ok(_) => return Ok(unread("they are no numbers a model could use".to_owned())),
            Err(e) => return Ok(unread(e.to_string())),
        };
        let rests = memory.rests(purpose, events);
        let note = if memory.purpose != purpose {
            Some("tuned afresh for another purpose".to_owned())
        } else if rests {
            let nights = memory.nights + 1;
            Some(format!("by numbers tuned {nights} night(s) ago"))
        } else {
            None
        };
        // Lists tuned for another purpose tell nothing; what does not hang on it stays comparable.
        let memory = match memory.purpose == purpose {
            true => memory,
            false => Memory {
                lists: None,
                cold: None,
                ..memory
            },
        };
        Ok(Before {
            memory: Some(memory),
            rests,
            note,
        })
    }

    /// Whether the numbers are those of an earlier night, or why not; for `why`.
    pub(super) fn note(&self) -> Option<String> {
        self.note.clone()
    }

    /// The memory that the night rests on.
    pub(super) fn rested(&self) -> Option<&Memory> {
        self.memory.as_ref().filter(|_| self.rests)
    }

    pub(super) fn lists(&self) -> Option<&OfLists> {
        self.memory.as_ref()?.lists.as_ref()
    }

    pub(super) fn sessions(&self) -> Option<OfSessions> {
        let kept = self.memory.as_ref()?.sessions.as_ref()?;
        OfSessions::new(&kept.model, kept.weights, kept.tuned, self.rests)
    }

    pub(super) fn visitors(&self) -> Option<OfVisitors> {
        let kept = self.memory.as_ref()?.visitors.as_ref()?;
        Some(OfVisitors {
            published: kept.published.clone(),
            choice: kept.choice.clone(),
            rest: self.rests,
        })
    }

    pub(super) fn again(&self) -> Known {
        match self.memory.as_ref().and_then(|memory| memory.again.as_ref()) {
            Some(kept) if self.rests => Known::Rest(kept.recipe),
            Some(kept) if kept.model == LOGISTIC => Known::Published(kept.recipe),
            _ => Known::Nothing,
        }
    }

    /// The voice of new products, where the night rests on it.
    pub(super) fn cold(&self) -> Option<Choice> {
        self.rested()?.cold
    }
}

/// Keeps it with a generation.
pub(super) fn write(memory: &Memory, writer: &mut GenerationWriter<'_>) -> Result<()> {
    let bytes = postcard::to_stdvec(memory).context("what the night leaves to the next")?;
    Ok(writer.artefact(NAME, FORMAT, &bytes)?)
}
