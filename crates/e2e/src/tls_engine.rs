//! A second, real Docker daemon that speaks TLS and asks for a client's certificate, in a network namespace of its own, so that
//! it cannot touch the bridges of the machine's engine. Needs root, ip, openssl and dockerd.
//!
//! It ends with this value.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// From the start of the process to its first answer; some three seconds on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A daemon that only who has a certificate can reach.
#[derive(Debug)]
pub struct TlsEngine {
    folder: tempfile::TempDir,
    namespace: String,
    address: String,
    gateway: String,
    daemon: Option<Child>,
}

/// What one makes with `scripts/make-certs.sh`.
#[derive(Clone, Debug)]
pub struct Certs {
    /// `ca.pem`
    pub ca: String,
    /// `client.pem`
    pub certificate: String,
    /// `client-key.pem`
    pub key: String,
}

impl TlsEngine {
    /// Makes certificates for it, starts it, and waits until it answers.
    pub fn start() -> anyhow::Result<TlsEngine> {
        let folder = tempfile::Builder::new().prefix("poolmanager-tls-").tempdir()?;
        let number: u16 = rand::random();
        let namespace = format!("pm-tls-{number:04x}");
        // A /30 of a range that is for tests between networks.
        let [a, b] = (number & 0x3fff).to_be_bytes();
        let (third, fourth) = (a, b & 0xfc);
        let ours = format!("198.18.{third}.{}", fourth + 1);
        let address = format!("198.18.{third}.{}", fourth + 2);
        let engine = TlsEngine { folder, namespace, address, gateway: ours, daemon: None };
        engine.make_network(number)?;
        engine.make_certs("engine", &[&engine.address])?;
        let mut engine = engine;
        engine.launch()?;
        engine.until_it_answers()?;
        Ok(engine)
    }

    /// `tcp://ADDRESS:2376`
    pub fn url(&self) -> String {
        format!("tcp://{}:2376", self.address)
    }

    /// By which it is reached.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// This machine, as it is reached from there.
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// The CA that it believes, and a client's certificate of that.
    pub fn certs(&self) -> anyhow::Result<Certs> {
        read_certs(&self.certs_folder())
    }

    /// Credentials of another CA.
    pub fn stranger(&self) -> anyhow::Result<Certs> {
        let folder = self.folder.path().join("stranger");
        make_certs(&folder, "stranger", &[])?;
        read_certs(&folder)
    }

    /// Starts it again with a certificate for another name.
    pub fn rename(&mut self, name: &str) -> anyhow::Result<()> {
        self.make_certs("engine", &[name])?;
        self.restart()
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        self.end();
        self.launch()?;
        self.until_it_answers()
    }

    /// Loads an image from this machine's engine into it.
    pub fn load(&self, image: &str) -> anyhow::Result<()> {
        let mut saving = Command::new("docker").args(["save", image]).stdout(Stdio::piped()).spawn()?;
        let from = saving.stdout.take().context("the image's bytes")?;
        let status = self.docker().arg("load").stdin(from).stdout(Stdio::null()).status()?;
        ensure!(saving.wait()?.success() && status.success(), "{image} could not be loaded");
        Ok(())
    }

    /// Docker's own command line, speaking to it.
    pub fn docker(&self) -> Command {
        let certs = self.certs_folder();
        let mut command = Command::new("docker");
        command.args(["-H", &self.url(), "--tlsverify"]);
        for (option, file) in [("--tlscacert", "ca.pem"), ("--tlscert", "client.pem"), ("--tlskey", "client-key.pem")] {
            command.arg(option).arg(certs.join(file));
        }
        command
    }

    fn certs_folder(&self) -> PathBuf {
        self.folder.path().join("certs")
    }

    fn make_certs(&self, name: &str, names: &[&str]) -> anyhow::Result<()> {
        make_certs(&self.certs_folder(), name, names)
    }

