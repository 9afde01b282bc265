"""Build the load tables that ship: of every shipped individual and of the populations.

Run from the root of the repository after the predictor's weights or a shipped individual changed:
``python scripts/make_load_tables.py`` (extra ``predictor``; minutes on two cores). Tables that are
up to date are kept, tables that nothing asks for any more are removed.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from fitgym.adherence.body_table import write_body_table
from fitgym.adherence.fitrec import predicted_table, shipped_table_requests
from fitgym.adherence.fitrec2 import predicted_body_table, shipped_body_table_requests
from fitgym.adherence.load_table import shipped_tables, write_load_table
from fitgym.common.files import write_text


def main() -> None:
    """Build what is missing, remove what is not wanted, and write the hashes."""
    folder = Path(str(shipped_tables()))
    first, second = shipped_table_requests(), shipped_body_table_requests()
    for key in (*first, *second):
        path = folder / f"{key}.npz"
        if path.exists():
            print(f"{path.name} is up to date")
            continue
        start = time.perf_counter()
        if key in first:
            write_load_table(predicted_table(*first[key]), path, key)
        else:
            write_body_table(predicted_body_table(*second[key]), path, key)
        print(f"{path.name} built in {time.perf_counter() - start:.1f} s")
    wanted = sorted((*first, *second))
    for path in folder.glob("*.npz"):
        if path.stem not in wanted:
            path.unlink()
            print(f"{path.name} removed")
    hashes = {
        key: hashlib.sha256((folder / f"{key}.npz").read_bytes()).hexdigest() for key in wanted
    }
    write_text(folder / "sha256.json", json.dumps(hashes, indent=2) + "\n")


if __name__ == "__main__":
    main()
