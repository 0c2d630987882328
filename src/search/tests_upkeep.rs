//! Changes and rebuilds: what happens to an index and to the readers who have it open.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::tests::{build, ids, ticket};
use super::*;

/// An index that nobody signed.
fn current(seq: i64) -> State {
    State::Current {
        seq,
        mark: String::new(),
    }
}

#[test]
fn a_file_in_the_place_of_the_folder_is_told_from_a_damaged_index() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("shop.db.search");
    fs::write(&file, "somebody's notes").unwrap();
    for error in [
        Reader::open(&file).err().unwrap(),
        IndexWriter::open(&file, "shop").err().unwrap(),
        left_over(&file).err().unwrap(),
    ] {
        let said = error.to_string();
        assert!(matches!(error, SearchError::NotAFolder(_)), "{said}");
        assert!(
            said.contains("is a file") && said.contains("move the file away"),
            "{said}"
        );
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's notes");
}

#[test]
fn changes_are_applied_and_the_payload_tells_how_far() {
    let folder = tempfile::tempdir().unwrap();
    let opened = IndexWriter::open(folder.path(), "shop").unwrap();
    assert!(matches!(opened.state, State::MustRebuild { .. }));
    let mut writer = opened.writer;
    let put = |id: &str, text: &str| Change::Put(ticket(id, text, ""));
    assert!(matches!(
        writer.apply([put("1", "one")]),
        Err(SearchError::MustRebuild(_))
    ));
    assert!(matches!(
        Reader::open(folder.path()),
        Err(SearchError::Missing(_))
    ));
    assert!(matches!(
        IndexWriter::open(folder.path(), "shop"),
        Err(SearchError::Locked(_))
    ));
    assert_eq!(
        writer
            .rebuild([Ok::<_, SearchError>(ticket("1", "one", ""))], 10)
            .unwrap(),
        1
    );
    let reader = Reader::open(folder.path()).unwrap();
    assert_eq!(reader.state().unwrap(), Some(("shop".into(), 10, String::new())));

    let gone = Change::Remove(Key {
        kind: Kind::Ticket,
        id: "1".into(),
    });
    writer
        .apply([
            put("2", "two"),
            put("1", "uno"),
            put("3", "three"),
            put("2", "deux"),
        ])
        .unwrap();
    assert_eq!(ids(&reader, "one"), ["1"], "nothing is seen before the commit");
    writer.commit(14).unwrap();
    assert_eq!(
        (ids(&reader, "uno deux"), ids(&reader, "uno OR deux")),
        (vec![], vec!["1".into(), "2".into()])
    );
    assert!(ids(&reader, "one").is_empty() && ids(&reader, "two").is_empty());
    writer.apply([gone]).unwrap();
    writer.commit(15).unwrap();
    assert!(ids(&reader, "uno").is_empty());
    // Not committed: gone after a restart.
    writer.apply([put("9", "nine")]).unwrap();
    drop(writer);
    let opened = IndexWriter::open(folder.path(), "shop").unwrap();
    assert_eq!(opened.state, current(15));
    assert!(ids(&reader, "nine").is_empty());
    drop(opened);
    // The same folder beside another database.
    let opened = IndexWriter::open(folder.path(), "other").unwrap();
    assert!(matches!(opened.state, State::MustRebuild { why } if why.contains("another database")));
}

#[test]
fn a_reader_lives_through_a_rebuild_and_old_generations_go() {
    let folder = tempfile::tempdir().unwrap();
    let reader = build(folder.path(), vec![ticket("1", "old", "")]);
    let mut writer = IndexWriter::open(folder.path(), "shop").unwrap().writer;
    // A rebuild whose source fails changes nothing.
    let broken = [Ok(ticket("2", "new", "")), Err("the table is gone")];
    assert!(matches!(writer.rebuild(broken, 2), Err(SearchError::Source(_))));
    assert_eq!(ids(&reader, "old"), ["1"]);
    writer.apply([Change::Put(ticket("4", "later", ""))]).unwrap();
    writer.commit(2).unwrap();
    assert_eq!(ids(&reader, "later"), ["4"]);

    std::thread::scope(|scope| {
        let searching = scope.spawn(|| {
            let end = Instant::now() + Duration::from_millis(700);
            let mut searches = 0;
            while Instant::now() < end {
                let (old, new) = (ids(&reader, "old"), ids(&reader, "new"));
                // Between two searches the flip may happen; one search never sees both or neither.
                assert!(old.len() + new.len() <= 2 && ids(&reader, "old OR new").len() == 1);
                searches += 1;
            }
            searches
        });
        for seq in 3..9 {
            let word = if seq % 2 == 1 { "new" } else { "old" };
            writer
                .rebuild([Ok::<_, SearchError>(ticket("1", word, ""))], seq)
                .unwrap();
        }
        assert!(searching.join().unwrap() > 0);
    });
    fs::write(folder.path().join("gen-3.txt"), "not ours").unwrap();
    fs::create_dir(folder.path().join("gen-99")).unwrap();
    fs::write(folder.path().join("current.tmp"), "gen-99").unwrap();
    let name = fs::read_to_string(folder.path().join("current")).unwrap();
    fs::write(folder.path().join(name.trim()).join(".tmpAbc"), "left").unwrap();
    drop(writer);
    let opened = IndexWriter::open(folder.path(), "shop").unwrap();
    assert_eq!(opened.state, current(8));
    let mut left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["current", "gen-3.txt", name.trim(), "writer.lock"]);
    assert!(!folder.path().join(name.trim()).join(".tmpAbc").exists());
}

