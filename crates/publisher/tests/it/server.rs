//! A small SQS: AWS JSON 1.0 over HTTP/1.1, SendMessageBatch, ListQueues and GetQueueAttributes,
//! one thread a connection. What it answers is a closure of the test's; what it was asked is kept.

use std::collections::{BTreeMap, HashSet};
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
    pub group_id: Option<String>,
    pub dedup_id: Option<String>,
    pub delay_seconds: Option<u64>,
}

#[derive(Clone, Debug)]
pub enum Request {
    Send { url: String, entries: Vec<Entry> },
    List { prefix: String, size: u64, token: Option<String> },
    Attributes { url: String },
}

impl Request {
    /// The last segment of the queue's URL.
    pub fn queue(&self) -> &str {
        match self {
            Request::Send { url, .. } | Request::Attributes { url } => {
                url.rsplit('/').next().unwrap()
            }
            Request::List { prefix, .. } => prefix,
        }
    }

    pub fn entries(&self) -> &[Entry] {
        match self {
            Request::Send { entries, .. } => entries,
            Request::List { .. } | Request::Attributes { .. } => &[],
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
    /// Takes the request and resets the connection.
    Reset,
}

/// What the server was asked and what it took.
#[derive(Default)]
pub struct Log {
    pub requests: Mutex<Vec<Request>>,
    pub accepted: Mutex<Vec<String>>,
    in_flight: AtomicUsize,
    pub most_in_flight: AtomicUsize,
    /// Queue and group of each message in flight.
    groups: Mutex<HashSet<(String, String)>>,
    /// Requests that came while another one with the same group was in flight.
    pub overlaps: AtomicUsize,
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
                    let mut taken = json!({
                        "Id": entry.id,
                        "MessageId": format!("id of {}", &entry.body[..entry.body.len().min(20)]),
                        "MD5OfMessageBody": format!("{:x}", Md5::digest(&entry.body)),
                    });
                    if let Some(digest) = digest_of(&entry.attributes) {
                        taken["MD5OfMessageAttributes"] = json!(digest);
                    }
                    successful.push(taken);
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

    /// Notes which groups are in flight now, and returns them.
    fn enter(&self, request: &Request) -> HashSet<(String, String)> {
        let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_in_flight.fetch_max(now, Ordering::SeqCst);
        let queue = request.queue();
        let groups: HashSet<_> = request
            .entries()
            .iter()
            .filter_map(|entry| Some((queue.to_owned(), entry.group_id.clone()?)))
            .collect();
        let mut in_flight = self.groups.lock().unwrap();
        if !in_flight.is_disjoint(&groups) {
            self.overlaps.fetch_add(1, Ordering::SeqCst);
        }
        in_flight.extend(groups.iter().cloned());
        groups
    }

    fn leave(&self, groups: &HashSet<(String, String)>) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        self.groups.lock().unwrap().retain(|group| !groups.contains(group));
    }
}

/// An error for the whole request, as SQS writes it.
pub fn refuse(status: u16, code: &str) -> Reply {
    let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "No."});
    Reply::Answer(status, body.to_string())
}

/// A page of queues.
pub fn listed(names: &[&str], next: Option<&str>) -> Reply {
    // A host that is not there: the endpoint's must take its place.
    let urls: Vec<String> =
        names.iter().map(|name| format!("http://emulator.invalid:1/000000000000/{name}")).collect();
    let mut answer = json!({"QueueUrls": urls});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Reply::Answer(200, answer.to_string())
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
        let groups = log.enter(&request);
        let reply = script(log, &request, number);
        log.leave(&groups);
        let stream = reader.get_mut();
        let done = match reply {
            Reply::Answer(status, body) => answer(stream, status, "", &body),
            Reply::AnswerWith(status, headers, body) => answer(stream, status, &headers, &body),
            Reply::Cut => stream.shutdown(Shutdown::Both).and(Ok(false)),
            Reply::CutShort => stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{\"Succ")
                .and_then(|()| stream.shutdown(Shutdown::Both))
                .and(Ok(false)),
            Reply::Reset => reset(stream).and(Ok(false)),
        };
        if !done.unwrap_or(false) {
            return;
        }
    }
}

/// Without waiting for what was sent to arrive.
fn reset(stream: &TcpStream) -> std::io::Result<()> {
    let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
    Ok(nix::sys::socket::setsockopt(stream, nix::sys::socket::sockopt::Linger, &linger)?)
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
            prefix: body["QueueNamePrefix"].as_str().unwrap_or_default().to_owned(),
            size: body["MaxResults"].as_u64()?,
            token: body["NextToken"].as_str().map(str::to_owned),
        },
        "AmazonSQS.GetQueueAttributes" => {
            assert_eq!(body["AttributeNames"], json!(["All"]));
            Request::Attributes { url: body["QueueUrl"].as_str()?.to_owned() }
        }
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
    let size = |name: &str, value: &Value| {
        name.len() + value["DataType"].as_str().unwrap().len() + bytes_of(value).1.len()
    };
    let bytes: usize =
        attributes.as_object().into_iter().flatten().map(|(name, value)| size(name, value)).sum();
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    Entry {
        id: text("Id").unwrap(),
        bytes: body.len() + bytes,
        body,
        attributes,
        group_id: text("MessageGroupId"),
        dedup_id: text("MessageDeduplicationId"),
        delay_seconds: entry["DelaySeconds"].as_u64(),
    }
}

/// An attribute's value, and the digit that says which kind it is.
fn bytes_of(attribute: &Value) -> (u8, Vec<u8>) {
    match (attribute["StringValue"].as_str(), attribute["BinaryValue"].as_str()) {
        (Some(text), None) => (1, text.as_bytes().to_vec()),
        (None, Some(base64)) => (2, aws_smithy_types::base64::decode(base64).unwrap()),
        _ => panic!("an attribute has one value: {attribute}"),
    }
}

/// As SQS makes it of the attributes, which serde_json may keep in any order.
fn digest_of(attributes: &Value) -> Option<String> {
    let sorted: BTreeMap<&String, &Value> = attributes.as_object()?.iter().collect();
    let mut read = Vec::new();
    let with_length = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    for (name, attribute) in sorted {
        let (kind, value) = bytes_of(attribute);
        read.extend(with_length(name.as_bytes()));
        read.extend(with_length(attribute["DataType"].as_str().unwrap().as_bytes()));
        read.push(kind);
        read.extend(with_length(&value));
    }
    Some(format!("{:x}", Md5::digest(read)))
}
