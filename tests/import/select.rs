//! `--select`.

use super::*;

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
