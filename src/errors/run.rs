//! What ends a run, or holds it. What was acknowledged stays so; the next run finds the rest.

use super::{Known, known};

pub const RUN: &[Known] = &[
    known(
        "any",
        "Postgres's own, \"model … of sync …: division by zero\": the model's query failed",
        "mend the view, or the rights of its owner. It is read as its owner, with the `search_path` `pg_catalog` and row-level security in force.",
    ),
    known(
        "any",
        "\"condition: …\": what Postgres says of an event's `condition`; nothing was sent",
        "`sqs_sync_on` with another condition: docs/messages.md#conditions-which-changes-are-published",
    ),
    known(
        "42P01",
        "the model … does not exist",
        "make the view again under that name, with the same owner",
    ),
    known(
        "42P01",
        "table sqs_sync_data.snapshot_… (changes_…) is missing: somebody dropped it",
        "restore it from a backup; or its owner drops the sync (a superuser, if the change set is gone too). It is an error since without it everything would be sent again.",
    ),
    known(
        "42703",
        "a column that the key, `order_by`, `compare` or the message needs is gone",
        "`sqs_sync_alter`, or give the view its column again",
    ),
    known(
        "22023",
        "the model has no longer what the definition needs",
        "`sqs_sync_check` says what; `sqs_sync_alter`, or mend the view",
    ),
    known(
        "0A000",
        "the model has become something that cannot be compared",
        "`sqs_sync_check` says what; mend the view",
    ),
    known(
        "42883",
        "a column of the key has a type now whose values cannot be compared",
        "cast it in the view",
    ),
    known(
        "42501",
        "permission denied for server …: `USAGE` is gone",
        "`GRANT USAGE ON FOREIGN SERVER … TO` the sync's owner",
    ),
    known(
        "42501",
        "queue … is not among those that the connection allows",
        "`ALTER SERVER … OPTIONS (SET allowed_queues …)`, or `sqs_sync_alter` to another queue",
    ),
    known(
        "42501",
        "model … belongs to a superuser, but depends on …, which does not: whoever can change that could act as superuser",
        "`ALTER VIEW … OWNER TO` a role that is none: docs/security.md",
    ),
    known(
        "42704",
        "the server, or the user mapping of the sync's owner, is gone",
        "`CREATE SERVER`, `CREATE USER MAPPING`",
    ),
    known(
        "55000",
        "table … has …: a trigger, rule, index, constraint or the like was added to our tables, or their primary key, a right of their owner or their durability is gone. Nothing was sent.",
        "drop what was added, give back what was taken",
    ),
    known(
        "55000",
        "table … has another primary key than (…): somebody changed that of the snapshot. Nothing was sent.",
        "give it the old one",
    ),
    known(
        "55000",
        "table … is empty, but should have … rows: somebody has emptied the snapshot. Nothing is sent: it is no backfill.",
        "restore it from a backup; or take the model's rows as told by sqs_sync_baseline, which gives up what is in doubt; or drop the sync and create it again. Rows that were deleted from it singly are not noticed: they are told again as added.",
    ),
    known(
        "55000",
        "… changes were acknowledged, but …: somebody wrote to these tables while the run went on",
        "do not; the changes stay in doubt, and are sent again",
    ),
    known(
        "55000",
        "the publisher cannot start: the connection's region or endpoint is none, or the machine gives no thread or file",
        "mend the server's options; look at the machine's limits",
    ),
    known(
        "55000",
        "held: the run would announce … rows as …, or the model is empty, and the queue has been told of … rows",
        "docs/operations.md#when-a-run-is-held",
    ),
    known(
        "55000",
        "held: the type or collation of a column has changed, so that all rows would look changed; or the model has another owner",
        "docs/operations.md#when-the-models-columns-change",
    ),
    known(
        "55000",
        "the snapshot holds row hashes of version …, which this version of sqs_sync does not know",
        "a newer sqs_sync wrote them: install that one",
    ),
    known(
        "40001",
        "a table of the model was replaced or rewritten while the diff began, three times in a row: what was in it before is not what this run would compare",
        "nothing: the next run tries again",
    ),
    known(
        "55P03",
        "a lock on the model was held for 30 seconds, or one on the sync's tables for up to a minute",
        "look in `pg_locks` for who holds it, and run again. (A hint about the model's query is not meant then.)",
    ),
    known(
        "57014",
        "cancelled: by `sqs_sync_cancel`, by `pg_cancel_backend` of the runner, or since the run before it is held",
        "run again; what was not answered is sent again first",
    ),
    known(
        "HV00R",
        "a queue that the sync names does not exist, is not one of this connection, or refuses us (`AccessDenied`, KMS); or one that a row names does, and its message may have been sent before",
        "the message names it, and the hint says which right or key. If it is the queue before an `sqs_sync_alter`: docs/operations.md#changes-in-doubt",
    ),
    known(
        "28000",
        "SQS refuses the credentials",
        "`ALTER USER MAPPING`; check the clock of the server",
    ),
    known(
        "HV00M",
        "SQS fails or throttles for longer than `retry_for`",
        "run again later; ask AWS for a higher quota",
    ),
    known(
        "HV00N",
        "SQS cannot be reached, or does not answer, for longer than `retry_for`",
        "look at name resolution, network, firewall and TLS, and at the endpoint's address",
    ),
    known(
        "53200",
        "out of memory: the system gives the process no more, or Postgres is at a limit of its own",
        "`work_mem` and the number of processes, or more memory: docs/operations.md#crashes. What was not answered is sent again first.",
    ),
    known(
        "XX000",
        "five runners in a row ended before the run made any progress",
        "look into the server's log. The next run first sends again what this one may have sent.",
    ),
    known(
        "XX000",
        "something that our own code relies on does not hold",
        "a mistake of ours: please report it",
    ),
];
