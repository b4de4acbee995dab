//! A child process that ends with whoever started it, however that ends, and what the kernel says about it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::Context;

/// Starts the program and waits for its own standard input to end, which it does when whoever started it is gone.
const KEEPER: &str = r#"
log="$1"; shift
"$@" >"$log" 2>&1 </dev/null &
echo $!
read -r _
kill -9 $! 2>/dev/null
wait $! 2>/dev/null
"#;

/// A running child process.
pub(super) struct Process {
    keeper: Child,
    /// Held open: its end ends the process.
    tie: Option<ChildStdin>,
    pid: u32,
}

impl Process {
    /// Starts a program with these variables and no others; what it writes goes into the file `log`.
    pub(super) fn start(program: &Path, variables: &[(&str, String)], log: &Path) -> anyhow::Result<Process> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", KEEPER, "keeper"]).arg(log).arg(program);
        command.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
        // In a group of its own, so that Ctrl-C reaches this process only, which then ends the child.
        command.process_group(0);
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let tie = keeper.stdin.take();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().context("the keeper's output")?).read_line(&mut line)?;
        let pid = line.trim().parse().context("the keeper's word")?;
        Ok(Process { keeper, tie, pid })
    }

    /// The most memory that it ever had, in MiB.
    pub(super) fn peak_mib(&self) -> anyhow::Result<f64> {
        let path = format!("/proc/{}/status", self.pid);
        let status = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: f64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).context("no VmHWM")?;
        Ok(kib / 1024.0)
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.tie.take();
        let _ = self.keeper.wait();
    }
}
