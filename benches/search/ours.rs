//! Search beside FTS5: the same tickets, the same queries, one process, one clock. See README.md.
//!
//! `search FOLDER` reads `corpus.jsonl` and `queries.json` (made by corpus.py) and prints the tables.

#![allow(missing_docs, clippy::print_stdout)]

use nightclerk::search::{Change, Document, IndexWriter, Kind, Opened, Options, Reader, SearchError};
use nightclerk::text::{Script, is_cjk, tokens};
use rusqlite::Connection;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Instant;

/// Number, subject and body.
type Row = (String, String, String);

/// How a kind of query is written, and which FTS5 it is compared with.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    All,
    Any,
    Phrase,
    Prefix,
    Chinese,
}

const KINDS: [(&str, Form); 10] = [
    ("one word", Form::All),
    ("two words, AND", Form::All),
    ("two words, OR", Form::Any),
    ("phrase of two words", Form::Phrase),
    ("prefix of three letters", Form::Prefix),
    ("order number", Form::All),
    ("one character", Form::Chinese),
    ("two characters", Form::Chinese),
    ("three characters", Form::Chinese),
    ("four characters", Form::Chinese),
];

fn main() {
    let folder = std::env::args()
        .nth(1)
        .expect("the folder with corpus.jsonl and queries.json");
    let folder = Path::new(&folder);
    let rows: Vec<Row> = BufReader::new(File::open(folder.join("corpus.jsonl")).unwrap())
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    let text: usize = rows
        .iter()
        .map(|row| row.0.len() + row.1.len() + row.2.len())
        .sum();
    let queries: BTreeMap<String, Vec<Vec<String>>> =
        serde_json::from_str(&fs::read_to_string(folder.join("queries.json")).unwrap()).unwrap();
    println!("{} tickets, {:.1} MB of text\n", rows.len(), text as f64 / 1e6);

    // The languages with spaces alone, where both do the same work, and then everything.
    let spaced: Vec<Row> = rows
        .iter()
        .filter(|row| !row.2.chars().any(is_cjk))
        .cloned()
        .collect();
    let (alone, writer) = build_ours(&folder.join("spaced"), &spaced);
    drop(writer);
    let fts5_alone = build_fts5(&folder.join("spaced.db"), &spaced, str::to_owned);
    println!(
        "build, the {} tickets without CJK: {:.1} CPU s, FTS5 unicode61 {:.1} CPU s, ratio {:.2}\n",
        spaced.len(),
        alone.0,
        fts5_alone.0,
        alone.0 / fts5_alone.0
    );
    let index = folder.join("index");
    let (ours, mut writer) = build_ours(&index, &rows);
    let words = folder.join("words.db");
    let fts5 = build_fts5(&words, &rows, str::to_owned);
    let pairs = folder.join("pairs.db");
    let fts5_pairs = build_fts5(&pairs, &rows, in_pairs);
    println!("{:28} {:>8} {:>8} {:>8}", "build", "CPU s", "MB", "ratio");
    for (name, (cpu, bytes)) in [
        ("Nightclerk", ours),
        ("FTS5 unicode61", fts5),
        ("FTS5 on CJK pairs", fts5_pairs),
    ] {
        println!(
            "{name:28} {cpu:>8.1} {:>8.1} {:>8.2}",
            bytes as f64 / 1e6,
            ours.0 / cpu
        );
    }

    let reader = Reader::open_trusting(&index).unwrap();
    let (words, pairs) = (
        Connection::open(&words).unwrap(),
        Connection::open(&pairs).unwrap(),
    );
    println!(
        "\n{:26} {:>17} {:>17} {:>7} {:>7} {:>7}",
        "CPU ms, p50 / p99", "Nightclerk", "FTS5", "ratio", "empty", "equal"
    );
    for (name, form) in KINDS {
        let peer = if form == Form::Chinese { &pairs } else { &words };
        compare(name, form, &queries[name], &reader, peer);
    }
    with_more(&queries["two words, OR"], &reader);
    hostile(&reader);
    fresh(&mut writer, &reader);
    writer.close().unwrap();
}

