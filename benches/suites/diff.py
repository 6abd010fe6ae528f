"""The diff against what one would use in Postgres instead."""

import dataclasses

from harness import models
from harness.baselines import Joins, Refresh, hash_pass
from harness.publishing import measured_sink
from harness.report import Times, short
from harness.server import database_on, settle_down
from harness.syncs import QUEUE, snapshot_of, timed_run, told_sync

ROUNDS = 3
# One row in so many is changed between two runs.
CHANGED_ONE_IN = 100

OURS = "diff"
OURS_RUN = "whole run: the diff, its changes told to the sink, the snapshot brought up to date"
REFRESH = "REFRESH MATERIALIZED VIEW CONCURRENTLY"
JOIN = "best join by hand, changes written to a table"
JOIN_COMPUTED = "best join by hand, changes thrown away"
HASH = "one hash pass over the model"
UNVACUUMED = "diff, snapshot not yet vacuumed since 1% of it changed"


@dataclasses.dataclass
class Contest:
    """Everybody who takes part, over one model, told of the same rows."""

    database: object
    model: models.Model
    refresh: Refresh
    joins: Joins

    @classmethod
    def over(cls, database, model, rows):
        model.make(database, rows)
        settle_down(database, model.table)
        contest = cls(database, model, Refresh(database, model), Joins(database, model))
        told_sync(database, model, rows)
        contest.vacuum()
        return contest

    def vacuum(self):
        settle_down(self.database, self.model.table, self.refresh.view, "told",
                    snapshot_of(self.database, "ours"))

    def round(self, turn, changed_times, unchanged_times):
        """1% changed, and then nothing changed."""
        self.go(changed_times, self.change(turn))
        unvacuumed = timed_run(self.database, "ours", found=0)
        self.joins.take_over()
        self.vacuum()
        self.go(unchanged_times, 0)
        unchanged_times.add(UNVACUUMED, unvacuumed.diff_seconds)

    def change(self, turn):
        changed = self.model.change_one_in(self.database, CHANGED_ONE_IN, turn)
        settle_down(self.database, self.model.table)
        return changed

    def go(self, times, changed):
        run = timed_run(self.database, "ours", found=changed)
        times.add(OURS, run.diff_seconds)
        times.add(OURS_RUN, run.seconds)
        times.add(REFRESH, self.refresh.run())
        times.add(JOIN_COMPUTED, min(self.joins.compute(way) for way in self.joins.ways))
        times.add(JOIN, min(self.joins.write(way, changed) for way in self.joins.ways))
        times.add(HASH, hash_pass(self.database, self.model))


def measure(cluster, report, scale):
    report.say("The diff is timed from the call of sqs_sync_run until its commit: the start of the runner, the checks,"
               "\nthe comparison, and the changes written with their contents. Ratios are a baseline's time by ours:"
               "\nabove 1 the diff is faster. Every table is vacuumed before, except where it says otherwise."
               f"\nMedians of {ROUNDS} rounds after one for warming up; in each, other rows are changed.")
    for rows in (1_000_000, 2_000_000, 5_000_000):
        measure_one(cluster, report, models.CUSTOMERS, scale(rows), "diff_" + short(scale(rows)))
    measure_one(cluster, report, models.WIDE, scale(100_000), "diff_wide_" + short(scale(100_000)))


def measure_one(cluster, report, model, rows, name):
    report.title(f"Diff of {rows:,} rows of {len(model.columns)} columns")
    with measured_sink() as sink, database_on(cluster, sink.endpoint) as database:
        sink.create_queue(QUEUE)
        contest = Contest.over(database, model, rows)
        contest.change(turn=0)
        tried = contest.joins.keep_fastest()
        report.table(["joins by hand, once warm", "s"], [[way, f"{seconds:.3f}"] for way, seconds in tried])
        contest.round(0, Times(), Times())
        changed, unchanged = Times(), Times()
        for turn in range(1, ROUNDS + 1):
            contest.round(turn, changed, unchanged)
    for suffix, what, times in (("", "1% changed", changed), ("_unchanged", "Nothing changed", unchanged)):
        report.say(f"{what}:")
        times.show(report)
        for baseline, against in ((REFRESH, "refresh"), (JOIN, "join"), (JOIN_COMPUTED, "join_computed"),
                                  (HASH, "hash_pass")):
            report.figure(f"{name}{suffix}_vs_{against}", times.times_as_fast(OURS, baseline))
        report.figure(f"{name}{suffix}_run_vs_refresh", times.times_as_fast(OURS_RUN, REFRESH))
    report.figure(f"{name}_unchanged_unvacuumed_vs_refresh", unchanged.times_as_fast(UNVACUUMED, REFRESH))
