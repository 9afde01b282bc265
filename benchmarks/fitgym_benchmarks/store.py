"""The store of a benchmark: one folder and one row of a database per finished run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fitgym.common.files import lock_folder
from fitgym_benchmarks.database import DATABASE, RunTable
from fitgym_benchmarks.results import AGENT, Result, finished_folders, is_finished, read_result
from fitgym_benchmarks.rows import row_of
from fitgym_benchmarks.runs import Run


class ResultStore:
    """A folder with a sub-folder per run, named by the run's key, and ``runs.sqlite``.

    What a run's folder holds decides whether it has finished
    (``fitgym_benchmarks.results.Result``); the database has its figures in a row, to be queried.
    Workers write folders, and only the one process that drives them writes rows.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Use ``folder``, which is made when first needed."""
        self.folder = Path(folder)

    def agent_folder(self, run: Run) -> Path:
        """Return where the trained agent of ``run`` is kept."""
        return self.folder / run.key / AGENT

    def get(self, run: Run) -> Result | None:
        """Return the stored result of ``run``, or None if the run has not finished.

        Raises:
            ValueError: If a file is damaged.
        """
        folder = self.folder / run.key
        return read_result(folder, run) if is_finished(folder) else None

    @contextmanager
    def writing(self) -> Iterator[RunTable]:
        """Keep other drivers out and yield the table of rows, one for every finished run.

        Runs without a row, as of a driver that was killed or of a version without a database, get
        theirs; rows whose folder has been removed go.

        Raises:
            BlockingIOError: If another process drives runs into this store.
            ValueError: If the database or the result of a run is damaged.
            OSError: If the database cannot be written.
        """
        with lock_folder(self.folder), closing(RunTable(self.folder / DATABASE)) as table:
            found = {folder.name: folder for folder in finished_folders(self.folder)}
            known = table.keys()
            table.remove(known - found.keys())
            for key in sorted(found.keys() - known):
                table.put(row_of(read_result(found[key])))
            yield table
