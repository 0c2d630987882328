//! A daemon under test.

use super::Place;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A daemon that is killed when a test ends.
pub struct Daemon(pub Child);

impl Daemon {
    pub fn start(place: &Place, arguments: &[&str], environment: &[(&str, &str)]) -> Daemon {
        let all: Vec<&str> = ["serve", "--listen", "127.0.0.1:0"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(place.path("serve.log"))
            .unwrap();
        let child = place
            .command(&all)
            .envs(environment.iter().copied())
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Daemon(child);
        until("the daemon leads", || {
            place
                .open()
                .query_row(
                    "SELECT count(*) FROM leader WHERE ended_at IS NULL AND process = ?1",
                    [daemon.0.id()],
                    |r| r.get::<_, i64>(0),
                )
                .is_ok_and(|n| n == 1)
        });
        daemon
    }

    pub fn terminate(&mut self) -> Option<i32> {
        let kill = Command::new("kill")
            .arg("-TERM")
            .arg(self.0.id().to_string())
            .status()
            .unwrap();
        assert!(kill.success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for something that comes soon.
pub fn until(what: &str, is: impl FnMut() -> bool) {
    until_within(60, what, is);
}

/// Waits for something that takes so many seconds at the most; looks less often the longer it waits.
pub fn until_within(seconds: u64, what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        let waited = begun.elapsed();
        assert!(
            waited < Duration::from_secs(seconds),
            "waited in vain for {seconds} s: {what}"
        );
        std::thread::sleep((waited / 20).max(Duration::from_millis(20)));
    }
}
