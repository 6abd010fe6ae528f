"""A minute of what `make soak` does for longer."""

from support.database import create_database, drop_database
from support.running import destroy, fresh_name, started_cluster
from support.soak import Soak, figures


def test_nothing_is_lost_in_a_minute_of_faults_and_kills(tmp_path, capsys):
    cluster = started_cluster(shared_preload_libraries="sqs_sync")
    database = create_database(cluster, fresh_name("db"), "http://127.0.0.1:9")
    soak = Soak(database, tmp_path)

    soak.go_on(60)

    with capsys.disabled():
        print("\n" + figures(soak))
    expected, standard, fifo = soak.expected(), soak.told("standard"), soak.told("FIFO")
    assert standard.rows == fifo.rows == expected
    assert (fifo.duplicates, fifo.needless, fifo.late) == (0, 0, 0)
    assert standard.duplicates > 0, "what is in doubt is sent again"
    soak.close()
    drop_database(database)
    destroy(cluster)
