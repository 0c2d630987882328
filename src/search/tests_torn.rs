//! Damage: files of an index that are shorter, other or gone.

use std::fs;
use std::path::Path;

use super::tests::{build, ids, ticket};
use super::*;

#[test]
fn damage_is_noticed_and_repaired_by_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let documents = || (0..200).map(|i| ticket(&i.to_string(), "order", &format!("text {i} 订单")));
    type Harm = fn(&Path);
    let harm: [(&str, Harm); 6] = [
        ("idx", |file| flip(file)),
        ("term", |file| flip(file)),
        ("store", |file| flip(file)),
        ("pos", |file| fs::remove_file(file).unwrap()),
        ("store", |file| fs::write(file, b"").unwrap()),
        ("json", |file| fs::write(file, b"{").unwrap()),
    ];
    for (extension, harm) in harm {
        build(folder.path(), documents().collect());
        let name = fs::read_to_string(folder.path().join("current")).unwrap();
        let generation = folder.path().join(name.trim());
        let mut files: Vec<_> = fs::read_dir(&generation)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        files.sort();
        let victim = files
            .iter()
            .find(|file| {
                file.extension().is_some_and(|e| e == extension)
                    && !file.file_name().unwrap().to_string_lossy().starts_with('.')
            })
            .unwrap_or_else(|| panic!("no .{extension} in {files:?}"));
        harm(victim);
        let mut opened = IndexWriter::open(folder.path(), "shop").unwrap();
        assert!(
            matches!(opened.state, State::MustRebuild { .. }),
            "{}",
            victim.display()
        );
        opened
            .writer
            .rebuild(documents().map(Ok::<_, SearchError>), 5)
            .unwrap();
        assert_eq!(ids(&Reader::open(folder.path()).unwrap(), "订单 199"), ["199"]);
    }
    for pointer in ["", "../../etc", "gen-x", "gen-77"] {
        fs::write(folder.path().join("current"), pointer).unwrap();
        assert!(
            matches!(Reader::open(folder.path()), Err(SearchError::Damaged { .. })),
            "{pointer}"
        );
        let opened = IndexWriter::open(folder.path(), "shop").unwrap();
        assert!(matches!(opened.state, State::MustRebuild { .. }), "{pointer}");
    }
}

fn flip(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle.saturating_sub(8)..middle] {
        *byte ^= 0x55;
    }
    fs::write(file, bytes).unwrap();
}

/// One flipped bit anywhere in any file: the writer notices or the index is still right, and a reader answers or
/// says that the index is damaged.
#[test]
fn no_flipped_bit_is_taken_for_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let documents = || (0..300).map(|i| ticket(&i.to_string(), "order", &format!("text {i} 订单 {}", i % 9)));
    drop(build(folder.path(), documents().collect()));
    let name = fs::read_to_string(folder.path().join("current")).unwrap();
    let mut files: Vec<_> = fs::read_dir(folder.path().join(name.trim()))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| fs::metadata(file).unwrap().len() > 0);
    files.sort();
    let mut random = fastrand::Rng::with_seed(21);
    let mut noticed = 0;
    for round in 0..240 {
        let file = &files[round % files.len()];
        let good = fs::read(file).unwrap();
        let mut bad = good.clone();
        let at = random.usize(..bad.len());
        bad[at] ^= 1 << random.u8(..8);
        // A file in the place of the old one, as a reader elsewhere may have the old one mapped.
        fs::remove_file(file).unwrap();
        fs::write(file, &bad).unwrap();
        let opened = IndexWriter::open(folder.path(), "shop").unwrap();
        let usable = matches!(opened.state, State::Current { seq: 1, .. });
        drop(opened);
        match Reader::open(folder.path()).and_then(|reader| reader.search(Kind::Ticket, "订单 29*", 50)) {
            Ok(hits) if usable => assert_eq!(hits.len(), 11, "{} byte {at}", file.display()),
            Ok(_) | Err(SearchError::Damaged { .. }) => {}
            Err(other) => panic!("{} byte {at}: {other:?}", file.display()),
        }
        noticed += usize::from(!usable);
        fs::remove_file(file).unwrap();
        fs::write(file, &good).unwrap();
    }
    assert!(noticed > 120, "{noticed} of 240 noticed");
}

/// Every kind of file of an index cut short, altered and deleted, `NIGHTCLERK_TORN` times each (2; `just soak` does 20): the
/// writer asks for a rebuild or the index is still right, a reader answers rightly or says that it is damaged where a file
/// is shorter or gone, and the rebuilt index is right.
#[test]
fn a_torn_file_is_noticed_whatever_it_is() {
    let times = std::env::var("NIGHTCLERK_TORN")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(2);
    let folder = tempfile::tempdir().unwrap();
    let documents = || (0..300).map(|i| ticket(&i.to_string(), "order", &format!("text {i} 订单 {}", i % 9)));
    let found = || Reader::open(folder.path()).and_then(|reader| reader.search(Kind::Ticket, "订单 29*", 50));
    drop(build(folder.path(), documents().collect()));
    let mut random = fastrand::Rng::with_seed(22);
    let kinds = |folder: &Path| {
        let name = fs::read_to_string(folder.join("current")).unwrap();
        let mut files: Vec<_> = fs::read_dir(folder.join(name.trim()))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|file| fs::metadata(file).unwrap().len() > 0)
            .collect();
        files.push(folder.join("current"));
        files.sort();
        files
    };
    let (mut harmed, mut rebuilt) = (0, 0);
    for at in 0..kinds(folder.path()).len() {
        for harm in ["truncate", "flip", "delete"] {
            for _ in 0..times {
                let file = kinds(folder.path())[at].clone();
                let good = fs::read(&file).unwrap();
                // A new file in the place of the old one: torn by a power cut, not under somebody's feet.
                fs::remove_file(&file).unwrap();
                let shorter = random.usize(..good.len());
                let mut bad = good.clone();
                bad[shorter] ^= 1 << random.u8(..8);
                match harm {
                    "truncate" => fs::write(&file, &good[..shorter]).unwrap(),
                    "flip" => fs::write(&file, &bad).unwrap(),
                    _ => {}
                }
                harmed += 1;
                let told = format!("{harm} {} at {shorter} of {}", file.display(), good.len());
                match found() {
                    Ok(hits) if harm != "flip" => assert_eq!(hits.len(), 11, "{told}"),
                    Ok(_) | Err(SearchError::Damaged { .. } | SearchError::Missing(_)) => {}
                    Err(other) => panic!("{told}: {other:?}"),
                }
                let mut opened = IndexWriter::open(folder.path(), "shop").unwrap();
                if !matches!(opened.state, State::Current { seq: 1, .. }) {
                    rebuilt += 1;
                    opened
                        .writer
                        .rebuild(documents().map(Ok::<_, SearchError>), 1)
                        .unwrap();
                }
                opened.writer.close().unwrap();
                assert_eq!(found().unwrap().len(), 11, "{told}: after the writer looked");
            }
        }
    }
    assert!(rebuilt * 3 > harmed, "{rebuilt} of {harmed}");
}
