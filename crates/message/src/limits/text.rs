//! The rules for names and ids: how long, and of which characters.

use crate::error::Rejection;

/// What a text must be.
#[derive(Debug)]
pub struct TextRule {
    /// What the text is, for a rejection: "the group id".
    pub what: &'static str,
    /// The code of the rejection.
    pub code: &'static str,
    /// The most characters; the least is one.
    pub max_chars: usize,
    /// Whether a character may be in it.
    pub allowed: fn(char) -> bool,
    /// The characters that may be in it, in words.
    pub takes: &'static str,
    /// What to do, in whole sentences.
    pub hint: &'static str,
    /// What to do about other characters, if that is not the same.
    pub hint_of_characters: Option<&'static str>,
}

/// How characters that an id cannot have are written with those that it can.
const ESCAPE: &str = "Escape them in the template, as {{ row.name | url_encode }} does, or replace them: {{ row.name | replace: \" \", \"_\" }}.";

/// The letters, digits and punctuation marks of ASCII.
const GRAPHIC: &str = "ASCII letters, digits and punctuation, and no spaces";

/// A message group id.
/// Source: SQS API reference, SendMessage, MessageGroupId: "The length of MessageGroupId is 128
/// characters. Valid values: alphanumeric characters and punctuation
/// ``(!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~)``", which is U+0021 to U+007E.
pub const GROUP_ID: TextRule = TextRule {
    what: "the group id",
    code: "invalid_group_id",
    max_chars: 128,
    allowed: |c| c.is_ascii_graphic(),
    takes: GRAPHIC,
    hint: "Shorten it in the model, such as by md5(name).",
    hint_of_characters: Some(ESCAPE),
};

/// A message deduplication id.
/// Source: SQS API reference, SendMessage, MessageDeduplicationId; the same rule as for groups.
pub const DEDUP_ID: TextRule = TextRule {
    what: "the deduplication id",
    code: "invalid_dedup_id",
    max_chars: 128,
    allowed: |c| c.is_ascii_graphic(),
    takes: GRAPHIC,
    hint: "Give each change a short value, such as md5(…) in the model, or leave dedup_id to the default.",
    hint_of_characters: Some(ESCAPE),
};

/// The most characters of a queue's name, `.fifo` included.
/// Source: SQS API reference, CreateQueue, QueueName: "A queue name can have up to 80 characters.
/// Valid values: alphanumeric characters, hyphens (-), and underscores (_). A FIFO queue name must
/// end with the .fifo suffix."
pub const MAX_QUEUE_NAME_CHARS: usize = 80;

/// A queue's name but for its `.fifo`.
const QUEUE_NAME: TextRule = TextRule {
    what: "the queue's name",
    code: "invalid_queue_name",
    max_chars: MAX_QUEUE_NAME_CHARS,
    allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'),
    takes: "A-Z, a-z, 0-9, - and _, and .fifo at the end of a FIFO queue's",
    hint: "A queue that depends on the row is the name of one in the connection's own account, never a URL or an ARN.",
    hint_of_characters: None,
};

/// The most characters of a message id, the name by which results are reported. It is no part of
/// the message, so the limit is ours.
pub const MAX_MESSAGE_ID_CHARS: usize = 1_024;

impl TextRule {
    /// Checks a whole text.
    ///
    /// # Errors
    ///
    /// A rejection with the rule's code.
    pub fn check(&self, text: &str) -> Result<(), Rejection> {
        if text.is_empty() {
            return Err(self.rejection(format!("{} is empty", self.what)));
        }
        self.check_characters(text)?;
        // An allowed character may have more than one byte, but nothing is counted in vain.
        match text.len() > self.max_chars && text.chars().count() > self.max_chars {
            true => Err(self.too_long(text)),
            false => Ok(()),
        }
    }

    /// Checks what may be a part of a text only.
    pub(crate) fn check_characters(&self, part: &str) -> Result<(), Rejection> {
        let Some(c) = part.chars().find(|c| !(self.allowed)(*c)) else { return Ok(()) };
        let reason =
            format!("{} holds U+{:04X}: SQS takes {}", self.what, u32::from(c), self.takes);
        let hint = self.hint_of_characters.unwrap_or(self.hint);
        Err(Rejection::new(self.code, reason).with_hint(hint))
    }

