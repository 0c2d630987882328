//! Models with bytes changed and their checksums made right again: what is left is what the models themselves check.

use crate::common::Place;
use xxhash_rust::xxh3::xxh3_128;

/// Writes `spoilt.db` beside the shop: so many damaged parts of published models, each to be put into its place.
pub fn models(place: &Place, count: usize) {
    let shop = place.open();
    let mut statement = shop
        .prepare(
            "SELECT a.rowid, a.generation, a.name, a.part, a.bytes FROM clerk_artefacts AS a
             JOIN clerk_published AS p USING (generation)
             WHERE a.name LIKE 'support %' OR a.name = 'sessions' ORDER BY a.name, a.part",
        )
        .unwrap();
    type Part = (i64, i64, String, i64, Vec<u8>);
    let parts: Vec<Part> = statement
        .query_map([], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(parts.len() >= 7, "{} parts", parts.len());
    let spoilt = rusqlite::Connection::open(place.path("spoilt.db")).unwrap();
    spoilt
        .execute_batch("CREATE TABLE spoilt (number INTEGER PRIMARY KEY, place, bytes, checksum); BEGIN")
        .unwrap();
    let mut dice = fastrand::Rng::with_seed(11);
    for number in 0..count {
        let (rowid, generation, name, part, bytes) = &parts[number % parts.len()];
        let mut bytes = bytes.clone();
        match dice.u8(0..10) {
            0 => bytes.truncate(dice.usize(..=bytes.len())),
            1 => bytes.clear(),
            2 => bytes = (0..dice.usize(1..5000)).map(|_| dice.u8(..)).collect(),
            // Lengths and numbers stand at the beginning of what is written.
            3 | 4 => (0..dice.usize(1..5)).for_each(|_| {
                let at = dice.usize(..bytes.len().min(64));
                bytes[at] = dice.u8(..);
            }),
            _ => (0..dice.usize(1..40)).for_each(|_| {
                let at = dice.usize(..bytes.len());
                bytes[at] = dice.u8(..);
            }),
        }
        let place = format!("{generation}/{name}/{part}");
        let checksum = format!("{:032x}", xxh3_128(&bytes) ^ xxh3_128(place.as_bytes()));
        spoilt
            .execute(
                "INSERT INTO spoilt (place, bytes, checksum) VALUES (?1, ?2, ?3)",
                (rowid, &bytes, checksum),
            )
            .unwrap();
    }
    spoilt.execute_batch("COMMIT").unwrap();
}
