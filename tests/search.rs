//! docs/search.md tells the truth: its tickets are imported, its examples run.

#![cfg(feature = "daemon")]

mod common;

use common::Place;
use std::fs;
use std::path::Path;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/search.md");
    fs::read_to_string(path).unwrap()
}

/// The fenced blocks of a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(fence.as_str())
        .skip(1)
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// Words of a command line, where single quotes keep spaces.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut open) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '\'' => open = !open,
            ' ' if !open => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

/// The shop of the page.
fn place() -> Place {
    let page = page();
    let tables = blocks(&page, "csv");
    let place = Place::new();
    place.ok(&["init"]);
    for (table, rows) in ["tickets", "synonyms"].iter().zip(&tables) {
        let file = place.path(&format!("{table}.csv"));
        fs::write(&file, rows).unwrap();
        place.ok(&["import", table, file.to_str().unwrap()]);
    }
    assert_eq!(place.number("SELECT count(*) FROM tickets"), 7);
    place.ok(&["run", "search"]);
    place
}

#[test]
fn the_examples_of_the_page_find_what_it_says() {
    let (place, page) = (place(), page());
    let mut examples = 0;
    for line in page
        .lines()
        .filter(|line| line.starts_with("| `") && !line.contains("| finds |"))
    {
        let mut cells = line.trim_matches('|').split(" | ");
        let query = split(cells.next().unwrap().trim().trim_matches('`'));
        let expected = cells.next().unwrap().trim();
        let mut arguments = vec!["search", "--json"];
        arguments.extend(query.iter().map(String::as_str));
        let hits: serde_json::Value = serde_json::from_str(&place.ok(&arguments)).unwrap();
        let mut ids: Vec<&str> = hits
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit["id"].as_str().unwrap())
            .collect();
        ids.sort_unstable();
        let found = if ids.is_empty() {
            "nothing".to_owned()
        } else {
            ids.join(" ")
        };
        assert_eq!(found, expected, "{line}");
        examples += 1;
    }
    assert!(examples >= 20, "{examples} examples");
    for block in blocks(&page, "console") {
        let (command, shown) = block.split_once('\n').unwrap();
        let arguments = split(command.strip_prefix("$ nightclerk ").unwrap());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_eq!(place.ok(&arguments), shown, "{command}");
    }
}

#[test]
fn options_work_together_and_errors_say_what_to_do() {
    let place = place();
    let ids = |arguments: &[&str]| -> Vec<String> {
        let said: serde_json::Value = serde_json::from_str(&place.ok(arguments)).unwrap();
        let hits = said.as_array().unwrap().iter();
        hits.map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        ids(&["search", "--json", "--like", "T-1", "--limit", "1"]),
        ["T-4"]
    );
    assert!(!ids(&["search", "--json", "--like", "T-1"]).contains(&"T-1".to_owned()));
    let counts: serde_json::Value =
        serde_json::from_str(&place.ok(&["search", "--json", "--facets", "status:open"])).unwrap();
    assert_eq!(
        counts[0],
        serde_json::json!({"facet": "all", "value": null, "documents": 4})
    );
    assert!(
        counts
            .as_array()
            .unwrap()
            .contains(&serde_json::json!({"facet": "language", "value": "zh", "documents": 2}))
    );
    let said = place.ok(&["search", "delivery late"]);
    assert!(said.contains("nothing has the words as written"), "{said}");
    let said = place.ok(&["search", "created_at:2026-11-23..2026-11-01"]);
    assert!(
        said.contains("nothing found") && said.contains("write created_at:2026-11-01..2026-11-23"),
        "{said}"
    );
    let said = place.fails(2, &["search", "--like", "T-99"]);
    assert!(said.contains("T-99"), "{said}");
    place.fails(2, &["search"]);
    place.fails(2, &["search", "--like", "T-1", "lamp"]);
}
