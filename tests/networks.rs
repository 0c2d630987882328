//! Networks killed while they learn: `kill -9` at random moments, again and again, and what the last run publishes is what a run
//! that nobody disturbed publishes, to the byte. `NIGHTCLERK_KILLS` sets how many (default 2 each; `just soak` does 20).

#![cfg(feature = "daemon")]
#![allow(clippy::print_stdout)] // the seed, and what the kills hit

mod common;

use common::{Place, count, dice, dump, open, support_shop};
use std::fs;
use std::process::Child;
use std::time::{Duration, Instant};

/// Sets an option of a job.
fn set(place: &Place, job: &str, option: &str, value: usize) {
    let file = place.path(&format!("jobs/{job}.toml"));
    let text = fs::read_to_string(&file).unwrap();
    let mut found = 0;
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let ours = line.split('=').next().unwrap().trim() == option;
            found += u32::from(ours);
            if ours {
                format!("{option} = {value}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    assert_eq!(found, 1, "{option}");
    fs::write(file, lines.join("\n")).unwrap();
}

/// The same shop once more; nobody has it open.
fn twin(place: &Place) -> Place {
    let twin = Place::new();
    let conn = place.open();
    conn.execute("VACUUM INTO ?1", [twin.db().to_str().unwrap()])
        .unwrap();
    fs::create_dir(twin.path("jobs")).unwrap();
    for file in fs::read_dir(place.path("jobs")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), twin.path("jobs").join(file.file_name())).unwrap();
    }
    twin
}

/// One family's night under fire.
struct Trial<'a> {
    job: &'a str,
    /// Names of the checkpoints, in the order in which they are learned.
    fits: &'a [&'a str],
    /// What the night publishes.
    results: &'a [&'a str],
}

