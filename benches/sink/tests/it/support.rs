//! A sink on a thread of the test's own process, and one connection to it.

use std::io::ErrorKind;
use std::path::Path;
use std::thread;

use serde_json::{Value, json};
use sink::Server;
use sink::client::{self, Client};

pub struct Sink {
    server: std::net::SocketAddr,
    client: Client,
}

impl Sink {
    /// It serves until the process ends.
    pub fn start() -> Self {
        Self::serve(Server::bind(0).unwrap())
    }

    pub fn with_journal(path: &Path) -> Self {
        let server = Server::bind(0).unwrap();
        server.keep_journal(path).unwrap();
        Self::serve(server)
    }

    fn serve(server: Server) -> Self {
        let address = server.address();
        thread::spawn(|| server.run());
        Self { server: address, client: Client::connect(address).unwrap() }
    }

    /// A sink with one queue that has these settings.
    pub fn with(queue: &str, settings: Value) -> Self {
        let mut sink = Self::start();
        sink.create(queue);
        sink.set(queue, settings);
        sink
    }

    /// Another connection to the same sink.
    pub fn connect(&self) -> Client {
        Client::connect(self.server).unwrap()
    }

    pub fn reconnect(&mut self) {
        self.client = self.connect();
    }

    pub fn create(&mut self, queue: &str) {
        assert_eq!(self.control("POST", "queues", &json!([queue])), (200, json!({})));
    }

    pub fn set(&mut self, queue: &str, settings: Value) {
        let (status, told) = self.control("POST", &format!("settings?queue={queue}"), &settings);
        assert_eq!(status, 200, "{told}");
    }

    pub fn counts(&mut self, queue: &str) -> Value {
        self.control("GET", "counts", &Value::Null).1["queues"][queue].take()
    }

    pub fn control(&mut self, method: &str, what: &str, body: &Value) -> (u16, Value) {
        let path = format!("/_sink/{what}");
        self.exchange(&client::request(method, &path, "", &body.to_string()))
    }

    /// An action of SQS, which is answered.
    pub fn act(&mut self, action: &str, body: &Value) -> (u16, Value) {
        self.exchange(&client::action(action, &body.to_string()))
    }

    /// SendMessageBatch, which is answered.
    pub fn send(&mut self, queue: &str, entries: Value) -> (u16, Value) {
        self.act("SendMessageBatch", &batch(queue, entries))
    }

    /// SendMessageBatch, whose answer nobody waits for.
    pub fn send_only(&mut self, queue: &str, entries: Value) {
        self.client.send(&batch_request(queue, entries)).unwrap();
    }

    /// SendMessageBatch, whose connection ends before the answer does: how, and what came of it.
    pub fn send_in_vain(&mut self, queue: &str, entries: Value) -> (ErrorKind, String) {
        self.send_only(queue, entries);
        let error = self.client.receive().expect_err("there is an answer").kind();
        let partial = String::from_utf8(self.client.partial().to_vec()).unwrap();
        self.reconnect();
        (error, partial)
    }

    fn exchange(&mut self, request: &[u8]) -> (u16, Value) {
        self.client.send(request).unwrap();
        let answer = self.client.receive().unwrap();
        (answer.status, serde_json::from_slice(answer.body).unwrap())
    }
}

fn batch(queue: &str, entries: Value) -> Value {
    json!({"QueueUrl": format!("http://sink/000000000000/{queue}"), "Entries": entries})
}

/// The bytes of SendMessageBatch.
pub fn batch_request(queue: &str, entries: Value) -> Vec<u8> {
    client::action("SendMessageBatch", &batch(queue, entries).to_string())
}

/// Entries of these messages' ids, named by their place.
pub fn entries(ids: &[i64]) -> Value {
    let entry =
        |(place, id): (usize, &i64)| json!({"Id": place.to_string(), "MessageBody": body(*id)});
    ids.iter().enumerate().map(entry).collect()
}

/// As [`entries`], in a group, each with a deduplication id of its own.
pub fn entries_of(group: &str, ids: &[i64]) -> Value {
    let mut entries = entries(ids);
    for (entry, id) in entries.as_array_mut().unwrap().iter_mut().zip(ids) {
        entry["MessageGroupId"] = json!(group);
        entry["MessageDeduplicationId"] = json!(format!("{group}-{id}"));
    }
    entries
}

pub fn body(id: i64) -> String {
    json!({"id": id, "name": "Ada"}).to_string()
}

/// The ids in one list of an answer.
pub fn listed(answer: &Value, list: &str) -> Vec<String> {
    let entries = answer[list].as_array().unwrap();
    entries.iter().map(|entry| entry["Id"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that these counts are so.
#[track_caller]
pub fn assert_counts(counts: &Value, expected: Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&counts[name], value, "{name} of {counts}");
    }
}
