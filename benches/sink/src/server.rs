//! The listening socket and its connections, all on one thread.

use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::answer::{Answer, Content, Ending};
use crate::control;
use crate::journal::Journal;
use crate::queues::Queues;
use crate::sqs;

/// A sink that listens.
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    queues: Arc<Mutex<Queues>>,
}

impl Server {
    /// Listens on 127.0.0.1. Port 0 is any that is free.
    ///
    /// # Errors
    ///
    /// The port is not to be had.
    pub fn bind(port: u16) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))?;
        let address = listener.local_addr()?;
        let queues = Arc::new(Mutex::new(Queues::new(address)));
        Ok(Self { runtime, listener, address, queues })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes every message that is delivered to this file, and knows again those that it has.
    ///
    /// # Errors
    ///
    /// The file is not to be had, or holds something else.
    pub fn keep_journal(&self, path: &Path) -> io::Result<()> {
        let (journal, lines) = Journal::open(path)?;
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.keep_journal(journal, &lines);
        Ok(())
    }

    /// Creates a queue; then only those that were created exist.
    ///
    /// # Errors
    ///
    /// SQS has no queues of such a name.
    pub fn create(&self, name: &str) -> io::Result<()> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.create(name).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is no name of a queue"))
        })
    }

    /// Serves on this thread, for ever.
    ///
    /// # Errors
    ///
    /// No connection can be accepted any more.
    pub fn run(self) -> io::Result<()> {
        let Self { runtime, listener, queues, .. } = self;
        runtime.block_on(async {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tokio::spawn(converse(stream, Arc::clone(&queues)));
            }
        })
    }
}

/// The sink is to reset the connection.
#[derive(Debug, thiserror::Error)]
#[error("reset, as set")]
struct Reset;

async fn converse(stream: TcpStream, queues: Arc<Mutex<Queues>>) {
    let service = service_fn(|request| Box::pin(respond(request, &queues)));
    let mut connection = http1::Builder::new()
        .pipeline_flush(true)
        // What a client sent before it was killed has arrived, as it would have at SQS.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    if ended.is_err_and(|error| error.source().is_some_and(|cause| cause.is::<Reset>())) {
        // The client sees the reset or, when the system will not have it, the end.
        let _closed = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

async fn respond(
    request: Request<Incoming>,
    queues: &Mutex<Queues>,
) -> Result<Response<Content>, Box<dyn Error + Send + Sync>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let lock = || queues.lock().unwrap_or_else(PoisonError::into_inner);
    let (answer, content_type) = match head.uri.path().strip_prefix(control::PREFIX) {
        Some(what) => {
            let query = head.uri.query().unwrap_or_default();
            let answer = control::answer(&mut lock(), &head.method, what, query, &body);
            (answer, "application/json")
        }
        None => {
            let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
            let answer = sqs::answer(&mut lock(), target.unwrap_or_default(), &body);
            (answer, "application/x-amz-json-1.0")
        }
    };
    deliver(answer, content_type).await
}

async fn deliver(
    answer: Answer,
    content_type: &'static str,
) -> Result<Response<Content>, Box<dyn Error + Send + Sync>> {
    if !answer.after.is_zero() {
        tokio::time::sleep(answer.after).await;
    }
    match answer.ending {
        Ending::Reset => Err(Reset.into()),
        Ending::Whole | Ending::Cut => Ok(answer.into_response(content_type)),
    }
}
