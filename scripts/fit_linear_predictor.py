"""Print the coefficients of ``fitgym.predictor.linear``, fitted to the runs of a folder.

python scripts/fit_linear_predictor.py RECORDINGS
"""

from __future__ import annotations

import sys

from fitgym.logs import read_recordings
from fitgym.predictor.baselines import Baselines
from fitgym.predictor.channels import sport_family
from fitgym.predictor.datasets import encode_workouts


def main() -> None:
    """Print lag and coefficients."""
    runs = [one for one in read_recordings(sys.argv[1]) if sport_family(one.sport) == "run"]
    fitted = Baselines(encode_workouts(runs))
    people = len({one.user for one in runs})
    coefficients = ", ".join(f"{value:.3f}" for value in fitted.by_sport["run"])
    print(f"{len(runs)} runs of {people} people: lag {fitted.lag_s:.0f} s, {coefficients}")


if __name__ == "__main__":
    main()
