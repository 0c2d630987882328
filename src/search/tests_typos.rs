//! Words are found misspelt in whatever way they are looked for.

use std::collections::BTreeMap;

use super::tests::{build, ticket};
use super::typos::walk;
use super::vocabulary::Vocabulary;
use super::*;

/// Words of few letters, so that many are near to others; some of scripts and with digits that are never corrected.
fn word(dice: &mut fastrand::Rng, longest: usize) -> String {
    let letters = ['a', 'b', 'c', 'é', 'ж', '7', 'z'];
    let of = if dice.u8(..) < 20 { 7 } else { 5 };
    (0..dice.usize(1..=longest))
        .map(|_| letters[dice.usize(..of)])
        .collect()
}

fn words(dice: &mut fastrand::Rng, count: usize) -> String {
    let longest = |dice: &mut fastrand::Rng| if dice.u8(..) < 8 { 46 } else { 11 };
    let words = (0..count).map(|_| {
        let longest = longest(dice);
        word(dice, longest)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A word with some mistakes.
fn misspelt(dice: &mut fastrand::Rng, of: &str) -> String {
    let mut letters: Vec<char> = of.chars().collect();
    for _ in 0..dice.usize(0..3) {
        let at = dice.usize(..letters.len().max(1));
        match dice.u8(0..4) {
            0 => letters.insert(at.min(letters.len()), 'b'),
            1 if letters.len() > 1 => drop(letters.remove(at)),
            2 if at + 1 < letters.len() => letters.swap(at, at + 1),
            _ if !letters.is_empty() => letters[at] = 'c',
            _ => {}
        }
    }
    letters.into_iter().collect()
}

fn shop(dice: &mut fastrand::Rng, folder: &std::path::Path) -> Reader {
    let documents = (0..300).map(|number| {
        let (subject, body) = (words(dice, 3), words(dice, 40));
        ticket(&format!("T{number}"), &subject, &format!("{body} 订单号"))
    });
    build(folder, documents.collect())
}

#[test]
fn words_in_order_give_what_the_dictionary_gives() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = fastrand::Rng::with_seed(5);
    let reader = shop(&mut dice, folder.path());
    let generation = reader.current().unwrap();
    let (mut compared, mut found) = (0, 0);
    for segment in generation.searcher.segment_readers() {
        let inverted = segment.inverted_index(reader.fields().text).unwrap();
        let ordered = [1, 2].map(|mistakes| {
            Vocabulary::of(&inverted, Kind::Ticket, mistakes)
                .unwrap()
                .unwrap()
        });
        for _ in 0..1500 {
            let of = word(&mut dice, 42);
            let asked = crate::text::fold(&misspelt(&mut dice, &of));
            let mistakes = match asked.chars().count() {
                4..8 => 1,
                8..=40 => 2,
                _ => continue,
            };
            let term = reader.fields().word(Kind::Ticket, &asked);
            let automaton = tantivy::query::FuzzyTermQuery::new(term, mistakes as u8, true)
                .automaton()
                .unwrap();
            let (mut walked, mut near) = (BTreeMap::new(), BTreeMap::new());
            walk(&inverted, &automaton, Kind::Ticket, &asked, |word, documents| {
                walked.insert(word.to_owned(), documents);
            })
            .unwrap();
            ordered[mistakes - 1].each_near(&asked, |word, documents| {
                assert!(near.insert(word.to_owned(), documents).is_none(), "{word} twice");
            });
            assert_eq!(walked, near, "{asked}");
            compared += 1;
            found += walked.len();
        }
    }
    assert!(compared > 1000 && found > 1000, "{compared} {found}");
}

#[test]
fn a_reader_that_is_asked_often_says_what_a_new_one_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = fastrand::Rng::with_seed(6);
    let often = shop(&mut dice, folder.path());
    for number in 0..120 {
        let of = word(&mut dice, 12);
        let query = format!("{} OR {}", misspelt(&mut dice, &of), misspelt(&mut dice, &of));
        let options = Options {
            limit: 30,
            ..Options::default()
        };
        let once = Reader::open_trusting(folder.path()).unwrap();
        let expected = once.find(Kind::Ticket, &query, &options).unwrap();
        assert_eq!(
            often.find(Kind::Ticket, &query, &options).unwrap(),
            expected,
            "{number}: {query}"
        );
    }
}

#[test]
fn the_best_are_those_of_all_whatever_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = fastrand::Rng::with_seed(7);
    let mut writer = IndexWriter::open(folder.path(), "shop").unwrap().writer;
    writer
        .rebuild(std::iter::empty::<Result<Document, SearchError>>(), 0)
        .unwrap();
    // Commits whose texts are of very different lengths, and each text twice, so that equal scores stand in every place.
    for (number, longest) in [6, 60, 12, 200].into_iter().enumerate() {
        let mut changes = Vec::new();
        for at in 0..400 {
            let count = dice.usize(1..longest);
            let text = words(&mut dice, count);
            for copy in 0..2 {
                let id = format!("T{}", (number * 800 + at * 2 + copy) * 7919 % 4001);
                changes.push(Change::Put(ticket(&id, "", &text)));
            }
        }
        writer.apply(changes).unwrap();
        writer.commit(number as i64 + 1).unwrap();
    }
    let reader = Reader::open(folder.path()).unwrap();
    assert!(reader.current().unwrap().searcher.segment_readers().len() > 1);
    let found = |query: &str, limit: usize| -> Vec<(String, f64)> {
        let options = Options {
            limit,
            typos: false,
            snippets: false,
            ..Options::default()
        };
        let hits = reader.find(Kind::Ticket, query, &options).unwrap().hits;
        hits.into_iter().map(|hit| (hit.id, hit.score)).collect()
    };
    for _ in 0..80 {
        let (one, other) = (word(&mut dice, 3), word(&mut dice, 3));
        for query in [one.clone(), format!("{one} OR {other}"), format!("{one} {other}")] {
            let all = found(&query, LARGEST_LIMIT);
            for limit in [1, 2, 7, 20, 100] {
                let expected = &all[..limit.min(all.len())];
                assert_eq!(found(&query, limit), expected, "{query} {limit}");
            }
        }
    }
}
