\echo Use "CREATE EXTENSION sqs_sync" to load this file. \quit

-- The functions go to the schema that CREATE EXTENSION names, so that they are called
-- unqualified; tables and views live in the extension's own schema, sqs_sync. What holds
-- rows (snapshots and change sets) lives in sqs_sync_data, which sqs_sync_create makes: it
-- belongs to the syncs' owners, is dumped as any table is, and outlives DROP EXTENSION.

DO $$
BEGIN
  IF '@extschema@' OPERATOR(pg_catalog.=) 'sqs_sync' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = 'extension "sqs_sync" cannot be installed in the schema "sqs_sync"',
      HINT = 'That schema is made by the extension for its tables and views. Drop it if it is empty, and name another one, such as public.';
  END IF;
END
$$;

CREATE SCHEMA sqs_sync;
COMMENT ON SCHEMA sqs_sync IS 'tables and views of the sqs_sync extension';
GRANT USAGE ON SCHEMA sqs_sync TO PUBLIC;

-- Catalog ------------------------------------------------------------------------------

CREATE SEQUENCE sqs_sync.sync_id_seq AS integer;
CREATE SEQUENCE sqs_sync.run_id_seq;
CREATE SEQUENCE sqs_sync.rejection_id_seq;
CREATE SEQUENCE sqs_sync.request_id_seq;
CREATE SEQUENCE sqs_sync.change_id_seq;
COMMENT ON SEQUENCE sqs_sync.change_id_seq IS 'where the change ids of a new sync begin: above those of every sync that was dropped, since a consumer may know the same keys';

CREATE TABLE sqs_sync.sync (
  sync_id        integer PRIMARY KEY DEFAULT pg_catalog.nextval('sqs_sync.sync_id_seq'),
  sync_uuid      uuid NOT NULL UNIQUE DEFAULT pg_catalog.gen_random_uuid(),
  name           text NOT NULL UNIQUE,
  model          text NOT NULL,
  model_is_ours  boolean NOT NULL,
  key            text[] NOT NULL,
  time_zone      text NOT NULL,
  version        integer NOT NULL,
  initial        text NOT NULL CHECK (initial IN ('backfill', 'skip')),
  paused         boolean NOT NULL DEFAULT false,
  created_by     text NOT NULL DEFAULT SESSION_USER,
  created_at     timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE sqs_sync.sync IS 'one row a sync: its model, its key and the version of its definition';
COMMENT ON COLUMN sqs_sync.sync.model IS 'qualified name of the relation, quoted as in SQL';
COMMENT ON COLUMN sqs_sync.sync.model_is_ours IS 'the view was made by sqs_sync_create from a SELECT, and goes with the sync';
COMMENT ON COLUMN sqs_sync.sync.time_zone IS 'the TimeZone that the model runs under: its creator''s';

-- Apart from sqs_sync.sync, since only runners write it: no DDL on a sync collides with a diff.
CREATE TABLE sqs_sync.position (
  sync_id        integer PRIMARY KEY REFERENCES sqs_sync.sync ON DELETE CASCADE,
  timeline       bigint NOT NULL DEFAULT 0,
  next_change_id bigint NOT NULL,
  handed_through bigint NOT NULL DEFAULT 0,
  told_rows      bigint NOT NULL DEFAULT 0,
  hashed         text[],
  initial_done   boolean NOT NULL DEFAULT false,
  run_id         bigint,
  run_started_at timestamptz,
  version        integer
);
COMMENT ON TABLE sqs_sync.position IS 'how far a sync has come: change ids given, changes handed to the publisher, rows told';
COMMENT ON COLUMN sqs_sync.position.timeline IS 'the timeline that change ids were last given on: on another one, what was handed over before may be more than is known here';
COMMENT ON COLUMN sqs_sync.position.told_rows IS 'rows that the snapshot has: one that is found empty against this number was emptied by somebody else';
COMMENT ON COLUMN sqs_sync.position.hashed IS 'the columns that the snapshot''s row hashes cover; null: all that it has';
COMMENT ON COLUMN sqs_sync.position.run_id IS 'the run that filled the change set: what is in it is rendered by this run and this version, also when it is sent again';
COMMENT ON COLUMN sqs_sync.position.initial_done IS 'the first run has gone to its end';
COMMENT ON COLUMN sqs_sync.position.next_change_id IS 'change ids from this one on have never been given';
COMMENT ON COLUMN sqs_sync.position.handed_through IS 'changes up to this id that still are in the change set may have been sent: they are in doubt';

CREATE TABLE sqs_sync.home (
  only_one          boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  system_identifier bigint NOT NULL,
  database_oid      oid NOT NULL,
  catalog_oid       oid NOT NULL,
  timeline          bigint NOT NULL,
  place             uuid,
  since             timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  set_by            text NOT NULL DEFAULT SESSION_USER
);
COMMENT ON TABLE sqs_sync.home IS 'where the syncs are at home: a database in which this says something else is a copy, and paused';
COMMENT ON COLUMN sqs_sync.home.system_identifier IS 'the server''s, as pg_control_system() shows it: initdb and pg_upgrade make a new one';
COMMENT ON COLUMN sqs_sync.home.database_oid IS 'the database''s oid, which a copy by CREATE DATABASE or a dump does not have';
COMMENT ON COLUMN sqs_sync.home.catalog_oid IS 'this table''s oid, which a restored dump does not have';
COMMENT ON COLUMN sqs_sync.home.timeline IS 'the timeline of the server''s WAL, which recovery to a point in time and promotion change';
COMMENT ON COLUMN sqs_sync.home.place IS 'the id that the data directory has in a file that its copies lack';
COMMENT ON COLUMN sqs_sync.home.since IS 'since when: the first sync, a promotion or a take-over';
COMMENT ON COLUMN sqs_sync.home.set_by IS 'who created the first sync, or took over; after a promotion the worker';

CREATE TABLE sqs_sync.waiting (
  sync_id   integer NOT NULL REFERENCES sqs_sync.sync ON DELETE CASCADE,
  change_id bigint NOT NULL,
  lane      bigint NOT NULL,
  in_doubt  boolean NOT NULL,
  PRIMARY KEY (sync_id, change_id)
);
CREATE INDEX waiting_by_lane ON sqs_sync.waiting (sync_id, lane, change_id);
COMMENT ON TABLE sqs_sync.waiting IS 'changes that a run has read past, since their queue or group takes messages too slowly: they are sent when it has room';
COMMENT ON COLUMN sqs_sync.waiting.lane IS 'a number made of the queue and the group';
COMMENT ON COLUMN sqs_sync.waiting.in_doubt IS 'an earlier attempt may have sent it; if not, it certainly was not sent';

CREATE TABLE sqs_sync.claim (
  sync_id    integer NOT NULL REFERENCES sqs_sync.sync ON DELETE CASCADE,
  id         text NOT NULL,
  change_id  bigint NOT NULL,
  run_id     bigint NOT NULL,
  at         timestamptz NOT NULL,
  not_before timestamptz,
  PRIMARY KEY (sync_id, id)
);
CREATE INDEX claim_by_change ON sqs_sync.claim (sync_id, change_id);
COMMENT ON TABLE sqs_sync.claim IS 'deduplication ids of users'' own that a queue may still know, each with the change that has it';
COMMENT ON COLUMN sqs_sync.claim.id IS 'a digest of the queue, the id, and the group where ids are the group''s';
COMMENT ON COLUMN sqs_sync.claim.at IS 'when the change was handed over, then when the queue took it: five minutes later the queue no longer knows the id';
COMMENT ON COLUMN sqs_sync.claim.not_before IS 'when the queue no longer knows the id from an earlier change';

CREATE TABLE sqs_sync.sequence (
  sync_id  integer PRIMARY KEY REFERENCES sqs_sync.sync ON DELETE CASCADE,
  after_id integer NOT NULL REFERENCES sqs_sync.sync ON DELETE CASCADE,
  through  bigint NOT NULL
);
COMMENT ON TABLE sqs_sync.sequence IS 'syncs that run when another one has succeeded';
COMMENT ON COLUMN sqs_sync.sequence.after_id IS 'the sync that runs before';
COMMENT ON COLUMN sqs_sync.sequence.through IS 'runs of that up to this one have been followed, or were before the sequence began';

CREATE TABLE sqs_sync.definition (
  sync_id     integer NOT NULL REFERENCES sqs_sync.sync ON DELETE CASCADE,
  version     integer NOT NULL,
  server      text NOT NULL,
  message     json NOT NULL,
  events      json NOT NULL,
  compare     text,
  order_by    text,
  retry_for   interval NOT NULL,
  guard_percent double precision,
  guard_rows  bigint NOT NULL DEFAULT 100,
  max_messages_per_second double precision,
  created_by  text NOT NULL DEFAULT SESSION_USER,
  created_at  timestamptz NOT NULL DEFAULT pg_catalog.now(),
  PRIMARY KEY (sync_id, version)
);
COMMENT ON COLUMN sqs_sync.definition.message IS 'the message''s properties, by their names';
COMMENT ON COLUMN sqs_sync.definition.events IS 'the events that are published, and what each says otherwise';
COMMENT ON COLUMN sqs_sync.definition.guard_percent IS 'the share of the told rows, in percent, that a run may announce of one event without being held; null: no run is held';
COMMENT ON COLUMN sqs_sync.definition.guard_rows IS 'so many changes of one event hold no run, whatever their share';
COMMENT ON COLUMN sqs_sync.definition.max_messages_per_second IS 'over all queues; null: no limit';
COMMENT ON COLUMN sqs_sync.definition.created_by IS 'who created the sync, or altered it to this version';
COMMENT ON COLUMN sqs_sync.definition.compare IS 'the columns that make a row changed; null: all';
COMMENT ON TABLE sqs_sync.definition IS 'what a sync publishes; a row a version, since a run and a change in doubt keep the definition that they began with';

CREATE TABLE sqs_sync.run (
  run_id           bigint PRIMARY KEY DEFAULT pg_catalog.nextval('sqs_sync.run_id_seq'),
  sync_id          integer NOT NULL REFERENCES sqs_sync.sync ON DELETE CASCADE,
  state            text NOT NULL CHECK (state IN ('queued', 'diffing', 'held', 'publishing', 'succeeded', 'partly_failed', 'failed', 'cancelled', 'discarded')),
  version          integer,
  requested_by     text NOT NULL DEFAULT SESSION_USER,
  requested_at     timestamptz NOT NULL DEFAULT pg_catalog.now(),
  approved_by      text,
  approved_at      timestamptz,
  ended_by         text,
  started_at       timestamptz,
  finished_at      timestamptz,
  rows_added       bigint NOT NULL DEFAULT 0,
  rows_changed     bigint NOT NULL DEFAULT 0,
  rows_removed     bigint NOT NULL DEFAULT 0,
  rows_silent      bigint NOT NULL DEFAULT 0,
  published        bigint NOT NULL DEFAULT 0,
  rejected         bigint NOT NULL DEFAULT 0,
  still_rejected   bigint NOT NULL DEFAULT 0,
  dismissed        bigint NOT NULL DEFAULT 0,
  in_doubt         bigint NOT NULL DEFAULT 0,
  resent           bigint NOT NULL DEFAULT 0,
  reasons          jsonb NOT NULL DEFAULT '{}',
  diff_took        interval,
  diffed_at        timestamptz,
  calls            bigint NOT NULL DEFAULT 0,
  failed_calls     bigint NOT NULL DEFAULT 0,
  throttled        bigint NOT NULL DEFAULT 0,
  retries          bigint NOT NULL DEFAULT 0,
  bytes            bigint NOT NULL DEFAULT 0,
  possible_duplicates bigint NOT NULL DEFAULT 0,
  latencies        bigint[] NOT NULL DEFAULT '{}',
  tallied          boolean NOT NULL DEFAULT false,
  runner_pid       integer,
  attempts         integer NOT NULL DEFAULT 0,
  waiting_for      text,
  sqlstate         text,
  error            text,
  hint             text
);
CREATE UNIQUE INDEX run_one_queued ON sqs_sync.run (sync_id) WHERE state IN ('queued', 'held');
CREATE UNIQUE INDEX run_one_active ON sqs_sync.run (sync_id) WHERE state IN ('diffing', 'publishing');
CREATE INDEX run_by_sync ON sqs_sync.run (sync_id, run_id);
CREATE INDEX run_by_time ON sqs_sync.run (requested_at);
CREATE INDEX run_not_tallied ON sqs_sync.run (sync_id) WHERE NOT tallied;
CREATE INDEX run_gone_through ON sqs_sync.run (sync_id, run_id) WHERE state IN ('succeeded', 'partly_failed');
COMMENT ON TABLE sqs_sync.run IS 'one row a run; read it through the view sqs_sync.runs';
COMMENT ON COLUMN sqs_sync.run.version IS 'the version of the definition that the run began with';
COMMENT ON COLUMN sqs_sync.run.rows_silent IS 'changes that moved the snapshot without a message: events that the sync does not publish, and an initial run that skips';
COMMENT ON COLUMN sqs_sync.run.waiting_for IS 'why a queued run has not started';
COMMENT ON COLUMN sqs_sync.run.resent IS 'changes in doubt that were sent again, and acknowledged or rejected';
COMMENT ON COLUMN sqs_sync.run.reasons IS 'why rows were not told: how many for each code, rejected ones and those that were given up';
COMMENT ON COLUMN sqs_sync.run.latencies IS 'how many API calls took up to 0.1, 0.2, 0.5, 1, 2, 5 … 20,000 milliseconds, and longer';
COMMENT ON COLUMN sqs_sync.run.tallied IS 'the run has ended, and sqs_sync.tally has its counts';
COMMENT ON COLUMN sqs_sync.run.approved_by IS 'who let a held run go on';
COMMENT ON COLUMN sqs_sync.run.ended_by IS 'who cancelled or discarded the run';
COMMENT ON COLUMN sqs_sync.run.attempts IS 'how often a runner took the run up since it last made progress';

CREATE TABLE sqs_sync.hold (
  run_id       bigint PRIMARY KEY REFERENCES sqs_sync.run ON DELETE CASCADE,
  held_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  told_rows    bigint NOT NULL,
  rows_added   bigint NOT NULL,
  rows_changed bigint NOT NULL,
  rows_removed bigint NOT NULL,
  added_keys   text[] NOT NULL,
  changed_keys text[] NOT NULL,
  removed_keys text[] NOT NULL
);
COMMENT ON TABLE sqs_sync.hold IS 'what a run would have announced that its guard rail has held; kept when it is approved, to be measured by when it compares again';

-- Apart from sqs_sync.run, so that a transaction that cancels a run and stays open does not
-- keep the runner from writing what it has published.
CREATE TABLE sqs_sync.cancellation (
  run_id       bigint PRIMARY KEY REFERENCES sqs_sync.run ON DELETE CASCADE,
  requested_by text NOT NULL DEFAULT SESSION_USER,
  requested_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE sqs_sync.cancellation IS 'runs under way that somebody wants to end';

-- Apart from sqs_sync.run, since it is written twice a second: it stays one page.
CREATE TABLE sqs_sync.run_progress (
  run_id          bigint PRIMARY KEY REFERENCES sqs_sync.run ON DELETE CASCADE,
  phase           text NOT NULL,
  total           bigint NOT NULL DEFAULT 0,
  unanswered      bigint NOT NULL DEFAULT 0,
  rate            double precision,
  in_flight       integer NOT NULL DEFAULT 0,
  in_flight_limit integer,
  slow_queue      text,
  is_limited      boolean NOT NULL DEFAULT false,
  updated_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
) WITH (fillfactor = 20);
COMMENT ON TABLE sqs_sync.run_progress IS 'how each run under way goes; read it through the view sqs_sync.progress';
COMMENT ON COLUMN sqs_sync.run_progress.total IS 'changes that the run has to do with: in doubt at its beginning, to be published, and rejected by the diff';
COMMENT ON COLUMN sqs_sync.run_progress.is_limited IS 'what waits is held up by the sync''s own max_messages_per_second';
COMMENT ON COLUMN sqs_sync.run_progress.unanswered IS 'messages that were handed to the publisher and have no answer';

-- Only runners write it. A reset is a row of its own, below zero, so that a transaction that has
-- called sqs_sync_stats_reset and stays open holds no run up.
CREATE TABLE sqs_sync.tally (
  sync_id       integer NOT NULL REFERENCES sqs_sync.sync ON DELETE CASCADE,
  is_reset      boolean NOT NULL,
  since         timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  succeeded     bigint NOT NULL,
  partly_failed bigint NOT NULL,
  failed        bigint NOT NULL,
  cancelled     bigint NOT NULL,
  published     bigint NOT NULL,
  rejected      bigint NOT NULL,
  resent        bigint NOT NULL,
  calls         bigint NOT NULL,
  failed_calls  bigint NOT NULL,
  throttled     bigint NOT NULL,
  retries       bigint NOT NULL,
  bytes         bigint NOT NULL,
  possible_duplicates bigint NOT NULL,
  latencies     bigint[] NOT NULL,
  PRIMARY KEY (sync_id, is_reset)
);
COMMENT ON TABLE sqs_sync.tally IS 'what the runs of each sync that have ended come to, and what that was at the last reset, below zero; read it through the view sqs_sync.stats';

CREATE VIEW sqs_sync.counted WITH (security_barrier) AS
SELECT t.sync_id, NULL::bigint AS run_id, t.is_reset, t.succeeded, t.partly_failed, t.failed, t.cancelled, t.published, t.rejected, t.resent,
       t.calls, t.failed_calls, t.throttled, t.retries, t.bytes, t.possible_duplicates, t.latencies
FROM sqs_sync.tally t
UNION ALL
SELECT r.sync_id, r.run_id, false, (r.state = 'succeeded')::integer, (r.state = 'partly_failed')::integer, (r.state = 'failed')::integer,
       (r.state IN ('cancelled', 'discarded'))::integer, r.published, r.rejected, r.resent,
       r.calls, r.failed_calls, r.throttled, r.retries, r.bytes, r.possible_duplicates, r.latencies
FROM sqs_sync.run r WHERE NOT r.tallied;
COMMENT ON VIEW sqs_sync.counted IS 'the tally, and runs that are not in it yet: what is added up';

CREATE TABLE sqs_sync.rejection (
  rejection_id bigint PRIMARY KEY DEFAULT pg_catalog.nextval('sqs_sync.rejection_id_seq'),
  sync_id      integer NOT NULL REFERENCES sqs_sync.sync ON DELETE CASCADE,
  key          text NOT NULL,
  event        text,
  rows         bigint NOT NULL DEFAULT 1,
  code         text NOT NULL,
  reason       text NOT NULL,
  hint         text,
  message_id   text,
  size         bigint,
  key_hash     bigint,
  content_hash bigint,
  version      integer,
  left_alone   boolean NOT NULL DEFAULT false,
  attempts     bigint NOT NULL DEFAULT 1,
  run_id       bigint NOT NULL,
  first_at     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  last_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  dismissed_by text,
  dismissed_at timestamptz
);
CREATE UNIQUE INDEX rejection_by_key ON sqs_sync.rejection (sync_id, pg_catalog.md5(key));
COMMENT ON COLUMN sqs_sync.rejection.message_id IS 'what the sync''s message_id calls the message';
COMMENT ON COLUMN sqs_sync.rejection.event IS 'of the change that was tried; null where the key itself is what is wrong';
COMMENT ON COLUMN sqs_sync.rejection.content_hash IS 'of all columns of the row that was tried, compared or not';
COMMENT ON COLUMN sqs_sync.rejection.version IS 'of the definition by which its message was made';
COMMENT ON COLUMN sqs_sync.rejection.left_alone IS 'it is not tried again as long as event and hashes, and unless it is dismissed the version, are the same';
COMMENT ON TABLE sqs_sync.rejection IS 'rows that could not be published; read it through the views sqs_sync.rejections and sqs_sync.dismissed';

-- A change is given up once at the most. No foreign key to the run, which is not dumped.
CREATE TABLE sqs_sync.doubt_given_up (
  sync_id     integer NOT NULL REFERENCES sqs_sync.sync ON DELETE CASCADE,
  change_id   bigint NOT NULL,
  run_id      bigint NOT NULL,
  changes     bigint NOT NULL,
  key         text,
  given_up_by text NOT NULL DEFAULT SESSION_USER,
  given_up_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  PRIMARY KEY (sync_id, change_id)
);
COMMENT ON TABLE sqs_sync.doubt_given_up IS 'changes in doubt that somebody has given up, a row a call; read it through the view sqs_sync.forgotten';
COMMENT ON COLUMN sqs_sync.doubt_given_up.change_id IS 'the last of them';
COMMENT ON COLUMN sqs_sync.doubt_given_up.run_id IS 'the run that found them, with which the row goes';
COMMENT ON COLUMN sqs_sync.doubt_given_up.key IS 'of the one row that was named; null: all were given up';

-- A log: no foreign key, which would be looked up for each row, and not dumped. A row that fits on
-- a page stays whole, and nothing is compressed, which would take longer than all else.
CREATE TABLE sqs_sync.request (
  sync_id        integer NOT NULL,
  request_id     bigint NOT NULL DEFAULT pg_catalog.nextval('sqs_sync.request_id_seq'),
  run_id         bigint NOT NULL,
  at             timestamptz NOT NULL,
  operation      text NOT NULL,
  queue          text NOT NULL,
  attempt        integer NOT NULL,
  latency_ms     double precision NOT NULL,
  status         integer,
  aws_request_id text,
  error          text,
  entries        text NOT NULL,
  request        text,
  request_bytes  integer NOT NULL,
  response       text,
  dropped        bigint NOT NULL,
  bytes          integer NOT NULL,
  PRIMARY KEY (sync_id, request_id) INCLUDE (bytes)
) WITH (toast_tuple_target = 8160);
ALTER TABLE sqs_sync.request ALTER COLUMN entries SET STORAGE EXTERNAL,
  ALTER COLUMN request SET STORAGE EXTERNAL, ALTER COLUMN response SET STORAGE EXTERNAL;
COMMENT ON TABLE sqs_sync.request IS 'the request log, a row a call of SQS''s API; read it through the view sqs_sync.requests';
COMMENT ON COLUMN sqs_sync.request.entries IS 'a JSON array of arrays: change id, event, key, and of what was not accepted the result, the code and the error';
COMMENT ON COLUMN sqs_sync.request.bytes IS 'what the row counts for against sqs_sync.log_max_size';

CREATE TABLE sqs_sync.logging (
  sync_id          integer PRIMARY KEY REFERENCES sqs_sync.sync ON DELETE CASCADE,
  level            text NOT NULL CHECK (level IN ('off', 'errors', 'sample', 'all')),
  share            double precision,
  calls            bigint,
  after_id         bigint NOT NULL,
  until            timestamptz,
  afterwards       text NOT NULL CHECK (afterwards IN ('off', 'errors', 'sample', 'all')),
  afterwards_share double precision
);
COMMENT ON TABLE sqs_sync.logging IS 'how much of a sync''s calls is kept, where sqs_sync_log has said so; else errors are';
COMMENT ON COLUMN sqs_sync.logging.calls IS 'the level holds for so many calls after that of after_id; null: no matter how many';
COMMENT ON COLUMN sqs_sync.logging.until IS 'the level holds until then; null: without end';
COMMENT ON COLUMN sqs_sync.logging.afterwards IS 'the level that holds then';

-- Alerts: what is watched, how it stands, and what is on its way to a channel ------------

CREATE SEQUENCE sqs_sync.alert_id_seq AS integer;
CREATE SEQUENCE sqs_sync.alert_delivery_id_seq;

-- The owner is a regrole: it follows a rename, and dumps as a name. Nothing depends on it: a
-- role that is dropped leaves alerts that see nothing and tell nobody.
CREATE TABLE sqs_sync.alert (
  alert_id       integer PRIMARY KEY DEFAULT pg_catalog.nextval('sqs_sync.alert_id_seq'),
  alert_uuid     uuid NOT NULL UNIQUE DEFAULT pg_catalog.gen_random_uuid(),
  name           text NOT NULL UNIQUE,
  owner          regrole NOT NULL,
  sync_id        integer REFERENCES sqs_sync.sync ON DELETE CASCADE,
  condition      text NOT NULL,
  "over"         text,
  within         interval,
  channel        text NOT NULL,
  remind_every   interval,
  silenced_until timestamptz,
  created_at     timestamptz NOT NULL DEFAULT pg_catalog.now()
);
CREATE INDEX alert_by_sync ON sqs_sync.alert (sync_id);
COMMENT ON TABLE sqs_sync.alert IS 'one row an alert: the condition that it watches and where it is told';
COMMENT ON COLUMN sqs_sync.alert.sync_id IS 'null: all syncs that the owner may see, or the database';
COMMENT ON COLUMN sqs_sync.alert.channel IS 'the foreign server by its name';

CREATE TABLE sqs_sync.alert_standing (
  alert_id  integer NOT NULL REFERENCES sqs_sync.alert ON DELETE CASCADE,
  sync_id   integer NOT NULL,
  sync      text,
  is_firing boolean NOT NULL,
  since     timestamptz NOT NULL,
  told_at   timestamptz,
  summary   text NOT NULL,
  PRIMARY KEY (alert_id, sync_id)
);
COMMENT ON TABLE sqs_sync.alert_standing IS 'whether an alert''s condition holds for a sync, and whether the channel believes so; without a row it never did';
COMMENT ON COLUMN sqs_sync.alert_standing.sync_id IS '0: the database. No foreign key: that a sync is gone is told first';
COMMENT ON COLUMN sqs_sync.alert_standing.told_at IS 'when the channel was last told that it holds; null once it was told that it does not';

CREATE TABLE sqs_sync.alert_delivery (
  delivery_id bigint PRIMARY KEY DEFAULT pg_catalog.nextval('sqs_sync.alert_delivery_id_seq'),
  message_id  uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
  alert_id    integer NOT NULL REFERENCES sqs_sync.alert ON DELETE CASCADE,
  owner       oid NOT NULL,
  channel     text NOT NULL,
  sync        text,
  news        text NOT NULL,
  title       text NOT NULL,
  summary     text NOT NULL,
  message     text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'delivered', 'failed')),
  due_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  attempts    integer NOT NULL DEFAULT 0,
  status      integer,
  answer      text,
  hint        text,
  latency     interval,
  finished_at timestamptz
);
CREATE INDEX alert_delivery_queued ON sqs_sync.alert_delivery (owner, channel, delivery_id) WHERE state = 'queued';
CREATE INDEX alert_delivery_by_alert ON sqs_sync.alert_delivery (alert_id, delivery_id);
COMMENT ON TABLE sqs_sync.alert_delivery IS 'messages to channels, queued in the transaction that changes an alert''s standing; read them through the view sqs_sync.alert_deliveries';
COMMENT ON COLUMN sqs_sync.alert_delivery.message_id IS 'the same at each attempt: a receiver that has seen it has the message';