    fn too_long(&self, text: &str) -> Rejection {
        self.rejection(format!(
            "{} has {} characters, more than SQS's limit of {}",
            self.what,
            text.chars().count(),
            self.max_chars
        ))
    }

    fn rejection(&self, reason: String) -> Rejection {
        Rejection::new(self.code, reason).with_hint(self.hint)
    }
}

/// Checks a queue's name, as it is when a row is published: not a URL and not an ARN, by which a
/// row could have messages sent to an account that its writer chose.
pub(crate) fn check_queue_name(name: &str) -> Result<(), Rejection> {
    QUEUE_NAME.check(name.strip_suffix(".fifo").unwrap_or(name))?;
    match name.len() > MAX_QUEUE_NAME_CHARS {
        true => Err(QUEUE_NAME.too_long(name)),
        false => Ok(()),
    }
}

/// Checks a part of a queue's name: the dot of `.fifo` may be anywhere in it.
pub(crate) fn check_queue_characters(part: &str) -> Result<(), Rejection> {
    part.split('.').try_for_each(|part| QUEUE_NAME.check_characters(part))
}

/// Checks a message id: any text of a bounded length.
pub(crate) fn check_message_id(text: &str) -> Result<(), Rejection> {
    if text.len() <= MAX_MESSAGE_ID_CHARS {
        return Ok(());
    }
    let count = text.chars().count();
    if count <= MAX_MESSAGE_ID_CHARS {
        return Ok(());
    }
    let reason = format!(
        "the message id has {count} characters, more than the limit of {MAX_MESSAGE_ID_CHARS}"
    );
    Err(Rejection::new("invalid_message_id", reason)
        .with_hint("Choose a shorter one: it only names the message in results and rejections."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn group_ids_are_of_graphic_ascii_and_up_to_128() {
        let every: String = ('!'..='~').collect();
        for good in ["a", "!", &every, &"~".repeat(128)] {
            GROUP_ID.check(good).unwrap();
        }
        let rejection = GROUP_ID.check("north east").unwrap_err();
        assert_eq!(rejection.code, "invalid_group_id");
        assert!(rejection.reason.starts_with("the group id holds U+0020: SQS takes ASCII"));
        assert!(rejection.hint.unwrap().contains("{{ row.name | url_encode }}"));
        assert_eq!(GROUP_ID.check("").unwrap_err().reason, "the group id is empty");
        let rejection = GROUP_ID.check(&"x".repeat(129)).unwrap_err();
        assert_eq!(
            rejection.reason,
            "the group id has 129 characters, more than SQS's limit of 128"
        );
        assert!(rejection.hint.unwrap().contains("md5(name)"));
        for bad in ["é", "a\u{7f}", "\t", "\u{a0}"] {
            GROUP_ID.check(bad).unwrap_err();
        }
    }

    #[test]
    fn queue_names_follow_sqs_rules() {
        for good in ["a", "A-b_9", "a.fifo", &"x".repeat(80), &("x".repeat(75) + ".fifo")] {
            check_queue_name(good).unwrap();
        }
        let long_fifo = "x".repeat(76) + ".fifo";
        for bad in [
            "",
            ".fifo",
            "a.b",
            "a.fifo.fifo",
            "a.FIFO",
            "a b",
            "ü",
            "a/b",
            "https://sqs.eu-west-1.amazonaws.com/1/a",
            "arn:aws:sqs:eu-west-1:1:a",
            &"x".repeat(81),
            &long_fifo,
        ] {
            let rejection = check_queue_name(bad).unwrap_err();
            assert_eq!(rejection.code, "invalid_queue_name", "{bad}");
        }
        assert!(check_queue_name(&long_fifo).unwrap_err().reason.contains("81 characters"));
        assert!(check_queue_name("a/b").unwrap_err().reason.contains("U+002F"));
    }

    #[test]
    fn a_message_id_is_any_text_of_up_to_1024_characters() {
        check_message_id(&"é".repeat(1024)).unwrap();
        let rejection = check_message_id(&"é".repeat(1025)).unwrap_err();
        assert_eq!(rejection.code, "invalid_message_id");
        assert!(rejection.reason.contains("1025") && rejection.reason.contains("1024"));
    }
}
