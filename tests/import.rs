//! What an import promises, on real files and a real database: every row accounted for, nothing taken twice,
//! nothing half, and no file that brings the program down.

use flate2::Compression;
use flate2::write::GzEncoder;
use nightclerk::store::Shop;
use nightclerk::store::import::{Format, ImportError, ImportOptions, ImportReport, Input, Source, import};
use rusqlite::Connection;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;

/// A shop in a folder of its own.
struct Bench {
    folder: tempfile::TempDir,
    shop: Shop,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::create(&folder.path().join("shop.db")).unwrap();
    Bench { folder, shop }
}

impl Bench {
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> Input {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Input::File(path)
    }

    fn take(&self, table: &str, name: &str, bytes: impl AsRef<[u8]>) -> ImportReport {
        self.with(table, name, bytes, &ImportOptions::default()).unwrap()
    }

    fn refuse(&self, table: &str, name: &str, bytes: impl AsRef<[u8]>) -> String {
        self.with(table, name, bytes, &ImportOptions::default())
            .unwrap_err()
            .to_string()
    }

    fn with(
        &self,
        table: &str,
        name: &str,
        bytes: impl AsRef<[u8]>,
        options: &ImportOptions,
    ) -> Result<ImportReport, ImportError> {
        let input = self.file(name, bytes);
        import(&self.shop, table, &[input], options, &mut |_| {})
    }

    fn sql(&self) -> Connection {
        Connection::open(self.shop.path()).unwrap()
    }

