//! `sink-load`: what the sink can take, and what it costs. Prepared requests over raw connections,
//! each answered before its connection's next.

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Instant;

use lexopt::prelude::*;
use memchr::memmem;
use serde_json::{Value, json};
use sink::client::{self, Client};

const BATCH: usize = 10;
/// The first id. All ids have as many digits, so that they can be written into prepared requests.
const FIRST_ID: usize = 1_000_000_000;

struct Options {
    address: SocketAddr,
    messages: usize,
    bytes: usize,
    connections: usize,
    queue: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = parse()?;
    let mut control = Client::connect(options.address)?;
    let before = counts(&mut control)?;
    let mut load = Load::new(&options)?;

    let begin = Instant::now();
    load.run(options.messages)?;
    let seconds = begin.elapsed().as_secs_f64();

    let after = counts(&mut control)?;
    let cpu = |counts: &Value| counts["cpu_seconds"].as_f64().unwrap_or_default();
    let messages = options.messages as f64;
    let told = json!({
        "messages": options.messages,
        "seconds": seconds,
        "messages_per_second": messages / seconds,
        "sink_cpu_us_per_message": (cpu(&after) - cpu(&before)) * 1e6 / messages,
        "sink_peak_rss_kb": after["peak_rss_kb"],
        "queue": after["queues"][&options.queue],
    });
    Ok(writeln!(io::stdout(), "{told}")?)
}

fn parse() -> Result<Options, Box<dyn Error>> {
    let mut address = None;
    let (mut messages, mut bytes, mut connections) = (1_000_000, 300, 32);
    let mut queue = "load".to_owned();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("address") => address = Some(arguments.value()?.parse()?),
            Long("messages") => messages = arguments.value()?.parse()?,
            Long("bytes") => bytes = arguments.value()?.parse()?,
            Long("connections") => connections = arguments.value()?.parse()?,
            Long("queue") => queue = arguments.value()?.string()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let address = address.ok_or("--address 127.0.0.1:PORT is to be given")?;
    let messages = usize::next_multiple_of(messages, BATCH);
    Ok(Options { address, messages, bytes, connections, queue })
}

fn counts(control: &mut Client) -> Result<Value, Box<dyn Error>> {
    control.send(&client::request("GET", "/_sink/counts", "", ""))?;
    Ok(serde_json::from_slice(control.receive()?.body)?)
}

struct Load {
    connections: Vec<Client>,
    request: Vec<u8>,
    /// Where the ids are in it, as many in each message.
    ids: Vec<usize>,
    next_id: usize,
}

impl Load {
    fn new(options: &Options) -> io::Result<Self> {
        let connect = |_| Client::connect(options.address);
        let connections = (0..options.connections).map(connect).collect::<io::Result<_>>()?;
        let request = prepare(options);
        let id = FIRST_ID.to_string();
        let ids = memmem::find_iter(&request, id.as_bytes()).collect();
        Ok(Self { connections, request, ids, next_id: FIRST_ID })
    }

    fn run(&mut self, messages: usize) -> Result<(), Box<dyn Error>> {
        let mut left = messages / BATCH;
        while left > 0 {
            let round = left.min(self.connections.len());
            for connection in 0..round {
                self.number();
                self.connections[connection].send(&self.request)?;
            }
            for connection in &mut self.connections[..round] {
                let answer = connection.receive()?;
                if answer.status != 200 || !answer.body.ends_with(b"\"Failed\":[]}") {
                    return Err(String::from_utf8_lossy(answer.body).into());
                }
            }
            left -= round;
        }
        Ok(())
    }

    /// Gives the request's messages their ids.
    fn number(&mut self) {
        for places in self.ids.chunks(self.ids.len() / BATCH) {
            let id = self.next_id.to_string();
            for at in places {
                self.request[*at..*at + id.len()].copy_from_slice(id.as_bytes());
            }
            self.next_id += 1;
        }
    }
}

/// A batch of JSON messages whose ids are all the first. For a FIFO queue each has a group of its own,
/// which is what costs the sink most.
fn prepare(options: &Options) -> Vec<u8> {
    let mut body = json!({"id": FIRST_ID, "name": "Ada Lovelace", "email": "ada@example.com",
        "city": "London", "active": true, "note": ""});
    let short = options.bytes.saturating_sub(body.to_string().len());
    body["note"] = "x".repeat(short).into();
    let entry = |index: usize| {
        let mut entry = json!({"Id": index.to_string(), "MessageBody": body.to_string()});
        if options.queue.ends_with(".fifo") {
            entry["MessageGroupId"] = format!("group-{FIRST_ID}").into();
            entry["MessageDeduplicationId"] = format!("change-{FIRST_ID}").into();
        }
        entry
    };
    let entries: Vec<Value> = (0..BATCH).map(entry).collect();
    let url = format!("http://{}/000000000000/{}", options.address, options.queue);
    client::action("SendMessageBatch", &json!({"QueueUrl": url, "Entries": entries}).to_string())
}
