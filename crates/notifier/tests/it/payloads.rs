//! What arrives at a receiver of each kind.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::support::receiver::{Receiver, reply};
use crate::support::{QUICK, channel, deliver, is_delivered, python};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn slack_is_posted_blocks_at_the_url_of_the_mapping() {
    let receiver = Receiver::start(|_, _| reply(200));
    let slack = channel(
        "ops",
        &[("channel", "slack"), ("endpoint_url", &receiver.url())],
        &[("webhook_url", &format!("{}/services/T1/B2/secret", receiver.url()))],
    );
    let answer = deliver(&slack, QUICK);
    assert!(is_delivered(&answer) && answer.status == Some(200) && answer.attempts == 1);
    let [received] = &receiver.received()[..] else { panic!() };
    assert_eq!(received.path, "/services/T1/B2/secret");
    assert_eq!(received.header("content-type"), "application/json");
    assert!(received.header("user-agent").starts_with("sqs_sync/"));
    let body = received.json();
    assert_eq!(body["blocks"][0]["text"]["text"], "🔴 FIRING: customers: run failed");
    let summary = &body["blocks"][1]["text"]["text"];
    assert_eq!(summary, "run 42 failed: Größe &lt;b&gt;&amp; more&lt;/b&gt;");
}

#[test]
fn pagerduty_is_sent_an_event_that_it_takes_with_202() {
    let receiver = Receiver::start(|_, _| reply(202));
    let key = "0123456789abcdef0123456789ABCDEF";
    let endpoint = format!("{}/v2/enqueue", receiver.url());
    let pagerduty = channel(
        "ops",
        &[("channel", "pagerduty"), ("endpoint_url", &endpoint)],
        &[("routing_key", key)],
    );
    assert_eq!(deliver(&pagerduty, QUICK).status, Some(202));
    let body = receiver.received()[0].json();
    assert_eq!(receiver.received()[0].path, "/v2/enqueue");
    assert_eq!(body["routing_key"], key);
    assert_eq!(body["dedup_key"], "sqs_sync/shop/7");
    assert_eq!(body["payload"]["timestamp"], "2026-11-24T18:10:09Z");
}

#[test]
fn a_webhook_is_signed_anew_at_each_attempt_under_the_same_id() {
    let receiver = Receiver::start(|before, _| reply(if before == 0 { 503 } else { 204 }));
    let webhook = channel(
        "hook",
        &[("channel", "webhook"), ("url", &receiver.url()), ("internal_network", "true")],
        &[("signing_secret", SECRET)],
    );
    assert!(is_delivered(&deliver(&webhook, QUICK)));
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    for request in &received {
        assert_eq!(request.header("webhook-id"), "message-1");
        let seconds = request.header("webhook-timestamp");
        let mut signed = format!("message-1.{seconds}.").into_bytes();
        signed.extend_from_slice(&request.body);
        let signature = request.header("webhook-signature").strip_prefix("v1,").unwrap();
        hmac::verify(&key, &signed, &STANDARD.decode(signature).unwrap()).unwrap();
    }
    let body = received[1].json();
    assert_eq!(body["type"], "alert.firing");
    assert_eq!(body["data"]["sync"], "customers");
    assert_eq!(body["data"]["summary"], "run 42 failed: Größe <b>& more</b>");
}

/// The example of docs/alerts.md, run on what arrives.
#[test]
fn the_signature_check_of_the_documentation_takes_what_we_send_and_nothing_else() {
    let page = include_str!("../../../../docs/alerts.md");
    let (_, example) = page.split_once("```python\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let receiver = Receiver::start(|_, _| reply(200));
    let webhook = channel(
        "hook",
        &[("channel", "webhook"), ("url", &receiver.url()), ("internal_network", "true")],
        &[("signing_secret", SECRET)],
    );
    deliver(&webhook, QUICK);
    let [received] = &receiver.received()[..] else { panic!() };
    let body = std::str::from_utf8(&received.body).unwrap();
    let is_genuine = |secret: &str, body: &str, late: u64| {
        let header = |name: &str| received.header(name);
        let program = format!(
            "import sys\n{example}\nnow = time.time\ntime.time = lambda: now() + {late}\n\
             headers = dict(zip(['webhook-id', 'webhook-timestamp', 'webhook-signature'], sys.argv[1:]))\n\
             print(is_genuine(sys.argv[4], headers, sys.argv[5].encode()))"
        );
        let output = python("python")
            .args(["-c", &program])
            .args(["webhook-id", "webhook-timestamp", "webhook-signature"].map(header))
            .args([secret, body])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        said.trim() == "True"
    };
    assert!(is_genuine(SECRET, body, 0));
    assert!(!is_genuine(SECRET, body, 600));
    assert!(!is_genuine(SECRET, &body.replace("42", "43"), 0));
    assert!(!is_genuine("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", body, 0));
}