/// CPU seconds of all threads of this process so far, ended ones included.
fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn build_ours(folder: &Path, rows: &[Row]) -> ((f64, u64), IndexWriter) {
    let _ = fs::remove_dir_all(folder);
    let start = cpu();
    let Opened { mut writer, .. } = IndexWriter::open(folder, "bench").unwrap();
    let documents = rows
        .iter()
        .map(|row| Ok::<_, SearchError>(ticket(&row.0, &row.1, &row.2)));
    writer.rebuild(documents, 1).unwrap();
    ((cpu() - start, size(folder)), writer)
}

fn ticket(number: &str, subject: &str, body: &str) -> Document {
    Document::Ticket {
        id: number.into(),
        subject: subject.into(),
        body: body.into(),
        replies: vec![],
        notes: vec![],
        status: "open".into(),
        category: None,
        team: Some("returns".into()),
        agent_id: None,
        language: Some("en".into()),
        created_at: 1_700_000_000,
    }
}

fn build_fts5(path: &Path, rows: &[Row], written: impl Fn(&str) -> String) -> (f64, u64) {
    let _ = fs::remove_file(path);
    let mut conn = Connection::open(path).unwrap();
    conn.execute_batch(
        "CREATE VIRTUAL TABLE t USING fts5(number, subject, body, content='', prefix='2 3', tokenize='unicode61')",
    )
    .unwrap();
    let mut spent = 0.0;
    let transaction = conn.transaction().unwrap();
    {
        let mut insert = transaction
            .prepare("INSERT INTO t (rowid, number, subject, body) VALUES (?1, ?2, ?3, ?4)")
            .unwrap();
        for (i, row) in rows.iter().enumerate() {
            // What splits the text for it is not on its account.
            let texts = (written(&row.1), written(&row.2));
            let start = cpu();
            insert
                .execute((i as i64 + 1, &row.0, &texts.0, &texts.1))
                .unwrap();
            spent += cpu() - start;
        }
    }
    let start = cpu();
    transaction.commit().unwrap();
    conn.execute("INSERT INTO t (t) VALUES ('optimize')", []).unwrap();
    spent += cpu() - start;
    (spent, fs::metadata(path).unwrap().len())
}

/// The text with its CJK runs as pairs of characters, apart.
fn in_pairs(text: &str) -> String {
    let mut written = String::with_capacity(text.len() * 2);
    for token in tokens(text).iter().filter(|token| !token.last) {
        written.push_str(match token.script {
            Script::Word => &text[token.from..token.to],
            Script::Cjk => &token.text,
        });
        written.push(' ');
    }
    written
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            if entry.file_type().unwrap().is_dir() {
                size(&entry.path())
            } else {
                entry.metadata().unwrap().len()
            }
        })
        .sum()
}

fn ours(form: Form, query: &[String]) -> String {
    match form {
        Form::All | Form::Chinese => query.join(" "),
        Form::Any => query.join(" OR "),
        Form::Phrase => format!("\"{}\"", query.join(" ")),
        Form::Prefix => format!("{}*", query[0]),
    }
}

fn theirs(form: Form, query: &[String]) -> String {
    let quoted = |words: &[String]| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>();
    match form {
        Form::All => quoted(query).join(" "),
        Form::Any => quoted(query).join(" OR "),
        Form::Phrase => format!("\"{}\"", query.join(" ")),
        Form::Prefix => format!("\"{}\"*", query[0]),
        Form::Chinese if query[0].chars().count() == 1 => format!("\"{}\"*", query[0]),
        Form::Chinese => format!("\"{}\"", in_pairs(&query[0]).trim_end()),
    }
}