CREATE TABLE sqs_sync.worker_sight (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  seen_at timestamptz NOT NULL
);
COMMENT ON TABLE sqs_sync.worker_sight IS 'when the worker of the database last showed itself; written while an alert asks for it';

CREATE TABLE sqs_sync.queue_given_up (
  sync_id integer NOT NULL REFERENCES sqs_sync.sync ON DELETE CASCADE,
  queue   text NOT NULL,
  since   timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  reason  text NOT NULL,
  PRIMARY KEY (sync_id, queue)
);
COMMENT ON TABLE sqs_sync.queue_given_up IS 'queues that the last run which got that far has given up';

SELECT pg_catalog.pg_extension_config_dump('sqs_sync.sync', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.position', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.home', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.waiting', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.claim', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.definition', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.sequence', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.rejection', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.doubt_given_up', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.logging', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.alert', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.alert_standing', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.alert_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.sync_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.run_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.rejection_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.request_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.change_id_seq', '');

-- Connections --------------------------------------------------------------------------

-- Not dumped: a mapping that is restored is noted again, by the superuser who restores it.
CREATE TABLE sqs_sync.lent_identity (
  digest     bytea PRIMARY KEY,
  allowed_by text NOT NULL DEFAULT SESSION_USER,
  allowed_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE sqs_sync.lent_identity IS 'user mappings that may use the server''s own identity, as a superuser has allowed it: only such a mapping, unchanged, is used';
COMMENT ON COLUMN sqs_sync.lent_identity.allowed_by IS 'the superuser, by his name then';
COMMENT ON COLUMN sqs_sync.lent_identity.digest IS 'SHA-256 of the mapping''s options';

CREATE FUNCTION sqs_sync.connection_options(options text[], catalog oid) RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'connection_options_wrapper';
REVOKE ALL ON FUNCTION sqs_sync.connection_options(text[], oid) FROM PUBLIC;
COMMENT ON FUNCTION sqs_sync.connection_options(text[], oid) IS $$validator of the options of servers and user mappings

- options: all that the object will have, each as name=value
- catalog: the catalog that the object is in$$;

CREATE FOREIGN DATA WRAPPER sqs_sync VALIDATOR sqs_sync.connection_options;
COMMENT ON FOREIGN DATA WRAPPER sqs_sync IS 'connections to Amazon SQS: servers say where, user mappings say as whom';

CREATE FUNCTION sqs_sync.channel_options(options text[], catalog oid) RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'channel_options_wrapper';
REVOKE ALL ON FUNCTION sqs_sync.channel_options(text[], oid) FROM PUBLIC;
COMMENT ON FUNCTION sqs_sync.channel_options(text[], oid) IS $$validator of the options of channels and their user mappings

- options: all that the object will have, each as name=value
- catalog: the catalog that the object is in$$;

CREATE FOREIGN DATA WRAPPER sqs_sync_alerts VALIDATOR sqs_sync.channel_options;
COMMENT ON FOREIGN DATA WRAPPER sqs_sync_alerts IS 'channels of alerts: servers say where, user mappings hold the secrets';

-- Members of pg_write_all_data may write to every table. By these they would act as others: a
-- definition holds SQL that runs with the rights of the sync's owner. (Row-level security would do,
-- too, but that keeps members of pg_read_all_data from making a dump.)
CREATE FUNCTION sqs_sync.superusers_only() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER) THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for table %I', TG_TABLE_NAME);
  END IF;
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION sqs_sync.superusers_only() FROM PUBLIC;
COMMENT ON FUNCTION sqs_sync.superusers_only() IS 'keeps whoever may write to all tables, and is no superuser, from writing to one by which he would act as others';
CREATE TRIGGER superusers_only BEFORE INSERT OR UPDATE OR DELETE ON sqs_sync.sync EXECUTE FUNCTION sqs_sync.superusers_only();
CREATE TRIGGER superusers_only BEFORE INSERT OR UPDATE OR DELETE ON sqs_sync.definition EXECUTE FUNCTION sqs_sync.superusers_only();
CREATE TRIGGER superusers_only BEFORE INSERT OR UPDATE OR DELETE ON sqs_sync.lent_identity EXECUTE FUNCTION sqs_sync.superusers_only();
CREATE TRIGGER superusers_only BEFORE INSERT OR UPDATE OR DELETE ON sqs_sync.alert EXECUTE FUNCTION sqs_sync.superusers_only();
CREATE TRIGGER superusers_only BEFORE INSERT OR UPDATE OR DELETE ON sqs_sync.alert_delivery EXECUTE FUNCTION sqs_sync.superusers_only();

-- Rows ---------------------------------------------------------------------------------

CREATE FUNCTION sqs_sync.row_hash(contents record) RETURNS bigint
  LANGUAGE c STRICT STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'row_hash_wrapper';
COMMENT ON FUNCTION sqs_sync.row_hash(record) IS $$the 64-bit hash by which a row is compared with the snapshot, the same after dump and restore, VACUUM FULL and upgrades

- contents: the row$$;

CREATE FUNCTION sqs_sync.value_hash(value anyelement) RETURNS bigint
  LANGUAGE c STRICT STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'value_hash_wrapper';
COMMENT ON FUNCTION sqs_sync.value_hash(anyelement) IS $$the same of one value

- value: of any type$$;

CREATE FUNCTION sqs_sync.stable_text(value anyelement) RETURNS text
  LANGUAGE c STRICT STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'stable_text_wrapper';
COMMENT ON FUNCTION sqs_sync.stable_text(anyelement) IS $$a value as text, whatever the session's settings for dates, numbers and bytes

