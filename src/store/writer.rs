//! Building a generation. Rows and artefacts go in paced transactions under a number nobody reads yet; the last
//! step moves one pointer row. A reader's SELECT sees the old generation or the new one, whole. A crash leaves
//! rows under a number no pointer names: [`super::sweep`] takes them away.

use super::artefacts;
use super::clock::now;
use super::error::Result;
use super::open::Shop;
use super::pace::{Pace, paced, still_ours};
use super::results::ResultRow;
use rusqlite::params;
use std::time::Instant;

/// What a new generation says of itself.
#[derive(Debug, Clone)]
pub struct NewGeneration<'a> {
    /// recommendations, prices or support.
    pub family: &'a str,
    /// The run that builds it.
    pub run_id: i64,
    /// The instant it is computed as of.
    pub as_of: i64,
    /// recommendations: whether products bought since are hidden at SELECT time.
    pub exclude_bought: bool,
}

/// Writes one generation. Dropped without [`publish`](GenerationWriter::publish) or
/// [`reject`](GenerationWriter::reject) it stays 'building' and is swept by the next run.
#[derive(Debug)]
pub struct GenerationWriter<'s> {
    shop: &'s Shop,
    family: String,
    run_id: i64,
    generation: i64,
    rows: u64,
    pace: Pace,
}

impl<'s> GenerationWriter<'s> {
    /// Takes the next number.
    pub fn begin(shop: &'s Shop, new: &NewGeneration<'_>) -> Result<GenerationWriter<'s>> {
        shop.conn().execute(
            "INSERT INTO clerk_generations (family, status, run_id, as_of, exclude_bought)
             VALUES (?1, 'building', ?2, ?3, ?4)",
            params![new.family, new.run_id, new.as_of, new.exclude_bought],
        )?;
        Ok(GenerationWriter {
            shop,
            family: new.family.into(),
            run_id: new.run_id,
            generation: shop.conn().last_insert_rowid(),
            rows: 0,
            pace: Pace {
                run: Some(new.run_id),
                ..Pace::default()
            },
        })
    }

    /// The number.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// Result rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends rows, best in the order of their table's primary key (then pages fill one after the other).
    pub fn write<R: ResultRow>(&mut self, rows: impl IntoIterator<Item = R>) -> Result<()> {
        self.try_write(rows.into_iter().map(Ok))
    }

    /// Appends rows from a source that may fail, or be stopped, half-way.
    pub fn try_write<R: ResultRow>(&mut self, rows: impl IntoIterator<Item = Result<R>>) -> Result<()> {
        let generation = self.generation;
        self.rows += paced(self.shop, &self.pace, rows.into_iter(), |conn, row| {
            row?.insert(generation, &mut *conn.prepare_cached(R::INSERT)?)?;
            Ok(1)
        })?;
        Ok(())
    }

    /// Stores a fitted model under `name`, in checksummed parts. `format` is the version of its bytes.
    pub fn artefact(&mut self, name: &str, format: i64, bytes: &[u8]) -> Result<()> {
        artefacts::save(self.shop, self.run_id, self.generation, name, format, bytes)
    }

    /// Makes this generation the one readers see, and the one before it retired: one short transaction.
    pub fn publish(self, why: &str) -> Result<i64> {
        let transaction = self.shop.write()?;
        let begun = Instant::now();
        still_ours(&transaction, self.run_id)?;
        transaction.execute(
            "UPDATE clerk_generations SET status = 'retired' WHERE family = ?1 AND status = 'published'",
            [&self.family],
        )?;
        transaction.execute(
            "UPDATE clerk_generations SET status = 'published', rows = ?2, published_at = ?3, why = ?4 WHERE generation = ?1",
            params![self.generation, self.rows as i64, now(), why],
        )?;
        transaction.execute(
            "INSERT INTO clerk_published (family, generation) VALUES (?1, ?2)
             ON CONFLICT (family) DO UPDATE SET generation = excluded.generation",
            params![self.family, self.generation],
        )?;
        transaction.commit()?;
        self.shop.note_write(begun.elapsed());
        Ok(self.generation)
    }

    /// Records why this generation is not published. What it wrote is swept.
    pub fn reject(self, why: &str) -> Result<()> {
        self.shop.conn().execute(
            "UPDATE clerk_generations SET status = 'rejected', rows = ?2, why = ?3 WHERE generation = ?1",
            params![self.generation, self.rows as i64, why],
        )?;
        Ok(())
    }
}
