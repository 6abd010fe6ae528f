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
        "option … is empty; \"region\" is not the name of an AWS region; \"endpoint_url\" (\"sts_endpoint_url\") is not an http or https URL of host and port, is not https, and leads to another machine, or leads to an address that is never reached",
        "see docs/reference.md#connections",
    ),
    known(
        "22023",
        "server … has no option …",
        "it was made without: `ALTER SERVER` or `ALTER USER MAPPING` adds it",
    ),
    known(
        "42501",
        "option \"endpoint_url\" (\"sts_endpoint_url\", \"internal_network\") is a superuser's to set",
        "leave it out, or ask a superuser",
    ),
    known(
        "22023",
        "options … and … are both given",
        "a user mapping says one of: access keys, `ambient_credentials`, `profile`, `web_identity_token_file`",
    ),
    known(
        "22023",
        "option \"role_arn\" is not the ARN of a role; \"external_id\" is not an external id; \"external_id\" is not for web identities; \"ambient_credentials\" is neither true nor false; \"web_identity_token_file\" is not an absolute path",
        "see docs/security.md#as-whom-we-come",
    ),
    known(
        "22023",
        "role … is not in the partition … of region …",
        "a role of one partition (AWS, China, GovCloud) cannot be assumed in another",
    ),
    known(
        "42501",
        "option … is a superuser's to give, and so is a user mapping that has it",
        "it lends what belongs to the server: ask a superuser, or use access keys of your own",
    ),
    known(
        "42501",
        "the user mapping for server … has the option …, which no superuser has allowed as it is now",
        "a superuser sets the option again, or creates the mapping again",
    ),
];
