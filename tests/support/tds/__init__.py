"""A double of Azure SQL Database: Microsoft's drivers talk to it over the wire, DuckDB holds its tables.

Written from the public protocol document [MS-TDS]; section numbers in comments are that document's.
It executes the portable T-SQL of coinlake.warehouse.sql and what the drivers send by themselves, with the
errors of the real service, and refuses everything else aloud (error 50000) instead of guessing.

    with Double(database="coinlake") as server:
        server.fault("login", 40613, times=2)
        ... connect to server.address as server.user with server.password ...

What it cannot show: plans, locks and waits (a conflict is error 1205 at once), code pages and collations other
than binary, throttling, redirected connections.
"""

from tests.support.tds.double import Double

__all__ = ["Double"]
