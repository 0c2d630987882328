//! What is not taken, and what is said about it.

use super::*;
use std::path::PathBuf;

#[test]
fn hostile_rows_are_rejected_one_by_one() {
    let bench = bench();
    let mut text = b"product_id,title,price\r\n".to_vec();
    let rows: [&[u8]; 14] = [
        b"good,=1+1,1.5\r\n",
        b"formula,x,=1+1\r\n",
        b"nan,x,NaN\r\n",
        b"inf,x,-inf\r\n",
        b"over,x,1e400\r\n",
        b"rich,x,1e13\r\n",
        b"debt,x,-0.01\r\n",
        b"nul,a\0b,1\r\n",
        b"utf,caf\xe9,1\r\n",
        b"split\xc3,\xa9x,1\r\n",
        b"short,x\r\n",
        b"long,x,1,2\r\n",
        b",x,1\r\n",
        b"last,\"say \"\"hi\"\"\",0\r\n",
    ];
    text.extend(rows.concat());
    let report = bench.take("products", "p.csv", &text);
    assert_eq!(counts(&report), (2, 0, 0, 12));
    assert_eq!(
        bench.rows("SELECT line, reason, raw FROM rejected_rows ORDER BY line"),
        [
            "3|price: a formula, not a number; export values (=1+1)|formula,x,=1+1",
            "4|price: not a finite number (NaN)|nan,x,NaN",
            "5|price: not a finite number (-inf)|inf,x,-inf",
            "6|price: not a finite number (1e400)|over,x,1e400",
            "7|price: more than 1000000000000, the most money that is stored (1e13)|rich,x,1e13",
            "8|price: negative (-0.01)|debt,x,-0.01",
            "9|title: holds a NUL character (a␀b)|nul,a␀b,1",
            "10|not UTF-8|utf,caf\u{fffd},1",
            "11|product_id: not UTF-8|split\u{fffd},\u{fffd}x,1",
            "12|not as many cells as the header (2 instead of 3)|short,x",
            "13|not as many cells as the header (4 instead of 3)|long,x,1,2",
            "14|product_id: empty|,x,1",
        ]
    );
    assert_eq!(
        bench.rows("SELECT product_id, title FROM products ORDER BY 1"),
        ["good|=1+1", "last|say \"hi\""]
    );
    assert_eq!(report.by_reason["price: not a finite number"], 3);
    // Again: rejections are replaced, not added to; mended: they are gone.
    bench.take("products", "p.csv", &text);
    assert_eq!(bench.one("SELECT count(*) FROM rejected_rows"), "12");
    bench.take("products", "p.csv", "product_id\nnew\n");
    assert_eq!(bench.one("SELECT count(*) FROM rejected_rows"), "0");
}

#[test]
fn a_key_that_comes_twice_stands_as_it_came_first() {
    let bench = bench();
    let text = "user_id,country\nu,DE\nu,DE\nu,FR\nv,IT\n";
    assert_eq!(counts(&bench.take("users", "u.csv", text)), (2, 0, 1, 1));
    assert_eq!(
        bench.rows("SELECT user_id, country FROM users ORDER BY 1"),
        ["u|DE", "v|IT"]
    );
    assert_eq!(
        counts(&bench.take("users", "u.csv", text)),
        (0, 0, 3, 1),
        "nothing flips back and forth"
    );
    let prices = "product_id,at,price\nA,2026-01-01,1\nA,2026-01-01,2\nA,2026-01-02,2\n";
    assert_eq!(counts(&bench.take("prices", "p.csv", prices)), (2, 0, 0, 1));
    // The shop's own keys are unique over both columns.
    bench.take(
        "events",
        "e.csv",
        "event_id,source_id,product_id,kind,at\n1,s1,A,view,5\n2,s2,A,view,5\n",
    );
    let report = bench.take("events", "f.csv", "event_id,source_id\n1,s2\n");
    assert_eq!(counts(&report), (0, 0, 0, 1));
    assert!(
        report.by_reason.keys().next().unwrap().contains("UNIQUE"),
        "{report:?}"
    );
}

