//! One mail by SMTP. A recipient that is refused stops no other: each is told by itself, and one
//! that has the mail gets no second one when the others are tried again.

use std::error::Error as _;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use publisher::root_cause;
use tokio::time::timeout;

use super::dial::{CONNECT_TIMEOUT, addresses};
use super::{Taken, is_untrusted, unmade};
use crate::alert::Alert;
use crate::channel::{Email, Encryption, Login, Peer};
use crate::error::{FailureKind, Trouble};

/// How long an answer to a goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// Recipients of a mail that have not got it yet.
#[derive(Default)]
pub(crate) struct Undelivered(Option<Vec<Mailbox>>);

pub(super) async fn send(
    email: &Email,
    alert: &Alert,
    undelivered: &mut Undelivered,
) -> Result<Taken, Trouble> {
    let message = email.message(alert).map_err(|error| unmade(&error.to_string()))?;
    let to = undelivered.0.get_or_insert_with(|| email.to().to_vec());
    let mut session = Session::open(email).await?;
    let outcome = session.deliver(&message, to).await;
    // The mail has its fate: whether there is an answer to a goodbye changes nothing.
    let _ = timeout(GOODBYE, session.connection.quit()).await;
    outcome
}

struct Session<'a> {
    connection: AsyncSmtpConnection,
    email: &'a Email,
}

impl<'a> Session<'a> {
    /// A connection that is encrypted and logged in, as far as the channel says so.
    async fn open(email: &'a Email) -> Result<Self, Trouble> {
        let host = &email.peer.host;
        let tell = |error: Error| trouble(host, &error);
        let hello = ClientId::Domain(email.from().email.domain().to_owned());
        let tls = match email.encryption {
            Encryption::None => None,
            _ => Some(TlsParameters::new(host.clone()).map_err(tell)?),
        };
        let wrapped = tls.clone().filter(|_| email.encryption == Encryption::Tls);
        let mut connection = connect(&email.peer, &hello, wrapped).await?;
        if let (Encryption::StartTls, Some(tls)) = (email.encryption, tls) {
            if !connection.can_starttls() {
                return Err(Trouble::lasting(
                    FailureKind::Refused,
                    format!("{host} does not offer STARTTLS"),
                    "Set the server's option encryption to tls, or its port.",
                ));
            }
            connection.starttls(tls, &hello).await.map_err(tell)?;
        }
        if let Some(login) = &email.login {
            log_in(&mut connection, login).await.map_err(tell)?;
        }
        Ok(Self { connection, email })
    }

    /// Takes those that the server has taken the mail for out of `to`.
    async fn deliver(&mut self, message: &[u8], to: &mut Vec<Mailbox>) -> Result<Taken, Trouble> {
        let host = &self.email.peer.host;
        let tell = |error: Error| trouble(host, &error);
        let connection = &mut self.connection;
        let sender = Some(self.email.from().email.clone());
        connection.command(Mail::new(sender, Vec::new())).await.map_err(tell)?;
        let mut refused = Vec::new();
        for mailbox in to.iter() {
            let recipient = mailbox.email.clone();
            match connection.command(Rcpt::new(recipient, Vec::new())).await {
                Ok(_) => {}
                Err(error) if error.status().is_some() => {
                    refused.push((mailbox.clone(), tell(error)));
                }
                Err(error) => return Err(tell(error)),
            }
        }
        let mut taken = Taken::default();
        if refused.len() < to.len() {
            connection.command(Data).await.map_err(tell)?;
            let answer = connection.message(message).await.map_err(tell)?;
            taken.status = Some(answer.code().into());
        }
        let asked = to.len();
        *to = refused.iter().map(|(mailbox, _)| mailbox.clone()).collect();
        match refused.into_iter().max_by_key(|(_, trouble)| trouble.passes) {
            None => Ok(taken),
            Some((mailbox, trouble)) => Err(of_recipients(&mailbox, trouble, to.len(), asked)),
        }
    }
}

/// The trouble with some of the recipients, told of one.
fn of_recipients(mailbox: &Mailbox, trouble: Trouble, refused: usize, asked: usize) -> Trouble {
    let what = match asked {
        1 => mailbox.email.to_string(),
        _ => format!("{refused} of {asked} recipients have no mail, {} among them", mailbox.email),
    };
    trouble.about(&what, "Check the addresses of the server's option to.")
}

async fn connect(
    peer: &Peer,
    hello: &ClientId,
    tls: Option<TlsParameters>,
) -> Result<AsyncSmtpConnection, Trouble> {
    let host = &peer.host;
    let mut last = Trouble::network(format!("{host} has no address"));
    for address in addresses(peer).await? {
        let patience = Some(CONNECT_TIMEOUT);
        let opened =
            AsyncSmtpConnection::connect_tokio1(address, patience, hello, tls.clone(), None).await;
        match opened {
            Ok(connection) => return Ok(connection),
            Err(error) => last = trouble(host, &error),
        }
    }
    Err(last)
}

async fn log_in(connection: &mut AsyncSmtpConnection, login: &Login) -> Result<(), Error> {
    let credentials = Credentials::new(login.username.clone(), login.password.expose().to_owned());
    connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map(drop)
}

fn trouble(host: &str, error: &Error) -> Trouble {
    let words = error.source().map(ToString::to_string).unwrap_or_default();
    let Some(status) = error.status().map(u16::from) else {
        return if is_untrusted(error) {
            Trouble::certificate(host, &root_cause(error))
        } else if error.is_client() {
            Trouble::lasting(
                FailureKind::Refused,
                format!("{host} cannot be used"),
                "Check the options encryption, username and password.",
            )
            .saying(words)
        } else {
            Trouble::network(format!("no mail could be handed to {host}: {}", root_cause(error)))
        };
    };
    let trouble = if error.is_transient() {
        Trouble::passing(
            FailureKind::Unavailable,
            format!("{host} could not take the mail (SMTP {status})"),
            "Ask who runs the mail server.",
        )
    } else {
        Trouble::lasting(
            FailureKind::Refused,
            format!("{host} refused the mail (SMTP {status})"),
            "Check username and password, and whether this sender may use the server.",
        )
    };
    trouble.with_status(Some(status)).saying(words)
}