#[cfg(unix)]
#[test]
fn a_reader_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path(), vec![ticket("1", "order", "")]);
    let listing = |folder: &Path| {
        let name = fs::read_to_string(folder.join("current")).unwrap();
        let mut all: Vec<_> = [folder.to_owned(), folder.join(name.trim())]
            .iter()
            .flat_map(|f| fs::read_dir(f).unwrap())
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.path(), entry.metadata().unwrap().modified().unwrap())
            })
            .collect();
        all.sort();
        all
    };
    // Also where the lock file is missing, which the engine's own directory would create.
    for lock in [".tantivy-meta.lock", ".tantivy-writer.lock"] {
        let name = fs::read_to_string(folder.path().join("current")).unwrap();
        let _ = fs::remove_file(folder.path().join(name.trim()).join(lock));
        let before = listing(folder.path());
        let reader = Reader::open(folder.path()).unwrap();
        assert_eq!(ids(&reader, "order"), ["1"]);
        assert_eq!(listing(folder.path()), before);
    }
}

/// The engine's own lists of files would be readable for their owner alone, whatever the process's mask says.
#[cfg(unix)]
#[test]
fn whoever_may_read_the_folder_may_read_every_file_of_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    build(folder.path(), vec![ticket("1", "order", "")]);
    let mut writer = IndexWriter::open(folder.path(), "shop").unwrap().writer;
    writer.apply([Change::Put(ticket("2", "order", ""))]).unwrap();
    writer.commit(2).unwrap();
    let name = fs::read_to_string(folder.path().join("current")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    let usual = mode(&folder.path().join("current"));
    let mut seen = 0;
    for entry in fs::read_dir(folder.path().join(name.trim())).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), usual, "{}", path.display());
        seen += 1;
    }
    assert!(seen > 8, "{seen}");
    // One that may not be read is no damage, and another index would not mend it. (Root may read everything.)
    let meta = folder.path().join(name.trim()).join("meta.json");
    fs::set_permissions(&meta, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&meta).is_err() {
        let refused = Reader::open(folder.path());
        assert!(matches!(refused, Err(SearchError::Io { .. })), "{refused:?}");
    }
}

/// Others may hold the engine's lock, and put what they like where a file should be: nobody waits for ever.
#[cfg(unix)]
#[test]
fn a_reader_waits_for_nobody_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path(), vec![ticket("1", "order", "")]);
    let pointer = folder.path().join("current");
    let name = fs::read_to_string(&pointer).unwrap();
    let lock = fs::File::create(folder.path().join(name.trim()).join(".tantivy-meta.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(ids(&Reader::open(folder.path()).unwrap(), "order"), ["1"]);
    drop(lock);
    let pipe = |path: &Path| {
        fs::remove_file(path).unwrap();
        assert!(
            std::process::Command::new("mkfifo")
                .arg(path)
                .status()
                .unwrap()
                .success()
        );
    };
    let reader = Reader::open_as_guest(folder.path()).unwrap();
    let postings = fs::read_dir(folder.path().join(name.trim())).unwrap();
    let postings = postings.map(|entry| entry.unwrap().path());
    let postings = postings.filter(|path| path.extension().is_some_and(|kind| kind == "idx"));
    postings.for_each(|path| pipe(&path));
    assert!(Reader::open_as_guest(folder.path()).is_err());
    pipe(&pointer);
    assert!(reader.find(Kind::Ticket, "order", &Options::default()).is_err());
}

/// A guest maps nothing: it finds the same as others, takes up commits, and survives files that are cut short under it.
#[test]
fn a_guest_outlives_what_happens_to_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let documents = (0..300).map(|i| ticket(&i.to_string(), "order", &format!("text {i} 订单 {}", i % 9)));
    let mapped = build(folder.path(), documents.collect());
    let guest = Reader::open_as_guest(folder.path()).unwrap();
    let shared = guest
        .sharing()
        .with_synonyms(&[("parcel".to_owned(), "order".to_owned())]);
    for query in [
        "order",
        "订单 29*",
        "\"text 7\"",
        "status:open text",
        "ordre",
        "nothing1",
    ] {
        let options = Options::default();
        let expected = mapped.find(Kind::Ticket, query, &options).unwrap();
        assert_eq!(
            guest.find(Kind::Ticket, query, &options).unwrap(),
            expected,
            "{query}"
        );
        assert_eq!(
            shared.find(Kind::Ticket, query, &options).unwrap(),
            expected,
            "{query}"
        );
    }
    assert_eq!(
        (ids(&shared, "parcel").len(), ids(&guest, "parcel").len()),
        (100, 0)
    );
    let mut writer = IndexWriter::open(folder.path(), "shop").unwrap().writer;
    for round in 0..5 {
        let change = Change::Put(ticket(&format!("new-{round}"), "fresh", "order"));
        writer.apply([change]).unwrap();
        writer.commit(2 + round).unwrap();
        assert_eq!(ids(&guest, "fresh").len(), 1 + round as usize);
    }
    writer.close().unwrap();
    assert_eq!(ids(&guest, "fresh").len(), 5); // after merges, perhaps
    let name = fs::read_to_string(folder.path().join("current")).unwrap();
    for entry in fs::read_dir(folder.path().join(name.trim())).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind != "json") {
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(3)
                .unwrap();
        }
    }
    // What is held in memory still answers, texts too.
    assert_eq!(
        guest
            .find(
                Kind::Ticket,
                "fresh",
                &Options {
                    snippets: false,
                    ..Options::default()
                }
            )
            .unwrap()
            .hits
            .len(),
        5
    );
    assert!(
        !guest.search(Kind::Ticket, "\"text 7\"", 5).unwrap()[0]
            .snippet
            .is_empty()
    );
    assert!(matches!(
        Reader::open_as_guest(folder.path()),
        Err(SearchError::Damaged { .. })
    ));
}
