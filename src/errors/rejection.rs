//! Why a row, or a test message, was not published.

use super::{Known, known};

/// What is not the row's fault alone: such a row is tried again by each run. (Of a key the diff of
/// each run finds whether it is fit.)
pub const REJECTION: &[Known] = &[
    known(
        "null_key",
        "a column of the key is null",
        "leave such rows out of the model, or choose another key",
    ),
    known(
        "duplicate_key",
        "several rows have the key; none of them is told",
        "make the model return one row a key",
    ),
    known(
        "key_too_long",
        "over 2,600 bytes, each column counted in steps of eight",
        "choose a shorter key, such as a hash of this one",
    ),
    known(
        "queue_not_allowed",
        "the name is not among the server's `allowed_queues`",
        "correct the row, or have the server's owner allow it",
    ),
    known(
        "queue_unusable",
        "the queue that the row names does not exist, or refuses us, and SQS gave no code of its own",
        "correct the row, create the queue, or mend its policy",
    ),
    known(
        "QueueDoesNotExist",
        "the queue that the row names does not exist",
        "correct the row, or create the queue",
    ),
    known(
        "AWS.SimpleQueueService.NonExistentQueue",
        "the queue that the row names does not exist: the name that AWS gives it",
        "correct the row, or create the queue",
    ),
    known(
        "AccessDenied",
        "the queue that the row names refuses us",
        "correct the row, or mend the policy of the queue or of our user",
    ),
    known(
        "AccessDeniedException",
        "the queue that the row names refuses us",
        "correct the row, or mend the policy of the queue or of our user",
    ),
    known(
        "would_be_suppressed",
        "another change of the run has the same `dedup_id`, so that the queue would discard this one",
        "make it unlike for every change, or leave `dedup_id` out. The next run sends it, when five minutes are over.",
    ),
    known("missing_old_row", "cannot happen while nobody writes to our tables", "report it"),
    known("wrong_column_count", "cannot happen while nobody writes to our tables", "report it"),
    known("unpublished_event", "cannot happen while nobody writes to our tables", "report it"),
    known(
        "InvalidParameterValue",
        "SQS refused this message; `reason` has its words. Of a FIFO queue: `dedup => 'content'`, and the queue has no `ContentBasedDeduplication`",
        "as its words say; give the queue that attribute, or the sync a `dedup_id`",
    ),
    known(
        "BatchRequestTooLong",
        "SQS refused this message as too long: it may be the queue's own lower limit",
        "shorten it in the model",
    ),
    known(
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "SQS refused this message as too long: the name that AWS gives it",
        "shorten it in the model",
    ),
    known(
        "BadRequest",
        "SQS refused this message, and gave no code of its own",
        "as the words in `reason` say",
    ),
];

/// The row's own fault: it is tried again when its contents or the definition have changed.
pub const OF_THE_ROW: &[Known] = &[
    known(
        "row_too_long",
        "the values of the columns that messages use have over 64 MiB together; the column is named that passes them",
        "use fewer columns, or shorten it in the model (`left`)",
    ),
    known(
        "invalid_queue_name",
        "the row makes a name that no queue has, or a URL or ARN",
        "give it a name, of a queue in the connection's own account",
    ),
    known(
        "missing_group_id",
        "the queue is a FIFO queue, and the group is empty",
        "a literal, or a value for each row",
    ),
    known(
        "invalid_group_id",
        "over 128 characters, or others than ASCII letters, digits and punctuation marks; the code point is named",
        "`{{ row.name | url_encode }}`; if that is too long, `md5(name)` in the model",
    ),
    known(
        "invalid_dedup_id",
        "empty, over 128 characters, or others than ASCII letters, digits and punctuation marks; the code point is named",
        "`{{ row.name | url_encode }}`; if that is too long, `md5(name)` in the model",
    ),
    known(
        "dedup_id_on_standard_queue",
        "the row chose a standard queue, and has a deduplication id",
        "leave it empty for such rows by `{% if … %}`",
    ),
    known(
        "delay_on_fifo_queue",
        "the row chose a FIFO queue, and has a delay",
        "leave it empty for such rows by `{% if … %}`; the queue's own `DelaySeconds` delays all",
    ),
    known(
        "invalid_delay",
        "not a whole number from 0 to 900",
        "`least(delay, 900)::int` in the model",
    ),
    known("invalid_message_id", "over 1,024 characters", "a shorter one"),
    known(
        "null_body",
        "the `body_column` is null",
        "leave the row out, or use `coalesce` in the model",
    ),
    known(
        "empty_body",
        "the body has no bytes",
        "leave the row out, or use `coalesce` in the model",
    ),
    known(
        "not_a_json_value",
        "text outside quotes is not one JSON value; the column is named",
        "put quotes around the output",
    ),
    known(
        "template_error",
        "a filter or a loop cannot be: a division by zero, text that is no Base64, a time zone that is not known, a limit that is no number",
        "correct the row, or ask for it by `{% if … %}`",
    ),
    known(
        "template_too_costly",
        "the template does more for this row than it may: docs/liquid.md#limits",
        "limit the loop, or do the work in the model",
    ),
    known(
        "invalid_json",
        "the finished body, or the `body_column`, is not JSON",
        "check the commas and quotes of the template; or `format => 'text'`",
    ),
    known(
        "message_too_long",
        "body and attributes over 1,048,576 bytes, or over the queue's own `MaximumMessageSize`; or a text that a template makes over 2 MiB",
        "shorten it in the model; send a reference instead",
    ),
    known(
        "invalid_character",
        "a character that SQS does not take; the code point is named",
        "remove it in the model (`translate`, `regexp_replace`)",
    ),
    known(
        "empty_attribute",
        "an attribute's value is empty, or NULL",
        "give it another value by `{% if … %}`",
    ),
    known(
        "invalid_number",
        "an attribute of type Number is none, or none that SQS takes",
        "leave it out of the model, round it, or use the type String",
    ),
    known(
        "InvalidMessageContents",
        "SQS refused this message; `reason` has its words",
        "remove the character in the model",
    ),
];

/// Of `sqs_sync_test` alone, where SQS gives no code.
pub const TEST: &[Known] = &[
    known(
        "credentials_refused",
        "SQS refuses the credentials",
        "`ALTER USER MAPPING`; check the clock of the server",
    ),
    known("service_failed", "SQS failed or throttled", "try again later"),
    known(
        "not_reached",
        "SQS was not reached, or did not answer within 20 seconds; it says so if SQS may have the message all the same",
        "look at network, firewall and the endpoint's address",
    ),
    known("cancelled", "the test was cancelled while the answer was awaited", "nothing"),
];
