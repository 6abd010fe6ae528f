"""The clusters that run at a time, so that a failed test can show their logs."""

import uuid

from support.cluster import Cluster

clusters = []


def started_cluster(**options):
    cluster = Cluster(**options)
    clusters.append(cluster)
    cluster.init().start()
    with cluster.connect() as postgres:
        postgres.execute("CREATE ROLE analyst LOGIN")
        postgres.execute("CREATE ROLE other LOGIN")
    return cluster


def backup_of(primary, *options, **settings):
    """A cluster made by a base backup, not started yet."""
    cluster = Cluster(major=primary.major, **settings)
    clusters.append(cluster)
    return cluster.init_by_backup(primary, *options)


def copy_of(stopped, **settings):
    """A cluster made by copying the files of one that is stopped, not started yet."""
    cluster = Cluster(major=stopped.major, **settings)
    clusters.append(cluster)
    return cluster.init_by_copy(stopped)


def upgrade_of(stopped, **settings):
    """A cluster of the major under test made by pg_upgrade, not started yet."""
    cluster = Cluster(**settings)
    clusters.append(cluster)
    return cluster.init_by_upgrade(stopped)


def destroy(cluster):
    clusters.remove(cluster)
    cluster.destroy()


def fresh_name(kind):
    return f"{kind}_{uuid.uuid4().hex[:8]}"
