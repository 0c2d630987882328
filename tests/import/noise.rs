//! Giant cells and random bytes.

use super::*;
use nightclerk::store::import::{Format, Source};
use std::io::{Cursor, Read};

/// `before`, then `count` times the same byte, then `after`.
fn giant(before: &str, count: u64, after: &str) -> Box<dyn Read> {
    let (before, after) = (before.as_bytes().to_vec(), after.as_bytes().to_vec());
    Box::new(
        Cursor::new(before)
            .chain(std::io::repeat(b'x').take(count))
            .chain(Cursor::new(after)),
    )
}

#[test]
fn giant_cells_are_rejected_in_every_format() {
    use nightclerk::store::import::{open_records, row::Row};
    for (format, before, after) in [
        (Format::Csv, "a,b\n1,\"", "\"\n2,y\n"),
        (Format::Tsv, "a\tb\n1\t", "\n2\ty\n"),
        (
            Format::JsonLines,
            "{\"a\": 1, \"b\": \"",
            "\"}\n{\"a\": 2, \"b\": \"y\"}\n",
        ),
    ] {
        let source =
            Source::from_reader("t".into(), giant(before, 200 << 20, after), None, None, None).unwrap();
        let (mut records, _) = open_records(source, Some(format)).unwrap();
        let mut row = Row::default();
        assert!(records.next(&mut row).unwrap());
        let problem = row.problem.as_ref().unwrap().text();
        assert!(
            problem.contains("16 MB") || problem.contains("64 MB"),
            "{format:?}: {problem}"
        );
        assert!(row.text.capacity() < 100 << 20);
        assert!(
            records.next(&mut row).unwrap() && row.problem.is_none(),
            "{format:?}"
        );
        assert!(!records.next(&mut row).unwrap());
    }
}

#[test]
fn noise_is_survived() {
    let bench = bench();
    let mut random = fastrand::Rng::with_seed(11);
    let pieces: [&[u8]; 24] = [
        b"\"",
        b",",
        b"\n",
        b"\r\n",
        b"\t",
        b";",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x1f\x8b",
        b"PAR1",
        b"{",
        b"}",
        b"\"user_id\":",
        b"1e999",
        b"=1+1",
        b"-0",
        b"9999-12-31",
        "退货".as_bytes(),
        b"x",
        b"1",
        b" ",
        b"[",
    ];
    for round in 0..400 {
        let mut bytes = match round % 4 {
            0 => b"user_id,country,created_at\n".to_vec(),
            1 => b"{\"user_id\": \"a\"}\n".to_vec(),
            _ => Vec::new(),
        };
        for _ in 0..random.usize(..200) {
            if random.u8(..4) == 0 {
                bytes.push(random.u8(..));
            } else {
                bytes.extend_from_slice(pieces[random.usize(..pieces.len())]);
            }
        }
        let options = ImportOptions {
            strict: random.bool(),
            select: random.bool().then(|| "SELECT * FROM input".to_string()),
            encoding: (random.u8(..8) == 0).then(|| "shift_jis".to_string()),
            format: [None, Some(Format::Csv), Some(Format::JsonLines)][random.usize(..3)],
        };
        let before = bench.one("SELECT count(*) FROM users");
        match bench.with("users", "noise", &bytes, &options) {
            Ok(report) if report.rolled_back => assert_eq!(bench.one("SELECT count(*) FROM users"), before),
            Ok(report) => assert!(
                report.inserted + report.rejected <= report.staged.unwrap_or(report.read) + report.rejected
            ),
            Err(ImportError::Input(message)) => assert!(!message.is_empty()),
            Err(error) => panic!("round {round}: {error}"),
        }
    }
    assert_eq!(bench.one("PRAGMA integrity_check"), "ok");
}