- value: of any type$$;

-- Syncs --------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.sqs_sync_create(
  name        text,
  model       text,
  key         text     DEFAULT NULL,
  server      text     DEFAULT NULL,
  queue       text     DEFAULT NULL,
  template    text     DEFAULT NULL,
  body_column text     DEFAULT NULL,
  fields      json     DEFAULT NULL,
  format      text     DEFAULT NULL,
  attributes  json     DEFAULT NULL,
  message_id  text     DEFAULT NULL,
  group_id    text     DEFAULT NULL,
  dedup_id    text     DEFAULT NULL,
  dedup       text     DEFAULT NULL,
  delay_seconds text   DEFAULT NULL,
  events      text[]   DEFAULT '{added,changed,removed}',
  compare     text     DEFAULT NULL,
  initial     text     DEFAULT 'backfill',
  order_by    text     DEFAULT NULL,
  retry_for   interval DEFAULT '5 minutes',
  guard_share text     DEFAULT '30%',
  guard_rows  bigint   DEFAULT 100,
  max_messages_per_second double precision DEFAULT NULL
) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_create_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_create(text, text, text, text, text, text, text, json, text, json, text, text, text, text, text, text[], text, text, text, interval, text, bigint, double precision) IS $$creates a sync, all or nothing: which rows' events go to which queue, and what the message is

It reads one row of the model as a run would, and sends nothing. `queue` and exactly one of `template`, `body_column` and
`fields` are required, on a FIFO queue `group_id` too. Most of the message's options are templates: docs/messages.md#the-definition.

A model may have no column whose name begins with `sqs_sync_`, no column of a pseudo-type, and no more columns than fit
in 8160 bytes a row when long values are stored out of line. The model runs under the `TimeZone` that its creator had
at creation, and with the `search_path` `pg_catalog`. A view's own names are resolved when the view is made; those
inside functions that it calls must be qualified.

- name: 1 to 63 bytes, one of its kind in the database
- model: the name of a table, partitioned table, view, materialized view or foreign table, found by your `search_path`;
  or one SELECT (or VALUES, TABLE, WITH … SELECT), which becomes a view of yours in `sqs_sync_data`, made with your
  rights, its names found by your `search_path`. Not a temporary relation. You must have the rights of its owner.
- key: the columns that identify a row: `'id'`, or `'plant, "no"'`; a table's primary key unless it is given. Names are
  folded to lower case unless in double quotes. Their types need a btree operator class.
- server: the connection: a foreign server that the sync's owner has `USAGE` of, with a user mapping for the owner or for `PUBLIC`
- queue: a name, URL or ARN, or a template of a name: docs/messages.md#the-queue
- template: the body, as a template: JSON unless `format` says otherwise
- body_column: the body, as the column that holds it
- fields: the body, as a JSON object of `{"name in the message": "column"}`, or an array of columns
- format: `json` or `text`: what the body is
- attributes: message attributes, at most 10: docs/messages.md#attributes
- message_id: a template: what rejections call the message, beside its key
- group_id: a template: the message group; required on FIFO queues
- dedup_id: a template: the deduplication id, on FIFO queues: docs/messages.md#fifo-queues
- dedup: `change_id` (what null means) or `content`, in place of `dedup_id`
- delay_seconds: a template: 0 to 900, on standard queues
- events: which of `added`, `changed` and `removed` are published. The others move the snapshot silently, at the diff.
- compare: the columns that make a row changed: `'name, stock'`, or all but some: `'* except updated_at'`; null: all. The others
  are told with the row's next change; `old` is always what was told.
- initial: `backfill`: the first run publishes the rows of the model. `skip`: it takes them as told. Until a run has gone
  through (`succeeded` or `partly_failed`; with `skip`, until one has taken the rows as told), each run goes on as the first one.
- order_by: columns, each with `asc` or `desc` and `nulls first` or `nulls last`: the order in which change ids are given and
  changes are read. On a tie removed rows come before added ones. What it promises of the order of arrival: docs/messages.md#order
- retry_for: how long a message is tried, from its first attempt
- guard_share: a run is held if it would announce of one event more than this share of the rows that the queue has been
  told of, and more than `guard_rows`; or if the model is empty, and the queue has been told of any row. `off`: no run
  is held for that. The first run is not. docs/operations.md#when-a-run-is-held
- guard_rows: so many changes of one event hold no run, whatever their share
- max_messages_per_second: no more messages are sent than so many a second, on average, to all queues together, and at
  most a second's worth at once; those that are sent again count. It may be below 1. null: no limit.
  docs/operations.md#a-limit-of-messages-a-second
- 42710: a sync of this name exists
- 55P03: another transaction creates a sync of this name, or the database's first one, and has not ended
- 42703: a column that is named is not in the model; the hint has the nearest one
- 42501: you have not the rights of the model's owner, or the owner has no `USAGE` of the server, or the queue is not allowed
- 22023: an option that cannot be meant

    SELECT sqs_sync_create('parts',
      model      => 'SELECT plant, "no", name, stock FROM parts',
      key        => 'plant, "no"',
      server     => 'aws',
      queue      => 'parts',
      fields     => '{"number": "no", "plant": "plant", "in stock": "stock"}',
      attributes => '{"key": "{{key}}", "event": "{{event}}", "change_id": "{{change.id}}"}',
      events     => '{added,changed}',
      order_by   => 'plant, stock desc nulls last',
      retry_for  => '10 minutes');
    CALL sqs_sync_run_and_wait('parts');     -- {"number":1,"plant":"north","in stock":5}$$;

CREATE FUNCTION @extschema@.sqs_sync_alter(
  name        text,
  server      text     DEFAULT NULL,
  queue       text     DEFAULT NULL,
  template    text     DEFAULT NULL,
  body_column text     DEFAULT NULL,
  fields      json     DEFAULT NULL,
  format      text     DEFAULT NULL,
  attributes  json     DEFAULT NULL,
  message_id  text     DEFAULT NULL,
  group_id    text     DEFAULT NULL,
  dedup_id    text     DEFAULT NULL,
  dedup       text     DEFAULT NULL,
  delay_seconds text   DEFAULT NULL,
  events      text[]   DEFAULT NULL,
  compare     text     DEFAULT NULL,
  order_by    text     DEFAULT NULL,
  retry_for   interval DEFAULT NULL,
  guard_share text     DEFAULT NULL,
  guard_rows  bigint   DEFAULT NULL,
  max_messages_per_second double precision DEFAULT NULL,
  reset       text[]   DEFAULT NULL
) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_alter_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_alter(text, text, text, text, text, json, text, json, text, text, text, text, text, text[], text, text, interval, text, bigint, double precision, text[]) IS $$changes a sync's definition from its next run on: options left out stay, those in reset are unset

A body that is given, of whichever kind, takes the place of the one before and of its `format`; a `dedup_id` or `dedup` takes
the place of both. A run that has begun, and changes that are in doubt, keep the definition that they began with,
queue and server included.

Nothing is sent by itself. With another `compare` a row is changed if the columns that are compared now differ from what
was told of them. The model, the key and `initial` cannot be changed: drop the sync and create it again.

- name: of the sync
- server: another connection
- queue, template, body_column, fields, format, attributes, message_id, group_id, dedup_id, dedup, delay_seconds: the message, as in `sqs_sync_create`
- events: which events are published. It keeps what an event that it names says of its own by `sqs_sync_on`, and forgets that of the others.
- compare, order_by, retry_for, guard_share, guard_rows, max_messages_per_second: as in `sqs_sync_create`
- reset: options to unset: those of the message but `queue`, `compare`, `order_by` and `max_messages_per_second`; `events`,
  `retry_for`, `guard_share` and `guard_rows` go back to their defaults. An option that is given, and in `reset` too, is an error.
- 42704: there is no such sync
- 42501: you have not the rights of its owner, or the queue is not allowed
- 42703: a column that is named is not in the model
- 22023: an option that cannot be meant

    SELECT sqs_sync_alter('parts', body_column => 'name', reset => '{order_by,retry_for}');$$;

CREATE FUNCTION @extschema@.sqs_sync_on(
  name        text,
  event       text,
  queue       text     DEFAULT NULL,
  template    text     DEFAULT NULL,
  body_column text     DEFAULT NULL,
  fields      json     DEFAULT NULL,
  format      text     DEFAULT NULL,
  attributes  json     DEFAULT NULL,
  message_id  text     DEFAULT NULL,
  group_id    text     DEFAULT NULL,
  dedup_id    text     DEFAULT NULL,
  dedup       text     DEFAULT NULL,
  delay_seconds text   DEFAULT NULL,
  condition   text     DEFAULT NULL,
  without     text[]   DEFAULT NULL,
  reset       text[]   DEFAULT NULL
) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_on_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_on(text, text, text, text, text, json, text, json, text, text, text, text, text, text, text[], text[]) IS $$publishes an event from the next run on, and says what of its message is not the sync's

Options left out stay as an earlier `sqs_sync_on` said, or are the sync's: docs/messages.md#a-message-for-each-event.

- name: of the sync
- event: `added`, `changed` or `removed`
- queue, template, body_column, fields, format, attributes, message_id, group_id, dedup_id, dedup, delay_seconds: the event's message, as in `sqs_sync_create`
- condition: a SQL expression: changes for which it is not true are not published, and move the snapshot silently:
  docs/messages.md#conditions-which-changes-are-published
- without: options of the message that the sync has and this event has not, such as `{delay_seconds}` where its queue is a
  FIFO queue. Not `queue`.
- reset: options (`queue` and `condition` too) that are the sync's again
- 42601: the condition is not one SQL expression
- 42704: there is no such sync
- 42501: you have not the rights of its owner, or the queue is not allowed
- 22023: an option that cannot be meant$$;

CREATE FUNCTION @extschema@.sqs_sync_off(name text, event text) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_off_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_off(text, text) IS $$publishes an event no longer, and forgets what it had of its own: such changes move the snapshot silently

- name: of the sync
- event: `added`, `changed` or `removed`
- 22023: it is the only event of the sync

    SELECT sqs_sync_on('parts', 'removed', queue => 'parts-gone', fields => '["no"]', without => '{attributes}');
    SELECT sqs_sync_on('parts', 'changed', condition => 'stock = 0 AND old.stock > 0');
    SELECT sqs_sync_off('parts', 'removed');$$;

CREATE FUNCTION @extschema@.sqs_sync_drop(name text) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_drop_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_drop(text) IS $$drops a sync with its snapshot, change set, what waits, runs and rejections

The view of a model that was given as a SELECT goes too. Changes in doubt are forgotten. Change ids are not: a sync that
is created later begins above them. The owner can drop a sync whose snapshot is gone; if its change set is gone too, it
has no owner, and a superuser drops it.

- name: of the sync
- 55006: a run of it is under way: cancel it first
- 55P03: another transaction is at work on it, and has not ended$$;

CREATE FUNCTION @extschema@.sqs_sync_pause(name text) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_pause_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_pause(text) IS $$starts no further run of a sync until it is resumed

While a sync is paused, `sqs_sync_run` is an error and a queued run does not start. A run that is under way goes on. So
it does while the transaction that pauses its sync is open.

- name: of the sync$$;

CREATE FUNCTION @extschema@.sqs_sync_resume(name text) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_resume_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_resume(text) IS $$lets a paused sync run again

- name: of the sync$$;

CREATE FUNCTION @extschema@.sqs_sync_resync(name text, condition text DEFAULT NULL, preview boolean DEFAULT false) RETURNS bigint
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_resync_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_resync(text, text, boolean) IS $$has the next run send rows again, though they are as they were told; returns how many

They are sent as `changed`, with change ids of their own, so that a FIFO queue discards none of them, and with the definition
of that run; `changed_columns` is empty. A row that a run rejects or does not come to stays marked for the next one. A row
that is not told yet is sent in any case. One that was told, and is left alone since its change was rejected or dismissed, is
tried again. A resync is not held by the guard rail.

- name: of the sync
- condition: which rows: a SQL expression as that of `sqs_sync_on`, over the row as it was told last, with the rights of the
  sync's owner; null: all
- preview: only count the rows, and change nothing
- 42501: you have not the rights of the sync's owner
- 55000: the sync does not publish `changed`
- 55006: a run of the sync is under way
- 55P03: another transaction has asked for a run of the sync, or is altering it, and has not ended

    SELECT sqs_sync_resync('parts', $c$ plant = 'north' $c$, preview => true);
    SELECT sqs_sync_resync('parts', $c$ plant = 'north' $c$);$$;

CREATE FUNCTION @extschema@.sqs_sync_baseline(name text, preview boolean DEFAULT false) RETURNS bigint
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_baseline_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_baseline(text, boolean) IS $$takes the rows of the model as told, and sends nothing; returns how many were not told as they are

The next run sends what has changed from then on. Rows that were rejected are taken as told, too. It takes the place of a
first run, and is the way out when a snapshot was emptied. A run that is held stays so: approved, it finds nothing of this any more.

Of a snapshot that was emptied, changes in doubt are given up, as by `sqs_sync_forget_doubt`: their rows are not taken as told, and the next run
tells them as the model has them then.

- name: of the sync
- preview: only count the rows, and change nothing
- 42501: you have not the rights of the sync's owner
- 55000: changes are in doubt, and the snapshot was not emptied: run the sync first; or a run would be held
- 55006: a run of the sync is under way
- 55P03: another transaction has asked for a run of the sync, or is altering it, and has not ended

    SELECT sqs_sync_baseline('parts', preview => true);
    SELECT sqs_sync_baseline('parts');$$;

CREATE FUNCTION @extschema@.sqs_sync_forget_doubt(name text, key text DEFAULT NULL, preview boolean DEFAULT false) RETURNS bigint
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_forget_doubt_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_forget_doubt(text, text, boolean) IS $$gives up changes in doubt, that may have been sent and can never be sent again; returns how many

What is in doubt blocks the sync if it cannot be sent: its queue is gone, say. Given up, it is not sent again as it was. The next
run tells its rows instead as the model has them then, to the queues and by the definition of then, whatever the first attempt came to: an added row, and
one whose removal was in doubt, as `added`, or as `removed` if the model has it not; a changed one as `changed`, as in a resync. So no reader ends up with
less than the model; one who has read the first message reads another one of the row, and a FIFO queue does not take it for the same.
Who has done it is in `sqs_sync.forgotten`.

- name: of the sync
- key: of one row: of a key of one column its value, else a JSON object of the key's columns; null: all
- preview: only count them, and change nothing. `sqs_sync_preview` shows them as `resend`.
- 22023: key is not one of the sync
- 42501: you have not the rights of the sync's owner
- 55000: the snapshot was emptied: `sqs_sync_baseline` gives up what is in doubt, too
- 55006: a run of the sync is under way
- 55P03: another transaction has asked for a run of the sync, or is altering it, and has not ended

    SELECT sqs_sync_forget_doubt('parts', preview => true);
    SELECT sqs_sync_forget_doubt('parts');$$;

CREATE FUNCTION @extschema@.sqs_sync_retry(name text, key text DEFAULT NULL, code text DEFAULT NULL) RETURNS bigint
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_retry_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_retry(text, text, text) IS $$has the next run try rejected rows again, though neither they nor the definition have changed; returns how many

For what has been mended elsewhere. `sqs_sync.rejections.retried_when` says which rows are tried again without it.

- name: of the sync
- key: of one row: of a key of one column its value, else a JSON object of the key's columns. It brings a dismissed row back, too; a column of it may be null. null: all
- code: only those of this code in `sqs_sync.rejections`; null: whatever the code
- 22023: key is not one of the sync
- 42501: you have not the rights of the sync's owner
- 55006: a run of the sync is under way
- 55P03: another transaction has asked for a run of the sync, or is altering it, and has not ended

    SELECT sqs_sync_retry('parts');
    SELECT sqs_sync_retry('parts', code => 'invalid_character');
    SELECT sqs_sync_retry('parts', key => '{"plant": "north", "no": 1}');$$;

CREATE FUNCTION @extschema@.sqs_sync_dismiss(name text, key text DEFAULT NULL, code text DEFAULT NULL, preview boolean DEFAULT false) RETURNS bigint
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_dismiss_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_dismiss(text, text, text, boolean) IS $$gives up rejected rows as they are: they are rejections no more, and not tried again until their contents change; returns how many

