//! Options of connections: whatever a server and a user mapping have, it is refused, or makes an
//! identity that uses what belongs to the server only if that is lent, and no value is told.

use std::net::IpAddr;

use fastrand::Rng;
use publisher::{
    Connection, Credentials, Identity, Mapping, check_server, options, partition_of, session_name,
    superuser_option,
};

use crate::spoil::{self, Options, PARTS, assert_silent, changed, first_of, pick, spoiled};

/// Names, and values of which the first is right.
const SERVER: [(&str, &[&str]); 4] = [
    ("region", &["eu-west-1", "cn-north-1", "us-gov-west-1", "EU", "zq7 1", "-", "eu.west"]),
    ("endpoint_url", &ENDPOINTS),
    ("sts_endpoint_url", &ENDPOINTS),
    ("allowed_queues", &["orders*, invoices.fifo", "zq7", "*"]),
];

const ENDPOINTS: [&str; 8] = [
    "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com",
    "http://localhost:4566",
    "http://127.0.0.1",
    "http://10.0.0.1/zq7",
    "https://zq7:pw@example.com",
    "http://169.254.169.254/zq7",
    "https://[fe80::1]/zq7",
    "ftp://zq7",
];

const MAPPING: [(&str, &[&str]); 8] = [
    ("access_key_id", &["AKIAEXAMPLE", "zq7"]),
    ("secret_access_key", &["zq7-a-secret-key", "zq7"]),
    ("session_token", &["zq7-a-session-token"]),
    (
        "role_arn",
        &[
            "arn:aws:iam::123456789012:role/sqs-sync",
            "arn:aws-cn:iam::123456789012:role/path/to/it",
            "arn:aws:iam::1234:role/zq7",
            "arn:aws:sts::123456789012:assumed-role/zq7",
            "zq7",
        ],
    ),
    ("external_id", &["x7Qm-3kT9", "x", "zq7 zq7", "zq7:/=@"]),
    ("ambient_credentials", &["true", "false", "zq7", "TRUE"]),
    ("profile", &["reporting", "zq7"]),
    ("web_identity_token_file", &["/run/token", "zq7", "../zq7"]),
];

/// The ways in which a mapping says as whom.
const WAYS: [&[&str]; 6] = [
    &["access_key_id", "secret_access_key"],
    &["access_key_id", "secret_access_key", "session_token"],
    &["access_key_id", "secret_access_key", "role_arn", "external_id"],
    &["ambient_credentials", "role_arn", "external_id"],
    &["profile"],
    &["web_identity_token_file", "role_arn"],
];

/// What belongs to the server.
const LENT: [&str; 3] = ["ambient_credentials", "profile", "web_identity_token_file"];

pub fn trial(seed: u64) -> &'static str {
    let mut rng = Rng::with_seed(seed);
    let mut server = first_of(&SERVER, &["region"]);
    let way = WAYS[rng.usize(..WAYS.len())];
    let mut mapping = first_of(&MAPPING, way);
    changed(&mut rng, &mut server, &SERVER);
    changed(&mut rng, &mut mapping, &MAPPING);
    session(&mut rng);

    let (of_server, of_mapping) = (check_server(&server), Mapping(&mapping).check());
    for error in [of_server.as_ref().err(), of_mapping.as_ref().err()].into_iter().flatten() {
        assert_silent(&error.message, error.hint.as_deref(), &[&server, &mapping]);
    }
    // Whoever may set it is asked whatever else is wrong.
    let mut endpoints = server.iter().filter(|(name, _)| is_endpoint(name));
    assert_eq!(superuser_option(&server), endpoints.next().map(|(name, _)| &**name), "{server:?}");
    if of_server.is_err() {
        return "servers refused";
    }
    assert_known("server", &server);
    server.iter().filter(|(name, _)| is_endpoint(name)).for_each(assert_endpoint);
    if of_mapping.is_err() {
        return "mappings refused";
    }
    assert_known("user mapping", &mapping);
    let region = value(&server, "region").unwrap();
    match Mapping(&mapping).identity(region, "orders@shop".to_owned()) {
        Ok(identity) => {
            assert_ours(&mapping, region, &identity);
            assert_hidden(&mapping, region, identity);
            "connections"
        }
        Err(error) => {
            let arn = value(&mapping, "role_arn").unwrap();
            let partition = arn.split(':').nth(1);
            assert_ne!(partition, Some(partition_of(region)), "{error}: {mapping:?}");
            "of another partition"
        }
    }
}

