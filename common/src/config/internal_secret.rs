//! The secret that app shows to admin's `/internal`.
//!
//! On one machine nobody has to choose it: whichever program starts first makes it. Two that start at once race on
//! the link of a finished file, so the loser reads a whole secret, the winner's.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::Secret;

/// Where the secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InternalSecret {
    /// `INTERNAL_SECRET`
    Given(Secret),
    /// This file, which is made when it is missing.
    File(PathBuf),
}

impl InternalSecret {
    /// The secret; makes the file if it is missing. An error if the file cannot be made, or holds no secret.
    pub fn load(&self) -> anyhow::Result<Secret> {
        match self {
            InternalSecret::Given(secret) => Ok(secret.clone()),
            InternalSecret::File(path) => read(path)?.map_or_else(|| make(path), Ok),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Option<Secret>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading the internal secret {}", path.display())),
    };
    let text = text.trim();
    ensure!(
        (16..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()),
        "{} must hold 16 to 512 visible ASCII characters; remove it and start app and admin again to have it made anew",
        path.display()
    );
    Ok(Some(Secret::new(text)))
}

fn make(path: &Path) -> anyhow::Result<Secret> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("making the data folder {}", folder.display()))?;
    let own = folder.join(format!(".internal-secret-{}", hex::encode(rand::random::<[u8; 8]>())));
    let made = write_and_link(&own, path);
    // Only a name is left behind if this fails, and the secret in it is ours anyway.
    let _ = fs::remove_file(&own);
    made.with_context(|| format!("making the internal secret {}", path.display()))?;
    read(path)?.with_context(|| format!("the internal secret {} went as soon as it was made", path.display()))
}

fn write_and_link(own: &Path, path: &Path) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(own)?;
    writeln!(file, "{}", hex::encode(rand::random::<[u8; 32]>()))?;
    file.sync_all()?;
    match fs::hard_link(own, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn programs_that_start_at_once_agree_on_one_secret() {
        let folder = tempfile::tempdir().unwrap();
        let secret = InternalSecret::File(folder.path().join("data").join("internal-secret"));
        let threads: Vec<_> = (0..16)
            .map(|_| {
                std::thread::spawn({
                    let secret = secret.clone();
                    move || secret.load().unwrap()
                })
            })
            .collect();
        let seen: Vec<Secret> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(seen.iter().all(|one| one == &seen[0]));
        assert_eq!(seen[0].expose().len(), 64);
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1, "only the secret is left");
    }

    #[test]
    fn the_secrets_file_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("internal-secret");
        InternalSecret::File(path.clone()).load().unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_holds_no_secret_is_refused_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("internal-secret");
        fs::write(&path, "short").unwrap();
        let error = format!("{:#}", InternalSecret::File(path).load().unwrap_err());
        assert!(error.contains("16 to 512") && !error.contains("short"), "{error}");
    }
}
