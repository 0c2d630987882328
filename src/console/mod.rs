//! The daemon's page for machines: `/healthz` for whoever asks whether all is well, `/metrics` for whoever draws it. It reads the
//! book through the store and the pulse of the daemon's loops, and changes nothing.
//!
//! On a loopback address anybody on the machine may read it: it holds names of jobs and counts, no customer's data. On any other
//! address every request has to bear the token, `Authorization: Bearer TOKEN`.

mod health;
mod metrics;

use crate::night::daemon::Pulse;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;

/// What the page shows, and to whom.
#[derive(Debug)]
pub struct Console {
    /// The file.
    pub database: PathBuf,
    /// The daemon's pulse.
    pub pulse: Arc<Pulse>,
    /// What requests have to bear; None = nothing.
    pub token: Option<String>,
}

/// Answers on `listener` until the process ends.
///
/// # Errors
/// Those of the socket.
pub async fn answer(console: Console, listener: TcpListener) -> std::io::Result<()> {
    let console = Arc::new(console);
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(show_metrics))
        .fallback(|| async { (StatusCode::NOT_FOUND, "/healthz and /metrics are here\n") })
        .layer(axum::middleware::from_fn_with_state(console.clone(), admit))
        .with_state(console);
    axum::serve(listener, router).await
}

/// Lets in who bears the token.
async fn admit(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let borne = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match &console.token {
        Some(token) if !borne.is_some_and(|borne| is_same(borne.as_bytes(), token.as_bytes())) => (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Bearer")],
            "a token is needed: Authorization: Bearer TOKEN\n",
        )
            .into_response(),
        _ => next.run(request).await,
    }
}

/// Compares without telling by its time how much was right.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (x, y)| differ | (x ^ y)) == 0
}

async fn healthz(State(console): State<Arc<Console>>) -> Response {
    let looked = tokio::task::spawn_blocking(move || health::look(&console.database, &console.pulse)).await;
    match looked {
        Ok(health) => {
            let code = if health.problems.is_empty() {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
            (code, axum_json(&health)).into_response()
        }
        Err(e) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{e}\n")).into_response(),
    }
}

fn axum_json(health: &health::Health) -> Response {
    let text = serde_json::to_string(health).unwrap_or_else(|e| format!("{{\"problems\":[\"{e}\"]}}"));
    ([(header::CONTENT_TYPE, "application/json")], text + "\n").into_response()
}

async fn show_metrics(State(console): State<Arc<Console>>) -> Response {
    let written =
        tokio::task::spawn_blocking(move || metrics::write(&console.database, &console.pulse)).await;
    match written {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Ok(Err(e)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{e:#}\n")).into_response(),
        Err(e) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{e}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_compared_whole() {
        assert!(is_same(b"abc", b"abc"));
        for wrong in ["", "ab", "abd", "abcd"] {
            assert!(!is_same(wrong.as_bytes(), b"abc"), "{wrong}");
        }
    }
}
