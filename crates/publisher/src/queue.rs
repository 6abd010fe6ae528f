//! From what a sync calls its queue to the URL that SQS wants.
//!
//! A URL is used as it is, an ARN is written as a URL, and only a bare name must be asked for
//! (`sqs`). A URL or ARN of another region or host is refused here: a request signed for this
//! connection is never meant for another.

use crate::connection::{Connection, dns_suffix, partition_of};
use crate::endpoint::host_and_port;
use crate::error::Trouble;

/// What is known of a queue before SQS is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Located {
    Url(String),
    /// A bare name: ListQueues knows its URL.
    Name,
}

/// Reads a queue's name, URL or ARN.
pub(crate) fn locate(queue: &str, connection: &Connection) -> Result<Located, Trouble> {
    if queue.starts_with("arn:") {
        from_arn(queue, connection).map(Located::Url)
    } else if queue.starts_with("https://") || queue.starts_with("http://") {
        check_url(queue, connection).map(|()| Located::Url(queue.to_owned()))
    } else if is_name(queue) {
        Ok(Located::Name)
    } else {
        Err(Trouble::queue(
            format!("\"{}\" is not a queue's name, URL or ARN", brief(queue)),
            "A name has 1 to 80 letters, digits, hyphens and underscores; a FIFO queue's ends in .fifo.",
        ))
    }
}

/// The last segment of a queue's URL is its name.
pub(crate) fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

/// Account and name in a queue's URL: at one connection they say which queue it is, whichever of
/// SQS's hosts the URL names.
pub(crate) fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or(rest, |(_, path)| path)
}

/// The ARN of a queue whose URL ends in account and name.
pub fn arn_of(url: &str, region: &str) -> Option<String> {
    let (account, name) = path_of(url).rsplit_once('/')?;
    let account = account.rsplit('/').next()?;
    let is_account = !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit());
    let partition = partition_of(region);
    is_account.then(|| format!("arn:{partition}:sqs:{region}:{account}:{name}"))
}

/// A URL that ListQueues gave, at the connection's own endpoint: an emulator writes its own idea of
/// its host and port into it, and nobody's answer says where else to go.
pub(crate) fn onto_endpoint(listed: &str, connection: &Connection) -> String {
    let path =
        listed.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
    match path {
        Some(path) => format!("{}/{path}", connection.endpoint()),
        None => listed.to_owned(),
    }
}

/// SQS's rule for names (botocore, CreateQueue), with the dot for `.fifo`.
fn is_name(queue: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=80).contains(&queue.len()) && queue.chars().all(allowed)
}

fn from_arn(arn: &str, connection: &Connection) -> Result<String, Trouble> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", partition, "sqs", region, account, name] = parts[..] else {
        return Err(not_an_arn(arn));
    };
    let is_account = !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit());
    if !is_account || !is_name(name) {
        return Err(not_an_arn(arn));
    }
    if region != connection.region {
        return Err(Trouble::queue(
            format!(
                "queue \"{arn}\" is in region {region}, and the connection's is {}",
                connection.region
            ),
            "Use a connection of the queue's region.",
        ));
    }
    if partition != partition_of(region) {
        return Err(Trouble::queue(
            format!("queue \"{arn}\" is in partition {partition}, and region {region} is not"),
            "An ARN in China begins with arn:aws-cn, in GovCloud with arn:aws-us-gov, elsewhere with arn:aws.",
        ));
    }
    Ok(format!("{}/{account}/{name}", connection.endpoint()))
}

fn not_an_arn(arn: &str) -> Trouble {
    Trouble::queue(
        format!("\"{}\" is not the ARN of a queue", brief(arn)),
        "It should read arn:aws:sqs:region:account:name.",
    )
}

fn check_url(url: &str, connection: &Connection) -> Result<(), Trouble> {
    let elsewhere = |hint: &str| {
        Trouble::queue(
            format!(
                "the queue's URL \"{}\" does not belong to {}",
                brief(url),
                connection.endpoint()
            ),
            hint,
        )
    };
    let Some((host, port)) = host_and_port(url) else {
        return Err(elsewhere("It should read https://host/account/name."));
    };
    let belongs = match &connection.endpoint_url {
        Some(endpoint) => host_and_port(endpoint) == Some((host, port)),
        None => port == 443 && is_sqs_host(&host, &connection.region),
    };
    if belongs {
        Ok(())
    } else {
        Err(elsewhere("Use the queue's name, or a connection of its region and endpoint."))
    }
}

/// Today's host and the two legacy ones, which SQS still answers to and may give out
/// (AWS General Reference, "Amazon SQS endpoints and quotas").
fn is_sqs_host(host: &str, region: &str) -> bool {
    let suffix = dns_suffix(region);
    host == format!("sqs.{region}.{suffix}")
        || host == format!("{region}.queue.{suffix}")
        || (region == "us-east-1" && host == format!("queue.{suffix}"))
}

