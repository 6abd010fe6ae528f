//! A small SQS: AWS JSON 1.0 over HTTP/1.1, SendMessageBatch and ListQueues, one thread a
//! connection. What it answers is a closure of the test's; what it was asked is kept.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use md5::{Digest, Md5};
use serde_json::{Value, json};

/// One entry of a batch.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: String,
    pub body: String,
    /// As SQS counts it.
    pub bytes: usize,
    pub attributes: Value,
}

#[derive(Clone, Debug)]
pub enum Request {
    Send { url: String, entries: Vec<Entry> },
    List { prefix: String, token: Option<String> },
}

impl Request {
    /// The last segment of the queue's URL.
    pub fn queue(&self) -> &str {
        match self {
            Request::Send { url, .. } => url.rsplit('/').next().unwrap(),
            Request::List { prefix, .. } => prefix,
        }
    }

    pub fn entries(&self) -> &[Entry] {
        match self {
            Request::Send { entries, .. } => entries,
            Request::List { .. } => &[],
        }
    }

    pub fn has(&self, body: &str) -> bool {
        self.entries().iter().any(|entry| entry.body.contains(body))
    }
}

pub enum Reply {
    /// Status and body.
    Answer(u16, String),
    /// The same with headers, each with its line end.
    AnswerWith(u16, String, String),
    /// Takes the request and closes the connection.
    Cut,
    /// Begins an answer and closes the connection in the middle of it.
    CutShort,
}

/// What the server was asked and what it took.
#[derive(Default)]
pub struct Log {
    pub requests: Mutex<Vec<Request>>,
    pub accepted: Mutex<Vec<String>>,
    in_flight: AtomicUsize,
    pub most_in_flight: AtomicUsize,
}

impl Log {
    /// Takes each entry, but those that `refuse` gives a code and a SenderFault for.
    pub fn accept_but(
        &self,
        request: &Request,
        refuse: impl Fn(&Entry) -> Option<(&'static str, bool)>,
    ) -> Reply {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in request.entries() {
            match refuse(entry) {
                Some((code, sender_fault)) => failed.push(json!({
                    "Id": entry.id, "Code": code, "SenderFault": sender_fault, "Message": "No."
                })),
                None => {
                    self.accepted.lock().unwrap().push(entry.body.clone());
                    successful.push(json!({
                        "Id": entry.id,
                        "MessageId": format!("id of {}", &entry.body[..entry.body.len().min(20)]),
                        "MD5OfMessageBody": format!("{:x}", Md5::digest(&entry.body)),
                    }));
                }
            }
        }
        let answer = json!({"Successful": successful, "Failed": failed});
        Reply::Answer(200, answer.to_string())
    }

    pub fn accept(&self, request: &Request) -> Reply {
        self.accept_but(request, |_| None)
    }

    pub fn times_accepted(&self, body: &str) -> usize {
        let accepted = self.accepted.lock().unwrap();
        accepted.iter().filter(|taken| *taken == body).count()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// An error for the whole request, as SQS writes it.
pub fn refuse(status: u16, code: &str) -> Reply {
    let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "No."});
    Reply::Answer(status, body.to_string())
}

pub struct Server {
    pub endpoint: String,
    pub log: Arc<Log>,
}

impl Server {
    /// `script` gets the log, the request, and how many requests came before it.
    pub fn start(script: impl Fn(&Log, &Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Log::default());
        let (script, shared) = (Arc::new(script), Arc::clone(&log));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (Arc::clone(&script), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &log, &*script));
            }
        });
        Server { endpoint, log }
    }

    /// One that takes everything.
    pub fn willing() -> Self {
        Self::start(|log, request, _| log.accept(request))
    }
}

fn serve(stream: TcpStream, log: &Log, script: &dyn Fn(&Log, &Request, usize) -> Reply) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let number = {
            let mut requests = log.requests.lock().unwrap();
            requests.push(request.clone());
            requests.len() - 1
        };
        let now = log.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        log.most_in_flight.fetch_max(now, Ordering::SeqCst);
        let reply = script(log, &request, number);
        log.in_flight.fetch_sub(1, Ordering::SeqCst);
        let stream = reader.get_mut();
        let done = match reply {
            Reply::Answer(status, body) => answer(stream, status, "", &body),
            Reply::AnswerWith(status, headers, body) => answer(stream, status, &headers, &body),
            Reply::Cut => stream.shutdown(Shutdown::Both).and(Ok(false)),
            Reply::CutShort => stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{\"Succ")
                .and_then(|()| stream.shutdown(Shutdown::Both))
                .and(Ok(false)),
        };
        if !done.unwrap_or(false) {
            return;
        }
    }
}

fn answer(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> std::io::Result<bool> {
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice())?;
    Ok(true)
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let (mut length, mut target) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "x-amz-target" => target = value.to_owned(),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    Some(match target.as_str() {
        "AmazonSQS.ListQueues" => Request::List {
            prefix: body["QueueNamePrefix"].as_str()?.to_owned(),
            token: body["NextToken"].as_str().map(str::to_owned),
        },
        "AmazonSQS.SendMessageBatch" => Request::Send {
            url: body["QueueUrl"].as_str()?.to_owned(),
            entries: body["Entries"].as_array()?.iter().map(entry).collect(),
        },
        other => panic!("asked for {other}"),
    })
}

fn entry(entry: &Value) -> Entry {
    let body = entry["MessageBody"].as_str().unwrap().to_owned();
    let attributes = entry["MessageAttributes"].clone();
    let bytes: usize = attributes
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let text = |key: &str| value[key].as_str().unwrap().len();
            name.len() + text("DataType") + text("StringValue")
        })
        .sum();
    Entry {
        id: entry["Id"].as_str().unwrap().to_owned(),
        bytes: body.len() + bytes,
        body,
        attributes,
    }
}