    /// All rows of a query, cells joined by '|'.
    fn rows(&self, sql: &str) -> Vec<String> {
        let connection = self.sql();
        let mut select = connection.prepare(sql).unwrap();
        let width = select.column_count();
        let rows = select
            .query_map([], |row| {
                let cells: Vec<String> = (0..width)
                    .map(|at| match row.get_ref(at).unwrap() {
                        rusqlite::types::ValueRef::Null => "NULL".to_string(),
                        rusqlite::types::ValueRef::Integer(value) => value.to_string(),
                        rusqlite::types::ValueRef::Real(value) => format!("{value:?}"),
                        rusqlite::types::ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
                        rusqlite::types::ValueRef::Blob(_) => "BLOB".to_string(),
                    })
                    .collect();
                Ok(cells.join("|"))
            })
            .unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn one(&self, sql: &str) -> String {
        self.rows(sql).join("\n")
    }
}

/// (inserted, changed, unchanged, rejected)
fn counts(report: &ImportReport) -> (u64, u64, u64, u64) {
    assert_eq!(
        report.read,
        report.inserted + report.changed + report.unchanged + report.rejected,
        "{report:?}"
    );
    (report.inserted, report.changed, report.unchanged, report.rejected)
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const STRICT: ImportOptions = ImportOptions {
    select: None,
    strict: true,
    encoding: None,
    format: None,
};

fn select(sql: &str) -> ImportOptions {
    ImportOptions {
        select: Some(sql.to_string()),
        ..ImportOptions::default()
    }
}

// ---------------------------------------------------------------- what is taken

#[test]
fn a_file_imported_twice_changes_nothing() {
    let bench = bench();
    let text = "product_id,title,price,properties,hidden\nA,Kettle,12.5,\"{\"\"colour\"\": \"\"red\"\"}\",0\nB,Pot,,,true\n";
    assert_eq!(counts(&bench.take("products", "p.csv", text)), (2, 0, 0, 0));
    let outbox = bench.one("SELECT count(*) FROM outbox");
    assert_eq!(counts(&bench.take("products", "p.csv", text)), (0, 0, 2, 0));
    assert_eq!(
        bench.one("SELECT count(*) FROM outbox"),
        outbox,
        "nothing is queued for the search index"
    );
    assert_eq!(
        bench.rows("SELECT product_id, title, price, properties, hidden, in_stock FROM products ORDER BY 1"),
        [
            "A|Kettle|12.5|{\"colour\": \"red\"}|0|1.0",
            "B|Pot|NULL|NULL|1|1.0"
        ]
    );
}

#[test]
fn only_the_columns_present_change() {
    let bench = bench();
    bench.take(
        "products",
        "p.csv",
        "product_id,title,price,brand\nA,Kettle,12.5,Acme\nB,Pot,3,Acme\n",
    );
    let report = bench.take("products", "q.csv", "price,PRODUCT_ID\n13,A\n3,B\n,C\n");
    assert_eq!(counts(&report), (1, 1, 1, 0));
    assert_eq!(
        bench.rows("SELECT product_id, title, price, brand FROM products ORDER BY 1"),
        ["A|Kettle|13.0|Acme", "B|Pot|3.0|Acme", "C||NULL|NULL"]
    );
    // JSON lines: a key a row does not have stays, a null empties.
    let report = bench.take(
        "products",
        "r.jsonl",
        "{\"product_id\":\"A\",\"brand\":null}\n{\"product_id\":\"B\",\"price\":4}\n",
    );
    assert_eq!(counts(&report), (0, 2, 0, 0));
    assert_eq!(
        bench.rows("SELECT product_id, title, price, brand FROM products ORDER BY 1"),
        ["A|Kettle|13.0|NULL", "B|Pot|4.0|Acme", "C||NULL|NULL"]
    );
}

#[test]
fn a_file_without_required_columns_changes_rows_but_makes_none() {
    let bench = bench();
    bench.take(
        "events",
        "e.csv",
        "source_id,product_id,kind,at\ns1,A,purchase,1000\n",
    );
    let report = bench.take("events", "f.csv", "source_id,rating\ns1,4\ns2,5\n");
    assert_eq!(counts(&report), (0, 1, 0, 1));
    assert_eq!(bench.one("SELECT source_id, rating FROM events"), "s1|4.0");
    let reason = bench.one("SELECT reason FROM rejected_rows");
    assert!(
        reason.contains("new row") && reason.contains("product_id, kind, at"),
        "{reason}"
    );
}

#[test]
fn identical_lines_are_all_kept_and_found_again() {
    let bench = bench();
    let text = "order_id,product_id,kind,quantity,price,at\n\
                536381,71270,purchase,1,1.25,2010-12-01 09:41\n\
                536381,71270,purchase,1,1.25,2010-12-01 09:41\n\
                536381,71270,purchase,3,1.25,2010-12-01 09:41\n\
                536381,71270,purchase,,1.25,2010-12-01T09:41:00Z\n";
    assert_eq!(counts(&bench.take("events", "e.csv", text)), (4, 0, 0, 0));
    let before = bench.rows("SELECT * FROM events ORDER BY event_id");
    assert_eq!(counts(&bench.take("events", "e.csv", text)), (0, 0, 4, 0));
    // The same rows in another order of columns, as JSON lines, with a column more: still the same rows.
    let lines = "{\"at\": 1291196460, \"kind\": \"purchase\", \"price\": 1.25, \"product_id\": 71270, \"order_id\": \"536381\", \
                 \"user_id\": null}\n";
    assert_eq!(
        counts(&bench.take("events", "e.jsonl", lines.repeat(3))),
        (0, 0, 3, 0)
    );
    assert_eq!(bench.rows("SELECT * FROM events ORDER BY event_id"), before);
    assert_eq!(
        counts(&bench.take("events", "more.jsonl", lines.repeat(4))),
        (1, 0, 3, 0)
    );
    // Two files in one import count each for itself.
    let files = [bench.file("a.csv", text), bench.file("b.csv", text)];
    let report = import(
        &bench.shop,
        "events",
        &files,
        &ImportOptions::default(),
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(counts(&report), (0, 0, 8, 0));
}

#[test]
fn rules_and_verdicts_without_id_are_taken_once() {
    let bench = bench();
    let rules = "kind,product_id,value\npin,A,1\nboost,B,2.5\npin,A,1\n";
    assert_eq!(counts(&bench.take("rules", "r.csv", rules)), (3, 0, 0, 0));
    assert_eq!(counts(&bench.take("rules", "r.csv", rules)), (0, 0, 3, 0));
    assert_eq!(
        counts(&bench.take("rules", "s.csv", "rule_id,kind,value\n1,pin,2\n")),
        (0, 1, 0, 0)
    );
    let verdicts = "result,subject_id,verdict\nprice_advice,A,Rejected\n";
    assert_eq!(counts(&bench.take("verdicts", "v.csv", verdicts)), (1, 0, 0, 0));
    assert_eq!(counts(&bench.take("verdicts", "v.csv", verdicts)), (0, 0, 1, 0));
}

#[test]
fn every_table_takes_a_row_of_every_column() {
    use nightclerk::store::import::table::{Empty, TABLES};
    use nightclerk::store::import::value::Kind;
    let bench = bench();
    for table in TABLES {
        // The lists in the program and the schema say the same.
        let schema = bench.rows(&format!(
            "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{}')",
            table.name
        ));
        assert_eq!(schema.len(), table.columns.len(), "{}", table.name);
        for (column, declared) in table.columns.iter().zip(&schema) {
            let parts: Vec<&str> = declared.splitn(5, '|').collect();
            assert_eq!(parts[0], column.name, "{}", table.name);
            let sort = match column.kind {
                Kind::Whole(..) | Kind::Flag | Kind::Time => "INTEGER",
                Kind::Number(..) | Kind::Above(..) | Kind::Money => "REAL",
                _ => "TEXT",
            };
            assert_eq!(parts[1], sort, "{}.{}", table.name, column.name);
            let default = match column.empty {
                Empty::Text(text) => format!("'{text}'"),
                Empty::Real(value) => format!("{value}"),
                Empty::Integer(value) => format!("{value}"),
                _ => continue,
            };
            assert_eq!(
                (parts[2], parts[3]),
                ("1", default.as_str()),
                "{}.{}",
                table.name,
                column.name
            );
        }
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let cells: Vec<String> = table
            .columns
            .iter()
            .map(|column| match column.kind {
                Kind::OneOf(words) => words[0].to_string(),
                Kind::Day => "2026-11-23".to_string(),
                Kind::Object => "{}".to_string(),
                Kind::List => "[]".to_string(),
                Kind::Text | Kind::Id => format!("some {}", column.name),
                _ => "1".to_string(),
            })
            .collect();
        let text = format!("{}\n{}\n", names.join("\t"), cells.join("\t"));
        let report = bench.take(table.name, "t.tsv", &text);
        assert_eq!(
            counts(&report),
            (1, 0, 0, 0),
            "{}: {:?}",
            table.name,
            report.by_reason
        );
        assert_eq!(
            counts(&bench.take(table.name, "t.tsv", &text)),
            (0, 0, 1, 0),
            "{}",
            table.name
        );
    }
}

#[test]
fn times_follow_the_shop() {
    let bench = bench();
    bench.take("settings", "s.csv", "name,value\ntime_zone,Europe/Berlin\n");
    let text = "source_id,product_id,kind,at\n\
                a,P,view,2026-07-01 12:00\n\
                b,P,view,2026-03-29 02:30\n\
                c,P,view,2026-10-25 02:30\n\
                d,P,view,2026-07-01T12:00:00Z\n\
                e,P,view,1323435000\n\
                f,P,view,1323435000000\n\
                g,P,view,0000-01-01\n\
                h,P,view,9999-12-31\n\
                i,P,view,\n";
    let report = bench.take("events", "e.csv", text);
    assert_eq!(counts(&report), (5, 0, 0, 4));
    assert_eq!(
        bench.rows("SELECT source_id, strftime('%Y-%m-%dT%H:%M', at, 'unixepoch') FROM events ORDER BY 1"),
        [
            "a|2026-07-01T10:00",
            "b|2026-03-29T01:00",
            "c|2026-10-25T00:30",
            "d|2026-07-01T12:00",
            "e|2011-12-09T12:50"
        ]
    );
    assert_eq!(
        bench.rows("SELECT line, reason FROM rejected_rows ORDER BY line"),
        [
            "7|at: looks like milliseconds: divide by 1000 (1323435000000)",
            "8|at: before 1970 (0000-01-01)",
            "9|at: after 2286-11-20, the last time that is stored (9999-12-31)",
            "10|at: empty",
        ]
    );
    bench.take("settings", "s.csv", "name,value\ntime_zone,Mars/Olympus\n");
    assert!(
        bench
            .refuse("events", "e.csv", text)
            .contains("settings.time_zone")
    );
}

#[test]
fn formats_are_told_by_name_and_content() {
    let bench = bench();
    let csv = b"user_id,country\nu1,DE\n".as_slice();
    let wide: Vec<u8> = [0xfeff]
        .into_iter()
        .chain("user_id;country\r\nu2;退货\r\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, bytes) in [
        ("a.csv", csv.to_vec()),
        ("b.gz", zip(csv)),
        ("c", [b"\xef\xbb\xbf".as_slice(), csv].concat()),
        ("d.csv", wide),
        ("e.tsv", b"user_id\tcountry\r\nu3\tDE\r\n".to_vec()),
        ("f", b"{\"user_id\": \"u4\"}\n".to_vec()),
        ("g.json.gz", zip(b"{\"user_id\": 5, \"country\": \"DE\"}\n")),
    ] {
        assert_eq!(bench.take("users", name, bytes).rejected, 0, "{name}");
    }
    assert_eq!(
        bench.rows("SELECT user_id, country FROM users ORDER BY 1"),
        ["5|DE", "u1|DE", "u2|退货", "u3|DE", "u4|NULL"]
    );
    let options = ImportOptions {
        encoding: Some("windows-1252".into()),
        ..ImportOptions::default()
    };
    bench
        .with("users", "h.csv", b"user_id,country\nu6,caf\xe9\n", &options)
        .unwrap();
    assert_eq!(
        bench.one("SELECT country FROM users WHERE user_id = 'u6'"),
        "café"
    );
    let options = ImportOptions {
        format: Some(Format::Tsv),
        ..ImportOptions::default()
    };
    bench
        .with("users", "i.csv", "user_id\tcountry\nu7\tA,B\n", &options)
        .unwrap();
    assert_eq!(bench.one("SELECT country FROM users WHERE user_id = 'u7'"), "A,B");
}

// ---------------------------------------------------------------- --select

#[test]
fn a_select_renames_filters_and_joins_nothing_but_the_file() {
    let bench = bench();
    // Lines of Online Retail (UCI, doi 10.1057/dbm.2012.17, CC BY 4.0).
    let text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
                536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n\
                C536379,D,Discount,-1,2010-12-01 09:41:00,27.5,14527,United Kingdom\n\
                536414,22139,,56,2010-12-01 11:52:00,0.0,,United Kingdom\n";
    let sql = "SELECT rowid AS line, InvoiceNo AS order_id, StockCode AS product_id, CustomerID AS user_id,
                      CASE WHEN InvoiceNo LIKE 'C%' THEN 'return' ELSE 'purchase' END AS kind,
                      abs(Quantity) AS quantity, UnitPrice AS price, InvoiceDate AS at
               FROM input WHERE UnitPrice + 0 > 0";
    let report = bench.with("events", "r.csv", text, &select(sql)).unwrap();
    assert_eq!(
        (report.staged, report.read, counts(&report)),
        (Some(3), 2, (2, 0, 0, 0))
    );
    assert_eq!(
        bench.rows("SELECT order_id, product_id, user_id, kind, quantity, price, at FROM events ORDER BY 1"),
        [
            "536365|85123A|17850|purchase|6.0|2.55|1291191960",
            "C536379|D|14527|return|1.0|27.5|1291196460"
        ]
    );
    assert_eq!(
        counts(&bench.with("events", "r.csv", text, &select(sql)).unwrap()),
        (0, 0, 2, 0)
    );
    let all = sql
        .replace(" WHERE UnitPrice + 0 > 0", "")
        .replace("abs(Quantity)", "Quantity");
    let report = bench.with("events", "r.csv", text, &select(&all)).unwrap();
    assert_eq!(counts(&report), (1, 0, 1, 1));
    assert_eq!(bench.one("SELECT source, line FROM rejected_rows"), "r.csv|3");

    let wrong = |sql: &str| {
        bench
            .with("events", "r.csv", text, &select(sql))
            .unwrap_err()
            .to_string()
    };
    assert!(wrong("SELECT Stock FROM input").contains("Columns of input: InvoiceNo, StockCode"));
    assert!(wrong("SELECT InvoiceNo FROM input").contains("InvoiceNo"));
    assert!(wrong("SELECT product_id FROM main.products").contains("no such table"));
    assert!(wrong("SELECT 1 AS at, 2 AS at").contains("twice"));
    for sql in [
        "DELETE FROM input",
        "ATTACH 'x.db' AS x",
        "SELECT 1; SELECT 2",
        "",
        "CREATE TABLE t (a)",
    ] {
        assert!(wrong(sql).contains("--select"), "{sql}");
    }
}

#[test]
fn a_select_over_json_lines_sees_every_key() {
    let bench = bench();
    let text = "{\"id\": 1, \"meta\": {\"c\": \"DE\"}}\n{\"id\": 2.0, \"lang\": \"zh\"}\n{}\nnonsense\n";
    let sql = "SELECT id AS user_id, lang AS language, json_extract(meta, '$.c') AS country FROM input WHERE id > 0";
    let report = bench.with("users", "u.jsonl", text, &select(sql)).unwrap();
    assert_eq!((report.staged, report.inserted, report.rejected), (Some(3), 2, 1));
    assert_eq!(
        bench.rows("SELECT user_id, language, country FROM users ORDER BY 1"),
        ["1|NULL|DE", "2|zh|NULL"]
    );
    let report = bench
        .with(
            "users",
            "empty.jsonl",
            "\n",
            &select("SELECT 'x' AS user_id FROM input"),
        )
        .unwrap();
    assert_eq!(counts(&report), (0, 0, 0, 0));
}

// ---------------------------------------------------------------- what is not taken

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

#[test]
fn parquet_brings_its_types() {
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;
    let schema = parse_message_type(
        "message m {
            required binary product_id (UTF8);
            required binary title (UTF8);
            optional double price;
            optional float cost;
            required int64 created_at (TIMESTAMP(MILLIS,false));
            required int64 updated_at (TIMESTAMP(NANOS,true));
            required int32 in_stock (DECIMAL(9,2));
         }",
    )
    .unwrap();
    let mut file = Vec::new();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), properties).unwrap();
    for group in 0..2i64 {
        let mut rows = writer.next_row_group().unwrap();
        let texts = |a: &str, b: &str| [ByteArray::from(a), ByteArray::from(b)];
        macro_rules! column {
            ($type:ty, $values:expr, $levels:expr) => {{
                let mut column = rows.next_column().unwrap().unwrap();
                column
                    .typed::<$type>()
                    .write_batch($values, $levels, None)
                    .unwrap();
                column.close().unwrap();
            }};
        }
        column!(
            ByteArrayType,
            &texts(&format!("A{group}"), &format!("B{group}")),
            None
        );
        column!(ByteArrayType, &texts("Kettle", "Pot"), None);
        column!(DoubleType, &[f64::NAN], Some(&[0, 1]));
        column!(FloatType, &[2.55f32, 3.0], Some(&[1, 1]));
        column!(Int64Type, &[1_323_435_000_000, 1_323_435_000_999], None);
        column!(
            Int64Type,
            &[1_323_435_000_000_000_000, 1_323_435_000_000_000_001],
            None
        );
        column!(Int32Type, &[1250, 300], None);
        rows.close().unwrap();
    }
    writer.close().unwrap();
    let bench = bench();
    bench.take("settings", "s.csv", "name,value\ntime_zone,Europe/Berlin\n");
    let report = bench.take("products", "p.parquet", &file);
    assert_eq!(counts(&report), (2, 0, 0, 2));
    let want = "Kettle|NULL|2.55|12.5|1323431400|1323435000";
    assert_eq!(
        bench.rows(
            "SELECT product_id, title, price, cost, in_stock, created_at, updated_at FROM products ORDER BY 1"
        ),
        [format!("A0|{want}"), format!("A1|{want}")]
    );
    assert_eq!(
        bench.rows("SELECT line, reason FROM rejected_rows ORDER BY line"),
        [
            "2|price: not a finite number (NaN)",
            "4|price: not a finite number (NaN)"
        ]
    );
    assert_eq!(
        counts(&bench.take("products", "p.gz", zip(&file))),
        (0, 0, 2, 2),
        "gzip is copied out first"
    );
    let report = bench
        .with(
            "products",
            "p.parquet",
            &file,
            &select("SELECT product_id, cost FROM input WHERE cost > 1"),
        )
        .unwrap();
    assert_eq!(report.staged, Some(4));
    for end in (0..file.len()).step_by(97) {
        bench
            .with("products", "cut.parquet", &file[..end], &STRICT)
            .unwrap_err();
    }
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..300 {
        let mut bent = file.clone();
        for _ in 0..3 {
            let at = random.usize(..bent.len());
            bent[at] ^= 1 << random.u32(..8);
        }
        // An error or a report, never a panic that gets out.
        let _ = bench.with("products", "bent.parquet", &bent, &STRICT);
    }
}

// ---------------------------------------------------------------- giants and noise

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
