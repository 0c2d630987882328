//! `nightclerk serve`: the daemon, until SIGTERM or Ctrl-C.

use super::{Failure, Global, cancel_flag, jobs_folder};
use crate::console::{self, Console};
use crate::night::Leader;
use crate::night::daemon::{self, Pulse, Serve};
use crate::store::{self, Shop};
use anyhow::{Context, Result};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Where and how to serve.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Address of /healthz and /metrics, or `none`; other than a loopback address needs a token
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:8465",
        env = "NIGHTCLERK_LISTEN",
        hide_env_values = true
    )]
    listen: String,
    /// File with the token that requests must bear (or NIGHTCLERK_TOKEN)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Fetched once a minute while all goes round: a dead-man's switch notices its silence
    #[arg(
        long,
        value_name = "URL",
        env = "NIGHTCLERK_HEARTBEAT",
        hide_env_values = true
    )]
    heartbeat: Option<String>,
    /// Lines for people, or one JSON object each; NIGHTCLERK_LOG chooses how much (default warn,nightclerk=info)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    log: Format,
    /// Jobs at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    at_once: u16,
    /// Seconds that runs may take to stop before they are killed
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    patience: u64,
    /// Leave the planner to its own clock, as if the ticker had died
    #[arg(long, hide = true)]
    without_ticker: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Shortest token that is worth its name.
const SHORTEST_TOKEN: usize = 16;

/// Serves.
pub fn run(args: &ServeArgs, global: &Global) -> Result<()> {
    let token = token(args.token_file.as_deref())?;
    let address = address(&args.listen, token.is_some())?;
    if !global.db.exists() {
        return Err(store::Error::Missing {
            path: global.db.clone(),
        }
        .into());
    }
    let leader = Leader::try_take(&global.db, "serve")?.map_err(|holder| {
        Failure::Led(format!(
            "{}: {holder} leads already; one daemon a file",
            global.db.display()
        ))
    })?;
    drop(Shop::open(&global.db)?); // brings the schema up to date before anybody asks the page
    log(args.log, global.quiet)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(4)
        .enable_all()
        .build()
        .context("the runtime of the page")?;
    let pulse = Arc::new(Pulse::default());
    let mut listen = None;
    if let Some(address) = address {
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(address))
            .with_context(|| {
                format!(
                    "{address} cannot be listened on; choose another with --listen ADDR, or --listen none"
                )
            })?;
        listen = Some(listener.local_addr()?.to_string());
        let console = Console {
            database: global.db.clone(),
            pulse: pulse.clone(),
            token,
        };
        runtime.spawn(async move {
            if let Err(e) = console::answer(console, listener).await {
                tracing::error!("the page ended: {e}");
            }
        });
    }
    let serve = Serve {
        database: global.db.clone(),
        jobs: jobs_folder(&global.db),
        listen,
        threads: global.threads,
        seed: global.seed,
        at_once: args.at_once.into(),
        heartbeat: args.heartbeat.clone().filter(|url| !url.is_empty()),
        patience: Duration::from_secs(args.patience),
        ticker: !args.without_ticker,
        stop: cancel_flag(),
    };
    let served = daemon::serve(&serve, leader, &pulse, runtime.handle());
    runtime.shutdown_background();
    served
}

/// The token that requests have to bear, if there is one.
fn token(file: Option<&Path>) -> Result<Option<String>> {
    let (token, from) = match file {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|e| Failure::Usage(format!("--token-file {}: {e}", file.display())))?;
            (
                Some(text.trim().to_owned()),
                format!("--token-file {}", file.display()),
            )
        }
        None => (
            std::env::var("NIGHTCLERK_TOKEN")
                .ok()
                .filter(|token| !token.is_empty()),
            "NIGHTCLERK_TOKEN".into(),
        ),
    };
    match token {
        Some(token) if token.len() < SHORTEST_TOKEN => Err(Failure::Usage(format!(
            "{from}: a token of {} letters can be guessed; at least {SHORTEST_TOKEN} were expected",
            token.len()
        ))
        .into()),
        token => Ok(token),
    }
}

/// Where to listen: everybody's addresses only with a token.
fn address(listen: &str, has_token: bool) -> Result<Option<SocketAddr>> {
    if listen == "none" {
        return Ok(None);
    }
    let address = listen
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next())
        .ok_or_else(|| {
            Failure::Usage(format!(
                "--listen {listen}: an address such as 127.0.0.1:8465 was expected, or none"
            ))
        })?;
    if !address.ip().is_loopback() && !has_token {
        return Err(Failure::Usage(format!(
            "--listen {listen} can be reached from other machines: set a token with --token-file FILE or NIGHTCLERK_TOKEN, or \
             listen on 127.0.0.1"
        ))
        .into());
    }
    Ok(Some(address))
}

fn log(format: Format, quiet: bool) -> Result<()> {
    let usual = if quiet { "warn" } else { "warn,nightclerk=info" };
    let filter = match std::env::var("NIGHTCLERK_LOG") {
        Ok(chosen) if !chosen.is_empty() => EnvFilter::try_new(&chosen)
            .map_err(|e| Failure::Usage(format!("NIGHTCLERK_LOG: {chosen:?}: {e}")))?,
        _ => EnvFilter::new(usual),
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let set = match format {
        Format::Text => lines.with_target(false).with_ansi(false).try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
    set.map_err(|e| anyhow::anyhow!("the log cannot be set up: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_open_to_this_machine_only_or_needs_a_token() {
        for local in ["127.0.0.1:0", "[::1]:80", "none", "localhost:9"] {
            assert!(address(local, false).is_ok(), "{local}");
        }
        for open in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80"] {
            assert!(
                address(open, false).unwrap_err().to_string().contains("token"),
                "{open}"
            );
            assert!(address(open, true).is_ok(), "{open}");
        }
        for wrong in ["", "8465", "127.0.0.1", "127.0.0.1:http:80"] {
            assert!(
                address(wrong, true)
                    .unwrap_err()
                    .to_string()
                    .contains("127.0.0.1:8465"),
                "{wrong}"
            );
        }
    }
}
