//! A caller of app: HTTP/1.1 over one connection that is kept, with as little work of its own as will do, because it
//! runs on the processors that it measures.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::round::Claim;

/// Answers are some two thousand bytes.
const LARGEST: usize = 64 * 1024;

/// A connection to app.
pub(super) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    credentials: String,
}

impl Connection {
    /// `credentials` are lines of each request's head.
    pub(super) async fn open(to: SocketAddr, credentials: String) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, answer: Vec::with_capacity(8 * 1024), credentials })
    }

    /// Reads until the answer is whole; where its body begins.
    async fn read(&mut self) -> anyhow::Result<usize> {
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await.context("reading from app")? == 0 {
                bail!("app closed the connection");
            }
            if let Some((body, length)) = head(&self.answer)? {
                match self.answer.len() - body {
                    found if found == length => return Ok(body),
                    found if found > length => bail!("app sent more than one answer"),
                    _ => {}
                }
            }
            if self.answer.len() > LARGEST {
                bail!("app's answer has over {LARGEST} bytes");
            }
        }
    }
}

impl Claim for Connection {
    async fn claim(&mut self, user: &str) -> anyhow::Result<String> {
        let head = &self.credentials;
        let request = format!("GET /v2/cluster_apply?user_id={user} HTTP/1.1\r\nHost: bench\r\n{head}\r\n");
        self.stream.write_all(request.as_bytes()).await.context("writing to app")?;
        let body = self.read().await?;
        match given(&self.answer, body) {
            Some(id) => Ok(id.to_owned()),
            None => bail!("app answered {}", String::from_utf8_lossy(&self.answer)),
        }
    }
}

/// Where the body begins and how long it is, once the head is whole.
fn head(answer: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(end) = place(answer, b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&answer[..end]).context("app's answer is no HTTP")?;
    let field = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    };
    let length = text.lines().find_map(field).with_context(|| format!("an answer without a length: {text}"))?;
    Ok(Some((end + 4, length)))
}

/// The cluster's id, in an answer that says OK.
fn given(answer: &[u8], body: usize) -> Option<&str> {
    const ID: &[u8] = br#""id":""#;
    let (head, body) = answer.split_at(body);
    if !head.starts_with(b"HTTP/1.1 200") || !body.starts_with(br#"{"status":"OK""#) {
        return None;
    }
    let id = &body[place(body, ID)? + ID.len()..];
    std::str::from_utf8(&id[..place(id, b"\"")?]).ok()
}

fn place(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_says_ok_gives_a_cluster() {
        let read = |status: &str, body: &str| {
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let (begin, length) = head(answer.as_bytes()).unwrap().unwrap();
            assert_eq!(length, body.len());
            given(answer.as_bytes(), begin).map(str::to_owned)
        };
        let ok = r#"{"status":"OK","code":200,"error":"","data":{"host_id":"h","id":"c1"}}"#;
        assert_eq!(read("200 OK", ok).as_deref(), Some("c1"));
        assert_eq!(read("400 Bad Request", ok), None);
        assert_eq!(read("200 OK", r#"{"status":"FAIL","code":200,"error":"","data":{"id":"c1"}}"#), None);
    }

    #[test]
    fn half_an_answer_is_waited_for() {
        assert_eq!(head(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n").unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
