"""Writes docs/reference.md, from a private cluster with the library as it is installed there."""

import sys

from support.cluster import Cluster

from . import page
from .catalog import Catalog


def main():
    cluster = Cluster().init().start()
    try:
        with cluster.connect() as connection:
            connection.execute("CREATE EXTENSION sqs_sync")
            catalog = Catalog(connection)
    finally:
        cluster.destroy()
    if catalog.complaints:
        sys.exit("\n".join(catalog.complaints))
    try:
        page.PAGE.write_text(page.write(catalog))
    except page.DeadLink as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
