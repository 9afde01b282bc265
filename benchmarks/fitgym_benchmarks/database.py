"""The database of a store: an SQLite table with one row per finished run."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path

from fitgym_benchmarks.rows import RunRow

DATABASE = "runs.sqlite"

# Another number whenever the columns change.
VERSION = 1

_TYPES = {"str": "TEXT", "int": "INTEGER", "float": "REAL"}

# How long whoever reads the database, such as a backup, may keep a row from being written.
_PATIENCE_SECONDS = 30.0


class RunTable:
    """The table ``runs``, whose columns are the fields of ``fitgym_benchmarks.rows.RunRow``.

    Rows are written one at a time, each in a transaction of its own, with a write-ahead log: others
    may read meanwhile, and a killed writer leaves whole rows only.
    """

    def __init__(self, path: Path) -> None:
        """Open a database, or make one.

        Raises:
            ValueError: If the file is damaged, or of another version of the table.
            OSError: If it cannot be written.
        """
        self._path = path
        with self._named_errors():
            self._connection = sqlite3.connect(path, _PATIENCE_SECONDS, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def keys(self) -> set[str]:
        """Return the keys of all rows."""
        with self._named_errors():
            return {key for (key,) in self._connection.execute("SELECT key FROM runs")}

    def put(self, row: RunRow) -> None:
        """Write a row, in place of one with the same key."""
        marks = ", ".join("?" for _ in fields(RunRow))
        with self._named_errors():
            self._connection.execute(f"INSERT OR REPLACE INTO runs VALUES ({marks})", astuple(row))

    def remove(self, keys: Collection[str]) -> None:
        """Remove the rows of some keys."""
        with self._named_errors():
            for key in keys:
                self._connection.execute("DELETE FROM runs WHERE key = ?", (key,))

    def _prepare(self) -> None:
        with self._named_errors():
            self._connection.execute("PRAGMA journal_mode = WAL")
            ((state,),) = self._connection.execute("PRAGMA quick_check(1)")
            ((version,),) = self._connection.execute("PRAGMA user_version")
            ((tables,),) = self._connection.execute("SELECT count(*) FROM sqlite_schema")
        if state != "ok":
            raise ValueError(self._damaged(" ".join(state.split())))
        if tables and version != VERSION:
            raise ValueError(
                f"{self._path} has version {version} of the table of runs, this fitgym writes "
                f"{VERSION}: remove the file, and it is made anew from the runs' folders"
            )
        if not tables:
            with self._named_errors():
                self._connection.executescript(
                    f"BEGIN; CREATE TABLE runs ({_columns()}); "
                    f"PRAGMA user_version = {VERSION}; COMMIT"
                )

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Make errors of SQLite errors that name the file and the remedy."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise OSError(
                f"{self._path} cannot be written: {error}; end other programs that write to it, "
                "or choose a folder on another disk"
            ) from error
        except sqlite3.DatabaseError as error:
            raise ValueError(self._damaged(str(error))) from error

    def _damaged(self, reason: str) -> str:
        return (
            f"{self._path} is damaged ({reason}): remove it and the files beside it whose names "
            "begin alike, and it is made anew from the runs' folders"
        )


def _columns() -> str:
    """Return the columns with their types; what may be None may be NULL."""
    columns = []
    for field in fields(RunRow):
        kind, _, rest = str(field.type).partition(" | ")
        column = f"{field.name} {_TYPES[kind]}{'' if rest else ' NOT NULL'}"
        columns.append(f"{column} PRIMARY KEY" if field.name == "key" else column)
    return ", ".join(columns)
