//! The file: gzip over lines of JSON. The first is the header, then one line a record, the last says how many there are of
//! each kind and the SHA-256 of all lines before it, so that a file that was cut off or altered is told from a whole one.
//!
//! `zcat FILE | head` shows what is in it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{BackupError, Counts, Kind, Progress, Record};
use crate::model::{PoolId, Timestamp};
use crate::store::schema;

/// The version of the format itself; what the records are is the schema's version.
const FORMAT: u32 = 1;

/// The longest record, a bundle of evidence, stays below a megabyte. A line that never ends must not fill the memory.
const MAX_LINE: u64 = 32 * 1024 * 1024;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub poolmanager_backup: u32,
    /// The version of the records.
    pub schema: u32,
    /// The pool whose records these are; what it made on its hosts has this in its labels.
    pub pool: PoolId,
    /// When it was made.
    pub made_at: Timestamp,
    /// The lock's term then.
    pub term: u64,
    /// For whoever looks into the file.
    pub secrets: String,
}

impl Header {
    pub(in crate::store) fn new(pool: PoolId, made_at: Timestamp, term: u64) -> Header {
        let secrets = "holds hashes of operators' passwords and of tokens, names of users and logs of failed clusters: keep it private";
        Header { poolmanager_backup: FORMAT, schema: schema::CURRENT, pool, made_at, term, secrets: secrets.to_owned() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    end: End,
}

#[derive(Serialize, Deserialize)]
struct End {
    records: BTreeMap<Kind, u64>,
    sha256: String,
}

/// Takes records one after the other.
pub(in crate::store) struct Writer {
    out: GzEncoder<BufWriter<Box<dyn Write + Send>>>,
    sum: Sha256,
    counts: Counts,
    progress: Progress,
}

impl Writer {
    pub(super) fn begin(out: Box<dyn Write + Send>, header: Header, progress: Progress) -> Result<Writer, BackupError> {
        let out = GzEncoder::new(BufWriter::new(out), Compression::fast());
        let counts = Kind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        let mut writer = Writer { out, sum: Sha256::new(), counts, progress };
        writer.line(&header)?;
        Ok(writer)
    }

    pub(in crate::store) fn add(&mut self, record: &Record) -> Result<(), BackupError> {
        self.line(record)?;
        *self.counts.entry(record.kind()).or_default() += 1;
        self.progress.one_more();
        Ok(())
    }

    /// Without this it is no backup.
    pub(in crate::store) fn finish(mut self) -> Result<Counts, BackupError> {
        let sha256 = hex::encode(self.sum.clone().finalize());
        self.line(&Last { end: End { records: self.counts.clone(), sha256 } })?;
        self.out.finish()?.flush()?;
        Ok(self.counts)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), BackupError> {
        let mut line = serde_json::to_vec(value).map_err(io::Error::from)?;
        line.push(b'\n');
        self.sum.update(&line);
        Ok(self.out.write_all(&line)?)
    }
}

/// Gives records one after the other, and `None` only when all of them were there and as they were written.
pub(in crate::store) struct Reader {
    lines: BufReader<GzDecoder<BufReader<Box<dyn Read + Send>>>>,
    header: Header,
    sum: Sha256,
    counts: Counts,
    progress: Progress,
    ended: bool,
}

impl Reader {
    /// Reads the header; refuses what is none of ours and what is newer than this program.
    pub(super) fn begin(from: Box<dyn Read + Send>, progress: Progress) -> Result<Reader, BackupError> {
        let mut lines = BufReader::new(GzDecoder::new(BufReader::new(from)));
        let mut sum = Sha256::new();
        let first = line(&mut lines).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
                BackupError::Foreign(error.to_string())
            }
            _ => BackupError::File(error),
        })?;
        sum.update(&first);
        let foreign = |error: serde_json::Error| BackupError::Foreign(format!("its first line: {error}"));
        // The numbers first: a newer header may have another shape.
        let versions: serde_json::Value = serde_json::from_slice(&first).map_err(foreign)?;
        let format = versions.get("poolmanager_backup").and_then(serde_json::Value::as_u64);
        let Some(format) = format else {
            return Err(BackupError::Foreign("its first line does not say poolmanager_backup".into()));
        };
        if format > u64::from(FORMAT) {
            return Err(BackupError::Newer { what: format!("format {format}, and this program knows {FORMAT}") });
        }
        let header: Header = serde_json::from_slice(&first).map_err(foreign)?;
        if header.schema > schema::CURRENT {
            let what = format!("schema version {}, and this program knows {}", header.schema, schema::CURRENT);
            return Err(BackupError::Newer { what });
        }
        let counts = Kind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        Ok(Reader { lines, header, sum, counts, progress, ended: false })
    }

    pub(in crate::store) fn header(&self) -> &Header {
        &self.header
    }

    pub(in crate::store) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(in crate::store) fn next(&mut self) -> Result<Option<Record>, BackupError> {
        if self.ended {
            return Ok(None);
        }
        let line = line(&mut self.lines).map_err(damaged)?;
        let number = self.counts.values().sum::<u64>() + 2;
        if line.starts_with(b"{\"end\":") {
            self.check_end(&line)?;
            self.ended = true;
            return Ok(None);
        }
        self.sum.update(&line);
        let record: Record = serde_json::from_slice(&line)
            .map_err(|error| BackupError::Damaged(format!("line {number} cannot be read: {error}")))?;
        *self.counts.entry(record.kind()).or_default() += 1;
        self.progress.one_more();
        Ok(Some(record))
    }

    fn check_end(&mut self, line: &[u8]) -> Result<(), BackupError> {
        let refuse = |why: &str| Err(BackupError::Damaged(why.to_owned()));
        let Ok(Last { end }) = serde_json::from_slice::<Last>(line) else {
            return refuse("its last line cannot be read");
        };
        // A file of an older version does not name kinds that came later.
        let named = |kind: &Kind| end.records.get(kind).copied().unwrap_or(0);
        if self.counts.iter().any(|(kind, count)| *count != named(kind)) {
            return refuse("it does not hold as many records as its last line says");
        }
        if end.sha256 != hex::encode(self.sum.clone().finalize()) {
            return refuse("its checksum does not match");
        }
        // Reads on to the end of the stream, so that its own checksum is looked at too.
        match self.lines.fill_buf() {
            Ok([]) => {}
            Ok(_) => return refuse("something follows its last line"),
            Err(error) => return Err(damaged(error)),
        }
        match self.lines.get_mut().get_mut().fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => refuse("something follows its end"),
            Err(error) => Err(BackupError::File(error)),
        }
    }
}

/// One line with its end.
fn line(lines: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    lines.take(MAX_LINE).read_until(b'\n', &mut line)?;
    match line.last() {
        Some(b'\n') => Ok(line),
        Some(_) if line.len() as u64 == MAX_LINE => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "a line never ends"))
        }
        _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early")),
    }
}

fn damaged(error: io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BackupError::Damaged("it ends too early".into()),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => BackupError::Damaged(error.to_string()),
        _ => BackupError::File(error),
    }
}