impl Trial<'_> {
    fn begin(&self, place: &Place) -> Child {
        place
            .command(&["run", self.job, "--quiet"])
            .env("NIGHTCLERK_TEST_CHECKPOINTS", "0")
            .spawn()
            .unwrap()
    }

    /// The networks' bytes, and every row of the results.
    fn published(&self, place: &Place) -> Vec<Vec<String>> {
        let conn = place.open();
        let networks = format!(
            "SELECT name, part, format, hex(bytes) FROM clerk_artefacts
             WHERE generation = (SELECT generation FROM clerk_published WHERE family = '{}') ORDER BY name, part",
            self.job
        );
        let results = self.results.iter().map(|sql| (*sql).to_owned());
        std::iter::once(networks)
            .chain(results)
            .map(|sql| dump(&conn, &sql))
            .collect()
    }

    /// How far learning has come: the last fit with a whole checkpoint, and the number of its save.
    fn position(&self, place: &Place) -> (usize, i64) {
        let conn = place.open();
        let saved = |fit: &str| -> i64 {
            conn.query_row(
                "SELECT coalesce(max(save), 0) FROM
                 (SELECT save FROM clerk_checkpoints WHERE name = ?1 GROUP BY save HAVING count(*) = max(parts))",
                [fit],
                |r| r.get(0),
            )
            .unwrap()
        };
        let mut found = self.fits.iter().map(|fit| saved(fit)).enumerate();
        found.rfind(|(_, save)| *save > 0).unwrap_or((0, 0))
    }

    /// Kills the night of copies of `shop` `kills` times in all while it learns, lets each copy finish, and wants what
    /// `undisturbed` published.
    fn kill(&self, shop: &Place, undisturbed: &Place, kills: usize) {
        let mut dice = dice();
        let (mut done, mut copies) = (0, 0);
        // Kills behind a checkpoint that the killed run itself had made, by fit; and behind one of a run before.
        let (mut own, mut former) = (vec![0; self.fits.len()], 0);
        // How long a run takes until it saves.
        let mut usual = Duration::from_secs(1);
        while done < kills {
            let place = twin(shop);
            copies += 1;
            while done < kills {
                let before = self.position(&place);
                // A kill in the second fit makes the next run learn the first one anew, so the first one has its turn first.
                let which = (done * self.fits.len() / kills).max(before.0);
                let waits = own[which] == 0 || dice.bool();
                let wanted = match (waits, which == before.0) {
                    (true, true) => (which, before.1 + 1 + dice.i64(0..2)),
                    (true, false) => (which, 1),
                    (false, _) => before,
                };
                let mut child = self.begin(&place);
                let begun = Instant::now();
                let mut alive = true;
                while alive && self.position(&place) < wanted {
                    assert!(
                        begun.elapsed() < Duration::from_secs(600),
                        "no checkpoint at {wanted:?}"
                    );
                    std::thread::sleep(Duration::from_millis(2));
                    alive = child.try_wait().unwrap().is_none();
                }
                if waits {
                    usual = begun.elapsed();
                }
                std::thread::sleep(match waits {
                    true => Duration::from_millis(dice.u64(0..200)),
                    false => usual.mul_f64(dice.f64()),
                });
                if !alive || child.try_wait().unwrap().is_some() {
                    break; // it came to its end; the rest of the kills meet another copy
                }
                child.kill().unwrap();
                child.wait().unwrap();
                done += 1;
                let met = self.position(&place);
                own[met.0] += u32::from(met > before);
                former += u32::from(met == before && met.1 > 0);
                println!(
                    "kill {done} of {}: {before:?} to {met:?} after {:?}",
                    self.job,
                    begun.elapsed()
                );
                assert_eq!(place.text("PRAGMA integrity_check"), "ok");
                assert_eq!(place.number("SELECT count(*) FROM clerk_published"), 0);
            }
            self.compare(&place, undisturbed);
        }
        println!(
            "{done} kills of {} in {copies} copies: {own:?} behind a checkpoint of {:?} that the run had made, {former} behind one of a run before",
            self.job, self.fits
        );
        assert!(
            own.iter().all(|hits| *hits > 0),
            "{own:?}: some network was never met while it learned"
        );
    }

    /// Lets the night finish.
    fn compare(&self, place: &Place, undisturbed: &Place) {
        if place.number("SELECT count(*) FROM clerk_published") == 0 {
            assert!(self.begin(place).wait().unwrap().success());
        }
        let (ours, theirs) = (self.published(place), self.published(undisturbed));
        let names = std::iter::once(&"networks").chain(self.results);
        for ((ours, theirs), what) in ours.iter().zip(&theirs).zip(names) {
            assert!(!ours.is_empty(), "{what}: nothing to compare");
            let other = ours.iter().zip(theirs).find(|(ours, theirs)| ours != theirs);
            let other = other.map(|rows| format!("{rows:?}").chars().take(400).collect::<String>());
            assert!(
                ours == theirs,
                "{what}: not what the undisturbed run published: {other:?}"
            );
        }
        assert_eq!(place.number("SELECT count(*) FROM clerk_checkpoints"), 0);
    }
}

/// Baskets of guests in which the door at which somebody enters tells the till and the gate at the end, and nothing between them does.
fn visited_shop() -> Place {
    let place = Place::new();
    place.ok(&["init"]);
    let mut conn = open(&place.db());
    let batch = conn.transaction().unwrap();
    let mut dice = fastrand::Rng::with_seed(4);
    for visit in 0..2500 {
        let door = dice.u32(0..9);
        let mut path = vec![format!("door{door}")];
        path.extend(["shelf", "table", "rack"].map(|place| format!("{place}{}", dice.u32(0..9))));
        path.extend([format!("till{door}"), format!("gate{door}")]);
        for (step, product) in (0..).zip(path) {
            batch
                .prepare_cached(
                    "INSERT INTO events (session_id, product_id, kind, at) VALUES (?1, ?2, 'purchase', ?3)",
                )
                .unwrap()
                .execute((format!("v{visit}"), product, 1_767_225_600 + visit * 1000 + step))
                .unwrap();
        }
    }
    for place in ["door", "shelf", "table", "rack", "till", "gate"] {
        for number in 0..9 {
            batch
                .execute(
                    "INSERT INTO products (product_id, title) VALUES (?1 || ?2, ?1)",
                    (place, number),
                )
                .unwrap();
        }
    }
    batch.commit().unwrap();
    place
}

