//! The queue of a message. What a definition says without a row may be a name, a URL or an ARN; what
//! depends on a row must be a bare name, of a queue that the connection's own account has: by a URL
//! or an ARN whoever writes the row could have messages sent to an account of his own.

use std::sync::Arc;

use crate::allowed::AllowedQueues;
use crate::change::Change;
use crate::error::{Fault, Rejection};
use crate::limits;
use crate::names::Names;
use crate::source::Format;
use crate::template::Template;

/// The ending of a FIFO queue's name.
const FIFO: &str = ".fifo";

/// The name of a queue that is given by its name, URL or ARN.
pub fn queue_name(queue: &str) -> &str {
    queue.rsplit(['/', ':']).next().unwrap_or(queue)
}

/// Whether a queue that is given by its name, URL or ARN is a FIFO queue, as its name tells.
pub fn is_fifo(queue: &str) -> bool {
    queue_name(queue).ends_with(FIFO)
}

/// A compiled queue.
#[derive(Debug)]
pub(crate) enum Queue {
    /// The same for every row.
    Literal {
        queue: Arc<str>,
        is_fifo: bool,
    },
    Template {
        template: Template,
        allowed: Option<AllowedQueues>,
    },
}

/// What is known of a definition's queue without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Standard,
    Fifo,
    ByRow,
}

impl Queue {
    pub fn compile(
        source: &str,
        names: Names<'_>,
        allowed: Option<&AllowedQueues>,
    ) -> Result<Queue, Fault> {
        let template = Template::compile(source, Format::Text, names)?.of("queue");
        if let Some(queue) = template.literal() {
            check_literal(queue, allowed)?;
            return Ok(Queue::Literal { queue: queue.clone(), is_fifo: is_fifo(queue) });
        }
        template.fixed_parts().try_for_each(limits::check_queue_characters)?;
        Ok(Queue::Template { template, allowed: allowed.cloned() })
    }

    /// Whether it is a FIFO queue: a template may end in text that tells.
    pub fn kind(&self) -> Kind {
        let end = match self {
            Queue::Literal { is_fifo: true, .. } => return Kind::Fifo,
            Queue::Literal { is_fifo: false, .. } => return Kind::Standard,
            Queue::Template { template, .. } => template.fixed_end().unwrap_or_default(),
        };
        match (end.ends_with(FIFO), FIFO.ends_with(end)) {
            (true, _) => Kind::Fifo,
            (false, true) => Kind::ByRow,
            (false, false) => Kind::Standard,
        }
    }

    /// The queue of a change, and whether it is a FIFO queue.
    pub fn render(&self, change: &Change<'_>) -> Result<(Arc<str>, bool), Rejection> {
        match self {
            Queue::Literal { queue, is_fifo } => Ok((queue.clone(), *is_fifo)),
            Queue::Template { template, allowed } => {
                let name = template.text(change)?;
                limits::check_queue_name(&name)?;
                if let Some(allowed) = allowed.as_ref().filter(|allowed| !allowed.allow(&name)) {
                    return Err(not_allowed(allowed));
                }
                Ok((Arc::from(&*name), is_fifo(&name)))
            }
        }
    }
}

fn not_allowed(allowed: &AllowedQueues) -> Rejection {
    let reason = "the queue that the row names is not among those that the connection allows";
    Rejection::new("queue_not_allowed", reason).with_hint(allowed_hint(allowed))
}

fn allowed_hint(allowed: &AllowedQueues) -> String {
    format!("allowed_queues of the server is {allowed}.")
}

