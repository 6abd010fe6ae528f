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
  created_at  timestamptz NOT NULL DEFAULT pg_catalog.now(),
  PRIMARY KEY (sync_id, version)
);
COMMENT ON COLUMN sqs_sync.definition.message IS 'the message''s properties, by their names';
COMMENT ON COLUMN sqs_sync.definition.events IS 'the events that are published, and what each says otherwise';
COMMENT ON COLUMN sqs_sync.definition.compare IS 'the columns that make a row changed; null: all';
COMMENT ON TABLE sqs_sync.definition IS 'what a sync publishes; a row a version, since a run and a change in doubt keep the definition that they began with';

CREATE TABLE sqs_sync.run (
  run_id           bigint PRIMARY KEY DEFAULT pg_catalog.nextval('sqs_sync.run_id_seq'),
  sync_id          integer NOT NULL REFERENCES sqs_sync.sync ON DELETE CASCADE,
  state            text NOT NULL CHECK (state IN ('queued', 'diffing', 'held', 'publishing', 'succeeded', 'partly_failed', 'failed', 'cancelled', 'discarded')),
  version          integer,
  requested_by     text NOT NULL DEFAULT SESSION_USER,
  requested_at     timestamptz NOT NULL DEFAULT pg_catalog.now(),
  started_at       timestamptz,
  finished_at      timestamptz,
  rows_added       bigint NOT NULL DEFAULT 0,
  rows_changed     bigint NOT NULL DEFAULT 0,
  rows_removed     bigint NOT NULL DEFAULT 0,
  rows_silent      bigint NOT NULL DEFAULT 0,
  published        bigint NOT NULL DEFAULT 0,
  rejected         bigint NOT NULL DEFAULT 0,
  in_doubt         bigint NOT NULL DEFAULT 0,
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
COMMENT ON TABLE sqs_sync.run IS 'one row a run; read it through the view sqs_sync.runs';
COMMENT ON COLUMN sqs_sync.run.version IS 'the version of the definition that the run began with';
COMMENT ON COLUMN sqs_sync.run.rows_silent IS 'changes that moved the snapshot without a message: events that the sync does not publish, and an initial run that skips';
COMMENT ON COLUMN sqs_sync.run.waiting_for IS 'why a queued run has not started';

COMMENT ON COLUMN sqs_sync.run.attempts IS 'how often a runner took the run up since it last made progress';

-- Apart from sqs_sync.run, so that a transaction that cancels a run and stays open does not
-- keep the runner from writing what it has published.
CREATE TABLE sqs_sync.cancellation (
  run_id       bigint PRIMARY KEY REFERENCES sqs_sync.run ON DELETE CASCADE,
  requested_by text NOT NULL DEFAULT SESSION_USER,
  requested_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE sqs_sync.cancellation IS 'runs under way that somebody wants to end';

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
  attempts     bigint NOT NULL DEFAULT 1,
  run_id       bigint NOT NULL,
  first_at     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  last_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE UNIQUE INDEX rejection_by_key ON sqs_sync.rejection (sync_id, pg_catalog.md5(key));
COMMENT ON COLUMN sqs_sync.rejection.message_id IS 'what the sync''s message_id calls the message';
COMMENT ON TABLE sqs_sync.rejection IS 'rows that could not be published; read it through the view sqs_sync.rejections';

SELECT pg_catalog.pg_extension_config_dump('sqs_sync.sync', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.position', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.waiting', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.claim', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.definition', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.sequence', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.rejection', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.sync_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.run_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.rejection_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sqs_sync.change_id_seq', '');

-- Connections --------------------------------------------------------------------------

CREATE FUNCTION sqs_sync.connection_options(options text[], catalog oid) RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'connection_options_wrapper';
REVOKE ALL ON FUNCTION sqs_sync.connection_options(text[], oid) FROM PUBLIC;
COMMENT ON FUNCTION sqs_sync.connection_options(text[], oid) IS 'validator of the options of servers and user mappings';

CREATE FOREIGN DATA WRAPPER sqs_sync VALIDATOR sqs_sync.connection_options;
COMMENT ON FOREIGN DATA WRAPPER sqs_sync IS 'connections to Amazon SQS: servers say where, user mappings say as whom';

-- Rows ---------------------------------------------------------------------------------

CREATE FUNCTION sqs_sync.row_hash(contents record) RETURNS bigint
  LANGUAGE c STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'row_hash_wrapper';
COMMENT ON FUNCTION sqs_sync.row_hash(record) IS '64-bit hash of a row''s values, the same after dump and restore, VACUUM FULL and upgrades';

CREATE FUNCTION sqs_sync.stable_text(value anyelement) RETURNS text
  LANGUAGE c STRICT STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'stable_text_wrapper';
COMMENT ON FUNCTION sqs_sync.stable_text(anyelement) IS 'a value as text, whatever the session''s settings for dates, numbers and bytes';

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
  retry_for   interval DEFAULT '5 minutes'
) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_create_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_create(text, text, text, text, text, text, text, json, text, json, text, text, text, text, text, text[], text, text, text, interval)
  IS 'creates a sync: which rows'' events go to which queue, and what the message is';

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
  reset       text[]   DEFAULT NULL
) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_alter_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_alter(text, text, text, text, text, json, text, json, text, text, text, text, text, text[], text, text, interval, text[])
  IS 'changes a sync''s definition from its next run on: options left out stay, those in reset are unset';

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
COMMENT ON FUNCTION @extschema@.sqs_sync_on(text, text, text, text, text, json, text, json, text, text, text, text, text, text, text[], text[])
  IS 'publishes an event, and says what of its message is not the sync''s: options left out stay, those in without it does not have, those in reset are the sync''s again';

CREATE FUNCTION @extschema@.sqs_sync_off(name text, event text) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_off_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_off(text, text) IS 'stops publishing an event: such changes move the snapshot silently';

CREATE FUNCTION @extschema@.sqs_sync_drop(name text) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_drop_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_drop(text) IS 'drops a sync with its snapshot, runs and rejections';

CREATE FUNCTION @extschema@.sqs_sync_pause(name text) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_pause_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_pause(text) IS 'starts no further run of a sync until it is resumed; one that is under way goes on';

CREATE FUNCTION @extschema@.sqs_sync_resume(name text) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_resume_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_resume(text) IS 'lets a paused sync run again';

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
COMMENT ON FUNCTION @extschema@.sqs_sync_preview(text, integer)
  IS 'what a run would send now, changes in doubt first; sends and changes nothing';

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
COMMENT ON FUNCTION @extschema@.sqs_sync_render(text, text, text)
  IS 'the message of one row of the model, by its key, whatever the queue has been told';

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
COMMENT ON FUNCTION @extschema@.sqs_sync_test(text, text, text)
  IS 'sends one real message, of this row or the model''s first, and returns SQS''s answer; the snapshot stays';

CREATE FUNCTION @extschema@.sqs_sync_check(
  name            text,
  OUT item        text,
  OUT ok          boolean,
  OUT detail      text,
  OUT hint        text
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_check_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_check(text)
  IS 'whether all that a run needs is there, a row a thing: false is wrong, null is worth knowing';

CREATE FUNCTION @extschema@.sqs_sync_explain(
  name            text,
  OUT item        text,
  OUT value       text
) RETURNS SETOF record
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_explain_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_explain(text)
  IS 'how a run would compare, and what it would send and cost now';

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
COMMENT ON FUNCTION @extschema@.sqs_sync_queues(text, text)
  IS 'the queues of a connection''s account and region, by sqs:ListQueues; what sqs:GetQueueAttributes would tell is null without that right';

-- Schedules ----------------------------------------------------------------------------

CREATE FUNCTION @extschema@.sqs_sync_schedule(name text, schedule text) RETURNS bigint
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_schedule_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_schedule(text, text) IS 'has pg_cron run a sync at the times of a cron expression, and returns the id of its job';

CREATE FUNCTION @extschema@.sqs_sync_unschedule(name text) RETURNS boolean
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_unschedule_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_unschedule(text) IS 'takes the job that sqs_sync_schedule made out of pg_cron; false if the caller has none';

CREATE FUNCTION @extschema@.sqs_sync_run_after(name text, after text) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_run_after_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_run_after(text, text) IS 'has a sync run whenever another one has succeeded; null: no longer';

CREATE FUNCTION sqs_sync.next_time(schedule text, time_zone text, after double precision) RETURNS double precision
  LANGUAGE c STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'next_time_wrapper';
COMMENT ON FUNCTION sqs_sync.next_time(text, text, double precision) IS 'when a cron expression comes next, in seconds since 1970';

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
COMMENT ON FUNCTION sqs_sync.schedule_of(text) IS 'the cron expression of the job that sqs_sync_schedule has made for a sync, if the caller may see it';

-- Runs ---------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.sqs_sync_run(name text) RETURNS bigint
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_run_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_run(text) IS 'queues a run and returns its id; the work is done in the background after commit';

CREATE FUNCTION @extschema@.sqs_sync_wait(run_id bigint, timeout interval DEFAULT NULL) RETURNS text
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_wait_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_wait(bigint, interval) IS 'waits until a run has ended, or is held, and returns its state';

CREATE FUNCTION @extschema@.sqs_sync_cancel(run_id bigint) RETURNS void
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_cancel_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_cancel(bigint) IS 'cancels a run at commit: answers in flight are awaited 10 seconds, the rest is in doubt';

CREATE FUNCTION sqs_sync.watch(run_id bigint) RETURNS boolean
  LANGUAGE c STRICT VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'watch_wrapper';
COMMENT ON FUNCTION sqs_sync.watch(bigint) IS 'waits up to a second for a run, tells its progress by a notice, and returns whether it still is under way';

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
COMMENT ON PROCEDURE @extschema@.sqs_sync_run_and_wait(text) IS 'runs a sync and waits for its end, with notices of its progress; an error if the run fails';

-- Views --------------------------------------------------------------------------------
-- Each shows the rows of syncs whose owner's rights the reader has. security_barrier keeps
-- a cheap function in the reader's WHERE from seeing the others. A sync's owner is the owner
-- of its snapshot (or, if that is gone, of its change set), so that REASSIGN OWNED, renames
-- and dumps need nothing from us.

CREATE VIEW sqs_sync.visible_sync WITH (security_barrier) AS
SELECT s.*, c.relowner AS owner
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
       d.compare, s.initial, d.order_by, d.retry_for, s.version,
       CASE WHEN s.paused THEN 'paused' WHEN NOT p.initial_done THEN 'new' ELSE 'ready' END AS state,
       r.run_id AS last_run, r.state AS last_run_state, r.finished_at AS last_run_finished_at,
       c.schedule,
       pg_catalog.to_timestamp(sqs_sync.next_time(c.schedule,
         COALESCE(pg_catalog.current_setting('cron.timezone', true), 'GMT'),
         pg_catalog.date_part('epoch', pg_catalog.now()))) AS next_run_at,
       a.name AS runs_after,
       s.created_at
FROM sqs_sync.visible_sync s
JOIN sqs_sync.definition d USING (sync_id, version)
JOIN sqs_sync.position p USING (sync_id)
LEFT JOIN LATERAL (SELECT * FROM sqs_sync.run r WHERE r.sync_id = s.sync_id ORDER BY r.run_id DESC LIMIT 1) r ON true
LEFT JOIN sqs_sync.sequence q ON q.sync_id OPERATOR(pg_catalog.=) s.sync_id
LEFT JOIN sqs_sync.visible_sync a ON a.sync_id OPERATOR(pg_catalog.=) q.after_id
LEFT JOIN LATERAL (SELECT sqs_sync.schedule_of(s.name) AS schedule) c ON true;
COMMENT ON VIEW sqs_sync.syncs IS 'syncs with their current definition and last run';

CREATE VIEW sqs_sync.events WITH (security_barrier) AS
SELECT s.name AS sync, e.key AS event, e.value OPERATOR(pg_catalog.->) 'set' AS own,
       ARRAY(SELECT pg_catalog.json_array_elements_text(e.value OPERATOR(pg_catalog.->) 'unset')) AS without,
       e.value OPERATOR(pg_catalog.->>) 'condition' AS condition
FROM sqs_sync.visible_sync s
JOIN sqs_sync.definition d USING (sync_id, version)
CROSS JOIN LATERAL pg_catalog.json_each(d.events) AS e;
COMMENT ON VIEW sqs_sync.events IS 'the events that each sync publishes, and what of their messages is not the sync''s';

CREATE VIEW sqs_sync.runs WITH (security_barrier) AS
SELECT r.run_id, s.name AS sync, r.state, r.rows_added, r.rows_changed, r.rows_removed, r.rows_silent,
       r.published, r.rejected, r.in_doubt, r.requested_by, r.requested_at, r.started_at, r.finished_at,
       r.version, r.waiting_for, r.sqlstate, r.error, r.hint
FROM sqs_sync.run r JOIN sqs_sync.visible_sync s USING (sync_id);
COMMENT ON VIEW sqs_sync.runs IS 'runs: state, rows, messages, times and error';

-- From each sync its own few by the index: not a sort of all that ever ran.
CREATE VIEW sqs_sync.recent_runs WITH (security_barrier) AS
SELECT r.run_id, s.name AS sync, r.state, r.rows_added, r.rows_changed, r.rows_removed, r.rows_silent,
       r.published, r.rejected, r.in_doubt, r.requested_by, r.requested_at, r.started_at, r.finished_at,
       r.version, r.waiting_for, r.sqlstate, r.error, r.hint
FROM sqs_sync.visible_sync s
CROSS JOIN LATERAL (SELECT * FROM sqs_sync.run r WHERE r.sync_id = s.sync_id ORDER BY r.run_id DESC LIMIT 30) r;
COMMENT ON VIEW sqs_sync.recent_runs IS 'the latest 30 runs of each sync';

CREATE VIEW sqs_sync.progress WITH (security_barrier) AS
SELECT r.run_id, s.name AS sync, r.runner_pid AS pid, r.state AS phase,
       r.rows_added + r.rows_changed + r.rows_removed AS changes_total,
       r.published + r.rejected + r.rows_silent AS changes_done,
       r.published, r.rejected, r.started_at,
       pg_catalog.clock_timestamp() - r.started_at AS elapsed
FROM sqs_sync.run r JOIN sqs_sync.visible_sync s USING (sync_id)
WHERE r.state IN ('diffing', 'publishing');
COMMENT ON VIEW sqs_sync.progress IS 'one row for each run under way, in the manner of pg_stat_progress_*';

CREATE VIEW sqs_sync.rejections WITH (security_barrier) AS
SELECT s.name AS sync, j.key, j.message_id, j.event, j.rows, j.code, j.reason, j.hint, j.attempts, j.run_id, j.first_at, j.last_at
FROM sqs_sync.rejection j JOIN sqs_sync.visible_sync s USING (sync_id)
WHERE pg_catalog.pg_has_role(COALESCE(s.owner, 10), 'USAGE');
COMMENT ON VIEW sqs_sync.rejections IS 'rows that could not be published, with the reason';

CREATE FUNCTION sqs_sync.worker_processes(OUT pid integer, OUT kind text, OUT started_at timestamptz, OUT activity text)
  RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.pid, pg_catalog.substr(a.backend_type, 10), a.backend_start, COALESCE(a.wait_event, a.state)
  FROM pg_catalog.pg_stat_activity a
  WHERE a.backend_type IN ('sqs_sync launcher', 'sqs_sync worker', 'sqs_sync runner')
    AND (a.datname = pg_catalog.current_database() OR a.datname IS NULL)
$$;
COMMENT ON FUNCTION sqs_sync.worker_processes() IS 'the processes behind sqs_sync.workers';

CREATE VIEW sqs_sync.workers WITH (security_barrier) AS
SELECT w.pid, w.kind, p.sync, p.run_id, w.started_at, w.activity
FROM sqs_sync.worker_processes() w LEFT JOIN sqs_sync.progress p USING (pid)
UNION ALL
SELECT NULL, 'queued run', s.name, r.run_id, r.requested_at,
       CASE WHEN s.paused THEN 'waiting for sqs_sync_resume' ELSE COALESCE(r.waiting_for, 'waiting for the worker') END
FROM sqs_sync.run r JOIN sqs_sync.visible_sync s USING (sync_id) WHERE r.state = 'queued';
COMMENT ON VIEW sqs_sync.workers IS 'background processes of this database, and queued runs with what they wait for';

GRANT SELECT ON sqs_sync.syncs, sqs_sync.events, sqs_sync.runs, sqs_sync.recent_runs, sqs_sync.progress, sqs_sync.rejections, sqs_sync.workers TO PUBLIC;

CREATE FUNCTION @extschema@.sqs_sync_report(name text DEFAULT NULL) RETURNS text
  LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'sqs_sync_report_wrapper';
COMMENT ON FUNCTION @extschema@.sqs_sync_report(text) IS 'one HTML page of a sync, or of all that the caller may see: states, history, rejections, workers, what to do next';

-- Worker -------------------------------------------------------------------------------

CREATE FUNCTION sqs_sync.announce() RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'announce_wrapper';
REVOKE ALL ON FUNCTION sqs_sync.announce() FROM PUBLIC;
COMMENT ON FUNCTION sqs_sync.announce() IS 'tells the launcher, at commit, that this database has the extension';
SELECT sqs_sync.announce();