/// Enough of a wrong name to find it by: a template may have made it of anything.
fn brief(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Credentials, Secret};

    fn connection(region: &str, endpoint: Option<&str>) -> Connection {
        Connection {
            region: region.to_owned(),
            endpoint_url: endpoint.map(str::to_owned),
            sts_endpoint_url: None,
            identity: Credentials {
                access_key_id: "AKIA".to_owned(),
                secret_access_key: Secret::new("secret".to_owned()),
                session_token: None,
            }
            .into(),
        }
    }

    fn url(text: &str) -> Located {
        Located::Url(text.to_owned())
    }

    #[test]
    fn an_arn_becomes_a_url() {
        let arn = "arn:aws:sqs:eu-west-1:123456789012:orders.fifo";
        assert_eq!(
            locate(arn, &connection("eu-west-1", None)).unwrap(),
            url("https://sqs.eu-west-1.amazonaws.com/123456789012/orders.fifo")
        );
        assert_eq!(
            locate(arn, &connection("eu-west-1", Some("http://127.0.0.1:4566/"))).unwrap(),
            url("http://127.0.0.1:4566/123456789012/orders.fifo")
        );
        let china = "arn:aws-cn:sqs:cn-north-1:123456789012:orders";
        assert_eq!(
            locate(china, &connection("cn-north-1", None)).unwrap(),
            url("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/orders")
        );
    }

    #[test]
    fn a_url_becomes_the_arn_that_becomes_it() {
        for (region, arn) in [
            ("eu-west-1", "arn:aws:sqs:eu-west-1:123456789012:orders.fifo"),
            ("cn-north-1", "arn:aws-cn:sqs:cn-north-1:123456789012:orders"),
        ] {
            let Located::Url(url) = locate(arn, &connection(region, None)).unwrap() else {
                panic!()
            };
            assert_eq!(arn_of(&url, region).as_deref(), Some(arn));
        }
        assert_eq!(arn_of("https://localhost:4566/orders", "eu-west-1"), None);
        assert_eq!(arn_of("https://localhost:4566/me/orders", "eu-west-1"), None);
    }

    #[test]
    fn an_arn_of_another_region_or_service_is_refused() {
        let here = connection("eu-west-1", None);
        for arn in [
            "arn:aws:sqs:eu-west-2:123456789012:orders",
            "arn:aws:sns:eu-west-1:123456789012:orders",
            "arn:aws:sqs:eu-west-1:123456789012",
            "arn:aws:sqs:eu-west-1:12a:orders",
            "arn:aws-cn:sqs:eu-west-1:123456789012:orders",
            "arn:aws:sqs:eu-west-1:123456789012:a/b",
            "arn:",
        ] {
            assert!(locate(arn, &here).is_err(), "{arn}");
        }
    }

    #[test]
    fn a_url_is_used_as_it_is_when_it_belongs_to_the_connection() {
        let aws = connection("us-east-1", None);
        for good in [
            "https://sqs.us-east-1.amazonaws.com/123456789012/orders",
            "https://us-east-1.queue.amazonaws.com/123456789012/orders",
            "https://queue.amazonaws.com/123456789012/orders",
        ] {
            assert_eq!(locate(good, &aws).unwrap(), url(good));
        }
        for bad in [
            "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
            "https://sqs.us-east-1.amazonaws.com.evil.org/123456789012/orders",
            "https://sqs.us-east-1.amazonaws.com:8443/123456789012/orders",
            "https://user@sqs.us-east-1.amazonaws.com/123456789012/orders",
            "http://169.254.169.254/latest",
            "https://",
        ] {
            assert!(locate(bad, &aws).is_err(), "{bad}");
        }
    }

    #[test]
    fn with_an_endpoint_a_url_must_be_the_endpoints() {
        let local = connection("us-east-1", Some("http://localhost:4566"));
        assert!(locate("http://localhost:4566/0/orders", &local).is_ok());
        assert!(locate("http://LOCALHOST:4566/0/orders", &local).is_ok());
        assert!(locate("http://localhost:4567/0/orders", &local).is_err());
        assert!(locate("https://queue.amazonaws.com/0/orders", &local).is_err());
    }

    #[test]
    fn a_listed_url_moves_onto_the_endpoint() {
        let local = connection("us-east-1", Some("http://127.0.0.1:9999"));
        assert_eq!(
            onto_endpoint("http://localhost:4566/000000000000/orders", &local),
            "http://127.0.0.1:9999/000000000000/orders"
        );
        let aws = connection("us-east-1", None);
        assert_eq!(
            onto_endpoint("https://queue.amazonaws.com/123456789012/orders", &aws),
            "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
        );
    }

    #[test]
    fn what_is_no_name_is_refused_before_sqs_is_asked() {
        let aws = connection("us-east-1", None);
        assert_eq!(locate("orders-1_x.fifo", &aws).unwrap(), Located::Name);
        for bad in ["", "two words", "queue/x", "ü", &"x".repeat(81)] {
            assert!(locate(bad, &aws).is_err(), "{bad}");
        }
    }
}
