//! A private, real mongod: a replica set of one node on a free port of the loopback, with a folder of its own.
//!
//! It ends with this value, and also with this process, however that ends.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use mongodb::Client;
use mongodb::bson::{Document, doc};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// From the start of the process to the first write; under a second on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Starts mongod and waits for its own standard input to end, which it does when whoever started it is gone.
const KEEPER: &str = r#"
folder="$1"; shift
"$@" >"$folder/log" 2>&1 </dev/null &
echo $!
files=remove
while read -r word; do files="$word"; done
kill -9 $! 2>/dev/null
wait $! 2>/dev/null
[ "$files" = keep ] || rm -rf "$folder"
"#;

/// A running mongod.
#[derive(Debug)]
pub struct Mongod {
    folder: PathBuf,
    port: u16,
    role: Role,
    running: Option<Running>,
}

/// What it is to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// No replica set.
    Alone,
    /// A replica set of its own.
    Set,
    /// One of a set that somebody else initiates.
    Member,
    /// One that asks for users and has none.
    Guarded,
}

#[derive(Debug)]
struct Running {
    keeper: Child,
    /// Held open: its end ends mongod.
    tie: ChildStdin,
    pid: u32,
}

impl Mongod {
    /// Starts one and waits until it takes writes.
    pub async fn start() -> anyhow::Result<Mongod> {
        Mongod::launch_as(Role::Set).await
    }

    /// One that is no replica set, for those who must refuse it.
    pub async fn start_alone() -> anyhow::Result<Mongod> {
        Mongod::launch_as(Role::Alone).await
    }

    /// A fresh one that asks for users and has none, for a set that is still to be made; answers nothing but a greeting yet.
    pub fn start_guarded() -> anyhow::Result<Mongod> {
        let folder = tempfile::Builder::new().prefix("poolmanager-mongod-").tempdir()?.keep();
        let key = folder.join("key");
        std::fs::write(&key, "k".repeat(64))?;
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o400))?;
        let port = free_port()?;
        let mut mongod = Mongod { folder, port, role: Role::Guarded, running: None };
        mongod.launch()?;
        Ok(mongod)
    }

    /// One that is to be a member of the set `rs`, which whoever starts it initiates: waits only until it answers.
    pub async fn start_member() -> anyhow::Result<Mongod> {
        Mongod::launch_as(Role::Member).await
    }

    async fn launch_as(role: Role) -> anyhow::Result<Mongod> {
        let folder = tempfile::Builder::new().prefix("poolmanager-mongod-").tempdir()?.keep();
        let mut mongod = Mongod { folder, port: 0, role, running: None };
        let mut last = None;
        // The port was free a moment ago; somebody else may have been quicker.
        for _ in 0..3 {
            mongod.port = free_port()?;
            mongod.launch()?;
            match mongod.until_ready().await {
                Ok(()) => return Ok(mongod),
                Err(error) => last = Some(error),
            }
            mongod.kill();
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("mongod did not start")))
    }

    /// How clients reach it.
    pub fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/?replicaSet=rs", self.port)
    }

    /// How clients reach it that must not ask it for its own address: through a proxy, say.
    pub fn direct_url(port: u16) -> String {
        format!("mongodb://127.0.0.1:{port}/?directConnection=true")
    }

    /// Its port, the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it as a power cut would. Its files stay until this value goes.
    pub fn kill(&mut self) {
        if let Some(Running { mut keeper, mut tie, .. }) = self.running.take() {
            let _ = tie.write_all(b"keep\n");
            drop(tie);
            let _ = keeper.wait();
        }
    }

    /// Starts it again on the same files and port.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        self.launch()?;
        self.until_ready().await
    }

    /// Stops it where it is: connections stay, and nothing is answered any more.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on after [`Mongod::freeze`].
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let running = self.running.as_ref().context("it does not run")?;
        kill(Pid::from_raw(i32::try_from(running.pid)?), signal).with_context(|| format!("{signal} to mongod"))
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        let data = self.folder.join("data");
        std::fs::create_dir_all(&data)?;
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "keeper"]).arg(&self.folder).arg(binary()?);
        command.arg("--dbpath").arg(&data).args(["--port", &self.port.to_string()]);
        command.args(["--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.25"]);
        command.args(["--unixSocketPrefix".as_ref(), self.folder.as_os_str()]);
        command.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
        if self.role == Role::Guarded {
            command.args(["--replSet", "rs0", "--keyFile"]).arg(self.folder.join("key"));
        } else if self.role != Role::Alone {
            command.args(["--replSet", "rs"]);
        }
        // In a group of its own: Ctrl-C reaches whoever started it only, and then this ends by the input's end.
        command.process_group(0);
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let tie = keeper.stdin.take().context("the keeper's input")?;
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().context("the keeper's output")?).read_line(&mut line)?;
        let pid = line.trim().parse().context("the keeper's word")?;
        self.running = Some(Running { keeper, tie, pid });
        Ok(())
    }

    async fn until_ready(&self) -> anyhow::Result<()> {
        let url = format!("{}&serverSelectionTimeoutMS=500", Mongod::direct_url(self.port));
        let client = Client::with_uri_str(url).await?;
        let admin = client.database("admin");
        let ends = Instant::now() + START_LIMIT;
        let outcome = loop {
            let state = async {
                let hello = admin.run_command(doc! { "hello": 1 }).await?;
                if self.role == Role::Member || hello.get_bool("isWritablePrimary").unwrap_or(false) {
                    return Ok(true);
                }
                if self.role == Role::Set && hello.get_str("setName").is_err() {
                    let member = doc! { "_id": 0, "host": format!("127.0.0.1:{}", self.port) };
                    let set: Document = doc! { "_id": "rs", "members": [member] };
                    // Refused while a set that was made before is being read; asked again below.
                    let _ = admin.run_command(doc! { "replSetInitiate": set }).await;
                }
                anyhow::Ok(false)
            };
            match tokio::time::timeout(Duration::from_secs(5), state).await {
                Ok(Ok(true)) => break Ok(()),
                outcome if Instant::now() > ends => break Err(anyhow::anyhow!("the last look was {outcome:?}")),
                _ if self.has_ended() => break Err(anyhow::anyhow!("it ended by itself")),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        client.shutdown().immediate(true).await;
        outcome.with_context(|| format!("mongod on port {}; its log ends with {}", self.port, self.log_end()))
    }

    fn has_ended(&self) -> bool {
        self.running.as_ref().is_none_or(|running| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.pid)).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        })
    }

    fn log_end(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A port that nobody listens on just now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Where mongod is.
#[expect(clippy::disallowed_methods, reason = "where this machine has its test parts is no setting of the product")]
fn binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("MONGOD") {
        return Ok(path.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home = std::env::var_os("HOME").unwrap_or_default();
    let cached = Path::new(&home).join(".cache/poolmanager/bin");
    let found = std::env::split_paths(&path).chain([cached]).map(|folder| folder.join("mongod")).find(|p| p.is_file());
    match found {
        Some(path) => Ok(path),
        None => bail!("there is no mongod: run ./scripts/real-parts.sh, or set MONGOD to its path"),
    }
}
