//! The commands `backup` and `restore`: where the bytes go to or come from, and what is said meanwhile. What is in them is
//! the store's ([`common::store::backup`]).

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use common::clock;
use common::store::StoreTarget;
use common::store::backup::{BackupError, Counts, Over, Progress, backup, restore};

/// What takes longer says how far it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// A file, or `-` for the output and input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The program's own output or input.
    Stream,
    /// A file.
    File(PathBuf),
}

impl FromStr for Place {
    type Err = String;
    fn from_str(text: &str) -> Result<Place, String> {
        match text {
            "" => Err("must name a file, or be -".into()),
            "-" => Ok(Place::Stream),
            path => Ok(Place::File(path.into())),
        }
    }
}

/// Backs the store up to a place. A file is there afterwards only if it is whole.
pub async fn write(target: &StoreTarget, to: &Place) -> Result<(), BackupError> {
    let begun = Instant::now();
    let progress = Progress::default();
    let counts = match to {
        Place::Stream if io::stdout().is_terminal() => {
            let text = "the output is a terminal: name a file, or lead the output into one";
            return Err(io::Error::new(ErrorKind::InvalidInput, text).into());
        }
        Place::Stream => telling(&progress, backup(target, io::stdout(), clock::now(), progress.clone())).await?,
        Place::File(path) => {
            let half = Half::make(path)?;
            let out = half.file.try_clone()?;
            let work = telling(&progress, backup(target, out, clock::now(), progress.clone()));
            // Nothing half is left when somebody has had enough.
            let counts = tokio::select! {
                outcome = work => outcome?,
                _ = tokio::signal::ctrl_c() => return Err(io::Error::new(ErrorKind::Interrupted, "interrupted").into()),
            };
            half.finish(path)?;
            counts
        }
    };
    let place = match to {
        Place::Stream => "to the output".to_owned(),
        Place::File(path) => format!("to {} ({} bytes)", path.display(), fs::metadata(path)?.len()),
    };
    say(&format!("Backed up {} {place} in {:.1} s.", in_words(&counts), begun.elapsed().as_secs_f64()));
    say("It holds hashes of passwords and names of users: keep it private. Settings (.env, secrets/) are not in it.");
    Ok(())
}

/// Restores the store from a place.
pub async fn read_back(target: &StoreTarget, from: &Place, over: Over) -> Result<(), BackupError> {
    let begun = Instant::now();
    let progress = Progress::default();
    let input: Box<dyn Read + Send> = match from {
        Place::Stream => Box::new(io::stdin()),
        Place::File(path) => Box::new(File::open(path).map_err(named(path))?),
    };
    let restored = telling(&progress, restore(target, input, over, progress.clone())).await?;
    say(&format!(
        "Restored {} of pool {}, as they were at {}, in {:.1} s.",
        in_words(&restored.counts),
        restored.header.pool,
        restored.header.made_at,
        begun.elapsed().as_secs_f64()
    ));
    say("When admin starts it looks at every host: what runs there of this pool and is not in the backup is removed. \
         Everybody signs in again.");
    Ok(())
}

/// A file on its way, under another name in the same folder; removed when it does not become one.
struct Half {
    file: File,
    path: PathBuf,
}

impl Half {
    fn make(whole: &Path) -> Result<Half, BackupError> {
        let taken = || named(whole)(io::Error::new(ErrorKind::AlreadyExists, "it is there already; name another file"));
        if whole.exists() {
            return Err(taken().into());
        }
        let mut name = whole.as_os_str().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let path = PathBuf::from(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(named(&path))?;
        Ok(Half { file, path })
    }

    /// A link and not a rename: it takes no name that somebody else took meanwhile.
    fn finish(self, whole: &Path) -> Result<(), BackupError> {
        self.file.sync_all()?;
        fs::hard_link(&self.path, whole).map_err(named(whole))?;
        let folder = whole.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(File::open(folder)?.sync_all()?)
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn named(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The outcome of the work, and how far it is while it takes long.
async fn telling<T>(progress: &Progress, work: impl Future<Output = Result<T, BackupError>>) -> Result<T, BackupError> {
    let begun = Instant::now();
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            () = tokio::time::sleep(PATIENCE) => {
                say(&format!("  {} records, {} s", progress.records(), begun.elapsed().as_secs()));
            }
        }
    }
}

fn in_words(counts: &Counts) -> String {
    let parts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {}", kind.words())).collect();
    parts.join(", ")
}

/// On the error stream, because the output may be the backup itself.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_or_the_stream() {
        assert_eq!("-".parse(), Ok(Place::Stream));
        assert_eq!("a/b".parse(), Ok(Place::File("a/b".into())));
        assert!("".parse::<Place>().is_err());
    }
}
