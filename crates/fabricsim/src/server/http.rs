//! As much of HTTP/1.1 as a peer's REST needs: one bounded request on a connection, one answer, closed.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::Response;

/// Request line and headers.
const MAX_HEAD: usize = 8 << 10;

/// A transaction is a few hundred bytes.
const MAX_BODY: usize = 64 << 10;

/// For the whole request to come in.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a connection too many gets.
pub const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

pub struct Request {
    pub method: String,
    pub path: String,
    pub body: Vec<u8>,
}

/// Why there is no request.
pub enum Bad {
    /// To be told to the sender.
    Answer(Response),
    /// Nobody is there to be told.
    Gone,
}

impl From<io::Error> for Bad {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => bad(408, "The request did not come in time."),
            _ => Self::Gone,
        }
    }
}

fn bad(status: u16, why: &str) -> Bad {
    Bad::Answer(Response::error(status, why))
}

/// Reads one request.
pub fn read(stream: &mut TcpStream) -> Result<Request, Bad> {
    let until = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Request::new(&mut headers);
        match head.parse(&bytes) {
            Err(httparse::Error::TooManyHeaders) => return Err(bad(431, "The request has too many headers.")),
            Err(_) => return Err(bad(400, "This is not an HTTP request.")),
            Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD => {
                let method = head.method.unwrap_or_default().to_owned();
                let path = head.path.unwrap_or_default().to_owned();
                let expected = body_length(head.headers)?;
                let waits = head.headers.iter().any(|header| header.name.eq_ignore_ascii_case("expect"));
                let mut body = bytes.split_off(length);
                if waits && body.len() < expected {
                    stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                }
                while body.len() < expected {
                    receive(stream, &mut body, until)?;
                }
                body.truncate(expected);
                return Ok(Request { method, path, body });
            }
            Ok(_) if bytes.len() >= MAX_HEAD => return Err(bad(431, "The request's headers are too long.")),
            Ok(_) => receive(stream, &mut bytes, until)?,
        }
    }
}

fn body_length(headers: &[httparse::Header<'_>]) -> Result<usize, Bad> {
    let mut length = None;
    for header in headers {
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(bad(411, "The request needs a Content-Length."));
        }
        if header.name.eq_ignore_ascii_case("content-length") {
            let value = std::str::from_utf8(header.value).ok().map(str::trim);
            let value = value.filter(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()));
            let value = value.ok_or_else(|| bad(400, "Content-Length is not a number."))?;
            // More digits than a number here can have are too much as well.
            let value = value.parse().unwrap_or(usize::MAX);
            if length.is_some_and(|other| other != value) {
                return Err(bad(400, "The request has two lengths."));
            }
            length = Some(value);
        }
    }
    match length.unwrap_or(0) {
        length if length > MAX_BODY => Err(bad(413, "The request's body is too long.")),
        length => Ok(length),
    }
}

fn receive(stream: &mut TcpStream, into: &mut Vec<u8>, until: Instant) -> Result<(), Bad> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::from(io::ErrorKind::TimedOut).into());
    }
    stream.set_read_timeout(Some(left))?;
    let mut part = [0; 4096];
    match stream.read(&mut part)? {
        0 => Err(Bad::Gone),
        length => {
            into.extend_from_slice(&part[..length]);
            Ok(())
        }
    }
}

/// Writes the answer and closes.
pub fn write(mut stream: TcpStream, response: &Response) {
    let reason = match response.status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Payload Too Large",
        431 => "Request Header Fields Too Large",
        _ => "Error",
    };
    let head = format!(
        "HTTP/1.1 {} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        response.status,
        response.body.len()
    );
    let written = stream
        .set_write_timeout(Some(PATIENCE))
        .and_then(|()| stream.write_all(&[head.as_bytes(), response.body.as_bytes()].concat()))
        .and_then(|()| stream.shutdown(Shutdown::Write))
        .and_then(|()| stream.set_read_timeout(Some(Duration::from_millis(500))));
    if written.is_ok() {
        // Closing on unread bytes would reset the connection, and the sender might never see the answer.
        let mut rest = [0; 4096];
        for _ in 0..64 {
            if !matches!(stream.read(&mut rest), Ok(1..)) {
                break;
            }
        }
    }
}
