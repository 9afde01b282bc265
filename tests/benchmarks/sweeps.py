"""What tests of sweeps share: rows as they lie in a database, and a backend that must idle."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from fitgym_benchmarks.store import ResultStore

# What depends on the clock.
CLOCK = ("decision_seconds", "training_seconds", "finished_at")


class Idle:
    """A backend that must not be asked."""

    def do(self, runs, folder):
        raise AssertionError(f"done again: {list(runs)}")


def rows_of(store: ResultStore) -> list[dict[str, object]]:
    """Return the rows of a store, by key."""
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM runs ORDER BY key")]


def timeless_rows(store: ResultStore) -> list[dict[str, object]]:
    """Return them without what depends on the clock."""
    return [{n: v for n, v in row.items() if n not in CLOCK} for row in rows_of(store)]
