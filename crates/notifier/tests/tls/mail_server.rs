//! aiosmtpd, started by mail_server.py.

use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Stdio};

use serde_json::Value;

use crate::authority::Authority;
use crate::support::{Process, python};

pub struct MailServer {
    pub port: String,
    lines: BufReader<ChildStdout>,
    _process: Process,
}

impl MailServer {
    /// `login`: a name and a password that it asks for.
    pub fn start(encryption: &str, login: Option<(&str, &str)>) -> Self {
        Self::known_by(Authority::trusted(), encryption, login)
    }

    /// With a certificate of that authority.
    pub fn known_by(authority: &Authority, encryption: &str, login: Option<(&str, &str)>) -> Self {
        let identity = authority.issue("localhost");
        let (username, password) = login.unwrap_or(("-", "-"));
        let mut command = python("python");
        command
            .args(["-W", "ignore"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/mail_server.py"))
            .args([encryption.as_ref(), identity.certificate.as_os_str(), identity.key.as_os_str()])
            .args([username, password])
            .stdout(Stdio::piped());
        let mut process = Process::start(&mut command);
        let lines = BufReader::new(process.0.stdout.take().unwrap());
        let mut server = Self { port: String::new(), lines, _process: process };
        server.port = server.next()["port"].to_string();
        server
    }

    /// What it tells next: a mail that it has taken.
    pub fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}
