//! Queues by name, URL and ARN: what is taken is a queue that SQS can have, of the names that are
//! allowed and of the connection's own region and host; what comes from a row is a bare name.

use fastrand::Rng;
use message::{
    AllowedQueues, Change, Context, Definition, Event, Run, Source, Value, is_fifo, queue_name,
};
use publisher::{Connection, Credentials, Secret};

use crate::spoil::{self, MARK, one_in, pick, spoiled};

const REGIONS: [&str; 4] = ["eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"];

const HOSTS: [&str; 16] = [
    "sqs.eu-west-1.amazonaws.com",
    "eu-west-1.queue.amazonaws.com",
    "queue.amazonaws.com",
    "sqs.us-east-1.amazonaws.com",
    "sqs.cn-north-1.amazonaws.com.cn",
    "SQS.EU-WEST-1.AMAZONAWS.COM:443",
    "sqs.eu-west-1.amazonaws.com:8443",
    "sqs.eu-west-1.amazonaws.com.evil.example",
    "sqs.eu-west-1.amazonaws.com@evil.example",
    "evil.example#sqs.eu-west-1.amazonaws.com",
    "user:zq7@sqs.eu-west-1.amazonaws.com",
    "localhost:4566",
    "127.0.0.1:4566",
    "[::1]:4566",
    "169.254.169.254",
    "evil.example",
];

const ENDPOINTS: [&str; 4] = [
    "http://localhost:4566",
    "http://127.0.0.1:4566/",
    "https://vpce-1.example",
    "http://[::1]:4566",
];

fn queue(rng: &mut Rng) -> String {
    let name = spoil::queue_name(rng);
    let account = pick(rng, &["123456789012", "000000000000", "1", "", "12a", "１２"]);
    let text = match rng.u8(..8) {
        0..=2 => name,
        3..=4 => {
            let scheme = pick(rng, &["https", "https", "https", "http", "ftp", "HTTPS", "arn"]);
            format!("{scheme}://{}/{account}/{name}", pick(rng, &HOSTS))
        }
        5..=6 => {
            let partition = pick(rng, &["aws", "aws", "aws-cn", "aws-us-gov", "", MARK]);
            format!("arn:{partition}:sqs:{}:{account}:{name}", pick(rng, &REGIONS))
        }
        _ => pick(rng, &["", "arn:", "https://", "https:///", "/", ".fifo", "a/b", "{{ row.q"])
            .to_owned(),
    };
    if one_in(rng, 3) { spoiled(rng, &text) } else { text }
}

pub fn trial(seed: u64) -> &'static str {
    let mut rng = Rng::with_seed(seed);
    let queue = queue(&mut rng);
    let allowed = allowed(&mut rng);
    let is_literal = literal(&queue, allowed.as_ref());
    let is_name = by_row(&queue, allowed.as_ref());
    let is_located = located(&mut rng, &queue);
    match (is_literal, is_name, is_located) {
        (true, true, _) => "names",
        (true, false, true) => "URLs and ARNs",
        (true, false, false) => "of another connection",
        (false, ..) => "refused",
    }
}

/// A list of patterns reads back as it was, and allows what its stars and letters say.
fn allowed(rng: &mut Rng) -> Option<AllowedQueues> {
    let pattern = |rng: &mut Rng| {
        let name = spoil::queue_name(rng);
        let at = rng.usize(..=name.len());
        if rng.bool() { name[..at].to_owned() + "*" + &name[at..] } else { name }
    };
    let count = rng.usize(1..4);
    let mut list = (0..count).map(|_| pattern(rng)).collect::<Vec<_>>().join(", ");
    if one_in(rng, 4) {
        list = spoiled(rng, &list);
    }
    let allowed: AllowedQueues = list.parse().ok()?;
    assert_eq!(allowed.to_string().parse(), Ok(allowed.clone()), "{list:?}");
    let shown = allowed.to_string();
    for name in [spoil::queue_name(rng), "orders".to_owned()] {
        let expected = shown.split(", ").any(|it| matches(it.as_bytes(), name.as_bytes()));
        assert_eq!(allowed.allow(&name), expected, "{list:?} and {name:?}");
    }
    // Most have no list.
    Some(allowed).filter(|_| one_in(rng, 3))
}

/// Whether a text matches a pattern, asked letter by letter.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if matches(rest, text) => true,
        (Some((b'*', _)), Some((_, text))) => matches(pattern, text),
        (Some((p, pattern)), Some((t, text))) => p == t && matches(pattern, text),
        _ => false,
    }
}

/// SQS's rule: 1 to 80 letters, digits, hyphens and underscores, with `.fifo` at the end.
fn is_legal_name(name: &str) -> bool {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let is_legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !stem.is_empty() && name.len() <= 80 && stem.bytes().all(is_legal)
}

fn is_allowed(name: &str, allowed: Option<&AllowedQueues>) -> bool {
    allowed.is_none_or(|allowed| allowed.allow(name))
}

