//! One deployment: its folder, its scripts, its containers.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use tokio::process::{Child, Command};

/// A folder with what ships and its settings.
pub(super) struct Site {
    folder: PathBuf,
    tool_image: String,
}

impl Site {
    pub fn open(folder: &Path, tool_image: &str) -> anyhow::Result<Site> {
        ensure!(folder.join(".env").is_file(), "{} has no .env", folder.display());
        Ok(Site { folder: folder.to_owned(), tool_image: tool_image.to_owned() })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `http://ADDRESS:PORT` of the users' API.
    pub fn users(&self) -> String {
        format!("http://{}", self.setting("HTTP_PORT"))
    }

    /// `http://ADDRESS:PORT` of the operators' pages.
    pub fn operators(&self) -> String {
        format!("http://{}", self.setting("ADMIN_HTTP_PORT"))
    }

    /// A value of `.env`; empty where it has none.
    pub fn setting(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.folder.join(".env")).unwrap_or_default();
        let line = text.lines().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().to_owned()
    }

    /// Sets a value in `.env`, as a deployer does.
    pub fn set(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let path = self.folder.join(".env");
        let text = std::fs::read_to_string(&path)?;
        let others = text.lines().filter(|line| !line.starts_with(&format!("{name}=")));
        let lines: Vec<String> = others.map(str::to_owned).chain([format!("{name}={value}")]).collect();
        std::fs::write(&path, lines.join("\n") + "\n").context(".env")
    }

    /// Runs one of the shipped scripts; what it printed.
    pub async fn script(&self, name: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(self.folder.join("scripts").join(name));
        command.args(arguments).current_dir(&self.folder);
        output(command).await.with_context(|| format!("scripts/{name} {}", arguments.join(" ")))
    }

    /// Starts one of the shipped scripts; it ends with the value that is returned.
    pub fn start(&self, name: &str, arguments: &[&str]) -> anyhow::Result<Child> {
        let mut command = Command::new(self.folder.join("scripts").join(name));
        command.args(arguments).current_dir(&self.folder).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().with_context(|| format!("scripts/{name}"))
    }

    /// What a command of admin prints, as docs/admin.md has it.
    pub async fn in_admin(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.script("admin.sh", arguments).await
    }

    /// Ids of a service's running containers.
    pub async fn containers(&self, service: &str) -> anyhow::Result<Vec<String>> {
        let service = format!("label=com.docker.compose.service={service}");
        let found = docker(&["ps", "-q", "--no-trunc", "--filter", &self.label(), "--filter", &service]).await?;
        Ok(found.lines().map(str::to_owned).collect())
    }

    /// The only running container of a service.
    pub async fn one(&self, service: &str) -> anyhow::Result<String> {
        let mut found = self.containers(service).await?;
        ensure!(found.len() == 1, "{service} has {} containers", found.len());
        Ok(found.remove(0))
    }

    /// Ids of all its running containers.
    pub async fn all(&self) -> anyhow::Result<Vec<String>> {
        let found = docker(&["ps", "-q", "--no-trunc", "--filter", &self.label()]).await?;
        Ok(found.lines().map(str::to_owned).collect())
    }

    /// Names of its containers, ended ones too, and networks.
    pub async fn everything(&self) -> anyhow::Result<Vec<String>> {
        let label = self.label();
        let containers = docker(&["ps", "-a", "--filter", &label, "--format", "{{.Names}}"]).await?;
        let networks = docker(&["network", "ls", "--filter", &label, "--format", "{{.Name}}"]).await?;
        Ok(containers.lines().chain(networks.lines()).map(str::to_owned).collect())
    }

    /// What bash prints for this text in the network of a container, as a user without any right.
    pub async fn inside(&self, container: &str, text: &str) -> anyhow::Result<String> {
        let network = format!("container:{container}");
        docker(&[
            "run",
            "--rm",
            "--network",
            &network,
            "--user",
            "65532",
            "--read-only",
            "--cap-drop",
            "ALL",
            "--entrypoint",
            "bash",
            &self.tool_image,
            "-c",
            text,
        ])
        .await
    }

    fn label(&self) -> String {
        format!("label=com.docker.compose.project={}", self.setting("COMPOSE_PROJECT_NAME"))
    }
}

/// What the command line of Docker prints.
pub(super) async fn docker(arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("docker");
    command.args(arguments);
    output(command).await.with_context(|| format!("docker {}", arguments.join(" ")))
}

/// What a command prints; an error with its last words if it fails. It ends with whoever waits for it.
pub(super) async fn output(mut command: Command) -> anyhow::Result<String> {
    let out = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let said = String::from_utf8_lossy(&out.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(30)..].join("\n");
    ensure!(out.status.success(), "{}: {last}", out.status);
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}
