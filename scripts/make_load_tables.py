"""Build the load tables that ship: of every shipped individual and of the population's VDOT bands.

Run from the root of the repository after the predictor's weights or a shipped individual changed:
``python scripts/make_load_tables.py`` (extra ``predictor``; minutes on two cores). Tables that are
up to date are kept, tables that nothing asks for any more are removed.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from fitgym.adherence.fitrec import predicted_table, shipped_table_requests
from fitgym.adherence.load_table import shipped_tables, write_load_table
from fitgym.common.files import write_text

if __name__ == "__main__":
    wanted = shipped_table_requests()
    folder = Path(str(shipped_tables()))
    for key, request in wanted.items():
        path = folder / f"{key}.npz"
        if path.exists():
            print(f"{path.name} (VDOT {request[1]:g}) is up to date")
            continue
        start = time.perf_counter()
        write_load_table(predicted_table(*request), path, key)
        print(f"{path.name} (VDOT {request[1]:g}) built in {time.perf_counter() - start:.1f} s")
    for path in folder.glob("*.npz"):
        if path.stem not in wanted:
            path.unlink()
            print(f"{path.name} removed")
    files = {key: (folder / f"{key}.npz").read_bytes() for key in sorted(wanted)}
    hashes = {key: hashlib.sha256(content).hexdigest() for key, content in files.items()}
    write_text(folder / "sha256.json", json.dumps(hashes, indent=2) + "\n")