fn check_literal(queue: &str, allowed: Option<&AllowedQueues>) -> Result<(), Fault> {
    let name = queue_name(queue);
    if queue.starts_with("arn:") {
        // The region is the connection's affair.
        let parts: Vec<&str> = queue.split(':').collect();
        if parts.len() != 6 || parts.get(2) != Some(&"sqs") {
            return Err(Fault::invalid("this is not the ARN of a queue")
                .with_hint("It should read arn:aws:sqs:region:account:name.".to_owned()));
        }
    } else if let Some((scheme, rest)) = queue.split_once("://") {
        if !matches!(scheme, "http" | "https") || !rest.contains('/') {
            return Err(Fault::invalid("this is not the URL of a queue")
                .with_hint("It should read https://host/account/name.".to_owned()));
        }
    } else {
        // A bare name: all of it.
        return check_literal_name(queue, allowed);
    }
    check_literal_name(name, allowed)
}

fn check_literal_name(name: &str, allowed: Option<&AllowedQueues>) -> Result<(), Fault> {
    limits::check_queue_name(name).map_err(|rejection| {
        Fault::invalid(rejection.reason)
            .with_hint("A queue is given by its name, its URL or its ARN.".to_owned())
    })?;
    match allowed {
        Some(allowed) if !allowed.allow(name) => {
            let message = format!("queue {name:?} is not among those that the connection allows");
            Err(Fault::not_allowed(message).with_hint(allowed_hint(allowed)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::names::Usage;

    fn compile(source: &str) -> Result<Queue, Fault> {
        let columns = ["region".to_owned()];
        let usage = Usage::of(&columns);
        let names = Names { columns: &columns, key: &columns, sync_name: "s", usage: &usage };
        let allowed = "orders*, *.fifo".parse().unwrap();
        Queue::compile(source, names, Some(&allowed))
    }

    #[test]
    fn a_queue_is_fifo_by_the_end_of_its_name() {
        for fifo in ["a.fifo", "https://h/1/a.fifo", "arn:aws:sqs:eu-west-1:1:a.fifo"] {
            assert!(is_fifo(fifo), "{fifo}");
            assert_eq!(queue_name(fifo), "a.fifo");
        }
        for standard in ["a", "fifo", "a.fifo2", "https://a.fifo/1/a", ""] {
            assert!(!is_fifo(standard), "{standard}");
        }
    }

    #[test]
    fn a_template_may_tell_its_kind_by_its_end() {
        for (source, kind) in [
            ("orders", Kind::Standard),
            ("orders.fifo", Kind::Fifo),
            ("https://h/1/orders.fifo", Kind::Fifo),
            ("{{row.region}}", Kind::ByRow),
            ("orders-{{row.region}}", Kind::ByRow),
            ("{{row.region}}.fifo", Kind::Fifo),
            ("{{row.region}}-x", Kind::Standard),
            ("{{row.region}}fo", Kind::ByRow),
            ("{{row.region}}{% if true %}.fifo{% endif %}", Kind::ByRow),
        ] {
            assert_eq!(compile(source).unwrap().kind(), kind, "{source}");
        }
    }

    #[test]
    fn what_can_never_be_a_queue_is_refused_when_it_is_compiled() {
        for (source, message) in [
            ("", "the queue's name is empty"),
            ("a b", "the queue's name holds U+0020"),
            ("host/1/orders", "the queue's name holds U+002F"),
            ("https://orders", "this is not the URL of a queue"),
            ("ftp://h/orders", "this is not the URL of a queue"),
            ("https://h/1/", "the queue's name is empty"),
            ("https://h/1/orders?x=1", "the queue's name holds U+003F"),
            ("arn:aws:sns:eu-west-1:1:orders", "this is not the ARN of a queue"),
            ("arn:aws:sqs:eu-west-1:orders", "this is not the ARN of a queue"),
            ("https://h/1/{{row.region}}", "the queue's name holds U+003A"),
            ("{{row.region}} ", "the queue's name holds U+0020"),
            ("customers", "queue \"customers\" is not among those that the connection allows"),
            ("https://h/orders/customers", "queue \"customers\" is not among"),
        ] {
            let fault = compile(source).unwrap_err();
            assert!(fault.message.starts_with(message), "{source}: {}", fault.message);
        }
    }
}