#[test]
fn a_network_of_sessions_killed_while_it_learns_ends_at_the_same_bytes() {
    let kills = count("NIGHTCLERK_KILLS", 2);
    let place = visited_shop();
    set(&place, "recommendations", "cnn_steps", 0);
    // Some thirty batches are an epoch; what goes on from another network learns half as many.
    set(
        &place,
        "recommendations",
        "rnn_steps",
        30 * 2 * (4 + kills.min(6)),
    );
    let undisturbed = twin(&place);
    undisturbed.ok(&["run", "recommendations", "--quiet"]);
    let chosen = "SELECT model FROM scores WHERE result = 'next_products' AND chosen AND metric = 'mrr@20'";
    assert!(undisturbed.text(chosen).ends_with("rnn"));
    let trial = Trial {
        job: "recommendations",
        fits: &["rnn of the past", "rnn of tonight"],
        results: &[
            "SELECT * FROM next_products ORDER BY 1, 2",
            "SELECT model, metric, slice, value, split, chosen FROM scores ORDER BY 1, 2, 3",
        ],
    };
    trial.kill(&place, &undisturbed, kills);
}

/// Sixty prices that change every day: little to fit, enough to learn from.
fn price_shop() -> Place {
    let place = Place::new();
    place.ok(&["init"]);
    let mut conn = open(&place.db());
    let batch = conn.transaction().unwrap();
    let mut dice = fastrand::Rng::with_seed(9);
    for product in 0..60 {
        let mut price = 50.0;
        for day in 0..900 {
            price *= 0.95 + 0.1 * dice.f64();
            batch
                .prepare_cached("INSERT INTO prices (product_id, at, price) VALUES (?1, ?2, ?3)")
                .unwrap()
                .execute((format!("p{product:02}"), day * 86_400, price))
                .unwrap();
        }
    }
    batch.commit().unwrap();
    place
}

#[test]
fn a_network_of_prices_killed_while_it_learns_ends_at_the_same_bytes() {
    let kills = count("NIGHTCLERK_KILLS", 2);
    let place = price_shop();
    set(&place, "prices", "horizon", 7);
    // An epoch is fifty steps; every kill may cost two.
    set(&place, "prices", "lstm_steps", 2 * 50 * (4 + 2 * kills));
    let undisturbed = twin(&place);
    undisturbed.ok(&["run", "prices", "--quiet"]);
    assert_eq!(
        undisturbed
            .number("SELECT CAST(value AS INTEGER) FROM scores WHERE model = 'lstm' AND metric = 'steps'"),
        2 * 50 * (4 + 2 * kills as i64)
    );
    let trial = Trial {
        job: "prices",
        fits: &["lstm of the past", "lstm of tonight"],
        results: &[
            "SELECT * FROM price_forecasts ORDER BY 1, 2, 3",
            "SELECT * FROM price_models ORDER BY 1, 2, 3",
            "SELECT model, metric, slice, value, split, chosen FROM scores ORDER BY 1, 2, 3",
        ],
    };
    trial.kill(&place, &undisturbed, kills);
}

#[test]
fn a_network_of_replies_killed_while_it_learns_ends_at_the_same_bytes() {
    let kills = count("NIGHTCLERK_KILLS", 2);
    let place = support_shop(1050);
    // Some sixty batches are an epoch; copies that come to their end are followed by others.
    set(&place, "support", "network_steps", 60 * (2 + kills.min(6)));
    let undisturbed = twin(&place);
    undisturbed.ok(&["run", "support", "--quiet"]);
    let trial = Trial {
        job: "support",
        fits: &["replies en"],
        results: &[
            "SELECT ticket_id, decision, reply, confidence, sources FROM ticket_drafts ORDER BY 1",
            "SELECT ticket_id, decision, category, category_confidence, team, agent_id FROM ticket_routes ORDER BY 1",
            "SELECT model, metric, slice, value, split, chosen FROM scores ORDER BY 1, 2, 3",
        ],
    };
    trial.kill(&place, &undisturbed, kills);
}
