"""Make the table of docs/coach.md: what the coach's advice earns for virtual people.

    python scripts/coach_evaluation.py --people 200 --out results/coach.json
    python scripts/coach_evaluation.py --people 40 --forecasts

The first keeps each person's result at once, so a run that was stopped goes on. The second tells
how often plans of the first day are completed, and at which heart rate.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from fitgym.coach.evaluation import (
    POLICIES,
    PersonEarned,
    earned,
    first_day,
    summarise,
    summarise_forecasts,
)
from fitgym.common.files import write_text
from fitgym.common.json_files import json_text, read_object


def main() -> None:
    """Play, keep and summarise."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--weeks", type=int, default=8, help="weeks of history")
    parser.add_argument("--days", type=int, default=90, help="days of advice")
    parser.add_argument("--seasons", type=int, default=40, help="seasons of each person")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--forecasts", action="store_true", help="only the plans of the first day")
    parser.add_argument("--log-only", action="store_true", help="no recordings, only a log")
    parser.add_argument("--out", type=Path, default=Path("results/coach.json"))
    options = parser.parse_args()
    if options.forecasts:
        rows = [
            row
            for number in tqdm(range(options.people))
            for row in first_day(number, seed=options.seed, weeks=options.weeks)
        ]
        print(json_text(summarise_forecasts(rows)))
        return
    run = {
        "policies": list(POLICIES),
        "weeks": options.weeks,
        "days": options.days,
        "seasons": options.seasons,
        "seed": options.seed,
        "recordings": not options.log_only,
    }
    found: list[PersonEarned] = []
    if options.out.exists():
        kept = read_object(options.out, ("run", "people"))
        if kept["run"] != run:
            raise SystemExit(f"{options.out} holds results of another run: {kept['run']}")
        found = [PersonEarned(**one) for one in kept["people"]]
    for number in tqdm(range(len(found), options.people), initial=len(found)):
        found.append(
            earned(
                number,
                seed=options.seed,
                weeks=options.weeks,
                days=options.days,
                seasons=options.seasons,
                recordings=not options.log_only,
            )
        )
        content = {"run": run, "people": [asdict(one) for one in found]}
        write_text(options.out, json_text(content) + "\n")
    print(json_text(summarise(found[: options.people])))


if __name__ == "__main__":
    main()
