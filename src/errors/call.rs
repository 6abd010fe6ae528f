//! What a call of a function is refused for. Nothing has changed then.

use super::{Known, known};

pub const CALL: &[Known] = &[
    known(
        "22023",
        "… is not given",
        "give `name`, `model`, `server`, `queue`; `events`, `initial` and `retry_for` cannot be null at creation",
    ),
    known("22023", "name has … bytes; that of a sync has 1 to 63", "choose another"),
    known(
        "22023",
        "unrecognized format; unrecognized dedup",
        "`json` or `text`; `change_id` or `content`",
    ),
    known(
        "22023",
        "retry_for is negative; guard_rows is negative; max_messages_per_second is not above 0; events is empty; unrecognized event; unrecognized value of initial; unrecognized value of guard_share",
        "see `sqs_sync_create`",
    ),
    known(
        "22023",
        "key is not given, and … (a SELECT) has no primary key",
        "name the key's columns",
    ),
    known(
        "22023",
        "key (order_by, compare) is not a list of columns; column … appears twice in key (order_by, compare); compare leaves no column to compare; column … of order_by has the type …, which has no order",
        "see `sqs_sync_create`",
    ),
    known(
        "22023",
        "model is neither a relation's name nor a single SELECT statement",
        "only one, and only a SELECT",
    ),
    known(
        "22023",
        "a message needs a body; a message has one body, but … are given",
        "exactly one of `template`, `body_column`, `fields`",
    ),
    known(
        "22023",
        "unrecognized value of level; level … has no share; level … has no end; share is not above 0 and at most 1; calls is not above 0; lasting is not above 0 and at most a year",
        "see `sqs_sync_log`",
    ),
    known(
        "22023",
        "template: line …, column …: …",
        "the template cannot be read, or would not be JSON",
    ),
    known(
        "22023",
        "queue: …",
        "not a queue's name, URL or ARN; or a template whose own text can be in no name",
    ),
    known(
        "22023",
        "group_id: …; dedup_id: …; delay_seconds: …; message_id: …",
        "a literal that SQS refuses, or that the queue's kind does not take; no group on a FIFO queue",
    ),
    known(
        "22023",
        "dedup: dedup_id is given too; format: fields make a body of JSON, never one of text",
        "one or the other",
    ),
    known(
        "22023",
        "fields: …; attributes: …",
        "not an object of texts, a name given twice, or a name, type or value that SQS refuses",
    ),
    known(
        "22023",
        "added: … (changed, removed)",
        "the same, of what `sqs_sync_on` said of this event",
    ),
    known(
        "42703",
        "added: … (changed, removed)",
        "the same, of what `sqs_sync_on` said of this event",
    ),
    known(
        "42501",
        "added: … (changed, removed)",
        "the same, of what `sqs_sync_on` said of this event",
    ),
    known(
        "22023",
        "option … cannot be reset; reset (without) has no …; … is given, and in reset (without) too; a message cannot be without a queue",
        "see `sqs_sync_alter`, `sqs_sync_on`",
    ),
    known("42601", "sync …: condition is not one SQL expression", "what could stand after WHERE"),
    known(
        "any",
        "sync …: condition: …",
        "what Postgres says of the expression: see docs/messages.md#conditions-which-changes-are-published",
    ),
    known(
        "22023",
        "schedule has not five fields; schedule is no cron expression",
        "minute, hour, day of the month, month, day of the week",
    ),
    known(
        "42704",
        "sync … cannot be scheduled: pg_cron is not in this database",
        "the hint says how to get it",
    ),
    known("42501", "permission denied for schema cron", "the hint has the GRANT"),
    known(
        "22023",
        "sync …: a sync cannot run after itself, nor after one that runs after it",
        "see `runs_after` in `sqs_sync.syncs`",
    ),
    known("22023", "sync … publishes no other event", "`sqs_sync_pause`, or `sqs_sync_drop`"),
    known(
        "42501",
        "queue: queue … is not among those that the connection allows",
        "the hint has the server's `allowed_queues`",
    ),
    known("22023", "account is not the number of an AWS account", "it has 12 digits"),
    known("22023", "no sync uses server … yet", "say which `queues` will be sent to"),
    known(
        "22023",
        "a web identity assumes its role by a token, without an external id",
        "the role's trust policy is as the token's issuer says",
    ),
    known(
        "42501",
        "permission denied for user mapping for … server …",
        "`sqs_sync_trust_policy` is for whoever may change the mapping",
    ),
    known("22023", "server … is not of the foreign data wrapper sqs_sync", "name another"),
    known("0A000", "sqs_sync needs a database whose encoding is UTF8", "use such a database"),
    known(
        "22023",
        "extension \"sqs_sync\" cannot be installed in the schema \"sqs_sync\"",
        "drop that schema if it is empty, and name another",
    ),
    known("42P01", "relation … does not exist", "qualify it, or check your `search_path`"),
    known(
        "42P01",
        "table sqs_sync_data.snapshot_… is missing",
        "restore it; or drop the sync by `sqs_sync_drop`, and create it again with the `initial` that you want",
    ),
    known(
        "any",
        "Postgres's own, \"model: …\" (of a SELECT), \"model … cannot be read: …\"",
        "mend the model. Names in its functions must be qualified (if one is not found, the hint says so); the owner must be allowed to read what is under it.",
    ),
    known(
        "42703",
        "column … does not exist in the model; … is not in the model; … is not in the key",
        "the hint has the nearest name, or all",
    ),
    known(
        "42883",
        "key column … has the type …, whose values cannot be compared",
        "cast it in a view",
    ),
    known("42939", "column name … is reserved", "rename the column in a view"),
    known(
        "42809",
        "… is not a table or view; … is temporary",
        "name a table, view, materialized view or foreign table that stays",
    ),
    known("42P16", "column … has the type …, which no table can hold", "cast it in a view"),
    known(
        "54000",
        "a row of the model's … columns may need … bytes",
        "make a view of the columns that the messages need",
    ),
    known(
        "54011",
        "the model has … columns; 800 are the most",
        "make a view of the columns that the messages need",
    ),
    known(
        "54000",
        "model has … bytes, more than the limit of 1048576",
        "make a view of it, and give its name",
    ),
    known(
        "54000",
        "key has … bytes, more than the limit of 65536",
        "give the key of a row that is told",
    ),
    known(
        "54000",
        "sync …: condition has … bytes, more than the limit of 65536",
        "put it into the model, as a column of it that the condition names",
    ),
    known(
        "42P06",
        "the schema \"sqs_sync_data\" is not a superuser's alone",
        "a superuser drops it, or takes it over by `ALTER SCHEMA … OWNER TO` and revokes `CREATE` on it from all others",
    ),
    known(
        "42P06",
        "schema \"sqs_sync\" already exists (of `CREATE EXTENSION`)",
        "somebody made it: drop it",
    ),
    known(
        "42704",
        "sync … does not exist; run … does not exist; server … does not exist; user mapping of … does not exist",
        "check the name; `CREATE SERVER` and `CREATE USER MAPPING` make a connection",
    ),
    known(
        "42710",
        "alert … already exists",
        "choose another name, or `sqs_sync_alert_drop` that one",
    ),
    known(
        "42704",
        "alert … does not exist; server … does not exist (of a channel)",
        "`sqs_sync.alerts` lists the alerts; `\\des` in psql the servers",
    ),
    known("42501", "must be owner of alert …", "ask its owner, or a superuser"),
    known(
        "22023",
        "name has … bytes; that of an alert has 1 to 63; remind_every (duration) is not a time to wait",
        "see `sqs_sync_alert_create`",
    ),
    known(
        "22023",
        "unrecognized condition; condition … has no …; … of condition … is not given; \"over\" is neither a number of rows nor a share; \"within\" of condition worker_down is shorter than 15 seconds",
        "see docs/alerts.md#conditions",
    ),
    known(
        "22023",
        "server … is not of the foreign data wrapper sqs_sync_alerts",
        "name the server of a channel",
    ),
    known(
        "any",
        "channel …: …",
        "what is wrong with the options of its server and of the user mapping of the alert's owner: see docs/alerts.md#channels",
    ),
    known(
        "55000",
        "the notifier cannot start; another transaction has locked the delivery",
        "try again; the former says what the system lacks",
    ),
    known("42710", "sync … already exists", "choose another name, or `sqs_sync_drop` that one"),
    known(
        "42501",
        "must be owner of … (the model); must be owner of sync … (the sync of run …)",
        "you need the rights of the model's, or the sync's, owner. A sync whose tables are gone has none: a superuser's to drop.",
    ),
    known(
        "42501",
        "cannot call … within a security-restricted operation",
        "a model, an index or a materialized view cannot look at syncs",
    ),
    known(
        "55000",
        "a run would be held: … (of a preview and its kin)",
        "as for the run: see docs/reference.md#of-a-run",
    ),
    known(
        "55000",
        "SQS cannot be asked: …",
        "the connection's region or endpoint is none, or the machine gives no thread",
    ),
    known(
        "HV00R",
        "of `sqs_sync_queues`: SQS's refusal, or that it cannot be reached",
        "as for docs/reference.md#of-a-run",
    ),
    known(
        "28000",
        "of `sqs_sync_queues`: SQS's refusal, or that it cannot be reached",
        "as for docs/reference.md#of-a-run",
    ),
    known(
        "HV00M",
        "of `sqs_sync_queues`: SQS's refusal, or that it cannot be reached",
        "as for docs/reference.md#of-a-run",
    ),
    known(
        "HV00N",
        "of `sqs_sync_queues`: SQS's refusal, or that it cannot be reached",
        "as for docs/reference.md#of-a-run",
    ),
    known(
        "22023",
        "key is not one of sync …; column … of the key is null",
        "a JSON object of the key's columns",
    ),
    known(
        "any",
        "key: …, of `sqs_sync_render` and `sqs_sync_test`",
        "Postgres's own: a value is not one of its column's type",
    ),
    known(
        "P0002",
        "sync …: model … has no rows (has no row with the key …)",
        "of a row that is gone, `event => 'removed'` shows what was told",
    ),
    known("22023", "count is negative", "give a number of rows, or leave it out"),
    known(
        "42501",
        "permission denied for server …",
        "`GRANT USAGE ON FOREIGN SERVER … TO` the sync's owner",
    ),
    known(
        "42501",
        "model … belongs to a superuser, but depends on …, which does not",
        "give the view to a role that is no superuser: docs/security.md",
    ),
    known(
        "55000",
        "extension … has version … in this database, and the library that is loaded has …",
        "`ALTER EXTENSION sqs_sync UPDATE`, or the server needs its newer library: docs/operations.md#a-new-version",
    ),
    known("55000", "sync … is paused", "`sqs_sync_resume`"),
    known(
        "55000",
        "this database is a copy, and its syncs are paused",
        "`sqs_sync_take_over`, if the copy is to send: docs/operations.md#a-copy-starts-paused",
    ),
    known(
        "42501",
        "must be superuser or owner of the database to take its syncs over",
        "ask one of them",
    ),
    known("25006", "this server is a standby", "connect to the primary"),
    known(
        "58030",
        "could not write (read) the file … in the data directory",
        "give the server's user its rights there, or room",
    ),
    known(
        "55000",
        "run … is not held: it is …",
        "`sqs_sync_approve` and `sqs_sync_discard` decide of the runs in `sqs_sync.held`",
    ),
    known("55000", "run … was queued by this transaction", "commit before you wait"),
    known(
        "25001",
        "cannot wait for run … in a transaction that keeps its snapshot",
        "wait under READ COMMITTED",
    ),
    known(
        "2D000",
        "invalid transaction termination",
        "`CALL sqs_sync_run_and_wait` outside a transaction block",
    ),
    known(
        "25006",
        "cannot execute … in a read-only transaction",
        "ask for the run in one that may write",
    ),
    known(
        "55006",
        "run … of sync … is under way",
        "wait for it, or cancel it, before `sqs_sync_drop`, `sqs_sync_resync` and `sqs_sync_baseline`",
    ),
    known(
        "55000",
        "changes are in doubt: they may have been sent",
        "run the sync before `sqs_sync_baseline`",
    ),
    known(
        "55000",
        "sync … publishes no changed rows, as which rows are told again",
        "`sqs_sync_on` for `changed`, at least for the next run",
    ),
    known(
        "55P03",
        "another transaction creates sync …, or the database's first one, and has not ended",
        "let it end, and create the sync then",
    ),
    known(
        "55P03",
        "another transaction has queued a run of sync …, or is dropping it, and has not ended",
        "it has, or it has dropped the sync: let it end",
    ),
    known("57014", "run … is still … when the timeout has passed", "wait again"),
    known(
        "any",
        "run … failed (cancelled, held): …, of `sqs_sync_run_and_wait`",
        "see docs/reference.md#of-a-run",
    ),
    known(
        "57014",
        "run … failed (cancelled, held): …, of `sqs_sync_run_and_wait`",
        "see docs/reference.md#of-a-run",
    ),
    known(
        "55000",
        "run … failed (cancelled, held): …, of `sqs_sync_run_and_wait`",
        "see docs/reference.md#of-a-run",
    ),
    known(
        "53400",
        "no background worker slot is free: the run stays queued",
        "raise `max_worker_processes`",
    ),
    known(
        "01000",
        "run … partly failed: a warning of `sqs_sync_run_and_wait`",
        "`sqs_sync.rejections` says which rows, and why",
    ),
];
