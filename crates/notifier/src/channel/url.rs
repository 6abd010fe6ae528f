//! Addresses that options give: which host, and how it may be reached.

use http::Uri;
use publisher::OptionError;
pub(crate) use publisher::Reach;

use crate::error;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// In lower case; an IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) reach: Reach,
}

/// What a URL says, but for a fragment or a user, which it may not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) peer: Peer,
    pub(crate) is_tls: bool,
    /// Path and query.
    pub(crate) path: String,
    /// The host as the header `Host` has it.
    pub(crate) authority: String,
}

impl Url {
    /// The option's value as a URL. In clear text only to this machine, and only where the internal
    /// network is allowed.
    pub(super) fn parse(option: &str, text: &str, reach: Reach) -> Result<Self, OptionError> {
        let url = Self::of(text, reach).ok_or_else(|| {
            error::invalid(
                format!("option \"{option}\" is not a URL"),
                "It is https://, a host, a port where it is not the usual one, and a path.",
            )
        })?;
        if !url.is_tls && reach == Reach::Public {
            return Err(error::invalid(
                format!("option \"{option}\" is not an https URL"),
                "Messages go in clear text only where a superuser has allowed the internal network.",
            ));
        }
        Ok(url)
    }

    fn of(text: &str, reach: Reach) -> Option<Self> {
        if text.contains('#') || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let uri: Uri = text.parse().ok()?;
        let is_tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?.as_str().to_ascii_lowercase();
        let host = uri.host()?.to_ascii_lowercase();
        // What follows the host is a port or nothing: no user stands before it.
        let port = match authority.strip_prefix(&host)?.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0)?,
            None if authority == host => {
                if is_tls {
                    443
                } else {
                    80
                }
            }
            None => return None,
        };
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(&host);
        if host.is_empty() {
            return None;
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Some(Self {
            peer: Peer {
                host: host.to_owned(),
                port,
                reach: if is_tls { reach } else { Reach::Loopback },
            },
            is_tls,
            path: path.to_owned(),
            authority,
        })
    }

    /// Whether both are at the same host and port, reached the same way.
    pub(super) fn has_origin(&self, of: &Self) -> bool {
        self.is_tls == of.is_tls && self.peer == of.peer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_a_port_and_a_path() {
        let url = Url::of("https://Hooks.Example.com/a/b?c=d", Reach::Public).unwrap();
        assert_eq!((url.peer.host.as_str(), url.peer.port), ("hooks.example.com", 443));
        assert_eq!((url.path.as_str(), url.is_tls), ("/a/b?c=d", true));
        let url = Url::of("http://[::1]:8080", Reach::Internal).unwrap();
        assert_eq!((url.peer.host.as_str(), url.peer.port), ("::1", 8080));
        assert_eq!((url.path.as_str(), url.authority.as_str()), ("/", "[::1]:8080"));
    }

    #[test]
    fn what_could_be_read_as_another_host_is_no_url() {
        for text in [
            "https://user@host/",
            "https://user:secret@host/",
            "https://host:0/",
            "https://host:99999/",
            "https://host:/",
            "https://host/#there",
            "https:///path",
            "https://",
            "host/path",
            "ftp://host/",
            "https://ho st/",
            "https://host\r\nX: y/",
            "https://münchen.example/",
            "",
        ] {
            assert_eq!(Url::of(text, Reach::Public), None, "{text:?}");
        }
    }
}