The queue is not told of a dismissed row, and the snapshot stays: once the row's contents change it is told as it would
have been. Another definition does not bring it back; `sqs_sync_retry` with its key does. A key that is null, not unique or too
long stays dismissed as long as as many rows have it. `sqs_sync.dismissed` lists them, with who dismissed them.

- name: of the sync
- key: of one row: of a key of one column its value, else a JSON object of the key's columns; null: all
- code: only those of this code in `sqs_sync.rejections`; null: whatever the code
- preview: only count them, and change nothing
- 22023: key is not one of the sync
- 42501: you have not the rights of the sync's owner
- 55006: a run of the sync is under way
- 55P03: another transaction has asked for a run of the sync, or is altering it, and has not ended

    SELECT sqs_sync_dismiss('parts', code => 'message_too_long', preview => true);
    SELECT sqs_sync_dismiss('parts', code => 'message_too_long');$$;

-- What one looks at before a run ---------------------------------------------------------

CREATE FUNCTION @extschema@.sqs_sync_preview(
  name            text,
  count           integer DEFAULT 20,
  OUT key         text,
  OUT event       text,
  OUT queue       text,
  OUT group_id    text,
  OUT dedup_id    text,
  OUT delay_seconds integer,
  OUT attributes  json,
  OUT body        text,
  OUT bytes       integer,
  OUT problem     text,
  OUT hint        text,
  OUT "row"       json,
  OUT old         json,
  OUT change_id   bigint
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_preview_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_preview(text, integer) IS $$what a run would send now, by the code that a run sends by: sends nothing, changes nothing

It takes no lock but that of a SELECT, works in a read-only transaction, and sees what its own transaction has done, so
that an edit can be looked at before it is made.

First come changes in doubt, which a run sends again before it compares; then rows that are rejected for their key;
then the changes in the run's order. What is in doubt counts as told when the rest is compared. While a run is under
way, what it has handed over is in doubt.

`change.id`, `run.id` and `run.started_at` in a message are what the next run would have if it began now. A queue's own
maximum size, and whether a deduplication id was used within the last five minutes, only a run finds out. Columns that
were added to the model, or dropped, are adopted in the preview as a run would adopt them. Where a run would be held for
what the model has become, or would fail before it compares, the preview is that error; what the guard rail would hold is shown.

At most 32 MiB are shown, then a notice says so. A preview reads all of the model, as a run does.

- name: of the sync
- count: rows to show
- key: a JSON object, as in `sqs_sync.rejections`
- event: `added`, `changed`, `removed`; `resend` for a change in doubt; null where the key is what is wrong
- queue, group_id, delay_seconds, body: of the message
- dedup_id: `at run` where it is made of the change id, which only the run gives
- attributes: in the form of the option; the bytes of a `Binary` as `\x…`
- bytes: of body and attributes, as SQS counts them
- problem, hint: why there is no message: the code and reason of the rejection that a run would make of it
- row, old: both rows as templates see them
- change_id: of a change in doubt; others have none yet
- 55000: a run would be held for what the model has become

    BEGIN;
    UPDATE parts SET stock = stock - 1 WHERE plant = 'north';
    SELECT event, key, body, problem FROM sqs_sync_preview('parts');
    ROLLBACK;$$;

CREATE FUNCTION @extschema@.sqs_sync_render(
  name            text,
  INOUT key       text,
  INOUT event     text DEFAULT NULL,
  OUT queue       text,
  OUT group_id    text,
  OUT dedup_id    text,
  OUT delay_seconds integer,
  OUT attributes  json,
  OUT body        text,
  OUT bytes       integer,
  OUT problem     text,
  OUT hint        text,
  OUT "row"       json,
  OUT old         json,
  OUT change_id   bigint
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_render_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_render(text, text, text) IS $$the message of one row of the model, by its key, whatever the queue has been told

- name: of the sync
- key: the text of a JSON object of the key's columns, as previews and rejections show it; for a key of one column its value
  alone will do
- event: `added`, as in a backfill, unless told otherwise (or the first one that the sync publishes). For `changed`, `old`
  is what the queue has been told last; for `removed` both rows are that.
- queue, group_id, delay_seconds, body: of the message
- dedup_id: `at run` where it is made of the change id, which only the run gives
- attributes: in the form of the option; the bytes of a `Binary` as `\x…`
- bytes: of body and attributes, as SQS counts them
- problem, hint: why there is no message: the code and reason of the rejection that a run would make of it
- row, old: both rows as templates see them
- change_id: of a change in doubt; others have none yet
- P0002: the model has no such row
- 22023: it is no key of this sync

    SELECT body, problem FROM sqs_sync_render('parts', '{"plant": "north", "no": 1}', event => 'changed');$$;

CREATE FUNCTION @extschema@.sqs_sync_test(
  name            text,
  INOUT key       text DEFAULT NULL,
  INOUT event     text DEFAULT NULL,
  OUT queue       text,
  OUT queue_url   text,
  OUT dedup_id    text,
  OUT message_id  text,
  OUT sequence_number text,
  OUT request_id  text,
  OUT code        text,
  OUT error       text,
  OUT hint        text
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_test_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_test(text, text, text) IS $$sends one real message, of this row or the model's first, and returns SQS's answer; the snapshot stays

It is the message that `sqs_sync_render` shows. Nothing is noted, and no run is made. To a FIFO queue it goes with a
deduplication id of its own, whatever the sync's would be. It is tried once, and the answer awaited for 20 seconds; a
cancel ends the waiting.

- name: of the sync
- key, event: of the row, as for `sqs_sync_render`; the model's first row if no key is given
- queue, queue_url, dedup_id: where it went, and the id of the test
- message_id, sequence_number, request_id: SQS's answer; a sequence number of a FIFO queue only
- code, error, hint: why not: of the rejection, or of SQS. It says so if SQS may have the message all the same.
- P0002: the model has no such row

    SELECT queue, message_id, error FROM sqs_sync_test('parts');$$;

CREATE FUNCTION @extschema@.sqs_sync_check(
  name            text,
  OUT item        text,
  OUT ok          boolean,
  OUT detail      text,
  OUT hint        text
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_check_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_check(text) IS $$whether all that a run needs is there, a row a thing

What is wrong is a row, and no error. It reads all of the model, and asks SQS, which takes 15 seconds at most.

- name: of the sync
- item: what is looked at, see below
- ok: false where a run would fail or leave rows out; null is worth knowing
- detail: what was found
- hint: what to do

    SELECT item, detail, hint FROM sqs_sync_check('parts') WHERE ok IS NOT TRUE;

| item | looks at |
| --- | --- |
| `privileges` | the server, `USAGE` of it and the user mapping of the sync's owner |
| `tables` | that snapshot and change set are as the extension made them |
| `model`, `columns` | that it is there, its owner's, and can be read; columns that the next run adopts; a column that would hold it |
| `message` | that the key, `order_by`, `compare` and the message fit the columns |
| `rows that move` | the queue or the group comes from a column that is not part of the key: a row in which that changes is announced in its new place only |
| `key` | of all rows: unique, not null, not too long |
| `changes` | what a run would find |
| `messages: added`, `changed`, `removed` | the first 1,000 rows, or 8 MiB, of the model, rendered for each event that is published |
| `region`, `credentials`, `sqs:ListQueues` | that SQS answers, takes the keys, and lists queues where some are given by name |
| `queue …` | each queue that the sync or the sample names, 20 at most: that it is there, and takes such messages. Without `sqs:GetQueueAttributes` one that is given by URL or ARN is not known. |
| `runs`, `worker` | a run that is held, a sync that is paused; whether the worker runs |$$;

CREATE FUNCTION @extschema@.sqs_sync_explain(
  name            text,
  OUT item        text,
  OUT value       text
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_explain_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_explain(text) IS $$how a run would compare, and what it would send and cost now

- name: of the sync
- item: what the value is, see below
- value: text, also where it is a number

    SELECT item, value FROM sqs_sync_explain('parts') WHERE item NOT IN ('statement', 'plan');

| item | value |
| --- | --- |
| `statement`, `plan` | the diff, and its plan as `EXPLAIN` shows it to the owner |
| `resend`, `added`, `changed`, `removed` | changes that a message would be due for |
| `silent` | changes that would move the snapshot without one |
| `rejected before, or dismissed` | changes that a run would leave alone, since they are as they were then |
| `rows with a rejected key` | those that a run would reject for their key |
| `messages`, `rejected messages`, `bytes` | what would be sent, and what SQS's limits keep back |
| `requests` | at least: of ten messages and 1 MiB a request, each queue by itself, and of one message a group with `order_by`. Retries come on top. |
| `billing chunks` | each 64 KiB of a request, which AWS bills as one |
| `basis` | up to 1,000 changes, or 8 MiB, are rendered; what these cost is projected on all, which it says |$$;

CREATE FUNCTION @extschema@.sqs_sync_log(
  name            text,
  INOUT level     text             DEFAULT NULL,
  INOUT share     double precision DEFAULT NULL,
  INOUT calls     bigint           DEFAULT NULL,
  lasting         interval         DEFAULT NULL,
  OUT until       timestamptz,
  OUT afterwards  text
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_log_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_log(text, text, double precision, bigint, interval) IS $$says how much of a sync's calls to SQS is kept for sqs_sync.requests, and returns what holds now

Without a level it changes nothing, and tells. A run under way takes a level up within seconds, and is not held up where the log cannot be
written.

- name: of the sync
- level: how much is kept, see below; returns what holds now
- share: of a `sample`: of the calls that went well, above 0 and at most 1; 0.01 if it is not given
- calls: a `sample` or `all` holds for so many calls; returns how many are left
- lasting: a `sample` or `all` holds for so long; without an end that is given, `all` holds for an hour
- until: when the level ends; null: not by time
- afterwards: the level that holds then, which is the last one without an end; null: this one has none
- 22023: a level that there is not, or a share, a number or a time that it cannot have

    SELECT level, until IS NOT NULL AS ends, afterwards FROM sqs_sync_log('parts', 'all', calls => 100);

| level | keeps |
| --- | --- |
| `off` | nothing |
| `errors` | calls that failed, and those in which a message did: the default |
| `sample` | those, and a share of the others |
| `all` | every call |$$;

CREATE FUNCTION @extschema@.sqs_sync_trace(
  name            text,
  key             text,
  OUT at          timestamptz,
  OUT what        text,
  OUT event       text,
  OUT run_id      bigint,
  OUT change_id   bigint,
  OUT message_id  text,
  OUT code        text,
  OUT detail      text,
  OUT request_id  bigint
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_trace_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_trace(text, text) IS $$the story of one row: each call that is kept and had it in it, its rejection, what waits to be sent, and whether the queue has been told of it

In the order of time; what is so now comes last. How many calls are kept is for sqs_sync_log to say.

- name: of the sync
- key: of the row: of a key of one column its value, else a JSON object of the key's columns
- at: when; null: now
- what: of a call `accepted`, `rejected`, `not accepted` or `in doubt`, as in sqs_sync.requests; `rejected` also before any call, with who has dismissed it; or what is so now
- event: of the change
- run_id: the run
- change_id: what `{{change.id}}` is in its messages
- message_id: SQS's; of a rejection the sync's own
- code: of a rejection or an error
- detail: the reason
- request_id: the call, in sqs_sync.requests
- 22023: key is not one of the sync

    SELECT what, event, change_id IS NOT NULL AS sent FROM sqs_sync_trace('parts', '{"plant": "north", "no": 1}');$$;

CREATE FUNCTION @extschema@.sqs_sync_queues(
  server          text,
  prefix          text DEFAULT NULL,
  OUT name        text,
  OUT url         text,
  OUT arn         text,
  OUT type        text,
  OUT maximum_message_size integer,
  OUT content_based_deduplication boolean,
  OUT deduplication_scope text
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_queues_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_queues(text, text) IS $$the queues of a connection's account and region, 10,000 at most

You need `USAGE` of the server and a user mapping, and that `sqs:ListQueues`.

- server: the connection
- prefix: only queues whose names begin with it; null: all
- name, url, arn: any of them can be a sync's `queue`. The ARN is null if the URL does not tell the account.
- type: `standard` or `fifo`
- maximum_message_size, content_based_deduplication, deduplication_scope: of the first 100 queues; null without `sqs:GetQueueAttributes`
- 42501: no `USAGE` of the server
- 28000: SQS refuses the credentials
- HV00R: SQS refuses us the list
- HV00N: SQS cannot be reached

    SELECT name, type FROM sqs_sync_queues('aws', prefix => 'par');$$;

CREATE FUNCTION @extschema@.sqs_sync_trust_policy(
  server          text,
  role            text DEFAULT NULL,
  queues          text DEFAULT NULL,
  account         text DEFAULT NULL,
  OUT step        integer,
  OUT what        text,
  OUT paste       text
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_trust_policy_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_trust_policy(text, text, text, text) IS $$how to let a connection in: the role to create at AWS, and its policies, step by step

Nothing is changed, here or at AWS. STS is asked, with the keys of the user mapping, whose they are. For whoever may change the
user mapping. In psql, `\g (format=unaligned tuples_only=on)` prints what can be pasted.

- server: the connection
- role: whose user mapping; null: the caller's
- queues: names with commas between them, in which `*` stands for anything; null: those that syncs of this connection use, or
  the server's `allowed_queues`
- account: the account that has the queues; null: that of the mapping's `role_arn`, or the caller's own at AWS
- step: its number
- what: what to do, in a sentence
- paste: the text for it. An external id is made anew at each call until the user mapping has one.
- 42501: the user mapping is not the caller's to change
- 22023: no sync uses the server, and no `queues` are given
- 28000: STS refuses the credentials

    RESET ROLE;
    SELECT step, what, paste FROM sqs_sync_trust_policy('aws', queues => 'customers, orders', account => '123456789012');
    SET ROLE analyst;$$;

-- Alerts -------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.sqs_sync_alert_create(
  name         text,
  sync         text     DEFAULT NULL,
  condition    text     DEFAULT NULL,
  channel      text     DEFAULT NULL,
  over         text     DEFAULT NULL,
  within       interval DEFAULT NULL,
  remind_every interval DEFAULT NULL
) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_alert_create_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_alert_create(text, text, text, text, text, interval, interval)
  IS $$has a channel told when a condition begins to hold of a sync, or of all, and when it no longer does

The alert belongs to the caller. It may watch what the caller may see: his syncs, and all of them if he is a superuser
or a member of `pg_monitor`. The conditions are in docs/alerts.md#conditions, the channels in docs/alerts.md#channels.

- name: of the alert, up to 63 bytes
- sync: its name; left out: all that the alert's owner may see, each by itself, those that are created later too
- condition: `run_failed`, `rejections`, `run_held`, `no_success`, `run_long`, `queue_paused`, `worker_down` or
  `unusual_counts`
- channel: a server of the foreign data wrapper sqs_sync_alerts, of which the caller has `USAGE`
- over: of `rejections`: a number of rows, `'100'`, or a share, `'5%'`
- within: of `no_success`, `run_long` and `worker_down`: a time
- remind_every: how often the channel is told again while the condition holds; left out: never
- 42710: there is an alert of that name
- 42501: the sync is not the caller's to see, or the server not his to use$$;

CREATE FUNCTION @extschema@.sqs_sync_alert_drop(name text) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_alert_drop_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_alert_drop(text) IS $$drops an alert with its deliveries; nothing is told

- name: of the alert$$;

CREATE FUNCTION @extschema@.sqs_sync_alert_silence(name text, duration interval) RETURNS timestamptz
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_alert_silence_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_alert_silence(text, interval) IS $$has an alert tell nothing for a while, and returns until when

Its state goes on changing. When the silence ends the channel is told how things stand, unless it knows.

- name: of the alert
- duration: from now on$$;

CREATE FUNCTION @extschema@.sqs_sync_alert_unsilence(name text) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_alert_unsilence_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_alert_unsilence(text) IS $$ends the silence of an alert

- name: of the alert$$;

CREATE FUNCTION @extschema@.sqs_sync_alert_test(
  name            text,
  OUT delivered   boolean,
  OUT status      integer,
  OUT answer      text,
  OUT hint        text
) RETURNS SETOF record
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_alert_test_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_alert_test(text) IS $$sends a message to an alert's channel now, and returns what the channel answered

One attempt, that takes 15 seconds at most. It says that it is a test, and changes nothing of the alert's state. A
silenced alert can be tested.

- name: of the alert
- delivered: whether the channel took it
- status: of HTTP or SMTP, if there was one
- answer: why it was not taken, or what the channel calls the message
- hint: what to do$$;

-- Schedules ----------------------------------------------------------------------------

CREATE FUNCTION @extschema@.sqs_sync_schedule(name text, schedule text) RETURNS bigint
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_schedule_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_schedule(text, text) IS $$has pg_cron run a sync at the times of a cron expression, and returns the id of its job

It makes, or changes, a job of yours in [pg_cron](https://github.com/citusdata/pg_cron) with the name `sqs_sync ` and the sync's.
You must have the rights of the sync's owner, and `USAGE` of the schema `cron`. `sqs_sync.syncs` shows the schedule and the
next time. Where pg_cron is not in this database, the error's hint says how to get it, or how to schedule the sync from
the database in which it is.

- name: of the sync
- schedule: five fields: minute, hour, day of the month, month, day of the week: `*/5 * * * *`; in pg_cron's time zone
  (`cron.timezone`; GMT before pg_cron 1.6)
- 22023: it is no cron expression
- 42704: pg_cron is not in this database, or there is no such sync
- 42501: permission denied for schema cron$$;

CREATE FUNCTION @extschema@.sqs_sync_unschedule(name text) RETURNS boolean
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_unschedule_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_unschedule(text) IS $$takes the job that sqs_sync_schedule made out of pg_cron; false if you have none

- name: of the sync$$;

CREATE FUNCTION @extschema@.sqs_sync_run_after(name text, after text) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_run_after_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_run_after(text, text) IS $$has a sync run whenever another one has succeeded (not when it is partly failed)

It runs within a second or so, and in the name of who asked for that run. Chains are possible, circles are refused. While
the sync is paused it waits, and runs once when it is resumed. You must have the rights of both owners.

- name: the sync that runs
- after: the sync that it runs after; null: after none any longer
- 22023: a circle

    SELECT sqs_sync_create('plants', model => 'SELECT DISTINCT plant FROM parts', key => 'plant', server => 'aws', queue => 'parts',
      fields => '["plant"]');
    SELECT sqs_sync_run_after('plants', 'parts');
    SELECT sqs_sync_run_after('plants', NULL);$$;

CREATE FUNCTION sqs_sync.next_time(schedule text, time_zone text, after double precision) RETURNS double precision
  LANGUAGE c STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'next_time_wrapper';
COMMENT ON FUNCTION sqs_sync.next_time(text, text, double precision) IS $$when a cron expression comes next, in seconds since 1970; null for what is none

- schedule: five fields
- time_zone: the zone whose times they are
- after: seconds since 1970$$;

-- pg_cron is found when it is asked for: it may come and go. It shows the caller's own jobs.
CREATE FUNCTION sqs_sync.schedule_of(name text) RETURNS text
  LANGUAGE plpgsql STRICT STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found text;
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_cron') THEN
    IF has_schema_privilege('cron', 'USAGE') AND has_table_privilege('cron.job', 'SELECT') THEN
      EXECUTE 'SELECT schedule FROM cron.job WHERE jobname = $1 AND database = current_database() AND active LIMIT 1'
      INTO found USING 'sqs_sync ' || name;
    END IF;
  END IF;
  RETURN found;
END
$$;
COMMENT ON FUNCTION sqs_sync.schedule_of(text) IS $$the cron expression of the job that sqs_sync_schedule has made for a sync, if you may see it

- name: of the sync$$;

-- Runs ---------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.sqs_sync_run(name text) RETURNS bigint
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_run_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_run(text) IS $$asks for a run and returns its id at once; the work is done in the background after commit

While one is queued or held it returns that one; while one runs it queues one more. Commit soon: until then, other callers
for the same sync wait, 10 seconds at most. A savepoint that is rolled back takes the run back.

- name: of the sync
- 55000: the sync is paused
- 55P03: another transaction has queued a run of it, or is dropping it, and has not ended
- 53400: a warning: no background worker slot is free, and the run stays queued$$;

CREATE FUNCTION @extschema@.sqs_sync_wait(run_id bigint, timeout interval DEFAULT NULL) RETURNS text
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_wait_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_wait(bigint, interval) IS $$waits until a run has ended, or is held, and returns its state

The run must have been asked for in a transaction that is committed, and the waiting transaction must be READ COMMITTED.

- run_id: what `sqs_sync_run` returned
- timeout: how long; null: for ever. When that has passed, an error; the run goes on.
- 57014: the timeout has passed
- 55000: the run was queued by this transaction
- 25001: the transaction keeps its snapshot

    SELECT sqs_sync_run('parts') AS run_id \gset
    SELECT sqs_sync_wait(:run_id, timeout => '1 minute');$$;

CREATE FUNCTION @extschema@.sqs_sync_cancel(run_id bigint) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_cancel_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_cancel(bigint) IS $$cancels a run: answers in flight are awaited for 10 seconds, what was not answered stays in doubt

A run that is queued or held ends at once. One that is under way is told at commit, and goes on publishing until then.
It then sends nothing more, and is `cancelled`. What stays in doubt is sent again by the next run; what was not sent is
found again by it. Of a run that has ended a notice says so.

- run_id: what `sqs_sync_run` returned
- 42704: there is no such run$$;

CREATE FUNCTION @extschema@.sqs_sync_approve(run_id bigint) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_approve_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_approve(bigint) IS $$lets a held run go on

It compares again, by the definition of now. It is held again if what held it has grown by more than a tenth, if another event
would hold it, or if what is wrong with the model's columns or owner still is. Of a paused sync it begins when that is resumed.

- run_id: of the held run: `sqs_sync.held` lists them
- 42704: there is no such run
- 42501: you have not the rights of its sync's owner
- 55000: it is not held$$;

CREATE FUNCTION @extschema@.sqs_sync_discard(run_id bigint) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_discard_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_discard(bigint) IS $$ends a held run: nothing of it is sent, and what the queue has been told stays as it is

The next run compares again, and is held again if nothing has changed.

- run_id: of the held run
- 42704: there is no such run
- 42501: you have not the rights of its sync's owner
- 55000: it is not held$$;

CREATE FUNCTION sqs_sync.watch(run_id bigint) RETURNS boolean
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'watch_wrapper';
COMMENT ON FUNCTION sqs_sync.watch(bigint) IS $$waits up to a second for a run, tells its progress by a notice, and returns whether it still is under way

- run_id: what `sqs_sync_run` returned$$;

-- A procedure that commits can have neither SET nor SECURITY DEFINER: everything in it is
-- qualified, and there is nothing in it to resolve by a search_path.
CREATE PROCEDURE @extschema@.sqs_sync_run_and_wait(name text) LANGUAGE plpgsql AS $$
DECLARE
  run_id pg_catalog.int8;
BEGIN
  run_id := @extschema@.sqs_sync_run(name);
  COMMIT;
  WHILE sqs_sync.watch(run_id) LOOP
    COMMIT;
  END LOOP;
END
$$;
COMMENT ON PROCEDURE @extschema@.sqs_sync_run_and_wait(text) IS $$runs a sync and waits for its end, with notices of its progress; an error if the run fails

It does as `sqs_sync_run` does, commits, and waits. It ends with a notice if the run has succeeded, a warning if it is
partly failed, and with the run's own error otherwise. Cancelling the call ends the waiting and not the run; that is
`sqs_sync_cancel`.

- name: of the sync
- 2D000: it was called inside a transaction block
- 57014: the run was cancelled
- 55000: the run is held, or the sync is paused$$;

-- Copies -------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.sqs_sync_take_over(moved boolean DEFAULT false) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_take_over_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_take_over(boolean) IS $$starts the syncs of a copy of a database, which is paused

What is made of a database talks to the same queues as the original, and so its syncs are paused, and say why, until
somebody takes over: see docs/operations.md#a-copy-starts-paused. For superusers and the owner of the database. In a
database that is no copy it does nothing.

All that may have been sent and is not acknowledged is sent again, change ids jump upwards, and a notice says what cannot
be known here: what the queues were told after the copy was made.

- moved: the database, or its server, has moved, and the original sends no more: syncs keep their deduplication ids and go
  on with the runs that they were at. False: the copy is a source of its own beside the original. Its deduplication ids are
  new, and the runs that the original was at are cancelled.
- 42501: you are neither superuser nor owner of the database$$;

CREATE FUNCTION sqs_sync.why_paused() RETURNS text
  LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'why_paused_wrapper';
COMMENT ON FUNCTION sqs_sync.why_paused() IS 'why this database is taken for a copy, in which no sync runs; null if it is none, and on a standby';

-- Views --------------------------------------------------------------------------------
-- Each shows the rows of syncs whose owner's rights the reader has. security_barrier keeps
-- a cheap function in the reader's WHERE from seeing the others. A sync's owner is the owner
-- of its snapshot (or, if that is gone, of its change set), so that REASSIGN OWNED, renames
-- and dumps need nothing from us.

-- This view decides what anybody sees: of which syncs (those whose owner's rights he has; members
-- of pg_monitor, all), and whether that includes what comes from rows (the former only).
CREATE VIEW sqs_sync.visible_sync WITH (security_barrier) AS
SELECT s.*, c.relowner AS owner, pg_catalog.pg_has_role(COALESCE(c.relowner, 10), 'USAGE') AS shows_rows
FROM sqs_sync.sync s
LEFT JOIN LATERAL (
  -- Every operator here is Postgres's own: one planted in the extension's schema before CREATE
  -- EXTENSION would run with the rights of whoever reads the views.
  SELECT c.relowner
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner AND r.rolsuper
  WHERE n.nspname OPERATOR(pg_catalog.=) 'sqs_sync_data'::pg_catalog.name
    AND (c.relname OPERATOR(pg_catalog.=)
           ('snapshot_'::pg_catalog.text OPERATOR(pg_catalog.||) s.sync_id::pg_catalog.text)::pg_catalog.name
         OR c.relname OPERATOR(pg_catalog.=)
           ('changes_'::pg_catalog.text OPERATOR(pg_catalog.||) s.sync_id::pg_catalog.text)::pg_catalog.name)
  ORDER BY c.relname USING OPERATOR(pg_catalog.>) LIMIT 1) c ON true
WHERE pg_catalog.pg_has_role(COALESCE(c.relowner, 10), 'USAGE')
   OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');
COMMENT ON VIEW sqs_sync.visible_sync IS 'the syncs that the reader may see: what the other views are made from';
COMMENT ON COLUMN sqs_sync.visible_sync.shows_rows IS 'the reader has the owner''s rights: he may see what comes from rows, such as keys, errors and queues that rows name';

CREATE VIEW sqs_sync.syncs WITH (security_barrier) AS
SELECT s.name,
       pg_catalog.pg_get_userbyid(s.owner) AS owner,
       s.model, s.key, d.server,
       d.message OPERATOR(pg_catalog.->>) 'queue' AS queue,
       d.message OPERATOR(pg_catalog.->>) 'template' AS template,
       d.message OPERATOR(pg_catalog.->>) 'body_column' AS body_column,
       (d.message OPERATOR(pg_catalog.->>) 'fields')::pg_catalog.json AS fields,
       d.message OPERATOR(pg_catalog.->>) 'format' AS format,
       (d.message OPERATOR(pg_catalog.->>) 'attributes')::pg_catalog.json AS attributes,
       d.message OPERATOR(pg_catalog.->>) 'message_id' AS message_id,
       d.message OPERATOR(pg_catalog.->>) 'group_id' AS group_id,
       d.message OPERATOR(pg_catalog.->>) 'dedup_id' AS dedup_id,
       d.message OPERATOR(pg_catalog.->>) 'dedup' AS dedup,
       d.message OPERATOR(pg_catalog.->>) 'delay_seconds' AS delay_seconds,
       ARRAY(SELECT pg_catalog.json_object_keys(d.events)) AS events,
       d.compare, s.initial, d.order_by, d.retry_for,
       COALESCE(d.guard_percent::pg_catalog.text OPERATOR(pg_catalog.||) '%', 'off') AS guard_share, d.guard_rows,
       d.max_messages_per_second,
       s.version,
       CASE WHEN s.paused OR (SELECT sqs_sync.why_paused()) IS NOT NULL THEN 'paused'
            WHEN NOT p.initial_done THEN 'new' ELSE 'ready' END AS state,
       COALESCE('this database is a copy: ' OPERATOR(pg_catalog.||) (SELECT sqs_sync.why_paused()),
                CASE WHEN s.paused THEN 'sqs_sync_pause' END) AS paused_by,
       r.run_id AS last_run, r.state AS last_run_state, r.finished_at AS last_run_finished_at,
       c.schedule,
       pg_catalog.to_timestamp(sqs_sync.next_time(c.schedule,
         COALESCE(pg_catalog.current_setting('cron.timezone', true), 'GMT'),
         pg_catalog.date_part('epoch', pg_catalog.now()))) AS next_run_at,
       a.name AS runs_after,
       s.created_by, s.created_at, d.created_by AS altered_by, d.created_at AS altered_at
FROM sqs_sync.visible_sync s
JOIN sqs_sync.definition d USING (sync_id, version)
JOIN sqs_sync.position p USING (sync_id)
LEFT JOIN LATERAL (SELECT * FROM sqs_sync.run r WHERE r.sync_id = s.sync_id ORDER BY r.run_id DESC LIMIT 1) r ON true
LEFT JOIN sqs_sync.sequence q ON q.sync_id OPERATOR(pg_catalog.=) s.sync_id
LEFT JOIN sqs_sync.visible_sync a ON a.sync_id OPERATOR(pg_catalog.=) q.after_id
LEFT JOIN LATERAL (SELECT sqs_sync.schedule_of(s.name) AS schedule) c ON true;
COMMENT ON VIEW sqs_sync.syncs IS 'syncs with their current definition and last run';
COMMENT ON COLUMN sqs_sync.syncs.name IS 'one of its kind in the database';
COMMENT ON COLUMN sqs_sync.syncs.owner IS 'the snapshot''s owner, or, if that is gone, the change set''s; null if both are gone';
COMMENT ON COLUMN sqs_sync.syncs.model IS 'the relation, qualified and quoted as in SQL';
COMMENT ON COLUMN sqs_sync.syncs.key IS 'the columns that identify a row';
COMMENT ON COLUMN sqs_sync.syncs.server IS 'the connection';
COMMENT ON COLUMN sqs_sync.syncs.queue IS 'the name, URL or ARN, or the template of a name; this and the next ones: as far as an event does not say otherwise, null where not given';
COMMENT ON COLUMN sqs_sync.syncs.template IS 'the body as a template';
COMMENT ON COLUMN sqs_sync.syncs.body_column IS 'the body as a column';
COMMENT ON COLUMN sqs_sync.syncs.fields IS 'the body as a mapping of columns';
COMMENT ON COLUMN sqs_sync.syncs.format IS '`json` or `text`';
COMMENT ON COLUMN sqs_sync.syncs.attributes IS 'message attributes';
COMMENT ON COLUMN sqs_sync.syncs.message_id IS 'the template of what rejections call the message';
COMMENT ON COLUMN sqs_sync.syncs.group_id IS 'the template of the message group';
COMMENT ON COLUMN sqs_sync.syncs.dedup_id IS 'the template of the deduplication id';
COMMENT ON COLUMN sqs_sync.syncs.dedup IS '`change_id` or `content`';
COMMENT ON COLUMN sqs_sync.syncs.delay_seconds IS 'the template of the delay';
COMMENT ON COLUMN sqs_sync.syncs.events IS 'the events that are published';
COMMENT ON COLUMN sqs_sync.syncs.compare IS 'the columns that make a row changed; null: all';
COMMENT ON COLUMN sqs_sync.syncs.initial IS '`backfill` or `skip`';
COMMENT ON COLUMN sqs_sync.syncs.order_by IS 'the order of the changes; null: none';
COMMENT ON COLUMN sqs_sync.syncs.retry_for IS 'how long a message is tried';
COMMENT ON COLUMN sqs_sync.syncs.guard_share IS 'the share of the told rows above which a run is held, or `off`';
COMMENT ON COLUMN sqs_sync.syncs.guard_rows IS 'the number of changes of one event up to which no run is held';
COMMENT ON COLUMN sqs_sync.syncs.max_messages_per_second IS 'the most messages a second, over all queues; null: no limit';
COMMENT ON COLUMN sqs_sync.syncs.version IS 'of the definition; 1 at first, one more at each `sqs_sync_alter`, `on` and `off`';
COMMENT ON COLUMN sqs_sync.syncs.state IS '`new`: no run has gone through; `ready`; `paused`';
COMMENT ON COLUMN sqs_sync.syncs.paused_by IS '`sqs_sync_pause`, or why this database is a copy, which `sqs_sync_take_over` starts; null if it is not paused';
COMMENT ON COLUMN sqs_sync.syncs.last_run IS 'the id of the latest run, under way or not';
COMMENT ON COLUMN sqs_sync.syncs.last_run_state IS 'its state';
COMMENT ON COLUMN sqs_sync.syncs.last_run_finished_at IS 'when it ended';
COMMENT ON COLUMN sqs_sync.syncs.schedule IS 'the cron expression of the job that `sqs_sync_schedule` has made for you';
COMMENT ON COLUMN sqs_sync.syncs.next_run_at IS 'when the schedule comes next';
COMMENT ON COLUMN sqs_sync.syncs.runs_after IS 'the sync after whose success this one runs';
COMMENT ON COLUMN sqs_sync.syncs.created_by IS 'the role that created it';
COMMENT ON COLUMN sqs_sync.syncs.created_at IS 'when it was created';
COMMENT ON COLUMN sqs_sync.syncs.altered_by IS 'the role that altered it last; at first the one that created it';
COMMENT ON COLUMN sqs_sync.syncs.altered_at IS 'when that was';

CREATE VIEW sqs_sync.events WITH (security_barrier) AS
SELECT s.name AS sync, e.key AS event, e.value OPERATOR(pg_catalog.->) 'set' AS own,
       ARRAY(SELECT pg_catalog.json_array_elements_text(e.value OPERATOR(pg_catalog.->) 'unset')) AS without,
       e.value OPERATOR(pg_catalog.->>) 'condition' AS condition
FROM sqs_sync.visible_sync s
JOIN sqs_sync.definition d USING (sync_id, version)
CROSS JOIN LATERAL pg_catalog.json_each(d.events) AS e;
COMMENT ON VIEW sqs_sync.events IS 'the events that each sync publishes, and what of their messages is not the sync''s';
COMMENT ON COLUMN sqs_sync.events.sync IS 'the sync';
COMMENT ON COLUMN sqs_sync.events.event IS '`added`, `changed` or `removed`';
COMMENT ON COLUMN sqs_sync.events.own IS 'what of its message is not the sync''s, by the options'' names; `{}` if nothing. `fields` and `attributes` are in it as text.';
COMMENT ON COLUMN sqs_sync.events.without IS 'options that the sync has and the event has not';
COMMENT ON COLUMN sqs_sync.events.condition IS 'the SQL expression that changes must meet; null: all are published';

CREATE VIEW sqs_sync.runs WITH (security_barrier) AS
SELECT r.run_id, s.name AS sync, r.state, r.rows_added, r.rows_changed, r.rows_removed, r.rows_silent,
       r.published, r.rejected, r.in_doubt, r.requested_by, r.requested_at, r.approved_by, r.approved_at, r.ended_by,
       r.started_at, r.finished_at, r.version, r.waiting_for, r.sqlstate,
       CASE WHEN s.shows_rows THEN r.error END AS error,
       CASE WHEN s.shows_rows THEN r.hint END AS hint,
       COALESCE(r.started_at, r.finished_at, pg_catalog.clock_timestamp()) - r.requested_at AS waited,
       COALESCE(r.finished_at, pg_catalog.clock_timestamp()) - r.started_at AS took,
       r.diff_took,
       COALESCE(r.finished_at, pg_catalog.clock_timestamp()) - r.diffed_at AS publish_took,
       r.resent, r.reasons, r.bytes, r.calls, r.failed_calls, r.throttled, r.retries, r.possible_duplicates,
       r.still_rejected, r.dismissed
FROM sqs_sync.run r JOIN sqs_sync.visible_sync s USING (sync_id);
COMMENT ON VIEW sqs_sync.runs IS 'runs: state, rows, messages, times and error; they are kept as long as `sqs_sync.run_max_age` says';
COMMENT ON COLUMN sqs_sync.runs.run_id IS 'what `sqs_sync_run` returned';
COMMENT ON COLUMN sqs_sync.runs.sync IS 'the sync';
COMMENT ON COLUMN sqs_sync.runs.state IS 'see docs/reference.md#states-of-a-run';
COMMENT ON COLUMN sqs_sync.runs.rows_added IS 'rows that the diff found added, but for those of still_rejected and dismissed';
COMMENT ON COLUMN sqs_sync.runs.rows_changed IS 'rows that the diff found changed, but for those';
COMMENT ON COLUMN sqs_sync.runs.rows_removed IS 'rows that the diff found removed, but for those';
COMMENT ON COLUMN sqs_sync.runs.rows_silent IS 'of these, what moved the snapshot at the diff, without a message: events that are not published, changes that a condition leaves out, and a first run that skips';
COMMENT ON COLUMN sqs_sync.runs.published IS 'messages that SQS acknowledged in this run, those sent again included';
COMMENT ON COLUMN sqs_sync.runs.rejected IS 'rows rejected, and keys that are null, not unique or too long';
COMMENT ON COLUMN sqs_sync.runs.in_doubt IS 'changes that at the run''s end may have been sent and are not acknowledged. What only waited is none of them.';
COMMENT ON COLUMN sqs_sync.runs.requested_by IS 'the role that asked for it';
COMMENT ON COLUMN sqs_sync.runs.requested_at IS 'when it was asked for';
COMMENT ON COLUMN sqs_sync.runs.approved_by IS 'the role that let the run go on when it was held';
COMMENT ON COLUMN sqs_sync.runs.approved_at IS 'when that was';
COMMENT ON COLUMN sqs_sync.runs.ended_by IS 'the role that cancelled or discarded it';
COMMENT ON COLUMN sqs_sync.runs.started_at IS 'when it began';
COMMENT ON COLUMN sqs_sync.runs.finished_at IS 'when it ended';
COMMENT ON COLUMN sqs_sync.runs.version IS 'of the definition that the run began with';
COMMENT ON COLUMN sqs_sync.runs.waiting_for IS 'why a queued run has not started';
COMMENT ON COLUMN sqs_sync.runs.sqlstate IS 'of a run that failed or is held: its code in `sqs_sync.error_codes`';
COMMENT ON COLUMN sqs_sync.runs.error IS 'of a run that failed or is held: what is wrong; null to a reader without the owner''s rights, since it may quote a row';
COMMENT ON COLUMN sqs_sync.runs.hint IS 'of a run that failed or is held: what to do; shown as `error` is';
COMMENT ON COLUMN sqs_sync.runs.waited IS 'from the request to the start';
COMMENT ON COLUMN sqs_sync.runs.took IS 'from the start to the end, or until now';
COMMENT ON COLUMN sqs_sync.runs.diff_took IS 'how long the diff took';
COMMENT ON COLUMN sqs_sync.runs.publish_took IS 'from the end of the diff to the end of the run, or until now';
COMMENT ON COLUMN sqs_sync.runs.resent IS 'changes in doubt that the run has sent again, and that were acknowledged or rejected';
COMMENT ON COLUMN sqs_sync.runs.reasons IS 'why rows were not told: how many for each code, rejected ones and those whose message was given up';
COMMENT ON COLUMN sqs_sync.runs.bytes IS 'bytes of messages in all calls, as SQS counts them';
COMMENT ON COLUMN sqs_sync.runs.calls IS 'API calls of SQS';
COMMENT ON COLUMN sqs_sync.runs.failed_calls IS 'of these, those that failed as a whole';
COMMENT ON COLUMN sqs_sync.runs.throttled IS 'calls that SQS throttled, wholly or in part';
COMMENT ON COLUMN sqs_sync.runs.retries IS 'calls that tried messages again';
COMMENT ON COLUMN sqs_sync.runs.still_rejected IS 'of the rejected ones, rows that were not tried again: neither their contents nor the definition have changed since they were rejected';
COMMENT ON COLUMN sqs_sync.runs.dismissed IS 'rows that are not told as they are, since somebody has dismissed them; rejected does not count them';
COMMENT ON COLUMN sqs_sync.runs.possible_duplicates IS 'messages that the queue may have twice: acknowledged after an attempt whose outcome is unknown, and not deduplicated by the queue';

CREATE VIEW sqs_sync.held WITH (security_barrier) AS
SELECT r.run_id, s.name AS sync, r.error AS reason, r.hint, h.held_at, h.told_rows, h.rows_added, h.rows_changed, h.rows_removed,
       h.added_keys, h.changed_keys, h.removed_keys
FROM sqs_sync.run r
JOIN sqs_sync.visible_sync s ON s.sync_id OPERATOR(pg_catalog.=) r.sync_id
LEFT JOIN sqs_sync.hold h ON h.run_id OPERATOR(pg_catalog.=) r.run_id
WHERE r.state OPERATOR(pg_catalog.=) 'held' AND pg_catalog.pg_has_role(COALESCE(s.owner, 10), 'USAGE');
COMMENT ON VIEW sqs_sync.held IS 'runs that are held until somebody decides by sqs_sync_approve or sqs_sync_discard, with what they would announce';
COMMENT ON COLUMN sqs_sync.held.run_id IS 'the run';
COMMENT ON COLUMN sqs_sync.held.sync IS 'its sync';
COMMENT ON COLUMN sqs_sync.held.held_at IS 'since when; null if it is held for another reason than its changes';
COMMENT ON COLUMN sqs_sync.held.reason IS 'why the run is held';
COMMENT ON COLUMN sqs_sync.held.hint IS 'what to do';
COMMENT ON COLUMN sqs_sync.held.told_rows IS 'rows that the queue has been told of; null, as all that follows, if the run is held for another reason than its changes';
COMMENT ON COLUMN sqs_sync.held.rows_added IS 'messages of added rows that the run would send';
COMMENT ON COLUMN sqs_sync.held.rows_changed IS 'messages of changed rows that the run would send';
COMMENT ON COLUMN sqs_sync.held.rows_removed IS 'messages of removed rows that the run would send';
COMMENT ON COLUMN sqs_sync.held.added_keys IS 'the keys of some of them, each as the text of a JSON object';
COMMENT ON COLUMN sqs_sync.held.changed_keys IS 'the same of changed rows';
COMMENT ON COLUMN sqs_sync.held.removed_keys IS 'the same of removed rows';

-- From each sync its own few by the index: not a sort of all that ever ran.
CREATE VIEW sqs_sync.recent_runs WITH (security_barrier) AS
SELECT r.run_id, s.name AS sync, r.state, r.rows_added, r.rows_changed, r.rows_removed, r.rows_silent,
       r.published, r.rejected, r.in_doubt, r.requested_by, r.requested_at, r.approved_by, r.approved_at, r.ended_by,
       r.started_at, r.finished_at, r.version, r.waiting_for, r.sqlstate,
       CASE WHEN s.shows_rows THEN r.error END AS error,
       CASE WHEN s.shows_rows THEN r.hint END AS hint,
       COALESCE(r.started_at, r.finished_at, pg_catalog.clock_timestamp()) - r.requested_at AS waited,
       COALESCE(r.finished_at, pg_catalog.clock_timestamp()) - r.started_at AS took,
       r.diff_took,
       COALESCE(r.finished_at, pg_catalog.clock_timestamp()) - r.diffed_at AS publish_took,
       r.resent, r.reasons, r.bytes, r.calls, r.failed_calls, r.throttled, r.retries, r.possible_duplicates,
       r.still_rejected, r.dismissed
FROM sqs_sync.visible_sync s
CROSS JOIN LATERAL (SELECT * FROM sqs_sync.run r WHERE r.sync_id = s.sync_id ORDER BY r.run_id DESC LIMIT 30) r;
COMMENT ON VIEW sqs_sync.recent_runs IS 'the latest 30 runs of each sync; it reads no others, however many there are';

CREATE FUNCTION sqs_sync.rows_read(run_id bigint) RETURNS bigint
  LANGUAGE c STRICT STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'rows_read_wrapper';
COMMENT ON FUNCTION sqs_sync.rows_read(bigint) IS $$how many rows the diff of a run has read, while it is under way

- run_id: of a run that you may see$$;

CREATE VIEW sqs_sync.progress WITH (security_barrier) AS
SELECT w.sync, w.run_id, w.phase,
       pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - w.since) AS elapsed,
       CASE WHEN w.total > 0 THEN LEAST(100 * w.done / w.total, 100)::integer END AS percent,
       w.total, w.published, w.rejected, w.unanswered AS in_doubt,
       GREATEST(w.total - w.done - w.unanswered, 0) AS waiting,
       pg_catalog.round(w.rate)::bigint AS rate,
       CASE WHEN w.rate >= 0.1::double precision AND w.total > w.done THEN pg_catalog.make_interval(
         secs => pg_catalog.ceil(LEAST((w.total - w.done)::double precision / w.rate, 1e9::double precision))) END AS time_left,
       pg_catalog.pg_size_pretty(w.bytes) AS sent,
       w.calls, w.throttled, w.retries, w.in_flight, w.in_flight_limit, w.slow_queue, w.why,
       w.rows_read, w.bytes, w.failed_calls, w.started_at, w.pid
FROM (SELECT s.name AS sync, r.run_id, s.shows_rows,
             CASE WHEN r.state IN ('queued', 'held') THEN r.state ELSE COALESCE(g.phase, r.state) END AS phase,
             COALESCE(r.started_at, r.requested_at) AS since,
             CASE WHEN g.phase IN ('resending', 'publishing', 'cancelling') THEN g.total END AS total,
             r.published + r.rejected AS done, r.published, r.rejected,
             COALESCE(g.unanswered, 0) AS unanswered,
             CASE WHEN g.phase IN ('resending', 'publishing', 'cancelling') AND g.updated_at > pg_catalog.clock_timestamp() - interval '5 seconds'
                  THEN g.rate END AS rate,
             r.bytes, r.calls, r.failed_calls, r.throttled, r.retries,
             g.in_flight, g.in_flight_limit,
             CASE WHEN s.shows_rows THEN g.slow_queue END AS slow_queue,
             CASE WHEN r.state = 'queued' AND (SELECT sqs_sync.why_paused()) IS NOT NULL THEN 'sqs_sync_take_over'
                  WHEN r.state = 'queued' AND s.paused THEN 'sqs_sync_resume'
                  WHEN r.state = 'queued' THEN COALESCE(r.waiting_for, 'the worker')
                  WHEN r.state = 'held' THEN COALESCE(CASE WHEN s.shows_rows THEN r.error END, 'see sqs_sync.runs')
                  WHEN g.is_limited THEN 'max_messages_per_second'
             END AS why,
             CASE WHEN g.phase = 'diffing' THEN sqs_sync.rows_read(r.run_id) END AS rows_read,
             r.started_at, r.runner_pid AS pid
      FROM sqs_sync.run r JOIN sqs_sync.visible_sync s USING (sync_id)
      LEFT JOIN sqs_sync.run_progress g USING (run_id)
      WHERE r.state IN ('diffing', 'publishing') OR r.state IN ('queued', 'held')) w;
COMMENT ON VIEW sqs_sync.progress IS 'a row for each run that waits or is under way: how far it has come, how fast it goes, and what it waits for';
COMMENT ON COLUMN sqs_sync.progress.sync IS 'the sync';
COMMENT ON COLUMN sqs_sync.progress.run_id IS 'the run''s id';
COMMENT ON COLUMN sqs_sync.progress.phase IS 'queued, held, checking, resending (what is in doubt is sent again), diffing, publishing, or cancelling (answers in flight are awaited)';
COMMENT ON COLUMN sqs_sync.progress.elapsed IS 'since it began; of one that has not, since it was asked for';
COMMENT ON COLUMN sqs_sync.progress.percent IS 'how much of total is published or rejected';
COMMENT ON COLUMN sqs_sync.progress.total IS 'changes to deal with, those in doubt included; null until the diff is done';
COMMENT ON COLUMN sqs_sync.progress.published IS 'messages that SQS has acknowledged';
COMMENT ON COLUMN sqs_sync.progress.rejected IS 'rows that could not be published for their own sake';
COMMENT ON COLUMN sqs_sync.progress.in_doubt IS 'messages that may have been sent and have no answer yet';
COMMENT ON COLUMN sqs_sync.progress.waiting IS 'changes whose turn has not come';
COMMENT ON COLUMN sqs_sync.progress.rate IS 'messages a second that were published or rejected, of late';
COMMENT ON COLUMN sqs_sync.progress.time_left IS 'how long the rest takes at that rate';
COMMENT ON COLUMN sqs_sync.progress.sent IS 'bytes, to be read by people';
COMMENT ON COLUMN sqs_sync.progress.calls IS 'API calls of SQS so far';
COMMENT ON COLUMN sqs_sync.progress.throttled IS 'of these, those that SQS throttled, wholly or in part';
COMMENT ON COLUMN sqs_sync.progress.retries IS 'calls that tried messages again';
COMMENT ON COLUMN sqs_sync.progress.in_flight IS 'calls on their way now';
COMMENT ON COLUMN sqs_sync.progress.in_flight_limit IS 'how many there may be: less when SQS throttles or fails';
COMMENT ON COLUMN sqs_sync.progress.slow_queue IS 'a queue that nothing new is sent to for now, since it throttles or fails; null to a reader without the owner''s rights, since a row may have named it';
COMMENT ON COLUMN sqs_sync.progress.why IS 'what a run that is queued or held waits for; `max_messages_per_second`, if the sync''s own limit is what holds its messages up';
COMMENT ON COLUMN sqs_sync.progress.rows_read IS 'while the diff is taken: rows of model and snapshot that it has compared so far';
COMMENT ON COLUMN sqs_sync.progress.bytes IS 'bytes of messages in all calls, as SQS counts them';
COMMENT ON COLUMN sqs_sync.progress.failed_calls IS 'calls that failed as a whole';
COMMENT ON COLUMN sqs_sync.progress.started_at IS 'when a runner first took the run up';
COMMENT ON COLUMN sqs_sync.progress.pid IS 'the process of its runner';

CREATE FUNCTION sqs_sync.latency_at(latencies bigint[], share double precision) RETURNS double precision
  LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'latency_at_wrapper';
COMMENT ON FUNCTION sqs_sync.latency_at(bigint[], double precision) IS $$how many milliseconds a share of API calls took at most

- latencies: the histogram of `sqs_sync.stats`
- share: from 0 to 1$$;

CREATE VIEW sqs_sync.stats WITH (security_barrier) AS
SELECT s.name AS sync, c.succeeded, c.partly_failed, c.failed, c.cancelled, c.published, c.rejected, c.resent, c.possible_duplicates,
       c.bytes, c.calls, c.failed_calls, c.throttled, c.retries,
       pg_catalog.round(sqs_sync.latency_at(l.latencies, 0.5)::numeric, 1) AS p50_ms,
       pg_catalog.round(sqs_sync.latency_at(l.latencies, 0.95)::numeric, 1) AS p95_ms,
       pg_catalog.round(sqs_sync.latency_at(l.latencies, 0.99)::numeric, 1) AS p99_ms,
       l.latencies,
       COALESCE((SELECT t.since FROM sqs_sync.tally t WHERE t.sync_id = s.sync_id AND t.is_reset), s.created_at) AS stats_reset
FROM sqs_sync.visible_sync s
CROSS JOIN LATERAL (
  SELECT COALESCE(pg_catalog.sum(c.succeeded), 0)::bigint AS succeeded, COALESCE(pg_catalog.sum(c.partly_failed), 0)::bigint AS partly_failed,
         COALESCE(pg_catalog.sum(c.failed), 0)::bigint AS failed, COALESCE(pg_catalog.sum(c.cancelled), 0)::bigint AS cancelled,
         COALESCE(pg_catalog.sum(c.published), 0)::bigint AS published, COALESCE(pg_catalog.sum(c.rejected), 0)::bigint AS rejected,
         COALESCE(pg_catalog.sum(c.resent), 0)::bigint AS resent, COALESCE(pg_catalog.sum(c.possible_duplicates), 0)::bigint AS possible_duplicates,
         COALESCE(pg_catalog.sum(c.bytes), 0)::bigint AS bytes, COALESCE(pg_catalog.sum(c.calls), 0)::bigint AS calls,
         COALESCE(pg_catalog.sum(c.failed_calls), 0)::bigint AS failed_calls, COALESCE(pg_catalog.sum(c.throttled), 0)::bigint AS throttled,
         COALESCE(pg_catalog.sum(c.retries), 0)::bigint AS retries
  FROM sqs_sync.counted c WHERE c.sync_id = s.sync_id) c
CROSS JOIN LATERAL (
  SELECT ARRAY(SELECT pg_catalog.sum(b.calls)::bigint
               FROM sqs_sync.counted c CROSS JOIN LATERAL pg_catalog.unnest(c.latencies) WITH ORDINALITY AS b (calls, place)
               WHERE c.sync_id = s.sync_id GROUP BY b.place ORDER BY b.place) AS latencies) l;
COMMENT ON VIEW sqs_sync.stats IS 'what the runs of each sync come to since its statistics were reset, those under way included';
COMMENT ON COLUMN sqs_sync.stats.sync IS 'the sync';
COMMENT ON COLUMN sqs_sync.stats.succeeded IS 'runs that went through';
COMMENT ON COLUMN sqs_sync.stats.partly_failed IS 'runs that went through, but for rejected rows';
COMMENT ON COLUMN sqs_sync.stats.failed IS 'runs that failed';
COMMENT ON COLUMN sqs_sync.stats.cancelled IS 'runs that were cancelled or discarded';
COMMENT ON COLUMN sqs_sync.stats.published IS 'messages that SQS has acknowledged';
COMMENT ON COLUMN sqs_sync.stats.rejected IS 'rows that could not be published for their own sake, counted at each run';
COMMENT ON COLUMN sqs_sync.stats.resent IS 'changes in doubt that were sent again, and acknowledged or rejected';
COMMENT ON COLUMN sqs_sync.stats.possible_duplicates IS 'messages that the queue may have twice';
COMMENT ON COLUMN sqs_sync.stats.bytes IS 'bytes of messages in all calls, as SQS counts them';
COMMENT ON COLUMN sqs_sync.stats.calls IS 'API calls of SQS';
COMMENT ON COLUMN sqs_sync.stats.failed_calls IS 'of these, those that failed as a whole';
COMMENT ON COLUMN sqs_sync.stats.throttled IS 'calls that SQS throttled, wholly or in part';
COMMENT ON COLUMN sqs_sync.stats.retries IS 'calls that tried messages again';
COMMENT ON COLUMN sqs_sync.stats.p50_ms IS 'half of the calls took at most so many milliseconds, as far as the histogram tells';
COMMENT ON COLUMN sqs_sync.stats.p95_ms IS 'the same of 95 in 100 calls';
COMMENT ON COLUMN sqs_sync.stats.p99_ms IS 'the same of 99 in 100 calls';
COMMENT ON COLUMN sqs_sync.stats.latencies IS 'the histogram: how many calls took up to 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000 milliseconds, and longer';
COMMENT ON COLUMN sqs_sync.stats.stats_reset IS 'since when it is counted';

CREATE FUNCTION @extschema@.sqs_sync_stats_reset(name text DEFAULT NULL) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_stats_reset_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_stats_reset(text) IS $$sets the counters in `sqs_sync.stats` to zero

Runs under way count from there. Runs and what they have counted themselves stay.

- name: of the sync; null: all whose owner's rights you have
- 42704: there is no such sync
- 42501: it is not yours

    SELECT sqs_sync_stats_reset('parts');$$;

CREATE VIEW sqs_sync.rejections WITH (security_barrier) AS
SELECT s.name AS sync, j.key, j.message_id, j.event, j.rows, j.code, j.reason, j.hint, j.attempts, j.run_id, j.first_at, j.last_at, j.size,
       CASE WHEN j.left_alone AND j.version OPERATOR(pg_catalog.=) s.version THEN 'its contents or the definition change'
            ELSE 'the sync runs' END AS retried_when
FROM sqs_sync.rejection j JOIN sqs_sync.visible_sync s USING (sync_id)
WHERE s.shows_rows AND j.dismissed_at IS NULL;
COMMENT ON VIEW sqs_sync.rejections IS 'rows that could not be published, with the reason; one row a key';
COMMENT ON COLUMN sqs_sync.rejections.sync IS 'the sync';
COMMENT ON COLUMN sqs_sync.rejections.key IS 'a JSON object, cut to 3,000 characters';
COMMENT ON COLUMN sqs_sync.rejections.message_id IS 'what the sync''s `message_id` calls the message, if it can be told';
COMMENT ON COLUMN sqs_sync.rejections.event IS 'null where the key itself is what is wrong';
COMMENT ON COLUMN sqs_sync.rejections.rows IS 'rows of the model with this key';
COMMENT ON COLUMN sqs_sync.rejections.code IS 'see docs/reference.md#rejections';
COMMENT ON COLUMN sqs_sync.rejections.reason IS 'what is wrong with this row';
COMMENT ON COLUMN sqs_sync.rejections.hint IS 'what to do';
COMMENT ON COLUMN sqs_sync.rejections.attempts IS 'how many runs have tried it; of a key that is wrong itself, how many have met it';
COMMENT ON COLUMN sqs_sync.rejections.run_id IS 'the last of them';
COMMENT ON COLUMN sqs_sync.rejections.first_at IS 'when it was first tried';
COMMENT ON COLUMN sqs_sync.rejections.last_at IS 'when it was last tried';
COMMENT ON COLUMN sqs_sync.rejections.size IS 'bytes of the message, body and attributes; null if there is none, since it could not be made';
COMMENT ON COLUMN sqs_sync.rejections.retried_when IS '`its contents or the definition change`: it is the row''s own fault, and until then runs leave it alone; or `the sync runs`, at each run. `sqs_sync_retry` has the next run try it in any case.';

CREATE VIEW sqs_sync.dismissed WITH (security_barrier) AS
SELECT s.name AS sync, j.key, j.event, j.rows, j.code, j.reason, j.dismissed_by, j.dismissed_at, j.first_at
FROM sqs_sync.rejection j JOIN sqs_sync.visible_sync s USING (sync_id)
WHERE s.shows_rows AND j.dismissed_at IS NOT NULL;
COMMENT ON VIEW sqs_sync.dismissed IS 'rows that are not told as they are, since somebody has dismissed their rejection; one row a key';
COMMENT ON COLUMN sqs_sync.dismissed.sync IS 'the sync';
COMMENT ON COLUMN sqs_sync.dismissed.key IS 'a JSON object, cut to 3,000 characters';
COMMENT ON COLUMN sqs_sync.dismissed.event IS 'what was not told; null where the key itself is what is wrong';
COMMENT ON COLUMN sqs_sync.dismissed.rows IS 'rows of the model with this key';
COMMENT ON COLUMN sqs_sync.dismissed.code IS 'see docs/reference.md#rejections';
COMMENT ON COLUMN sqs_sync.dismissed.reason IS 'why it was rejected';
COMMENT ON COLUMN sqs_sync.dismissed.dismissed_by IS 'the role that dismissed it';
COMMENT ON COLUMN sqs_sync.dismissed.dismissed_at IS 'when that was';
COMMENT ON COLUMN sqs_sync.dismissed.first_at IS 'when it was first tried';

CREATE VIEW sqs_sync.forgotten WITH (security_barrier) AS
SELECT s.name AS sync, g.changes, CASE WHEN s.shows_rows THEN g.key END AS key, g.run_id,
       g.given_up_by AS forgotten_by, g.given_up_at AS forgotten_at
FROM sqs_sync.doubt_given_up g JOIN sqs_sync.visible_sync s USING (sync_id);
COMMENT ON VIEW sqs_sync.forgotten IS 'changes in doubt that somebody has given up, by `sqs_sync_forget_doubt` or by a baseline of an emptied snapshot; one row a call, kept as long as the run that found them';
COMMENT ON COLUMN sqs_sync.forgotten.sync IS 'the sync';
COMMENT ON COLUMN sqs_sync.forgotten.changes IS 'how many';
COMMENT ON COLUMN sqs_sync.forgotten.key IS 'the key that was given; null: all changes in doubt were given up';
COMMENT ON COLUMN sqs_sync.forgotten.run_id IS 'the run that found them';
COMMENT ON COLUMN sqs_sync.forgotten.forgotten_by IS 'the role that gave them up';
COMMENT ON COLUMN sqs_sync.forgotten.forgotten_at IS 'when that was';

CREATE VIEW sqs_sync.requests WITH (security_barrier) AS
SELECT r.request_id, r.at, s.name AS sync, r.run_id, r.operation, r.queue, r.attempt, r.status, r.aws_request_id, r.latency_ms, r.error,
       -- Each entry's id in the request, and so in the answer, is its place, from 0.
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                 'change_id', e.entry OPERATOR(pg_catalog.->) 0, 'event', e.entry OPERATOR(pg_catalog.->) 1,
                 'key', e.entry OPERATOR(pg_catalog.->) 2,
                 'result', COALESCE(e.entry OPERATOR(pg_catalog.->>) 3, 'accepted'),
                 'message_id', a.answer OPERATOR(pg_catalog.->) 'MessageId',
                 'code', e.entry OPERATOR(pg_catalog.->) 4, 'error', e.entry OPERATOR(pg_catalog.->) 5) ORDER BY e.place)
        FROM pg_catalog.json_array_elements(r.entries::pg_catalog.json) WITH ORDINALITY AS e (entry, place)
        LEFT JOIN pg_catalog.json_array_elements(
          CASE pg_catalog.json_typeof(r.response::pg_catalog.json OPERATOR(pg_catalog.->) 'Successful')
            WHEN 'array' THEN r.response::pg_catalog.json OPERATOR(pg_catalog.->) 'Successful' END) AS a (answer)
          ON (a.answer OPERATOR(pg_catalog.->>) 'Id') OPERATOR(pg_catalog.=) (e.place OPERATOR(pg_catalog.-) 1)::pg_catalog.text) AS entries,
       r.request::pg_catalog.json AS request, r.request_bytes, r.response::pg_catalog.json AS response, r.dropped
FROM sqs_sync.request r JOIN sqs_sync.visible_sync s USING (sync_id)
WHERE s.shows_rows;
COMMENT ON VIEW sqs_sync.requests IS 'calls of SQS''s API, and those of STS for the keys of a role, as far as sqs_sync_log has them kept: what was sent, and what SQS answered';
COMMENT ON COLUMN sqs_sync.requests.request_id IS 'rises in the order in which calls were kept';
COMMENT ON COLUMN sqs_sync.requests.sync IS 'the sync';
COMMENT ON COLUMN sqs_sync.requests.run_id IS 'the run that made the call';
COMMENT ON COLUMN sqs_sync.requests.at IS 'when the call was made';
COMMENT ON COLUMN sqs_sync.requests.operation IS '`SendMessageBatch`; `ListQueues` where a queue is found by its name; `AssumeRole` or `AssumeRoleWithWebIdentity`, of which nothing that was said is kept';
COMMENT ON COLUMN sqs_sync.requests.queue IS 'the queue''s URL, or the name that is looked for; or the ARN of the role';
COMMENT ON COLUMN sqs_sync.requests.attempt IS 'how often the same messages were tried by the run, this time included';
COMMENT ON COLUMN sqs_sync.requests.status IS 'the HTTP status; null: no answer came';
COMMENT ON COLUMN sqs_sync.requests.aws_request_id IS 'by which AWS''s support finds the call';
COMMENT ON COLUMN sqs_sync.requests.latency_ms IS 'milliseconds from the call to the end of its answer';
COMMENT ON COLUMN sqs_sync.requests.error IS 'why the call failed as a whole';
COMMENT ON COLUMN sqs_sync.requests.entries IS 'a JSON array with an object for each message: `change_id`, `event` and `key` of its row; result, which is `accepted`, `rejected` (for what it holds), `not accepted` (this time) or `in doubt` (it may have been accepted); SQS''s `message_id`; `code` and `error`';
COMMENT ON COLUMN sqs_sync.requests.request IS 'the body of the request as it was sent; null if it had over 256 kB';
COMMENT ON COLUMN sqs_sync.requests.request_bytes IS 'how long the body of the request was';
COMMENT ON COLUMN sqs_sync.requests.response IS 'the body of the answer, as a JSON string if it was no JSON; null if no answer came, or if it was about the credentials';
COMMENT ON COLUMN sqs_sync.requests.dropped IS 'calls before this one that were to be kept and could not be';

CREATE VIEW sqs_sync.recent_requests WITH (security_barrier) AS
SELECT r.request_id, r.at, s.name AS sync, r.run_id, r.operation, r.queue, r.attempt, r.status, r.aws_request_id, r.latency_ms, r.error
FROM sqs_sync.visible_sync s
CROSS JOIN LATERAL (SELECT * FROM sqs_sync.request r WHERE r.sync_id = s.sync_id ORDER BY r.request_id DESC LIMIT 20) r
WHERE s.shows_rows;
COMMENT ON VIEW sqs_sync.recent_requests IS 'the latest 20 calls of each sync that are kept, without what they sent; it reads no others, however many there are';

-- A column of a view of the latest is what it is in the view of all.
DO $$
DECLARE
  copied record;
BEGIN
  FOR copied IN
    SELECT l.attrelid::pg_catalog.regclass AS latest, l.attname AS name, pg_catalog.col_description(a.attrelid, a.attnum) AS means
    FROM (VALUES ('sqs_sync.recent_runs'::pg_catalog.regclass, 'sqs_sync.runs'::pg_catalog.regclass),
                 ('sqs_sync.recent_requests', 'sqs_sync.requests')) v (latest, everything)
    JOIN pg_catalog.pg_attribute l ON l.attrelid OPERATOR(pg_catalog.=) v.latest AND l.attnum OPERATOR(pg_catalog.>) 0
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) v.everything AND a.attname OPERATOR(pg_catalog.=) l.attname
  LOOP
    EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', copied.latest, copied.name, copied.means);
  END LOOP;
END
$$;

CREATE FUNCTION sqs_sync.worker_processes(OUT pid integer, OUT kind text, OUT started_at timestamptz, OUT activity text)
  RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.pid, pg_catalog.substr(a.backend_type, 10), a.backend_start, COALESCE(a.wait_event, a.state)
  FROM pg_catalog.pg_stat_activity a
  WHERE a.backend_type IN ('sqs_sync launcher', 'sqs_sync worker', 'sqs_sync runner')
    AND (a.datname = pg_catalog.current_database() OR a.datname IS NULL)
$$;
COMMENT ON FUNCTION sqs_sync.worker_processes() IS $$the processes behind sqs_sync.workers

- pid, kind, started_at, activity: as there$$;

CREATE VIEW sqs_sync.workers WITH (security_barrier) AS
SELECT w.pid, w.kind, p.sync, p.run_id, w.started_at, w.activity
FROM sqs_sync.worker_processes() w LEFT JOIN sqs_sync.progress p USING (pid)
UNION ALL
SELECT NULL, 'queued run', s.name, r.run_id, r.requested_at,
       COALESCE('waiting for sqs_sync_take_over: this database is a copy: ' OPERATOR(pg_catalog.||) (SELECT sqs_sync.why_paused()),
                CASE WHEN s.paused THEN 'waiting for sqs_sync_resume' END, r.waiting_for, 'waiting for the worker')
FROM sqs_sync.run r JOIN sqs_sync.visible_sync s USING (sync_id) WHERE r.state = 'queued';
COMMENT ON VIEW sqs_sync.workers IS 'background processes of this database, and queued runs with what they wait for';
COMMENT ON COLUMN sqs_sync.workers.pid IS 'of the process; null for a queued run';
COMMENT ON COLUMN sqs_sync.workers.kind IS '`launcher` (one a server, if the library is preloaded), `worker` (one a database), `runner` (one a run), or `queued run`';
COMMENT ON COLUMN sqs_sync.workers.sync IS 'what a runner is at, if you may see it';
COMMENT ON COLUMN sqs_sync.workers.run_id IS 'its run';
COMMENT ON COLUMN sqs_sync.workers.started_at IS 'of the process; of a queued run, when it was asked for';
COMMENT ON COLUMN sqs_sync.workers.activity IS 'what the process waits for or does; of a queued run, what it waits for';

-- What there is to know of by name --------------------------------------------------------

CREATE FUNCTION sqs_sync.known_errors(OUT code text, OUT kind text, OUT means text, OUT action text) RETURNS SETOF record
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'known_errors_wrapper';
COMMENT ON FUNCTION sqs_sync.known_errors() IS $$what is behind sqs_sync.error_codes

- code, kind, means, action: as there$$;

CREATE VIEW sqs_sync.error_codes WITH (security_barrier) AS SELECT * FROM sqs_sync.known_errors();
COMMENT ON VIEW sqs_sync.error_codes IS 'what can go wrong, by its code: what it means and what to do; a code is there once for each thing that it can mean';
COMMENT ON COLUMN sqs_sync.error_codes.code IS 'the SQLSTATE of an error, or the code of a rejection; `any` where it is Postgres''s own';
COMMENT ON COLUMN sqs_sync.error_codes.kind IS '`call`: raised by a function; `options`: by the options of a connection; `run`: in `sqs_sync.runs`; `rejection`: in `sqs_sync.rejections`; `test`: of `sqs_sync_test`';
COMMENT ON COLUMN sqs_sync.error_codes.means IS 'what is wrong; an ellipsis stands for what the error names';
COMMENT ON COLUMN sqs_sync.error_codes.action IS 'what to do';

CREATE FUNCTION sqs_sync.known_options(OUT wrapper text, OUT object text, OUT option text, OUT required boolean, OUT means text)
  RETURNS SETOF record
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'known_options_wrapper';
COMMENT ON FUNCTION sqs_sync.known_options() IS $$what is behind sqs_sync.options

- wrapper, object, option, required, means: as there$$;

CREATE VIEW sqs_sync.options WITH (security_barrier) AS SELECT * FROM sqs_sync.known_options();
COMMENT ON VIEW sqs_sync.options IS 'the options of servers and user mappings';
COMMENT ON COLUMN sqs_sync.options.wrapper IS 'the foreign data wrapper';
COMMENT ON COLUMN sqs_sync.options.object IS '`server` or `user mapping`';
COMMENT ON COLUMN sqs_sync.options.option IS 'its name';
COMMENT ON COLUMN sqs_sync.options.required IS 'whether it must be given';
COMMENT ON COLUMN sqs_sync.options.means IS 'what it is';

-- A row an alert, and of one that watches all syncs a row for each of which the condition holds.
CREATE VIEW sqs_sync.alerts WITH (security_barrier) AS
SELECT a.name AS alert, pg_catalog.pg_get_userbyid(a.owner::pg_catalog.oid) AS owner,
       COALESCE(t.sync, s.name) AS sync, a.condition, a."over", a.within, a.channel,
       CASE WHEN t.is_firing OR w.is_down THEN 'firing' ELSE 'ok' END AS state,
       CASE WHEN t.is_firing OR NOT COALESCE(w.is_down, false) THEN COALESCE(t.since, a.created_at)
            ELSE w.seen_at OPERATOR(pg_catalog.+) a.within END AS since,
       CASE WHEN NOT pg_catalog.pg_has_role(a.owner::pg_catalog.oid, 'USAGE') THEN NULL
            WHEN t.is_firing THEN t.summary WHEN w.is_down THEN 'the worker is not there' END AS summary,
       t.told_at, a.silenced_until, a.remind_every,
       d.state AS last_delivery, CASE WHEN pg_catalog.pg_has_role(a.owner::pg_catalog.oid, 'USAGE') THEN d.answer END AS last_answer, a.created_at
FROM sqs_sync.alert a
LEFT JOIN sqs_sync.sync s ON s.sync_id OPERATOR(pg_catalog.=) a.sync_id
LEFT JOIN sqs_sync.alert_standing t ON t.alert_id OPERATOR(pg_catalog.=) a.alert_id
     AND (t.is_firing OR a.sync_id IS NOT NULL OR t.sync_id OPERATOR(pg_catalog.=) 0)
LEFT JOIN LATERAL (
  SELECT g.seen_at,
         pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) g.seen_at OPERATOR(pg_catalog.>) a.within AS is_down
  FROM (SELECT GREATEST(a.created_at, (SELECT seen_at FROM sqs_sync.worker_sight)) AS seen_at) g
  WHERE a.condition OPERATOR(pg_catalog.=) 'worker_down'::pg_catalog.text) w ON true
LEFT JOIN LATERAL (
  SELECT d.state, d.answer FROM sqs_sync.alert_delivery d
  WHERE d.alert_id OPERATOR(pg_catalog.=) a.alert_id AND (t.sync IS NULL OR d.sync OPERATOR(pg_catalog.=) t.sync)
  ORDER BY d.delivery_id DESC LIMIT 1) d ON true
WHERE pg_catalog.pg_has_role(a.owner::pg_catalog.oid, 'USAGE') OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');
COMMENT ON VIEW sqs_sync.alerts IS $$alerts with what they stand at

A row an alert. Of one that watches all syncs a row for each of which its condition holds, and one without a sync if
there is none.$$;
COMMENT ON COLUMN sqs_sync.alerts.alert IS 'the alert''s name';
COMMENT ON COLUMN sqs_sync.alerts.owner IS 'the role that created it';
COMMENT ON COLUMN sqs_sync.alerts.sync IS 'the sync that the row is about; null: all that the owner may see, or the database';
COMMENT ON COLUMN sqs_sync.alerts.condition IS 'what it watches';
COMMENT ON COLUMN sqs_sync.alerts."over" IS 'the condition''s limit, if that is a number or a share';
COMMENT ON COLUMN sqs_sync.alerts.within IS 'the condition''s limit, if that is a time';
COMMENT ON COLUMN sqs_sync.alerts.channel IS 'the server by which it is told';
COMMENT ON COLUMN sqs_sync.alerts.state IS '`firing` while the condition holds, else `ok`';
COMMENT ON COLUMN sqs_sync.alerts.since IS 'since when it is so';
COMMENT ON COLUMN sqs_sync.alerts.summary IS 'what was found when it began to hold; null while it does not, and for members of `pg_monitor` who have not the owner''s rights';
COMMENT ON COLUMN sqs_sync.alerts.told_at IS 'when the channel was last told that it holds; null if it was not, or was told that it is over';
COMMENT ON COLUMN sqs_sync.alerts.silenced_until IS 'until when nothing is told';
COMMENT ON COLUMN sqs_sync.alerts.remind_every IS 'how often the channel is told again while it holds; null: never';
COMMENT ON COLUMN sqs_sync.alerts.last_delivery IS 'what became of the last message: `queued`, `delivered` or `failed`';
COMMENT ON COLUMN sqs_sync.alerts.last_answer IS 'what the channel said of it, for who has the owner''s rights';
COMMENT ON COLUMN sqs_sync.alerts.created_at IS 'when it was created';

CREATE VIEW sqs_sync.alert_deliveries WITH (security_barrier) AS
SELECT d.delivery_id, d.created_at, a.name AS alert, d.sync, d.news AS message, d.title,
       CASE WHEN pg_catalog.pg_has_role(a.owner::pg_catalog.oid, 'USAGE') THEN d.summary END AS summary, d.channel, d.state, d.attempts, d.status,
       CASE WHEN pg_catalog.pg_has_role(a.owner::pg_catalog.oid, 'USAGE') THEN d.answer END AS answer, CASE WHEN pg_catalog.pg_has_role(a.owner::pg_catalog.oid, 'USAGE') THEN d.hint END AS hint, d.latency,
       CASE WHEN d.state OPERATOR(pg_catalog.=) 'queued'::pg_catalog.text THEN d.due_at END AS due_at,
       d.finished_at, d.message_id
FROM sqs_sync.alert_delivery d JOIN sqs_sync.alert a ON a.alert_id OPERATOR(pg_catalog.=) d.alert_id
WHERE pg_catalog.pg_has_role(a.owner::pg_catalog.oid, 'USAGE') OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');
COMMENT ON VIEW sqs_sync.alert_deliveries IS $$messages of alerts, and what their channels answered

Kept for 30 days, and the last 1,000 of each alert.$$;
COMMENT ON COLUMN sqs_sync.alert_deliveries.delivery_id IS 'in the order in which they came to be';
COMMENT ON COLUMN sqs_sync.alert_deliveries.created_at IS 'when the message came to be';
COMMENT ON COLUMN sqs_sync.alert_deliveries.alert IS 'the alert''s name';
COMMENT ON COLUMN sqs_sync.alert_deliveries.sync IS 'the sync that it is about; null: the database';
COMMENT ON COLUMN sqs_sync.alert_deliveries.message IS '`firing`, `reminder`, `recovered` or `test`';
COMMENT ON COLUMN sqs_sync.alert_deliveries.title IS 'what it is about in a few words';
COMMENT ON COLUMN sqs_sync.alert_deliveries.summary IS 'what is so, for who has the owner''s rights, as `answer` and `hint`';
COMMENT ON COLUMN sqs_sync.alert_deliveries.channel IS 'the server by which it is told';
COMMENT ON COLUMN sqs_sync.alert_deliveries.state IS '`queued`, `delivered`, or `failed` once it is given up';
COMMENT ON COLUMN sqs_sync.alert_deliveries.attempts IS 'how often it was tried';
COMMENT ON COLUMN sqs_sync.alert_deliveries.status IS 'of HTTP or SMTP, at the last attempt';
COMMENT ON COLUMN sqs_sync.alert_deliveries.answer IS 'why the last attempt failed, or what the channel calls the message';
COMMENT ON COLUMN sqs_sync.alert_deliveries.hint IS 'what to do about it';
COMMENT ON COLUMN sqs_sync.alert_deliveries.latency IS 'from the first of the last attempts to the end of the last';
COMMENT ON COLUMN sqs_sync.alert_deliveries.due_at IS 'when it is tried next, while it is queued';
COMMENT ON COLUMN sqs_sync.alert_deliveries.finished_at IS 'when it was delivered or given up';
COMMENT ON COLUMN sqs_sync.alert_deliveries.message_id IS 'the same at each attempt: `webhook-id`, `Message-ID`';

GRANT SELECT ON sqs_sync.syncs, sqs_sync.events, sqs_sync.runs, sqs_sync.held, sqs_sync.recent_runs, sqs_sync.progress, sqs_sync.stats, sqs_sync.rejections, sqs_sync.dismissed, sqs_sync.forgotten, sqs_sync.requests, sqs_sync.recent_requests, sqs_sync.workers, sqs_sync.error_codes, sqs_sync.options,
  sqs_sync.alerts, sqs_sync.alert_deliveries TO PUBLIC;

CREATE FUNCTION @extschema@.sqs_sync_report(name text DEFAULT NULL) RETURNS text
  LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_report_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_report(text) IS $$one HTML page of a sync, or of all that you may see: what to do next, states, history, rejections, last calls, alerts, workers

Save it as a file, by `psql -AtXc "SELECT sqs_sync_report()" > report.html`. The page stands alone: it has no script and loads
nothing, so it can be kept, mailed or served, and read without a network, by day and by night, on a phone and on paper.
It is what you may see, so whoever gets it sees that too. What users and rows wrote is text on it, whatever it holds;
characters that are not seen, or that turn the text round, are shown as their code points, and 1,000 characters of a
text at most. Times are UTC.

The history is the shortest of the last 15 minutes, hour, day, 7 and 30 days that holds all of the latest 30 runs of each
sync, or a dozen of them. It works where nothing can be written, too: in a read-only transaction, and on a standby.

- name: of the sync; null: all
- 42704: there is no such sync, or you may not see it

    SELECT sqs_sync_report('parts') LIKE '<!DOCTYPE html>%';$$;

-- Worker -------------------------------------------------------------------------------

CREATE FUNCTION sqs_sync.announce() RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'announce_wrapper';
REVOKE ALL ON FUNCTION sqs_sync.announce() FROM PUBLIC;
COMMENT ON FUNCTION sqs_sync.announce() IS 'tells the launcher, at commit, that this database has the extension, of this version; an error if the library is older';
SELECT sqs_sync.announce();
