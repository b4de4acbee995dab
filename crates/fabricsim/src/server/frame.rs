//! One message on a connection between peers: length (4 bytes), then JSON of a number and the message. The reply has
//! the same number.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Beyond what any message here needs: blocks go in parts of one MiB, whose JSON may be some times larger.
const MAX: u32 = 16 << 20;

pub fn write<M: Serialize>(stream: &mut TcpStream, number: u64, message: &M) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, &(number, message))?;
    let length = u32::try_from(bytes.len() - 4).ok().filter(|length| *length <= MAX);
    let length = length.ok_or_else(|| io::Error::other("the message is too long"))?;
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    stream.write_all(&bytes)
}

pub fn read<M: DeserializeOwned>(stream: &mut TcpStream) -> io::Result<(u64, M)> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > MAX {
        return Err(io::Error::other("the message is too long"));
    }
    // Grows as it comes: a length alone costs nothing.
    let mut bytes = Vec::new();
    if stream.take(u64::from(length)).read_to_end(&mut bytes)? != length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&bytes)?)
}