fn compare(name: &str, form: Form, queries: &[Vec<String>], reader: &Reader, peer: &Connection) {
    let options = Options {
        limit: 10,
        typos: false,
        snippets: false,
        ..Options::default()
    };
    let counting = Options {
        counts: true,
        ..options.clone()
    };
    let mut first_ten = peer
        .prepare("SELECT rowid, rank FROM t WHERE t MATCH ?1 ORDER BY rank LIMIT 10")
        .unwrap();
    let mut count = peer.prepare("SELECT count(*) FROM t WHERE t MATCH ?1").unwrap();
    let (mut a, mut b, mut empty, mut equal) = (Vec::new(), Vec::new(), 0, 0);
    for query in queries {
        let (our, their) = (ours(form, query), theirs(form, query));
        for pass in 0..3 {
            let start = cpu();
            let hits = reader.find(Kind::Ticket, &our, &options).unwrap().hits;
            let middle = cpu();
            let rows = first_ten.query_map([&their], |row| row.get::<_, i64>(0)).unwrap();
            let rows = rows.count();
            let end = cpu();
            if pass == 0 {
                empty += usize::from(hits.is_empty());
                let ours = reader
                    .find(Kind::Ticket, &our, &counting)
                    .unwrap()
                    .counts
                    .unwrap();
                let theirs: i64 = count.query_row([&their], |row| row.get(0)).unwrap();
                equal += usize::from(ours.documents == theirs as u64);
                assert_eq!(hits.len(), ours.documents.min(10) as usize);
                assert_eq!(rows, theirs.min(10) as usize);
            } else {
                a.push((middle - start) * 1000.0);
                b.push((end - middle) * 1000.0);
            }
        }
    }
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let at = |times: &[f64], q: f64| times[((times.len() - 1) as f64 * q) as usize];
    println!(
        "{name:26} {:>8.3} /{:>7.2} {:>8.3} /{:>7.2} {:>7.3} {:>7} {:>3}/{}",
        at(&a, 0.5),
        at(&a, 0.99),
        at(&b, 0.5),
        at(&b, 0.99),
        at(&a, 0.5) / at(&b, 0.5),
        empty,
        equal,
        queries.len()
    );
}

/// What the things cost that FTS5 has not.
fn with_more(queries: &[Vec<String>], reader: &Reader) {
    let plain = Options {
        limit: 10,
        typos: false,
        snippets: false,
        ..Options::default()
    };
    println!("\n{:40} {:>17}", "two words, OR; CPU ms, p50 / p99", "Nightclerk");
    let with = |change: fn(&mut Options)| {
        let mut options = plain.clone();
        change(&mut options);
        options
    };
    for (name, options, misspelt) in [
        ("ten hits", plain.clone(), false),
        ("ten hits with snippets", with(|o| o.snippets = true), false),
        ("counted by the facets", with(|o| o.counts = true), false),
        ("both words misspelt, ten hits", with(|o| o.typos = true), true),
    ] {
        let mut times = Vec::new();
        for query in queries {
            let mut query = ours(Form::Any, query);
            if misspelt {
                query = query
                    .split(" OR ")
                    .map(|w| format!("{w}x"))
                    .collect::<Vec<_>>()
                    .join(" OR ");
            }
            let start = cpu();
            reader.find(Kind::Ticket, &query, &options).unwrap();
            times.push((cpu() - start) * 1000.0);
        }
        row(name, times);
    }
    let mut times = Vec::new();
    for query in queries {
        let hit = reader
            .find(Kind::Ticket, &ours(Form::All, query), &plain)
            .unwrap()
            .hits
            .remove(0);
        let start = cpu();
        assert!(reader.like(Kind::Ticket, &hit.id, &plain).unwrap().is_some());
        times.push((cpu() - start) * 1000.0);
    }
    row("more like a ticket", times);
}

fn row(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |q: f64| times[((times.len() - 1) as f64 * q) as usize];
    println!("{name:40} {:>8.3} /{:>7.2}", at(0.5), at(0.99));
}