    fn make_network(&self, number: u16) -> anyhow::Result<()> {
        let (outside, inside) = (format!("pmt{number:04x}a"), format!("pmt{number:04x}b"));
        let (namespace, ours) = (self.namespace.as_str(), self.gateway.as_str());
        run("ip", &["netns", "add", namespace])?;
        run("ip", &["link", "add", &outside, "type", "veth", "peer", "name", &inside, "netns", namespace])?;
        run("ip", &["addr", "add", &format!("{ours}/30"), "dev", &outside])?;
        run("ip", &["link", "set", &outside, "up"])?;
        run("ip", &["-n", namespace, "addr", "add", &format!("{}/30", self.address), "dev", &inside])?;
        run("ip", &["-n", namespace, "link", "set", &inside, "up"])?;
        run("ip", &["-n", namespace, "link", "set", "lo", "up"])?;
        run("ip", &["-n", namespace, "route", "add", "default", "via", ours])
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        let at = |name: &str| self.folder.path().join(name);
        let certs = self.certs_folder();
        let log = std::fs::File::options().create(true).append(true).open(at("log"))?;
        // Not "ip netns exec", which has a /sys of its own, and that has no cgroups.
        let mut command = Command::new("nsenter");
        command.args([&format!("--net=/run/netns/{}", self.namespace), "dockerd"]);
        command.args(["-H", &format!("tcp://{}:2376", self.address), "--tlsverify"]);
        command.arg("--tlscacert").arg(certs.join("ca.pem"));
        command.arg("--tlscert").arg(certs.join("engine/server.pem"));
        command.arg("--tlskey").arg(certs.join("engine/server-key.pem"));
        command.arg("--data-root").arg(at("root")).arg("--exec-root").arg(at("exec"));
        command.arg("--pidfile").arg(at("pid"));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.daemon = Some(command.spawn().context("starting dockerd: see ./scripts/real-parts.sh")?);
        Ok(())
    }

    fn until_it_answers(&mut self) -> anyhow::Result<()> {
        let ends = Instant::now() + START_LIMIT;
        loop {
            // A name that its certificate does not have is an answer too.
            let out = self.docker().args(["version", "--format", "{{.Server.Version}}"]).output()?;
            let said = String::from_utf8_lossy(&out.stderr);
            if out.status.success() || said.contains("x509") || said.contains("certificate") {
                return Ok(());
            }
            let ended = self.daemon.as_mut().context("it was not started")?.try_wait()?;
            if ended.is_some() || Instant::now() > ends {
                bail!("the second dockerd does not answer ({ended:?}): {said}; its log ends with {}", self.log_end());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn log_end(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    fn end(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = run("kill", &[&daemon.id().to_string()]);
            let _ = daemon.wait();
        }
    }
}

impl Drop for TlsEngine {
    fn drop(&mut self) {
        // Its containers first: they live on without it.
        if let Ok(out) = self.docker().args(["ps", "-aq"]).output() {
            let ids = String::from_utf8_lossy(&out.stdout).into_owned();
            if !ids.trim().is_empty() {
                let _ = self.docker().args(["rm", "-fv"]).args(ids.split_whitespace()).output();
            }
        }
        self.end();
        let _ = run("ip", &["netns", "del", &self.namespace]);
    }
}

fn make_certs(folder: &Path, name: &str, names: &[&str]) -> anyhow::Result<()> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/make-certs.sh");
    let mut command = Command::new(script);
    command.arg("--dir").arg(folder).arg(name).args(names);
    let out = command.output().context("make-certs.sh")?;
    ensure!(out.status.success(), "make-certs.sh: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}

fn read_certs(folder: &Path) -> anyhow::Result<Certs> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).context(name.to_owned());
    Ok(Certs { ca: read("ca.pem")?, certificate: read("client.pem")?, key: read("client-key.pem")? })
}

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let out = Command::new(program).args(arguments).output().with_context(|| program.to_owned())?;
    let said = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "{program} {}: {said}", arguments.join(" "));
    Ok(())
}
