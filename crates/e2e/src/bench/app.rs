//! The real app, as it is deployed, on a free port of the loopback.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use common::clock;
use common::model::{Actor, Event, EventKind, Token, TokenId, TokenKind, TokenText};
use common::store::{SharedStore, StoreTarget};
use tempfile::TempDir;

use super::process::Process;

/// From the start of the process to its first word; well under a second on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Who is believed to call: anybody, or whoever shows this service's token, as which deployments ship.
#[derive(Clone)]
pub(super) enum Door {
    Open,
    Tokens(TokenText),
}

/// A running app. Ends with this value, as by a power cut: what it answered must be in the store all the same.
pub(super) struct App {
    process: Process,
    address: SocketAddr,
    door: Door,
    _folder: TempDir,
}

impl App {
    /// Starts it on a store. A SQLite file must have the name that app looks for in its folder.
    pub(super) async fn start(program: &Path, target: &StoreTarget, door: Door) -> anyhow::Result<App> {
        let folder = tempfile::Builder::new().prefix("poolmanager-bench-app-").tempdir()?;
        let log = folder.path().join("log");
        let text = |words: &str| words.to_owned();
        let mut variables = vec![
            ("APP_BIND", text("127.0.0.1")),
            ("APP_PORT", text("0")),
            ("AUTH", text(door.setting())),
            // At which it says where it listens, and nothing of single calls.
            ("LOG_LEVEL", text("info")),
            ("INTERNAL_SECRET", text("nobody-rings-in-a-bench")),
        ];
        match target {
            StoreTarget::Mongo { url, database } => {
                variables.extend([("MONGO_URL", url.clone()), ("MONGO_DB", database.clone())]);
            }
            StoreTarget::Sqlite { path } => {
                let data = path.parent().context("a file in a folder")?;
                variables.push(("DATA_DIR", data.to_string_lossy().into_owned()));
            }
        }
        let process =
            Process::start(program, &variables, &log).with_context(|| format!("starting {}", program.display()))?;
        let ends = Instant::now() + START_LIMIT;
        loop {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            if let Some(address) = address(&said) {
                return Ok(App { process, address, door, _folder: folder });
            }
            if process.has_ended() || Instant::now() > ends {
                bail!("{} did not start; it says: {}", program.display(), said.trim());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a caller puts into each request's head to be let in.
    pub(super) fn credentials(&self) -> String {
        match &self.door {
            Door::Open => String::new(),
            Door::Tokens(token) => format!("Authorization: Bearer {}\r\n", token.expose()),
        }
    }

    /// The most memory that it ever had, in MiB.
    pub(super) fn peak_mib(&self) -> anyhow::Result<f64> {
        self.process.peak_mib()
    }
}

impl Door {
    /// Makes a service's token that is good for longer than any run.
    pub(super) async fn with_token(store: &SharedStore) -> anyhow::Result<Door> {
        let (text, now) = (TokenText::random(), clock::now());
        let token = Token {
            id: TokenId::random(),
            kind: TokenKind::Service,
            name: "bench".to_owned(),
            hash: text.hash(),
            leases_max: None,
            created_at: now,
            created_by: "bench".to_owned(),
            expires_at: None,
            revoked: None,
            used_at: None,
        };
        let event = Event::new(now, EventKind::Access, Actor::Reconciler, "for the bench");
        store.insert_token(&token, event).await.context("making a token")?;
        Ok(Door::Tokens(text))
    }

    fn setting(&self) -> &'static str {
        match self {
            Door::Open => "open",
            Door::Tokens(_) => "tokens",
        }
    }
}

/// What app says when it serves: `... http://127.0.0.1:PORT; ...`.
fn address(said: &str) -> Option<SocketAddr> {
    let (_, rest) = said.split_once("serving on http://")?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '[' | ']')))?;
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_apps_first_line() {
        let line = "WARN poolmanager_app: serving on http://127.0.0.1:4321; AUTH=open: anyone version=\"1\"\n";
        assert_eq!(address(line), Some(SocketAddr::from(([127, 0, 0, 1], 4321))));
        assert_eq!(address("serving on http://127.0.0.1:43"), None, "the line is not whole yet");
    }
}
