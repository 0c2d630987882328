//! Generations: which there are, which one readers see, and going back to an older one.

use super::clock::now;
use super::error::{Error, Result};
use super::open::Shop;
use super::results::TABLES;
use rusqlite::{OptionalExtension, params};

/// A row of the view `generations`.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Number, rising over all families.
    pub generation: i64,
    /// building, published, retired or rejected.
    pub status: String,
    /// The instant it was computed as of.
    pub as_of: Option<i64>,
}

/// The family that writes a result view; a family's own name is taken as well.
pub fn family_of_result(result: &str) -> Result<&'static str> {
    if result == "ticket_queue" {
        return Ok("support");
    }
    TABLES
        .iter()
        .find(|t| t.view == result || t.family == result)
        .map(|t| t.family)
        .ok_or_else(|| {
            let views: Vec<_> = TABLES.iter().map(|t| t.view).collect();
            Error::Refused(format!(
                "there is no result `{result}`; the results are {}",
                views.join(", ")
            ))
        })
}

impl Shop {
    /// The published generation of a family, if there is one.
    pub fn published(&self, family: &str) -> Result<Option<Generation>> {
        Ok(self
            .conn()
            .query_row(
                "SELECT v.generation, v.status, v.as_of FROM clerk_published AS g
                 JOIN clerk_generations AS v USING (generation) WHERE g.family = ?1",
                [family],
                |r| {
                    Ok(Generation {
                        generation: r.get(0)?,
                        status: r.get(1)?,
                        as_of: r.get(2)?,
                    })
                },
            )
            .optional()?)
    }

