//! A SQLite of early 2022 loads the extension and gets answers. `sqlite3_close` refuses a connection on which something is left
//! prepared, so closing says that nothing is.

use rusqlite::{Connection, LoadExtensionGuard};

#[test]
fn it_loads_answers_and_closes() {
    let library = std::env::var("NIGHTCLERK_EXTENSION").expect("NIGHTCLERK_EXTENSION names the library");
    let file = std::env::var("NIGHTCLERK_FILE").expect("NIGHTCLERK_FILE names a database, of `nightclerk demo` for example");
    for _ in 0..3 {
        let conn = Connection::open_in_memory().unwrap();
        // SAFETY: loading a library runs its code; this one is ours, and nothing else is loaded while the guard allows it.
        unsafe {
            let _guard = LoadExtensionGuard::new(&conn).unwrap();
            conn.load_extension(&library, None).unwrap();
        }
        conn.execute("ATTACH ?1 AS clerk", [&file]).unwrap();
        let text = |sql: &str| -> String { conn.query_row(sql, [], |r| r.get(0)).unwrap_or_else(|e| panic!("{sql}: {e}")) };
        assert!(text("SELECT nightclerk_status()").contains("\"sqlite\":\"3.37."));
        assert!(text("SELECT snippet FROM ticket_search('refund OR parcel', 5) ORDER BY score DESC LIMIT 1").contains("<mark>"));
        assert!(text("SELECT classify_ticket('where is my parcel')").contains("category"));
        assert!(text("SELECT draft_reply('where is my parcel')").contains("confidence"));
        assert!(!text("SELECT product_id FROM recommend_session('[]', 1)").is_empty());
        assert!(!text("SELECT day FROM forecast_price((SELECT min(product_id) FROM clerk.price_forecasts))").is_empty());
        let wrong = conn.query_row("SELECT id FROM ticket_search('x', -1)", [], |r| r.get::<_, String>(0)).unwrap_err();
        assert!(wrong.to_string().contains("k is a whole number"), "{wrong}");
        conn.close().map_err(|(_, error)| error).unwrap();
    }
}
