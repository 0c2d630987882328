//! What is taken, and what a second import changes.

use super::*;
use nightclerk::store::import::Format;

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
