"""Simulate the references of the first 100 test people of version 1, which ship with the package.

Run from the repository root: python scripts/people_references.py
It takes some ten seconds for a person and stage; started again, it goes on where it was.
"""

from __future__ import annotations

from pathlib import Path

import fitgym  # noqa: F401
from fitgym.planning.people_references import write_references

if __name__ == "__main__":
    write_references(
        Path(__file__).parents[1] / "fitgym" / "data" / "people_references.json",
        ("fitgym/Acquisition-v1", "fitgym/Retention-v1"),
    )
