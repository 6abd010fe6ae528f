//! Where requests may go: what a URL of an endpoint can be, and which addresses its host may have.
//!
//! An address is judged when it is resolved, by the connector itself: what a name leads to cannot
//! change in between. A literal address is resolved by nobody, and so is judged with its URL.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use tokio::net::lookup_host;

use crate::address::{Reach, is_allowed};

/// A URL's host, in lower case, and port. `None` for what is no URL, or has more than these before
/// its path: a user, or what a parser passes over after an address in brackets.
pub(crate) fn host_and_port(url: &str) -> Option<(String, u16)> {
    let uri: http::Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    let host = authority.host();
    let after_host = authority.as_str().strip_prefix(host)?;
    let port = match (after_host.strip_prefix(':'), uri.scheme_str()?) {
        (Some(port), _) if port.bytes().all(|b| b.is_ascii_digit()) => port.parse().ok()?,
        (None, "https") if after_host.is_empty() => 443,
        (None, _) if after_host.is_empty() => 80,
        _ => return None,
    };
    (!host.is_empty()).then(|| (host.to_ascii_lowercase(), port))
}

/// Checks the URL of an endpoint, as far as it tells without its host being looked up.
///
/// # Errors
///
/// What is wrong with it. It does not quote it: there may be a password in the part that makes it
/// no URL.
pub fn check_endpoint_url(url: &str) -> Result<(), &'static str> {
    let is_http = url.starts_with("https://") || url.starts_with("http://");
    let is_bare = !url.contains(['?', '#', ' ']);
    let host = host_and_port(url).filter(|_| is_http && is_bare);
    let (host, _) = host.ok_or("is not an http or https URL of host and port")?;
    match literal(&host) {
        Some(address) if !is_allowed(address, Reach::Internal) => {
            Err("leads to an address that is never reached")
        }
        Some(address) if !is_allowed(address, reach_of(url)) => {
            Err("is not https, and leads to another machine")
        }
        _ => Ok(()),
    }
}

/// In clear text only this machine is reached.
fn reach_of(url: &str) -> Reach {
    if url.starts_with("https://") { Reach::Internal } else { Reach::Loopback }
}

/// The address that a URL's host is, if it is no name.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

/// Resolves the names of endpoints to addresses that may be reached.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    /// Those that are spoken to in clear text.
    plain: Arc<[String]>,
}

impl Resolver {
    /// For these endpoints.
    pub(crate) fn new(urls: &[&str]) -> Self {
        let plain = urls.iter().filter(|url| reach_of(url) == Reach::Loopback);
        let hosts = plain.filter_map(|url| host_and_port(url)).map(|(host, _)| host);
        Self { plain: hosts.collect() }
    }

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveDnsError> {
        let found = lookup_host((name, 0)).await.map_err(ResolveDnsError::new)?;
        let found: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        let is_plain = self.plain.iter().any(|plain| plain.eq_ignore_ascii_case(name));
        let reach = if is_plain { Reach::Loopback } else { Reach::Internal };
        let allowed: Vec<IpAddr> =
            found.iter().copied().filter(|address| is_allowed(*address, reach)).collect();
        if allowed.is_empty() && !found.is_empty() {
            let why = match is_plain {
                true => "it is not https, and the host is another machine",
                false => "the host has an address that is never reached",
            };
            return Err(ResolveDnsError::new(io::Error::other(why)));
        }
        Ok(allowed)
    }
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(self.resolve(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_a_port_and_nothing_else_before_its_path() {
        let read = |url: &str| host_and_port(url).map(|(host, port)| format!("{host} {port}"));
        assert_eq!(read("https://Sqs.example/1/q").as_deref(), Some("sqs.example 443"));
        assert_eq!(read("http://[::1]:04566").as_deref(), Some("[::1] 4566"));
        for url in [
            "https://[::1]-:4566/1/q",
            "https://[::1]x/1/q",
            "https://a@b.example/1/q",
            "https://b.example:/1/q",
            "https://b.example:+80/1/q",
            "https://:80/1/q",
            "b.example/1/q",
        ] {
            assert_eq!(read(url), None, "{url}");
        }
    }

    #[test]
    fn an_endpoint_is_https_or_on_this_machine_and_no_address_of_clouds_own() {
        for url in [
            "https://sqs.eu-west-1.amazonaws.com",
            "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com:443/",
            "https://10.0.0.1",
            "https://[fd12::1]:8443",
            "http://127.0.0.1:4566",
            "http://[::1]:4566",
            "http://localhost:4566",
        ] {
            assert_eq!(check_endpoint_url(url), Ok(()), "{url}");
        }
        for url in [
            "https://169.254.169.254",
            "http://169.254.169.254/latest",
            "https://[fd00:ec2::254]",
            "https://[::ffff:169.254.169.254]",
            "https://0.0.0.0",
            "http://10.0.0.1:4566",
            "http://52.94.5.1",
            "ftp://localhost",
            "https://user:secret@localhost",
            "https://localhost:port",
            "https://localhost?x",
            "https://",
            "localhost:4566",
        ] {
            assert!(check_endpoint_url(url).is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_leads_to_addresses_that_may_be_reached() {
        let resolver = Resolver::new(&["http://LocalHost:1", "https://sts.example"]);
        assert!(resolver.resolve("localhost").await.unwrap().iter().all(IpAddr::is_loopback));
        // Written otherwise, an address is a name to the connector.
        for name in ["0xa9fea9fe", "169.254.169.254", "0"] {
            let refused = resolver.resolve(name).await.unwrap_err();
            assert!(std::error::Error::source(&refused).unwrap().to_string().contains("never"));
        }
        let plain = Resolver::new(&["http://0x0a000001"]);
        let refused = plain.resolve("0x0a000001").await.unwrap_err();
        assert!(std::error::Error::source(&refused).unwrap().to_string().contains("https"));
    }
}
