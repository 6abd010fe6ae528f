//! A plain HTTP/1.1 client on one connection that is kept: for tests, and for load without an SDK.

use std::io::{self, Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use memchr::memmem;

/// How long an answer may keep its client waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection.
pub struct Client {
    stream: TcpStream,
    /// What has come, from the beginning of the last answer that was received.
    received: Vec<u8>,
    /// That answer's length.
    given: usize,
}

/// An answer, as long as no other is received.
#[derive(Debug)]
pub struct Received<'a> {
    pub status: u16,
    /// The status line and the headers.
    pub head: &'a str,
    pub body: &'a [u8],
}

/// A request's bytes.
pub fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: sink\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The bytes of a request to SQS.
pub fn action(name: &str, body: &str) -> Vec<u8> {
    let headers =
        format!("X-Amz-Target: AmazonSQS.{name}\r\nContent-Type: application/x-amz-json-1.0\r\n");
    request("POST", "/", &headers, body)
}

impl Client {
    /// # Errors
    ///
    /// The system's.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, received: Vec::new(), given: 0 })
    }

    /// # Errors
    ///
    /// The system's.
    pub fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request)
    }

    /// Waits for the answer to the oldest request that has none.
    ///
    /// # Errors
    ///
    /// The system's, and `UnexpectedEof` and `InvalidData` for what is no whole answer.
    pub fn receive(&mut self) -> io::Result<Received<'_>> {
        self.received.drain(..mem::take(&mut self.given));
        let head = loop {
            if let Some(end) = memmem::find(&self.received, b"\r\n\r\n") {
                break end;
            }
            self.read_more()?;
        };
        let begin = head + 4;
        let (status, length) =
            parse_head(&self.received[..head]).ok_or(io::ErrorKind::InvalidData)?;
        while self.received.len() < begin + length {
            self.read_more()?;
        }
        self.given = begin + length;
        let (head, rest) = self.received.split_at(begin);
        let head = str::from_utf8(head).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(Received { status, head, body: &rest[..length] })
    }

    /// Whether waiting for an answer that is not there fails at once, with `WouldBlock`.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.stream.set_nonblocking(nonblocking)
    }

    /// What has come of an answer that was not whole.
    pub fn partial(&self) -> &[u8] {
        &self.received
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut more = [0; 16 * 1024];
        let length = self.stream.read(&mut more)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.received.extend_from_slice(&more[..length]);
        Ok(())
    }
}

/// The status and the content's length.
fn parse_head(head: &[u8]) -> Option<(u16, usize)> {
    let mut lines = str::from_utf8(head).ok()?.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let length = lines
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?
        .1;
    Some((status, length.parse().ok()?))
}
