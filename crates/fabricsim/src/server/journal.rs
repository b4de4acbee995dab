//! The ledger's file: one record a line, appended before it has any effect. A line that a crash cut short is dropped at
//! the next start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::Log;
use crate::ledger::{Journal, Record};

const FILE: &str = "ledger.journal";

#[derive(Debug)]
pub struct FileJournal {
    file: Option<File>,
    log: Log,
}

/// Reads what is there and gets ready to append. Not flushed to the disk itself: it survives the process, as it must,
/// and not the host's power, which takes the container's process with it anyway and finds a shorter chain to catch up from.
pub fn open(folder: &Path, log: Log) -> io::Result<(Vec<Record>, FileJournal)> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("ledger in {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(named)?;
    let path = folder.join(FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(named(error)),
    };
    let mut records = Vec::new();
    let mut good = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match serde_json::from_slice(line) {
            Ok(record) if line.ends_with(b"\n") => records.push(record),
            _ => break,
        }
        good += line.len();
    }
    if good < text.len() {
        log.warning(format_args!("the ledger's last {} bytes cannot be read and are dropped", text.len() - good));
        let whole = folder.join("ledger.journal.new");
        fs::write(&whole, &text[..good]).and_then(|()| fs::rename(&whole, &path)).map_err(named)?;
    }
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(named)?;
    Ok((records, FileJournal { file: Some(file), log }))
}

impl Journal for FileJournal {
    fn append(&mut self, record: &Record) {
        let Some(file) = &mut self.file else { return };
        let written = serde_json::to_vec(record).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            file.write_all(&line)
        });
        if let Err(error) = written {
            self.log.warning(format_args!("the ledger cannot be written, from here on it is in memory only: {error}"));
            self.file = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;
    use crate::UnixNanos;

    #[test]
    fn a_line_cut_short_is_dropped_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log(Level::Error);
        let (_, mut journal) = open(folder.path(), log).unwrap();
        for at in [1, 2] {
            journal.append(&Record::Born { at: UnixNanos(at) });
        }
        let path = folder.path().join(FILE);
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 3]).unwrap();
        let (records, mut journal) = open(folder.path(), log).unwrap();
        assert_eq!(records.len(), 1);
        journal.append(&Record::Born { at: UnixNanos(3) });
        assert_eq!(open(folder.path(), log).unwrap().0.len(), 2);
    }
}
