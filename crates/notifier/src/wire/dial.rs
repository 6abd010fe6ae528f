//! A connection to a peer: its name resolved, its addresses judged, the first that answers taken.

use std::net::SocketAddr;
use std::time::Duration;

use publisher::{is_allowed, root_cause};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::channel::Peer;
use crate::error::Trouble;

/// How long one address may take to answer.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 4;

pub(super) async fn connect(peer: &Peer) -> Result<TcpStream, Trouble> {
    let host = &peer.host;
    let mut last = None;
    for address in addresses(peer).await? {
        match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Some(root_cause(&error)),
            Err(_) => {
                last = Some(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()));
            }
        }
    }
    let what = last.unwrap_or_else(|| "it has no address".to_owned());
    Err(Trouble::network(format!("could not reach {host} at port {}: {what}", peer.port)))
}

/// The addresses that may be reached.
pub(super) async fn addresses(peer: &Peer) -> Result<Vec<SocketAddr>, Trouble> {
    let host = peer.host.as_str();
    let found = lookup_host((host, peer.port)).await.map_err(|error| {
        Trouble::network(format!("could not find the address of {host}: {}", root_cause(&error)))
    })?;
    let found: Vec<SocketAddr> = found.collect();
    let is_known = !found.is_empty();
    let allowed: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| is_allowed(address.ip(), peer.reach))
        .take(MOST_ADDRESSES)
        .collect();
    if is_known && allowed.is_empty() {
        return Err(Trouble::address(host));
    }
    Ok(allowed)
}
