"""Build the load tables that ship: of every shipped individual and of the population's VDOT bands.

Run from the root of the repository after the predictor's weights or a shipped individual changed:
``python scripts/make_load_tables.py`` (extra ``predictor``; minutes on two cores). Tables that are
up to date are kept, tables that nothing asks for any more are removed.
"""

from __future__ import annotations

import time

from fitgym.adherence.fitrec import predicted_table, shipped_table_requests
from fitgym.adherence.load_table import shipped_tables, write_load_table

if __name__ == "__main__":
    wanted = shipped_table_requests()
    folder = shipped_tables()
    for key, request in wanted.items():
        path = folder / f"{key}.npz"
        if path.exists():
            print(f"{path.name} (VDOT {request[1]:g}) is up to date")
            continue
        start = time.perf_counter()
        write_load_table(predicted_table(*request), path)
        print(f"{path.name} (VDOT {request[1]:g}) built in {time.perf_counter() - start:.1f} s")
    for path in folder.glob("*.npz"):
        if path.stem not in wanted:
            path.unlink()
            print(f"{path.name} removed")
