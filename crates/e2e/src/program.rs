//! One of our own programs, as it was built, started for a story: its output in a file, its end in our hands.
//!
//! It ends with this value, however the story ends.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// From the start of a process to the line that tells its address. Opening a store takes the most of it.
const START_LIMIT: Duration = Duration::from_secs(40);

/// Environment variables of a program.
pub type Environment = BTreeMap<String, String>;

/// A program that was started.
#[derive(Debug)]
pub struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `poolmanager-admin` or `poolmanager-app` with these arguments and this environment and nothing else.
    /// What it prints goes to `log`, after what is there.
    pub fn start(
        name: &'static str,
        arguments: &[&str],
        environment: &Environment,
        log: &Path,
    ) -> anyhow::Result<Program> {
        let output = std::fs::File::options().create(true).append(true).open(log).context("opening a log")?;
        let mut command = Command::new(binary(name)?);
        command.args(arguments).env_clear().envs(environment).stdin(Stdio::null());
        let child = command.stdout(output.try_clone()?).stderr(output).spawn().with_context(|| name)?;
        Ok(Program { name, child, log: log.to_owned() })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits for the line that tells where it serves; `http://127.0.0.1:PORT`.
    pub async fn address(&mut self) -> anyhow::Result<String> {
        let ends = Instant::now() + START_LIMIT;
        loop {
            if let Some(url) = self.log().lines().find_map(served_at) {
                return Ok(url);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended at its start with {status}: {}", self.name, self.log());
            }
            ensure!(Instant::now() < ends, "{} does not serve after {START_LIMIT:?}: {}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGKILL: it ends in the middle of whatever it does. On return it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGSTOP: it stands still, and its connections stay.
    pub fn freeze(&self) -> anyhow::Result<()> {
        Ok(kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGSTOP)?)
    }

    /// SIGCONT: it goes on where it stood, and does not know that time has passed.
    pub fn thaw(&self) -> anyhow::Result<()> {
        Ok(kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGCONT)?)
    }

    /// SIGTERM, and waits; how it ended, and after how long. An error if it has not ended within `limit`.
    pub async fn end(&mut self, limit: Duration) -> anyhow::Result<(ExitStatus, Duration)> {
        let begun = Instant::now();
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM)?;
        let status = self.ended(limit).await?;
        Ok((status, begun.elapsed()))
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let ends = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < ends, "{} has not ended after {limit:?}: {}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Why a story failed is often in here.
        if std::thread::panicking() {
            let ended = self.child.try_wait().ok().flatten();
            let lines: Vec<String> = self.log().lines().map(str::to_owned).collect();
            let last = &lines[lines.len().saturating_sub(25)..];
            let how = ended.map_or("was running".into(), |s| format!("had ended, {:?} {:?}", s.code(), s.signal()));
            complain(&format!("--- {} {how}; the end of its log:\n{}", self.name, last.join("\n")));
        }
        self.kill();
    }
}

#[expect(clippy::print_stderr, reason = "shown with a story that failed")]
fn complain(text: &str) {
    eprintln!("{text}");
}

fn served_at(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(" serves at ").or_else(|| line.split_once("serving on "))?;
    let end = rest.find(|c: char| c.is_whitespace() || c == ';').unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}

/// A binary of this build: in the folder that this program's own executable is in, or in the one above it, where a
/// test's is.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let build = if cfg!(debug_assertions) { "cargo build --workspace" } else { "cargo build --release --workspace" };
    let own = std::env::current_exe().context("asking for this program's own path")?;
    let mut paths = own.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    let Some(path) = paths.find(|path| path.is_file()) else {
        bail!("there is no {name} beside {}: run `{build}`", own.display());
    };
    let built = std::fs::metadata(&path).and_then(|data| data.modified()).context("asking for a program's time")?;
    // Testing this package alone does not build the programs, and an old one would tell an old story.
    if let Some(newer) = newer_source(&path.with_extension("d"), built) {
        bail!("{} is older than {newer}: run `{build}`", path.display());
    }
    Ok(path)
}

/// Cargo writes down beside a binary what it was made of.
fn newer_source(list: &Path, built: SystemTime) -> Option<String> {
    let list = std::fs::read_to_string(list).ok()?;
    let (_, sources) = list.split_once(": ")?;
    let newer = |path: &&str| std::fs::metadata(path).and_then(|data| data.modified()).is_ok_and(|at| at > built);
    sources.split_whitespace().find(newer).map(str::to_owned)
}
