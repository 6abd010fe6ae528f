//! SMS by the SNS of MiniStack.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use notifier::{FailureKind, Fate};

use crate::support::{DEADLINE, Process, QUICK, channel, deliver, failure, python};

const KEYS: &[(&str, &str)] = &[("access_key_id", "test"), ("secret_access_key", "test")];

struct Sns {
    port: u16,
    _process: Process,
}

impl Sns {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = python("ministack");
        command.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::start(&mut command);
        let until = Instant::now() + DEADLINE;
        while get(port, "/_ministack/health").is_none() {
            assert!(Instant::now() < until, "MiniStack does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { port, _process: process }
    }

    fn deliver(&self, destination: (&str, &str)) -> notifier::Answer {
        let endpoint = format!("http://127.0.0.1:{}", self.port);
        let server =
            [("channel", "sms"), ("region", "us-east-1"), ("endpoint_url", &endpoint), destination];
        deliver(&channel("phone", &server, KEYS), QUICK)
    }
}

/// The body of what a GET answers.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}

#[test]
fn a_phone_gets_one_segment_and_its_message_id_comes_back() {
    let sns = Sns::start();
    let answer = sns.deliver(("phone_number", "+4915112345678"));
    let Fate::Delivered { reference: Some(id) } = &answer.fate else { panic!("{answer:?}") };
    let sent = get(sns.port, "/_ministack/sns/sms-messages").unwrap();
    assert!(sent.contains("+4915112345678") && sent.contains(id.as_str()), "{sent}");
    let text = "FIRING shop: customers: run failed. run 42 failed: Gr\\u00f6\\u00dfe <b>& more</b>";
    let plain = "FIRING shop: customers: run failed. run 42 failed: Größe <b>& more</b>";
    assert!(sent.contains(text) || sent.contains(plain), "{sent}");
}

#[test]
fn a_topic_that_is_not_there_is_the_channels_fault() {
    let sns = Sns::start();
    let answer = sns.deliver(("topic_arn", "arn:aws:sns:us-east-1:000000000000:nowhere"));
    assert_eq!((answer.attempts, answer.status), (1, Some(404)));
    assert_eq!(failure(&answer).kind, FailureKind::Refused);
    assert!(failure(&answer).message.starts_with("SNS refused the message (NotFound"));
}
