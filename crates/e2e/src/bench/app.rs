//! The real app, as it is deployed, on a free port of the loopback.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use common::store::StoreTarget;
use tempfile::TempDir;

use super::process::Process;

/// From the start of the process to its first word; well under a second on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running app. Ends with this value, as by a power cut: what it answered must be in the store all the same.
pub(super) struct App {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl App {
    /// Starts it on a store. A SQLite file must have the name that app looks for in its folder.
    pub(super) async fn start(program: &Path, target: &StoreTarget) -> anyhow::Result<App> {
        let folder = tempfile::Builder::new().prefix("poolmanager-bench-app-").tempdir()?;
        let log = folder.path().join("log");
        let text = |words: &str| words.to_owned();
        let mut variables = vec![
            ("APP_BIND", text("127.0.0.1")),
            ("APP_PORT", text("0")),
            ("AUTH", text("open")),
            ("LOG_LEVEL", text("warn")),
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
                return Ok(App { process, address, _folder: folder });
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

    /// The most memory that it ever had, in MiB.
    pub(super) fn peak_mib(&self) -> anyhow::Result<f64> {
        self.process.peak_mib()
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
