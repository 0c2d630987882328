//! The real program: exit codes, a giant through stdin in bounded memory, and kill -9 at any moment.

use super::*;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

fn clerk(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nightclerk"));
    command
        .current_dir(bench.folder.path())
        .args(["--db", "shop.db"])
        .args(arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn exit_codes_and_words() {
    let bench = bench();
    bench.file("good.csv", "user_id,country\na,DE\nb,FR\n");
    bench.file("half.csv", "user_id,created_at\nc,2026-01-01\nd,1767225600000\n");
    bench.file("bad.csv", "user_id,created_at\nd,soon\n");
    let run = |arguments: &[&str]| {
        let output = clerk(&bench, arguments).output().unwrap();
        (output.status.code(), said(&output))
    };
    let (code, words) = run(&["import", "users", "good.csv"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(
        words.contains("2 rows read: 2 new, 0 changed, 0 unchanged, 0 rejected"),
        "{words}"
    );
    let (code, words) = run(&["import", "users", "half.csv"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(
        words.contains("1 rejected: created_at: looks like milliseconds"),
        "{words}"
    );
    assert!(
        words.contains("rejected_rows WHERE table_name = 'users' AND source IN ('half.csv')"),
        "{words}"
    );
    let (code, words) = run(&["import", "users", "half.csv", "--strict"]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("nothing was taken"), "{words}");
    let (code, words) = run(&["import", "users", "bad.csv"]);
    assert_eq!(code, Some(2), "{words}");
    for arguments in [
        ["import", "users", "none.csv"].as_slice(),
        &["import", "customers", "good.csv"],
        &["import", "users", "good.csv", "--encoding", "klingon"],
        &[
            "import",
            "users",
            "good.csv",
            "--select",
            "SELECT nothing FROM input",
        ],
        &["import", "users", "good.csv", "--format", "xlsx"],
        &["import", "users"],
    ] {
        let (code, words) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {words}");
    }
    let (code, words) = run(&["--json", "import", "users", "good.csv"]);
    assert_eq!(code, Some(0), "{words}");
    let rows: serde_json::Value = serde_json::from_str(&words).unwrap();
    assert_eq!(
        (&rows[0]["unchanged"], &rows[0]["inserted"]),
        (&2.into(), &0.into())
    );
}

/// The most memory the process has used so far, in kilobytes.
#[cfg(target_os = "linux")]
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A cell of 200 MB (NIGHTCLERK_GIANT_MB: the release check asks for 2048) in less than 120 MB of memory.
#[cfg(target_os = "linux")]
#[test]
fn a_giant_cell_through_stdin_takes_no_memory() {
    let megabytes: u64 = std::env::var("NIGHTCLERK_GIANT_MB").map_or(200, |text| text.parse().unwrap());
    let bench = bench();
    let mut child = clerk(&bench, &["import", "users", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"user_id,country\na,\"").unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..megabytes {
        input.write_all(&piece).unwrap();
    }
    input.write_all(b"\"\nb,DE\n").unwrap();
    // More than any pipe and buffer hold: once this is written the giant has been read.
    for i in 0..100_000 {
        writeln!(input, "u{i},FR").unwrap();
    }
    let peak = peak(&child);
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(bench.one("SELECT count(*) FROM users"), "100001");
    assert_eq!(
        bench.one("SELECT source, line, reason, length(raw) FROM rejected_rows"),
        "stdin|2|a cell of more than 16 MB (cell 2)|4096"
    );
    assert!(peak < 120 << 10, "{peak} KB");
}

#[test]
fn a_kill_at_any_moment_leaves_a_file_that_can_be_imported_again() {
    let bench = bench();
    let mut text = String::from("order_id,product_id,user_id,kind,at\n");
    for i in 0..60_000u32 {
        text.push_str(&format!(
            "o{},sku{},user{},purchase,{}\n",
            i / 3,
            i % 977,
            i.wrapping_mul(7919) % 5003,
            1_600_000_000 + i / 2
        ));
    }
    let _ = bench.file("events.csv", &text);
    let mut random = fastrand::Rng::with_seed(5);
    let mut kept = 0;
    for _ in 0..8 {
        let mut child = clerk(&bench, &["import", "events", "events.csv"])
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(random.u64(5..400)));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(bench.one("PRAGMA integrity_check"), "ok");
        let rows: u64 = bench.one("SELECT count(*) FROM events").parse().unwrap();
        assert!(rows >= kept, "what was taken stays");
        kept = rows;
    }
    let output = clerk(&bench, &["import", "events", "events.csv"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        bench.one("SELECT count(*), count(DISTINCT source_id) FROM events"),
        "60000|60000"
    );
    // With --strict a kill leaves nothing.
    let _ = bench.file(
        "users.csv",
        (0..60_000)
            .map(|i| format!("u{i}\n"))
            .fold("user_id\n".to_string(), |all, row| all + &row),
    );
    for _ in 0..3 {
        let mut child = clerk(&bench, &["import", "users", "users.csv", "--strict"])
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(random.u64(1..60)));
        child.kill().unwrap();
        child.wait().unwrap();
        let rows = bench.one("SELECT count(*) FROM users");
        assert!(rows == "0" || rows == "60000", "{rows}");
    }
}

#[test]
fn an_application_writes_while_an_import_runs() {
    let bench = bench();
    let mut text = String::from("user_id,product_id,kind,at\n");
    for i in 0..120_000u32 {
        text.push_str(&format!(
            "user{},sku{},view,{}\n",
            i.wrapping_mul(7919) % 5003,
            i % 977,
            1_600_000_000 + i
        ));
    }
    let _ = bench.file("events.csv", &text);
    let mut child = clerk(&bench, &["import", "events", "events.csv"])
        .spawn()
        .unwrap();
    let shop = bench.sql();
    shop.busy_timeout(Duration::from_secs(5)).unwrap();
    let mut inserted = 0;
    while child.try_wait().unwrap().is_none() {
        shop.execute(
            "INSERT INTO events (product_id, kind) VALUES ('live', 'view')",
            [],
        )
        .unwrap();
        inserted += 1;
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(child.wait().unwrap().success());
    assert!(inserted > 3, "{inserted}");
    assert_eq!(
        bench.one("SELECT count(*) FROM events"),
        (120_000 + inserted).to_string()
    );
}
