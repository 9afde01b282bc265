"""A cohort's log as files: one row per person and day, as CSV and as Parquet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import atomic_path, write_text
from fitgym_agents.online.cohort import CohortLog

# Numbers of a row beside the probabilities, which are called probability_0 to probability_10.
COLUMNS = (
    "person",
    "day",
    "calendar_day",
    "available",
    "decided",
    "action",
    "reward",
    "completion",
    "done_trimp",
    "performance",
    "mean_heart_rate",
    "internal_load",
    "arrival",
)


def log_columns(log: CohortLog) -> dict[str, NDArray[np.generic]]:
    """Return the columns of a log by name, people from 0, one person after the other.

    ``arrival`` is the day of the season on which the data came in, -1 for never.
    """
    people, days = log.action.shape
    day = np.tile(np.arange(days), people)
    person = np.repeat(np.arange(people), days)
    columns: dict[str, NDArray[np.generic]] = {
        "person": person,
        "day": day,
        "calendar_day": log.cohort.joined[person] + day,
    }
    columns |= {name: getattr(log, name).ravel() for name in COLUMNS[3:]}
    columns |= {
        f"probability_{action}": log.probabilities[:, :, action].ravel()
        for action in range(log.probabilities.shape[2])
    }
    return columns


def write_log(log: CohortLog, path: Path) -> list[Path]:
    """Write a log, atomically.

    Args:
        log: The log.
        path: Without a suffix.

    Returns:
        What was written: ``.csv`` with six digits, and where pyarrow is installed (the ``parquet``
        extra) ``.parquet`` with all of them.
    """
    columns = log_columns(log)
    written = [path.with_suffix(".csv")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(_texts(values) for values in columns.values()), strict=True))
    write_text(written[0], text.getvalue())
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return written
    written.append(path.with_suffix(".parquet"))
    with atomic_path(written[1]) as temporary:
        pyarrow.parquet.write_table(pyarrow.table(columns), temporary)
    return written


def _texts(values: NDArray[np.generic]) -> list[str]:
    if values.dtype == np.float64:
        return [f"{value:.6g}" for value in values.tolist()]
    return [str(int(value)) for value in values.tolist()]
