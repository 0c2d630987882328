//! The house stands: nothing imports upwards, each outside crate has its one room, files stay readable. Read from the
//! sources, because no compiler says it.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

fn all() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    found
        .into_iter()
        .map(|(path, text)| {
            let below = path.strip_prefix(&root).unwrap().to_owned();
            let room = below
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_string_lossy()
                .into_owned();
            (room, below, text)
        })
        .collect()
}

/// A line without its comment, good enough for imports.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|l| l.split("//").next().unwrap_or(""))
}

#[test]
fn nothing_imports_upwards() {
    // Each room and the rooms it may use; its own is always allowed.
    let may: &[(&str, &[&str])] = &[
        ("text", &[]),
        ("fit", &[]),
        ("neural", &["fit"]),
        ("store", &["text"]),
        ("search", &["text"]),
        ("recommend", &["neural", "fit", "text"]),
        ("price", &["neural", "fit", "text"]),
        ("support", &["neural", "fit", "text"]),
        (
            "pipeline",
            &[
                "recommend",
                "price",
                "support",
                "search",
                "store",
                "neural",
                "fit",
                "text",
            ],
        ),
        ("night", &["pipeline", "store", "fit"]),
        ("console", &["night", "store"]),
        ("demo", &[]),
        (
            "cli",
            &[
                "console", "night", "pipeline", "demo", "search", "store", "fit", "text",
            ],
        ),
        (
            "extension",
            &[
                "pipeline",
                "search",
                "support",
                "recommend",
                "price",
                "text",
                "store",
            ],
        ),
    ];
    let mut seen = 0;
    for (room, path, text) in all() {
        let Some((_, allowed)) = may.iter().find(|(name, _)| *name == room) else {
            assert!(
                room == "lib.rs" || room == "main.rs",
                "{room} is no room of the house: ARCHITECTURE.md, tests/house.rs"
            );
            continue;
        };
        for line in code(&text) {
            for used in line.match_indices("crate::").map(|(i, _)| &line[i + 7..]) {
                let used: String = used
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                if used.is_empty() || used == room {
                    continue; // `crate::{...}` is not this house's style; the next check finds it
                }
                seen += 1;
                assert!(
                    allowed.contains(&used.as_str()),
                    "{}: {room} imports {used}: {line}",
                    path.display()
                );
            }
            assert!(
                !line.contains("use crate::{"),
                "{}: one room a line, please: {line}",
                path.display()
            );
        }
    }
    assert!(
        seen > 50,
        "only {seen} imports seen: does this test still read the sources?"
    );
}

#[test]
fn outside_crates_have_one_room() {
    for (krate, home) in [
        ("rusqlite", "store"),
        ("tantivy", "search"),
        ("argmin", "fit"),
        ("parquet", "store"),
        ("axum", "console"),
        ("tokio_cron_scheduler", "night"),
    ] {
        let mut used = 0;
        for (room, path, text) in all() {
            if code(&text).any(|l| l.contains(&format!("{krate}::")) || l.contains(&format!("use {krate}"))) {
                assert!(
                    room == home || room == "extension",
                    "{}: {krate} lives in {home}",
                    path.display()
                );
                used += 1;
            }
        }
        assert!(used > 0, "{krate} is not used in {home}");
    }
    for (room, path, text) in all() {
        assert!(
            room == "cli" || !code(&text).any(|l| l.contains("println!(") || l.contains("print!(")),
            "{}: only cli prints",
            path.display()
        );
    }
}

/// The demo's word tables: lists that nobody reads from top to bottom, of one subject each however long.
const WORD_TABLES: [&str; 2] = ["demo/phrases.rs", "demo/words.rs"];

#[test]
fn files_open_with_an_essay_and_stay_readable() {
    let mut tables = 0;
    for (_, path, text) in all() {
        assert!(
            text.starts_with("//!"),
            "{} does not say what it is for",
            path.display()
        );
        if WORD_TABLES.iter().any(|table| path.ends_with(table)) {
            tables += 1;
            continue;
        }
        let lines = text.lines().count();
        // Unit tests stand beside the code: they count, with some room.
        let alone = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap()
            .lines()
            .count();
        assert!(
            alone <= 400,
            "{} has {alone} lines without its tests: split it by subject",
            path.display()
        );
        assert!(
            lines <= 500,
            "{} has {lines} lines: move its tests to a file of their own",
            path.display()
        );
    }
    assert_eq!(tables, WORD_TABLES.len(), "a word table that is no more");
}

#[test]
fn unsafe_stays_in_its_places() {
    for (room, path, text) in all() {
        let here = code(&text)
            .any(|l| l.contains("unsafe {") || l.contains("unsafe fn") || l.contains("unsafe impl"));
        let allowed = room == "extension"
            || path.ends_with("search/directory.rs")
            || path.starts_with("neural/kernels");
        assert!(!here || allowed, "{}: unsafe", path.display());
    }
}
