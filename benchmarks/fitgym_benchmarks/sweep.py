"""Sweeps: many runs on any backend; a run that has finished is never done again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from fitgym_benchmarks.backends.backend import Backend
from fitgym_benchmarks.results import Result, is_finished, read_result
from fitgym_benchmarks.rows import row_of
from fitgym_benchmarks.runs import Run
from fitgym_benchmarks.store import ResultStore


def run_all(runs: Sequence[Run], store: ResultStore, backend: Backend) -> list[Result]:
    """Return the results of ``runs``, in their order, doing those that ``store`` lacks.

    Every run is kept as soon as it has finished, and every training is saved as it goes on, so that
    stopping this process, by whatever means, loses half a minute of work.

    Args:
        runs: What to do, longest first where the order is free, so that no worker idles at the
            end.
        store: Where results are looked up and kept.
        backend: Who does the runs.

    Raises:
        RuntimeError: If a run fails or a worker process dies; the finished runs are kept.
        BlockingIOError: If another process drives runs into the store.
        ValueError: If the store's database or a result is damaged.
        OSError: If the database cannot be written.
    """
    keys = [run.key for run in runs]
    with store.writing() as table:
        missing = {
            key: run
            for key, run in zip(keys, runs, strict=True)
            if not is_finished(store.folder / key)
        }
        if missing:
            total = len(set(keys))
            with (
                # No bar unless standard error is a terminal: in a file the lines below are enough.
                tqdm(
                    total=total,
                    initial=total - len(missing),
                    desc="runs",
                    unit="run",
                    disable=None,
                ) as bar,
                closing(backend.do(missing, store.folder.resolve())) as finished,
            ):
                for number, key in enumerate(finished, total - len(missing) + 1):
                    row = row_of(_left(store.folder / key))
                    table.put(row)
                    bar.update()
                    tqdm.write(
                        f"{number}/{total} {row.environment}: {row.name} returns "
                        f"{row.mean_return:,.0f}"
                    )
    return [read_result(store.folder / key, run) for key, run in zip(keys, runs, strict=True)]


def _left(folder: Path) -> Result:
    """Return the result that a worker has left in a folder."""
    if not is_finished(folder):
        raise RuntimeError(
            f"a worker has finished, but {folder} holds no result: the folder of results must be "
            "the same for all machines, on a file system that they share"
        )
    return read_result(folder)
