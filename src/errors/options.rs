//! What the options of a server or user mapping are refused for. The errors never hold a value.

use super::{Known, known};

pub const OPTIONS: &[Known] = &[
    known(
        "HV00D",
        "invalid option … of a server (user mapping, foreign data wrapper)",
        "the hint has all that there are",
    ),
    known(
        "HV002",
        "option … of the server (user mapping) is missing",
        "the hint has all that there are",
    ),
    known(
        "22023",
        "option \"allowed_queues\": … (a pattern is empty, or holds a character that no name has)",
        "names with commas between them: `orders*, invoices.fifo`",
    ),
    known(
        "22023",
        "option … is empty; \"region\" is not the name of an AWS region; \"endpoint_url\" is not a URL",
        "see docs/reference.md#connections",
    ),
    known(
        "22023",
        "server … has no option …",
        "it was made without: `ALTER SERVER` or `ALTER USER MAPPING` adds it",
    ),
    known(
        "42501",
        "option \"endpoint_url\" is a superuser's to set",
        "leave it out, or ask a superuser",
    ),
];