#[test]
fn strict_takes_all_or_nothing() {
    let bench = bench();
    let mut text = String::from("user_id,country\n");
    for i in 0..5_000 {
        text.push_str(&format!("u{i},DE\n"));
    }
    let bad = format!("{text}u1,FR\nx,y,z\n");
    let report = bench.with("users", "u.csv", &bad, &STRICT).unwrap();
    assert!(report.rolled_back);
    assert_eq!(
        (report.inserted, bench.one("SELECT count(*) FROM users").as_str()),
        (0, "0")
    );
    assert!(report.rejected >= 1 && bench.one("SELECT count(*) > 0 FROM rejected_rows") == "1");
    // A good file and a bad one: nothing of either.
    let files = [
        bench.file("good.csv", &text),
        bench.file("bad.csv", "user_id\n\"\"\n\0\n"),
    ];
    let report = import(&bench.shop, "users", &files, &STRICT, &mut |_| {}).unwrap();
    assert!(report.rolled_back && bench.one("SELECT count(*) FROM users") == "0");
    // A file that breaks off: nothing.
    let whole = zip(text.as_bytes());
    let error = bench
        .with("users", "cut.csv.gz", &whole[..whole.len() - 9], &STRICT)
        .unwrap_err();
    assert!(error.to_string().contains("cut short"), "{error}");
    assert_eq!(bench.one("SELECT count(*) FROM users"), "0");
    // A bad row while staging.
    let options = ImportOptions {
        strict: true,
        ..select("SELECT a AS user_id FROM input")
    };
    let report = bench.with("users", "s.csv", "a\nx\ny,z\n", &options).unwrap();
    assert!(report.rolled_back && bench.one("SELECT count(*) FROM users") == "0");
    let report = bench.with("users", "u.csv", &text, &STRICT).unwrap();
    assert_eq!((report.inserted, report.rolled_back), (5_000, false));
    assert_eq!(
        bench.one("SELECT count(*) FROM rejected_rows WHERE source = 'u.csv'"),
        "0"
    );
}

#[test]
fn files_that_cannot_be_used_say_why() {
    let bench = bench();
    let has = |text: String, words: &[&str]| {
        for word in words {
            assert!(text.contains(word), "{word:?} is not in: {text}");
        }
    };
    has(bench.refuse("users", "empty.csv", ""), &["empty.csv", "empty"]);
    has(bench.refuse("users", "empty.csv.gz", zip(b"")), &["empty"]);
    has(bench.refuse("users", "empty.jsonl", ""), &["empty"]);
    has(
        bench.refuse("users", "h.csv", "user,country\n"),
        &["h.csv", "user_id", "did you mean", "--select"],
    );
    has(
        bench.refuse("users", "h.csv", "country\nDE\n"),
        &["no column user_id", "--select"],
    );
    has(
        bench.refuse("events", "e.csv", "product_id,kind\n"),
        &["no column at"],
    );
    has(
        bench.refuse("user", "e.csv", "product_id,kind\n"),
        &["did you mean users?"],
    );
    has(
        bench.refuse("users", "h.jsonl", "{\"usr_id\": 1}"),
        &["did you mean user_id?"],
    );
    has(bench.refuse("users", "a.jsonl", "[{\"user_id\": 1}]"), &["jq"]);
    let wide = (0..10_000).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",");
    has(
        bench.refuse("users", "wide.csv", format!("user_id,{wide}")),
        &["more than 10000"],
    );
    let wide = wide.replace("c0,", "user_id,");
    has(bench.refuse("users", "wide.csv", &wide), &["\"c1\"", "--select"]);
    let error = bench
        .with("users", "wide.csv", &wide, &select("SELECT user_id FROM input"))
        .unwrap_err();
    has(error.to_string(), &["10000 columns", "2000"]);
    has(
        bench.refuse("users", "p.parquet", "PAR1"),
        &["p.parquet", "cut short"],
    );
    has(
        bench.refuse(
            "users",
            "p.parquet",
            [b"PAR1".as_slice(), &[7; 100], b"PAR1"].concat(),
        ),
        &["p.parquet"],
    );
    let missing = Input::File(PathBuf::from("no/such/file.csv"));
    let error = import(
        &bench.shop,
        "users",
        &[missing],
        &ImportOptions::default(),
        &mut |_| {},
    )
    .unwrap_err();
    has(error.to_string(), &["no/such/file.csv"]);
    let folder = Input::File(bench.folder.path().to_path_buf());
    let error = import(
        &bench.shop,
        "users",
        &[folder],
        &ImportOptions::default(),
        &mut |_| {},
    )
    .unwrap_err();
    has(error.to_string(), &["folder"]);
    assert_eq!(bench.one("SELECT count(*) FROM users"), "0");
}

#[test]
fn a_stream_cut_short_keeps_what_was_whole_and_can_be_taken_up() {
    let bench = bench();
    let mut text = String::from("user_id,country\n");
    for i in 0..50_000u32 {
        text.push_str(&format!("u{i},{}\n", i.wrapping_mul(2_654_435_761)));
    }
    let whole = zip(text.as_bytes());
    let error = bench.refuse("users", "u.csv.gz", &whole[..whole.len() / 2]);
    assert!(error.contains("cut short") && error.contains("line"), "{error}");
    let taken: u64 = bench.one("SELECT count(*) FROM users").parse().unwrap();
    assert!(taken > 0 && taken < 50_000, "{taken}");
    let report = bench.take("users", "u.csv.gz", &whole);
    assert_eq!(counts(&report), (50_000 - taken, 0, taken, 0));
}

#[test]
fn a_hopeless_file_fills_neither_memory_nor_disk() {
    let bench = bench();
    let mut text = String::from("user_id\n");
    text.push_str(&"a,b\n".repeat(120_000));
    let report = bench.take("users", "u.csv", &text);
    assert_eq!((report.rejected, report.rejected_kept), (120_000, 100_000));
    assert_eq!(bench.one("SELECT count(*) FROM rejected_rows"), "100000");
}