/// Queries nobody types in good faith, with everything switched on.
fn hostile(reader: &Reader) {
    let many = |part: &str, n: usize| part.repeat(n);
    let letters = |join: &str| {
        ('a'..='z')
            .map(|c| format!("{c}*"))
            .collect::<Vec<_>>()
            .join(join)
    };
    let options = Options {
        counts: true,
        typing: true,
        ..Options::default()
    };
    println!("\n{:40} {:>10} {:>8}", "hostile queries", "CPU ms", "hits");
    let before = peak();
    for (name, query) in [
        ("10,000 ORs", many("order OR ", 10_000)),
        (
            "10,000 different words and ORs",
            (0..10_000).map(|i| format!("w{i} OR ")).collect(),
        ),
        ("a* b* c*", "a* b* c*".into()),
        ("every letter *", letters(" ")),
        ("every letter *, OR", letters(" OR ")),
        (
            "phrases that end in a prefix",
            ('a'..='p').map(|c| format!("\"to the {c}\"* ")).collect(),
        ),
        ("*", "*".into()),
        (
            "a 1 MB text",
            many("the order has not arrived, please help me ", 25_000),
        ),
        ("1 MB of Chinese", many("我的订单还没有发货", 40_000)),
        ("1 MB without a space", many("x", 1 << 20)),
        ("unbalanced quotes", many("\"the \" to \"", 1000)),
        ("100,000 brackets", many("(", 100_000)),
        ("control characters", "\u{0}\u{1b}[2J\u{7f} order \u{0}".into()),
        ("emoji", many("😀👍🏽🇩🇪 ", 1000)),
        ("right to left", "\u{202E}\u{202B}שלום عليكم order".into()),
        ("one letter", "e*".into()),
        ("frequent words, AND", "the to and of a in for with".into()),
        (
            "frequent words, OR",
            "the OR to OR and OR of OR a OR in OR for OR with".into(),
        ),
        (
            "frequent words in a phrase",
            "\"of the\" \"in the\" \"to the\"".into(),
        ),
        ("everything but", "-the -to -and".into()),
        ("all documents", "status:open".into()),
        (
            "text like a pattern",
            "^(a+)+$ .* [a-z]{1,1000} \\p{L}+ (?=x)".into(),
        ),
        (
            "misspelt words",
            "ordrr delivrey refnud accounnt paymment shippping invoiice custommer".into(),
        ),
    ] {
        let start = cpu();
        let found = reader.find(Kind::Ticket, &query, &options).unwrap();
        println!(
            "{name:40} {:>10.2} {:>8}",
            (cpu() - start) * 1000.0,
            found.counts.map_or(0, |counts| counts.documents)
        );
    }
    println!(
        "memory at its peak grew by {} MB meanwhile",
        (peak() - before) >> 10
    );
}

/// The most memory this process has had so far, in KB; files mapped into it included.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A new ticket, from the change to the hit.
fn fresh(writer: &mut IndexWriter, reader: &Reader) {
    let (mut apply, mut find) = (Vec::new(), Vec::new());
    for i in 0..20 {
        let number = format!("F{i:09}");
        let start = Instant::now();
        writer
            .apply([Change::Put(ticket(&number, "Just arrived", "a new ticket"))])
            .unwrap();
        writer.commit(2 + i).unwrap();
        apply.push(start.elapsed().as_secs_f64() * 1000.0);
        let start = Instant::now();
        let hits = reader.search(Kind::Ticket, &number, 10).unwrap();
        find.push(start.elapsed().as_secs_f64() * 1000.0);
        assert_eq!(hits[0].id, number, "not findable after one commit");
    }
    println!("\n{:40} {:>17}", "a new ticket; wall ms, p50 / p99", "Nightclerk");
    row("put and committed", apply);
    row("first search after it", find);
}
