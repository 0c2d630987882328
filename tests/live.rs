//! Which instant a night is computed as of: the newest row, until a daemon has seen the shop write as things happen.

#![cfg(feature = "daemon")]

mod common;

use common::Place;
use common::daemon::{Daemon, until};
use std::fs;

#[test]
fn once_the_shop_writes_live_a_night_is_as_of_the_clock() {
    let place = Place::demo("0.02");
    let newest = || {
        place.number(
            "SELECT max(at) FROM (SELECT max(at) AS at FROM prices UNION ALL SELECT max(at) FROM events)",
        )
    };
    let as_of = || place.number("SELECT as_of FROM runs WHERE job = 'prices' ORDER BY run_id DESC LIMIT 1");
    place.ok(&["run", "prices", "--quiet"]);
    assert_eq!(as_of(), newest(), "nobody saw it write");
    {
        let mut daemon = Daemon::start(&place, &[], &[]);
        assert_eq!(place.number("SELECT live_since IS NULL FROM leader"), 1);
        place
            .open()
            .execute(
                "INSERT INTO events (user_id, product_id, kind) VALUES ('U00001', 'P00001', 'view')",
                [],
            )
            .unwrap();
        until("it is noticed", || {
            place.number("SELECT live_since IS NOT NULL FROM leader") == 1
        });
        daemon.terminate();
    }
    let before = place.number("SELECT CAST(strftime('%s', 'now') AS INTEGER)");
    place.ok(&["run", "prices", "--quiet"]);
    assert!(as_of() >= before, "{} is not now", as_of());

    let file = place.path("jobs/prices.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("# as_of = \"data\"", "as_of = \"data\"")).unwrap();
    assert!(newest() < before);
    place.ok(&["run", "prices", "--quiet"]);
    assert_eq!(as_of(), newest(), "the job says so");
}
