//! A small disk of a test's own, which can be full. A real file system, so it takes a mount namespace: the test runs once
//! more in one, as a process of its own, and whatever it starts there sees the disk too.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

/// Set in the process that has the disk: where it is.
const MARK: &str = "E2E_SMALL_DISK";

/// A file system in memory.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// A disk of so many bytes for the test of this full name. `None`: this process has none, and the test has been run, and
    /// has passed, in one that has.
    pub fn for_test(test: &str, bytes: u64) -> anyhow::Result<Option<SmallDisk>> {
        #[expect(clippy::disallowed_methods, reason = "how a test tells itself where it runs is no setting")]
        let folder = std::env::var_os(MARK);
        let Some(folder) = folder else {
            return run_inside(test).map(|()| None);
        };
        let folder = PathBuf::from(folder);
        let options = format!("size={bytes},mode=700");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&folder).output()?;
        ensure!(mount.status.success(), "mounting a small disk: {}", String::from_utf8_lossy(&mount.stderr));
        Ok(Some(SmallDisk { folder }))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }

    /// Writes until not one byte more goes onto it.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut filler = File::options().create(true).append(true).open(self.filler())?;
        for size in [64 * 1024, 4096, 1] {
            let bytes = vec![b'x'; size];
            loop {
                match filler.write_all(&bytes) {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                    Err(error) => bail!("filling the disk: {error}"),
                }
            }
        }
        Ok(())
    }

    /// Makes room again.
    pub fn free(&self) -> anyhow::Result<()> {
        std::fs::remove_file(self.filler()).context("making room")
    }
}

/// Runs the test once more where it may mount. Root may; others may as root of a namespace of their own.
fn run_inside(test: &str) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("poolmanager-small-disk-").tempdir()?;
    let mut command = Command::new("unshare");
    command.arg("--mount");
    if std::fs::metadata("/proc/self")?.uid() != 0 {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg(std::env::current_exe()?).args(["--exact", test, "--nocapture"]).env(MARK, folder.path());
    let run = command.output().context("running unshare, which util-linux has")?;
    let said = [run.stdout, run.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    // A name that is none runs no test, and that passes too.
    ensure!(run.status.success() && said.contains("1 passed"), "{test} on a small disk: {}\n{said}", run.status);
    Ok(())
}
