//! An HTTP receiver that keeps what it got, and answers as it is told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub at: Instant,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub after: Duration,
}

pub fn reply(status: u16) -> Reply {
    Reply { status, headers: Vec::new(), body: String::new(), after: Duration::ZERO }
}

pub struct Receiver {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

pub type Answer = dyn Fn(usize, &Received) -> Reply + Send + Sync;

impl Receiver {
    /// `answer` is given how many requests there were before, and the request.
    pub fn start(answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, Arc::new(answer))
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn serve(tls: Option<TlsAcceptor>, answer: Arc<Answer>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                    match tls.clone() {
                        None => drop(tokio::spawn(connection(stream, kept, answer))),
                        Some(tls) => drop(tokio::spawn(async move {
                            if let Ok(stream) = tls.accept(stream).await {
                                connection(stream, kept, answer).await;
                            }
                        })),
                    }
                }
            });
        });
        Self { address, received }
    }
}

async fn connection<S>(stream: S, kept: Arc<Mutex<Vec<Received>>>, answer: Arc<Answer>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
        async move {
            let (head, body) = request.into_parts();
            let received = Received {
                path: head.uri.path().to_owned(),
                headers: head.headers,
                body: body.collect().await.unwrap().to_bytes(),
                at: Instant::now(),
            };
            let before = {
                let mut kept = kept.lock().unwrap();
                kept.push(received.clone());
                kept.len() - 1
            };
            let reply = answer(before, &received);
            tokio::time::sleep(reply.after).await;
            let mut response = Response::builder().status(reply.status);
            for (name, value) in reply.headers {
                response = response.header(name, value);
            }
            Ok::<_, Infallible>(response.body(Full::new(Bytes::from(reply.body))).unwrap())
        }
    });
    // A client that goes away early is part of the tests.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
