//! Fitted models as rows: parts of at most 256 KB, each with its checksum. Whoever reads them back treats them as
//! hostile: a part that is missing, out of order or altered is an error, never a guess.

use super::error::{Error, Result};
use super::open::Shop;
use super::pace::{Pace, paced};
use rusqlite::{Connection, params};
use xxhash_rust::xxh3::xxh3_128;

/// Largest part, bytes.
const PART: usize = 256 * 1024;

pub(super) fn save(
    shop: &Shop,
    run: i64,
    generation: i64,
    name: &str,
    format: i64,
    bytes: &[u8],
) -> Result<()> {
    // An empty model has one empty part: a missing one must not look like it.
    let parts: Vec<&[u8]> = if bytes.is_empty() {
        vec![bytes]
    } else {
        bytes.chunks(PART).collect()
    };
    paced(
        shop,
        &Pace {
            rows: 1,
            run: Some(run),
            ..Pace::default()
        },
        parts.into_iter().enumerate(),
        |conn, (part, bytes)| {
            conn.prepare_cached(
            "INSERT INTO clerk_artefacts (generation, name, part, format, bytes, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![generation, name, part as i64, format, bytes, checksum(generation, name, part, bytes)])?;
            Ok(1)
        },
    )?;
    Ok(())
}

/// Over the bytes and their place: a part moved elsewhere is as wrong as one altered.
fn checksum(generation: i64, name: &str, part: usize, bytes: &[u8]) -> String {
    format!(
        "{:032x}",
        xxh3_128(bytes) ^ xxh3_128(format!("{generation}/{name}/{part}").as_bytes())
    )
}

fn load(conn: &Connection, generation: i64, name: &str, format: i64) -> Result<Option<Vec<u8>>> {
    let wrong = |detail: String| Error::Artefact {
        name: name.into(),
        generation,
        detail,
    };
    let mut statement = conn.prepare_cached(
        "SELECT part, format, bytes, checksum FROM clerk_artefacts WHERE generation = ?1 AND name = ?2 ORDER BY part",
    )?;
    let mut rows = statement.query(params![generation, name])?;
    let (mut bytes, mut parts) = (Vec::new(), 0usize);
    while let Some(row) = rows.next()? {
        let (part, found): (i64, i64) = (row.get(0)?, row.get(1)?);
        if part != parts as i64 {
            return Err(wrong(format!("part {parts} is missing")));
        }
        if found != format {
            return Err(wrong(format!("format {found}, this program reads {format}")));
        }
        let piece = row.get_ref(2)?.as_blob().map_err(|e| wrong(e.to_string()))?;
        if checksum(generation, name, parts, piece) != row.get::<_, String>(3)? {
            return Err(wrong(format!("part {parts} fails its checksum")));
        }
        bytes.extend_from_slice(piece);
        parts += 1;
    }
    Ok((parts > 0).then_some(bytes))
}

impl Shop {
    /// The bytes of a model of a generation, verified; None = it has no such model.
    pub fn artefact(&self, generation: i64, name: &str, format: i64) -> Result<Option<Vec<u8>>> {
        load(self.conn(), generation, name, format)
    }

    /// Whether a model of that name is there: an erasure takes models away and leaves their generation.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn has_model(&self, generation: i64, name: &str) -> Result<bool> {
        Ok(self
            .conn()
            .prepare_cached("SELECT 1 FROM clerk_artefacts WHERE generation = ?1 AND name = ?2")?
            .exists(params![generation, name])?)
    }

    /// Bytes of the models of a generation whose names begin so.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn model_bytes(&self, generation: i64, beginning: &str) -> Result<usize> {
        let bytes: i64 = self
            .conn()
            .prepare_cached(
                "SELECT coalesce(sum(length(bytes)), 0) FROM clerk_artefacts
                 WHERE generation = ?1 AND substr(name, 1, length(?2)) = ?2",
            )?
            .query_row(params![generation, beginning], |r| r.get(0))?;
        Ok(usize::try_from(bytes).unwrap_or(0))
    }

    /// Whether every model of a generation can be read back.
    pub(super) fn artefacts_are_sound(&self, generation: i64) -> Result<bool> {
        let mut statement = self.conn().prepare(
            "SELECT name, max(format) FROM clerk_artefacts WHERE generation = ?1 GROUP BY name ORDER BY name",
        )?;
        let names: Vec<(String, i64)> = statement
            .query_map([generation], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (name, format) in names {
            match self.artefact(generation, &name, format) {
                Ok(_) => {}
                Err(Error::Artefact { .. }) => return Ok(false),
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{GenerationWriter, writer::NewGeneration};
    use super::*;

    #[test]
    fn models_come_back_to_the_byte_and_damage_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        let new = NewGeneration {
            family: "support",
            run_id: 1,
            as_of: 0,
            exclude_bought: false,
        };
        let mut writer = GenerationWriter::begin(&shop, &new).unwrap();
        let bytes: Vec<u8> = (0..600_000u32).map(|i| (i % 251) as u8).collect();
        writer.artefact("tfidf", 1, &bytes).unwrap();
        writer.artefact("empty", 1, &[]).unwrap();
        let generation = writer.publish("test").unwrap();
        assert_eq!(shop.artefact(generation, "tfidf", 1).unwrap().unwrap(), bytes);
        assert_eq!(shop.artefact(generation, "empty", 1).unwrap().unwrap(), [0u8; 0]);
        assert_eq!(shop.artefact(generation, "none", 1).unwrap(), None);
        assert!(shop.artefact(generation, "tfidf", 2).is_err());
        for damage in [
            "UPDATE clerk_artefacts SET bytes = zeroblob(length(bytes)) WHERE part = 1 AND name = 'tfidf'",
            "DELETE FROM clerk_artefacts WHERE part = 0 AND name = 'tfidf'",
        ] {
            shop.conn().execute(damage, []).unwrap();
            assert!(
                matches!(shop.artefact(generation, "tfidf", 1), Err(Error::Artefact { .. })),
                "{damage}"
            );
        }
    }
}