fn compiled(queue: &str, allowed: Option<&AllowedQueues>) -> Option<Definition> {
    let columns = ["q".to_owned()];
    let context = Context {
        columns: &columns,
        key: &columns,
        sync_name: "sync",
        sync_uuid: "6a1f0d5e-3b0c-4c8f-9a53-0d3a8c1f2e11",
        allowed_queues: allowed,
    };
    let source = Source {
        queue: Some(queue.to_owned()),
        template: Some("{}".to_owned()),
        group_id: Some("g".to_owned()),
        ..Source::default()
    };
    Definition::compile(&source, &context).ok()
}

/// The queue that a row names, or what the rejection says.
fn rendered(definition: &Definition, row: &str) -> Result<String, String> {
    let row = [Value::Text(row.into())];
    let run = Run { id: 7, started_at: "2024-01-15T08:00:00Z" };
    let change = Change { id: 42, event: Event::Added, row: &row, old: None, run };
    match definition.render(&change) {
        Ok(message) => {
            assert_eq!(is_fifo(&message.queue), message.dedup_id.is_some(), "{}", message.queue);
            Ok(message.queue.to_string())
        }
        Err(rejection) => Err(format!("{rejection:?}")),
    }
}

/// Whether it is taken as the queue of every row: then it is that, letter for letter.
fn literal(queue: &str, allowed: Option<&AllowedQueues>) -> bool {
    let Some(definition) = compiled(queue, allowed) else {
        let is_right = is_legal_name(queue) && is_allowed(queue, allowed);
        assert!(!is_right, "{queue:?} is refused");
        return false;
    };
    if queue.contains("{{") || queue.contains("{%") {
        return false;
    }
    assert_eq!(rendered(&definition, "").as_deref(), Ok(queue));
    let name = queue_name(queue);
    assert!(is_legal_name(name) && is_allowed(name, allowed), "{queue:?} is taken");
    assert_eq!(is_fifo(queue), queue.ends_with(".fifo"));
    let is_bare = name == queue;
    assert!(is_bare || queue.starts_with("arn:") || queue.contains("://"), "{queue:?} is taken");
    true
}

/// Whether it is taken from a row: exactly the names that SQS can have and that are allowed. What is
/// not is not shown.
fn by_row(queue: &str, allowed: Option<&AllowedQueues>) -> bool {
    let definition = compiled("{{ row.q }}", allowed).unwrap();
    let is_right = is_legal_name(queue) && is_allowed(queue, allowed);
    match rendered(&definition, queue) {
        Ok(taken) => assert!(is_right && taken == queue, "{queue:?} is taken from a row"),
        Err(told) => {
            assert!(!is_right, "{queue:?} is rejected: {told}");
            let is_in_the_list = allowed.is_some_and(|it| it.to_string().contains(MARK));
            assert!(is_in_the_list || !told.contains(MARK), "{told}");
        }
    }
    is_right
}

/// Whether it is a queue of a connection: a request goes to that connection's own hosts alone.
fn located(rng: &mut Rng, queue: &str) -> bool {
    let region = pick(rng, &REGIONS);
    let endpoint = one_in(rng, 3).then(|| pick(rng, &ENDPOINTS));
    let keys = Credentials {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: Secret::new(format!("{MARK}-key")),
        session_token: None,
    };
    let connection = Connection {
        region: region.to_owned(),
        endpoint_url: endpoint.map(str::to_owned),
        sts_endpoint_url: None,
        identity: keys.into(),
    };
    let located = publisher::fuzz::locate(queue, &connection);
    match &located {
        Ok(None) => assert!(!queue.contains(['/', ':']), "{queue:?} is a name"),
        Ok(Some(url)) => {
            assert!(hosts(region, endpoint).contains(&authority(url)), "{queue:?} is at {url:?}");
            if let Some(arn) = queue.strip_prefix("arn:") {
                let (place, name) = arn.rsplit_once(':').unwrap();
                let account = place.rsplit(':').next().unwrap();
                assert!(url.ends_with(&format!("/{account}/{name}")), "{queue:?} is {url:?}");
                assert!(place.contains(&format!(":sqs:{region}:")), "{queue:?} is in {region}");
            } else {
                assert_eq!(url, queue);
            }
        }
        Err(told) => {
            assert!(!told.contains(&format!("{MARK}-key")) && told.len() < 1_500, "{told}")
        }
    }
    located.is_ok()
}

/// What is between the scheme and the path, its port always said, and as any program reads it: 04566
/// is 4566.
fn authority(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let authority = rest.split(['/', '?', '#']).next().unwrap().to_ascii_lowercase();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority.as_str(), if scheme == "https" { "443" } else { "80" }),
    };
    format!("{host}:{}", port.trim_start_matches('0'))
}

fn hosts(region: &str, endpoint: Option<&str>) -> Vec<String> {
    if let Some(endpoint) = endpoint {
        return vec![authority(endpoint)];
    }
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let mut hosts =
        vec![format!("sqs.{region}.{suffix}:443"), format!("{region}.queue.{suffix}:443")];
    if region == "us-east-1" {
        hosts.push("queue.amazonaws.com:443".to_owned());
    }
    hosts
}