    /// Whether everything a generation wrote is still there: as many result rows as its book says, and every artefact passing
    /// its checksum.
    ///
    /// # Errors
    /// Those of SQLite; damage is `false`, not an error.
    pub fn is_intact(&self, generation: i64) -> Result<bool> {
        let book: Option<(String, i64)> = self
            .conn()
            .query_row(
                "SELECT family, rows FROM clerk_generations WHERE generation = ?1 AND status = 'published' AND swept = 0",
                [generation],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .optional()?;
        let Some((family, rows)) = book else {
            return Ok(false);
        };
        let mut found = 0;
        for table in TABLES.iter().filter(|t| t.family == family) {
            let sql = format!("SELECT count(*) FROM {} WHERE generation = ?1", table.table);
            found += self
                .conn()
                .query_row(&sql, [generation], |r| r.get::<_, i64>(0))?;
        }
        Ok(found == rows && self.artefacts_are_sound(generation)?)
    }

    /// Publishes an older generation again: `to`, or the newest retired one that is older than the published.
    /// Returns (family, from, to). One short transaction; nothing is computed or copied.
    pub fn roll_back(&self, result: &str, to: Option<i64>) -> Result<(&'static str, i64, i64)> {
        let family = family_of_result(result)?;
        let transaction = self.write()?;
        let from: i64 = transaction
            .query_row(
                "SELECT generation FROM clerk_published WHERE family = ?1",
                [family],
                |r| r.get(0),
            )
            .optional()?
            .ok_or_else(|| Error::Refused(format!("family `{family}` has published nothing yet")))?;
        let kept: Vec<i64> = transaction
            .prepare("SELECT generation FROM clerk_generations WHERE family = ?1 AND status = 'retired' AND swept = 0 ORDER BY generation")?
            .query_map([family], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let to = match to {
            Some(to) if kept.contains(&to) => to,
            Some(to) if to == from => {
                return Err(Error::Refused(format!(
                    "generation {to} of `{family}` is the published one already"
                )));
            }
            None if kept.iter().any(|g| *g < from) => *kept.iter().rfind(|g| **g < from).expect("just seen"),
            wanted => {
                let what = wanted.map_or("an older generation".into(), |g| format!("generation {g}"));
                let have = match kept.as_slice() {
                    [] => "none is kept".to_owned(),
                    kept => format!(
                        "kept are {}",
                        kept.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
                    ),
                };
                return Err(Error::Refused(format!(
                    "`{family}` cannot go back to {what}: {have}; settings.keep says how many stay"
                )));
            }
        };
        transaction.execute(
            "UPDATE clerk_generations SET status = 'retired' WHERE generation = ?1",
            [from],
        )?;
        transaction.execute(
            "UPDATE clerk_generations SET status = 'published', published_at = ?2, why = ?3 WHERE generation = ?1",
            params![to, now(), format!("rolled back from generation {from}")],
        )?;
        transaction.execute(
            "UPDATE clerk_published SET generation = ?2 WHERE family = ?1",
            params![family, to],
        )?;
        transaction.commit()?;
        Ok((family, from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::PopularProduct;
    use super::super::writer::NewGeneration;
    use super::super::{GenerationWriter, Keys};
    use super::*;

    fn shop() -> (tempfile::TempDir, Shop) {
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::create(&dir.path().join("shop.db")).unwrap();
        shop.conn()
            .execute("INSERT INTO products (product_id) VALUES ('p')", [])
            .unwrap();
        (dir, shop)
    }

    fn build(shop: &Shop, score: f64) -> GenerationWriter<'_> {
        let key = shop.keys(Keys::Product, &["p"]).unwrap()[0];
        let new = NewGeneration {
            family: "recommendations",
            run_id: 1,
            as_of: 5,
            exclude_bought: true,
        };
        let mut writer = GenerationWriter::begin(shop, &new).unwrap();
        let row = PopularProduct {
            category: String::new(),
            rank: 1,
            product_key: key,
            score,
        };
        writer.write([row]).unwrap();
        writer
    }

    fn seen(shop: &Shop) -> Vec<f64> {
        let mut statement = shop.conn().prepare("SELECT score FROM popular_products").unwrap();
        statement
            .query_map([], |r| r.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap()
    }

    #[test]
    fn readers_see_the_published_generation_only() {
        let (_dir, shop) = shop();
        let first = build(&shop, 1.0);
        assert!(seen(&shop).is_empty());
        let one = first.publish("first").unwrap();
        assert_eq!(seen(&shop), [1.0]);
        let second = build(&shop, 2.0);
        assert_eq!(seen(&shop), [1.0]);
        let two = second.publish("second").unwrap();
        assert_eq!(seen(&shop), [2.0]);
        build(&shop, 3.0).reject("worse").unwrap();
        assert_eq!(seen(&shop), [2.0]);
        assert_eq!(
            shop.roll_back("popular_products", None).unwrap(),
            ("recommendations", one + 1, one)
        );
        assert_eq!(seen(&shop), [1.0]);
        assert_eq!(shop.roll_back("recommendations", Some(two)).unwrap().2, two);
        assert_eq!(seen(&shop), [2.0]);
        assert!(
            shop.roll_back("recommendations", Some(99))
                .unwrap_err()
                .to_string()
                .contains("kept are")
        );
        assert!(shop.roll_back("weather", None).is_err());
        assert!(
            shop.roll_back("ticket_routes", None)
                .unwrap_err()
                .to_string()
                .contains("nothing yet")
        );
    }

    #[test]
    fn a_rollback_during_a_sweep_keeps_its_rows() {
        let (_dir, shop) = shop();
        let one = build(&shop, 1.0).publish("first").unwrap();
        build(&shop, 2.0).publish("second").unwrap();
        let doomed = shop.doomed(0).unwrap();
        assert_eq!(doomed.len(), 1);
        shop.roll_back("recommendations", Some(one)).unwrap();
        assert_eq!(shop.sweep_these(doomed).unwrap().rows, 0);
        assert_eq!(seen(&shop), [1.0]);
    }

    #[test]
    fn sweeping_keeps_as_many_as_the_settings_say() {
        let (_dir, shop) = shop();
        for score in 1..=5 {
            build(&shop, f64::from(score)).publish("next").unwrap();
        }
        build(&shop, 6.0).reject("worse").unwrap();
        drop(build(&shop, 7.0)); // a crash
        let swept = shop.sweep(2).unwrap();
        assert_eq!(swept.generations, 4, "two retired, one rejected, one crashed");
        let left: i64 = shop
            .conn()
            .query_row("SELECT count(*) FROM clerk_popular_products", [], |r| r.get(0))
            .unwrap();
        assert_eq!(left, 3);
        assert_eq!(seen(&shop), [5.0]);
        assert_eq!(shop.sweep(2).unwrap().rows, 0);
    }
}
