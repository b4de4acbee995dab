//! What is in a backup's file, and files that somebody has altered.

use std::io::{Read, Write};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

pub fn lines(bytes: &[u8]) -> Vec<serde_json::Value> {
    text(bytes).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

pub fn packed(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

/// With the checksum that belongs to what it says.
pub fn signed(text: &str) -> Vec<u8> {
    let (body, last) = text.trim_end().rsplit_once('\n').unwrap();
    let mut last: serde_json::Value = serde_json::from_str(last).unwrap();
    last["end"]["sha256"] = hex::encode(Sha256::digest(format!("{body}\n"))).into();
    packed(&format!("{body}\n{last}\n"))
}

pub fn newer_schema(text: &str) -> String {
    let (first, rest) = text.split_once('\n').unwrap();
    let mut header: serde_json::Value = serde_json::from_str(first).unwrap();
    header["schema"] = (header["schema"].as_u64().unwrap() + 1).into();
    format!("{header}\n{rest}")
}
