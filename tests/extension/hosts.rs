//! Programs that can load an extension. One that is not here is skipped with its reason on standard error, or, where
//! `NIGHTCLERK_HOSTS` names it (continuous integration installs them), fails the test.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A host by name: how it is started on `ask.py` and its like, without the arguments.
pub fn command(name: &str) -> Option<Command> {
    let found = match name {
        "python" => python(),
        "apsw" => python().and_then(|mut python| {
            if let Some(path) = std::env::var_os("NIGHTCLERK_APSW") {
                python.env("PYTHONPATH", path);
            }
            works(&mut again(&python, &["-c", "import apsw"]))
                .then_some(python)
                .ok_or_else(|| {
                    "this Python has no apsw (pip install apsw; NIGHTCLERK_APSW names its folder)".into()
                })
        }),
        "node" => node("NIGHTCLERK_NODE", "import 'node:sqlite'"),
        "better-sqlite3" => node(
            "NIGHTCLERK_BETTER_NODE",
            "await import(process.env.NIGHTCLERK_BETTER_SQLITE3 ?? 'better-sqlite3')",
        ),
        "php" => {
            let mut php = Command::new("php");
            php.args(["-d", "display_errors=stderr"]);
            match works(&mut again(
                &php,
                &["-r", "exit(class_exists('SQLite3') ? 0 : 1);"],
            )) {
                true => Ok(php),
                false => Err("there is no php with its sqlite3".into()),
            }
        }
        "sqlite3" => {
            let mut shell = Command::new("sqlite3");
            match works(shell.args([":memory:", ".load --help"]).stdin(Stdio::null()))
                || works(Command::new("sqlite3").arg("-version"))
            {
                true => Ok(Command::new("sqlite3")),
                false => Err("there is no sqlite3 shell".into()),
            }
        }
        other => panic!("{other} is no host"),
    };
    match found {
        Ok(command) => Some(command),
        Err(why) => {
            missing(name, &why);
            None
        }
    }
}

/// Says that something is not tested.
pub fn missing(name: &str, why: &str) {
    let wanted = std::env::var("NIGHTCLERK_HOSTS").unwrap_or_default();
    assert!(
        !wanted.split_whitespace().any(|wanted| wanted == name),
        "{name}: {why}, and NIGHTCLERK_HOSTS names it"
    );
    // Past the test harness, which would keep it to itself.
    let _ = writeln!(std::io::stderr(), "SKIPPED, the extension in {name}: {why}");
}

fn python() -> Result<Command, String> {
    let asked = std::env::var("NIGHTCLERK_PYTHON").ok();
    let names = asked
        .iter()
        .map(String::as_str)
        .chain(["python3", "/usr/bin/python3"]);
    let can = "import sqlite3; sqlite3.connect(':memory:').enable_load_extension(True)";
    for name in names {
        if works(Command::new(name).args(["-c", can])) {
            return Ok(Command::new(name));
        }
    }
    Err("there is no python3 whose sqlite3 may load extensions (NIGHTCLERK_PYTHON names one)".into())
}

fn node(variable: &str, import: &str) -> Result<Command, String> {
    let name = std::env::var(variable).unwrap_or_else(|_| "node".into());
    let mut node = Command::new(&name);
    node.arg("--no-warnings");
    match works(&mut again(&node, &["--input-type=module", "-e", import])) {
        true => Ok(node),
        false => Err(format!("{name} cannot {import} ({variable} names another)")),
    }
}

/// The same command with further arguments.
fn again(command: &Command, arguments: &[&str]) -> Command {
    let mut again = Command::new(command.get_program());
    again.args(command.get_args()).args(arguments);
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            again.env(name, value);
        }
    }
    again
}

fn works(command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The script that runs statements in a host.
fn script(host: &str) -> &'static str {
    match host {
        "node" | "better-sqlite3" => "ask.mjs",
        "php" => "ask.php",
        _ => "ask.py",
    }
}

/// What statements say in a host: rows of values, or `{"error": ...}`; none = the host is not here.
pub fn ask(
    host: &str,
    library: &Path,
    database: &Path,
    statements: &[String],
) -> Option<Vec<serde_json::Value>> {
    let mut command = command(host)?;
    if host == "php" {
        let folder = library.parent().unwrap().display();
        command.arg("-d").arg(format!("sqlite3.extension_dir={folder}"));
    }
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/extension");
    command
        .arg(scripts.join(script(host)))
        .arg(library)
        .arg(database)
        .arg(host)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if host == "python" {
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut plain = Command::new(command.get_program());
        plain
            .args(&arguments[..arguments.len() - 1])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command = plain;
    }
    let mut child = command.spawn().unwrap();
    let asked = serde_json::to_vec(statements).unwrap();
    child.stdin.take().unwrap().write_all(&asked).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(
        done.status.success(),
        "{host}: {:?}\n{}\n{}",
        done.status,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    let said: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let _ = writeln!(
        std::io::stderr(),
        "the extension in {host}: SQLite {}",
        said["sqlite"]
    );
    Some(said["answers"].as_array().unwrap().clone())
}

/// Puts Python through a trial of trials.py, with as many repetitions; what it says. None = there is no such Python.
pub fn trial(name: &str, library: &Path, database: &Path, count: usize) -> Option<String> {
    let mut python = command("python")?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/extension");
    let done = python
        .arg(scripts.join("trials.py"))
        .arg(library)
        .arg(database)
        .args([name, &count.to_string()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.code() == Some(77) {
        missing(name, said.trim());
        return None;
    }
    assert!(
        done.status.success(),
        "trial {name}: {:?}\n{said}\n{}",
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
    let _ = write!(std::io::stderr(), "trial {name}: {said}");
    Some(said)
}
