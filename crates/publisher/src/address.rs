//! Which addresses may be reached.
//!
//! An endpoint or a channel makes the database's server connect to where somebody says. So that it
//! is no way to what only that machine can reach, a name is resolved, its addresses are judged
//! here, and the connection is made to those that passed: what a name leads to cannot change in
//! between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses a name may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public ones alone.
    Public,
    /// Those of the internal network and of this machine too: a superuser said so.
    Internal,
    /// Those of this machine alone: what goes there is in clear text.
    Loopback,
}

/// Whether an address may be reached.
pub fn is_allowed(address: IpAddr, reach: Reach) -> bool {
    let inner = inner_ipv4(address).map_or(address, IpAddr::V4);
    if reach == Reach::Loopback {
        return inner.is_loopback();
    }
    match (inner_ipv4(address), address) {
        (Some(address), _) => is_allowed_v4(address, reach),
        (None, IpAddr::V6(address)) => is_allowed_v6(address, reach),
        (None, IpAddr::V4(address)) => is_allowed_v4(address, reach),
    }
}

/// The IPv4 address that an address is, or that a gateway would make of it: mapped, translated
/// (RFC 6052) or tunnelled (RFC 3056).
fn inner_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(of(high, low))
        }
        // IPv4-compatible, but for :: and ::1.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

/// Link-local addresses are never reached: clouds keep the credentials of the machine there.
fn is_allowed_v4(address: Ipv4Addr, reach: Reach) -> bool {
    let [a, b, c, _] = address.octets();
    let is_never = a == 0 // "this network"
        || address.is_link_local()
        || address.is_multicast()
        || a >= 240; // reserved, and broadcast
    let is_internal = address.is_private()
        || address.is_loopback()
        || (a == 100 && (64..128).contains(&b)) // carriers' own, RFC 6598
        || (a == 192 && b == 0 && (c == 0 || c == 2)) // RFC 6890, examples
        || (a == 198 && (b == 18 || b == 19)) // benchmarks, RFC 2544
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113);
    !is_never && (reach == Reach::Internal || !is_internal)
}

fn is_allowed_v6(address: Ipv6Addr, reach: Reach) -> bool {
    let segments = address.segments();
    let first = segments[0];
    // AWS keeps the machine's credentials at fd00:ec2::254 too, and the clock and resolver beside it.
    let is_never = address.is_unspecified()
        || address.is_multicast()
        || (first & 0xffc0) == 0xfe80
        || (first == 0xfd00 && segments[1] == 0x0ec2)
        || (first == 0x64 && segments[1] == 0xff9b); // a translator's own, RFC 8215
    // What is not global unicast, and of that examples (RFC 3849, RFC 9637) and Teredo, whose
    // addresses hide others.
    let is_internal = (first & 0xe000) != 0x2000
        || (first == 0x2001 && (segments[1] == 0x0db8 || segments[1] < 0x0200))
        || (first == 0x3fff && segments[1] < 0x1000);
    !is_never && (reach == Reach::Internal || !is_internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(address: &str, reach: Reach) -> bool {
        is_allowed(address.parse().unwrap(), reach)
    }

    #[test]
    fn public_addresses_are_reached() {
        for address in ["52.94.5.1", "172.32.0.1", "100.128.0.1", "2600:1f00::1", "2a00:1450::1"] {
            assert!(allowed(address, Reach::Public), "{address}");
        }
    }

    #[test]
    fn the_internal_network_is_reached_where_a_superuser_said_so() {
        for address in [
            "127.0.0.1",
            "127.8.9.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "::1",
            "fc00::1",
            "fd12:3456::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "2001:0::1",
        ] {
            assert!(!allowed(address, Reach::Public), "{address}");
            assert!(allowed(address, Reach::Internal), "{address}");
        }
    }

    #[test]
    fn in_clear_text_only_this_machine_is_reached() {
        for address in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(allowed(address, Reach::Loopback), "{address}");
        }
        for address in ["10.0.0.1", "52.94.5.1", "2600:1f00::1", "fd12:3456::1", "::ffff:10.0.0.1"]
        {
            assert!(!allowed(address, Reach::Loopback), "{address}");
        }
    }

    #[test]
    fn where_clouds_keep_credentials_is_never_reached() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "fd00:ec2::254",
            "fe80::1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "::a9fe:a9fe",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
            "240.0.0.1",
        ] {
            for reach in [Reach::Public, Reach::Internal, Reach::Loopback] {
                assert!(!allowed(address, reach), "{address}");
            }
        }
    }
}