fn is_endpoint(name: &str) -> bool {
    matches!(name, "endpoint_url" | "sts_endpoint_url")
}

fn value<'a>(options: &'a Options, name: &str) -> Option<&'a str> {
    options.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
}

fn assert_known(object: &str, given: &Options) {
    let mut known = options().filter(|(of, _)| *of == object).map(|(_, known)| known);
    assert!(known.all(|it| !it.required || value(given, it.name).is_some()), "{given:?}");
    for (name, value) in given {
        let is_known = options().any(|(of, known)| of == object && known.name == name);
        assert!(is_known && !value.trim().is_empty(), "{given:?}");
    }
}

/// In clear text no address but this machine's is spoken to, and none of clouds' own at all. (What a
/// name leads to is judged when it is looked up.)
fn assert_endpoint((_, url): &(String, String)) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let host = rest.split(['/', '?', '#']).next().unwrap();
    assert!(matches!(scheme, "https" | "http") && !host.contains('@'), "{url}");
    let bare = host.strip_prefix('[').and_then(|host| host.split(']').next());
    let Ok(address) = bare.or(host.split(':').next()).unwrap().parse::<IpAddr>() else { return };
    assert!(scheme == "https" || address.is_loopback(), "{url}");
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    assert!(!is_link_local, "{url}");
}

/// The first keys are those of the mapping, all of them, unless it lends what is not its own.
fn assert_ours(mapping: &Options, region: &str, identity: &Identity) {
    let is_off = |(name, value): &(String, String)| name == LENT[0] && value == "false";
    let given = mapping.iter().filter(|it| !is_off(it)).find(|(name, _)| LENT.contains(&&**name));
    assert_eq!(Mapping(mapping).lends(), given.map(|(name, _)| name.as_str()), "{mapping:?}");
    match (identity.keys(), given) {
        (Some(Credentials { access_key_id, secret_access_key, session_token }), None) => {
            let token = session_token.as_ref().map(|token| token.expose());
            let read = (Some(&**access_key_id), Some(secret_access_key.expose()), token);
            let [id, key, token] = ["access_key_id", "secret_access_key", "session_token"];
            let written = (value(mapping, id), value(mapping, key), value(mapping, token));
            assert_eq!(read, written);
        }
        (None, Some(_)) => {}
        _ => panic!("{mapping:?} is {identity:?}"),
    }
    if let Some(arn) = value(mapping, "role_arn") {
        let account = arn.strip_prefix(&format!("arn:{}:iam::", partition_of(region)));
        let (account, role) = account.unwrap().split_once(":role/").unwrap();
        assert!(account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()), "{arn}");
        assert!(!role.is_empty() && role.bytes().all(|b| b.is_ascii_graphic()), "{arn}");
        assert!(identity.to_string().contains(arn));
    }
}

/// What is printed of a connection has no secret.
fn assert_hidden(mapping: &Options, region: &str, identity: Identity) {
    let connection = Connection {
        region: region.to_owned(),
        endpoint_url: None,
        sts_endpoint_url: None,
        identity,
    };
    let shown = format!("{connection:?}");
    for name in ["secret_access_key", "session_token"] {
        // A shorter one may be a part of something else.
        let secret = value(mapping, name).filter(|secret| secret.len() >= 8);
        assert!(secret.is_none_or(|secret| !shown.contains(secret)), "{name}: {shown}");
    }
}

/// A session can have the name, whatever sync and database are called.
fn session(rng: &mut Rng) {
    let mut part = || match rng.u8(..4) {
        0 => "é😀 ".repeat(rng.usize(..40)),
        1 => spoil::queue_name(rng),
        2 => pick(rng, &PARTS).repeat(rng.usize(..80)),
        _ => spoiled(rng, "orders of today"),
    };
    let name = session_name(&part(), &part());
    let is_fit = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    assert!((1..=64).contains(&name.len()) && name.bytes().all(is_fit), "{name:?}");
}
