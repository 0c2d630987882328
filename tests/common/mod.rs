//! What the tests of the real binary share: a folder, the program, and a look into its file.
#![allow(dead_code)] // each test binary uses its own part of it

pub mod daemon;

use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with a shop in it, removed at the end.
pub struct Place {
    pub dir: tempfile::TempDir,
}

impl Place {
    /// An empty folder.
    pub fn new() -> Place {
        Place {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A demo shop of the given scale, its first night done.
    pub fn demo(scale: &str) -> Place {
        let place = Place::new();
        let done = place.clerk(&[
            "demo",
            place.path("").to_str().unwrap(),
            "--scale",
            scale,
            "--quiet",
        ]);
        assert_ok(&done);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn db(&self) -> PathBuf {
        self.path("shop.db")
    }

    /// The program on this shop, not yet started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightclerk"));
        command
            .args(arguments)
            .env("NIGHTCLERK_DB", self.db())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn clerk(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it, expecting success; its standard output.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.clerk(arguments);
        assert_ok(&output);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it, expecting this exit code; its standard error.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.clerk(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?} said {said}{}",
            String::from_utf8_lossy(&output.stdout)
        );
        said
    }

    /// The file as an application opens it.
    pub fn open(&self) -> Connection {
        open(&self.db())
    }

    /// One number.
    pub fn number(&self, sql: &str) -> i64 {
        self.open().query_row(sql, [], |r| r.get(0)).unwrap()
    }

    /// One text.
    pub fn text(&self, sql: &str) -> String {
        self.open().query_row(sql, [], |r| r.get(0)).unwrap()
    }
}

pub fn open(path: &Path) -> Connection {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    conn
}

pub fn assert_ok(output: &Output) {
    assert!(
        output.status.success(),
        "exit {:?}\n{}{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The result views of the contract.
pub const RESULTS: [&str; 18] = [
    "recommendations",
    "visitor_recommendations",
    "similar_products",
    "bought_together",
    "next_products",
    "buy_again",
    "popular_products",
    "price_forecasts",
    "price_models",
    "price_stats",
    "price_elasticities",
    "price_whatif",
    "price_advice",
    "ticket_routes",
    "ticket_queue",
    "ticket_neighbours",
    "ticket_drafts",
    "generations",
];

/// Every row of a query as text, in its order.
pub fn dump(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let cells: Vec<String> = (0..columns)
            .map(|i| format!("{:?}", row.get_ref(i).unwrap()))
            .collect();
        all.push(cells.join("|"));
    }
    all
}

/// One text column.
pub fn texts(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let rows = statement.query_map([], |r| r.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// A shop whose people have decided `each` tickets of two matters and answered them, over sixty days, with two teams of
/// one agent each and five open tickets.
pub fn support_shop(each: usize) -> Place {
    let place = Place::new();
    place.ok(&["init"]);
    let conn = place.open();
    conn.execute_batch(
        "INSERT INTO agents (agent_id, name, team, languages, skills, capacity) VALUES
           ('a', 'Ada', 'post', '[\"en\"]', '[\"parcel\"]', 2), ('b', 'Bo', 'desk', NULL, NULL, 50)",
    )
    .unwrap();
    for i in 0..each * 2 {
        let parcel = [
            "where is my parcel",
            "the courier never came",
            "my package is late",
            "tracking does not move",
        ];
        let login = [
            "i cannot log in",
            "my password is wrong",
            "the reset mail never comes",
            "my account is locked",
        ];
        let filler = [
            "hello",
            "please help",
            "thanks",
            "i am waiting since monday",
            "it is urgent",
            "as usual",
            "again",
        ];
        let (category, team, agent, phrases, reply) = match i % 2 {
            0 => (
                "parcel",
                "post",
                "a",
                parcel,
                "The courier brings your parcel tomorrow.",
            ),
            _ => (
                "login",
                "desk",
                "b",
                login,
                "Use the link to choose a new password.",
            ),
        };
        // One in twelve says nothing about its matter: no model can be sure of those.
        let phrase = if i % 24 == 10 || i % 24 == 23 {
            "i have a question"
        } else {
            phrases[i / 2 % 4]
        };
        let text = format!("{} {phrase} {}", filler[i * 3 % 7], filler[(i * 5 + i / 7) % 7]);
        let at = 1_700_000_000 + i as i64 * 60 * 86_400 / (each as i64 * 2);
        conn.execute(
            "INSERT INTO tickets (ticket_id, body, status, category, team, priority, created_at, closed_at)
             VALUES (?1, ?2, 'closed', ?3, ?4, 'high', ?5, ?5 + 60)",
            (format!("old{i:03}"), text, category, team, at),
        )
        .unwrap();
        conn.execute(
            "INSERT INTO replies (ticket_id, author, agent_id, body, at) VALUES (?1, 'note', ?2, 'SECRET NOTE', ?4 + 10),
                                                                              (?1, 'agent', ?2, ?3, ?4 + 30)",
            (format!("old{i:03}"), agent, format!("{reply} Yours, {agent}"), at),
        )
        .unwrap();
    }
    for (i, text) in [
        "the courier did not bring my parcel",
        "i cannot log in with my password",
        "parcel? courier?",
        "where is it, my parcel",
    ]
    .iter()
    .enumerate()
    {
        conn.execute(
            "INSERT INTO tickets (ticket_id, body, created_at) VALUES (?1, ?2, ?3)",
            (format!("new{i}"), text, 1_700_000_000 + 61 * 86_400 + i as i64),
        )
        .unwrap();
    }
    place
}

/// How often a test does what it does: a small number, or the one in the environment (`just soak` sets larger ones).
pub fn count(variable: &str, usual: usize) -> usize {
    std::env::var(variable)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(usual)
}

/// A seed that differs from run to run and is printed, so that a failure can be had again.
#[allow(clippy::print_stdout)]
pub fn dice() -> fastrand::Rng {
    let seed = std::env::var("NIGHTCLERK_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or_else(|| fastrand::u64(..));
    println!("NIGHTCLERK_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}
