"""Print how often the crosswise interval covers the true mean, by simulation, as a Markdown table.

    python scripts/interval_coverage.py [TRIALS]

Returns are ``seed effect + episode effect + their interaction``, normal, with the standard
deviation of the interaction half that of episodes. The columns tell which part of the variance of
the mean is due to the seeds. In the last rows seed effects are skewed (exponential).
"""

from __future__ import annotations

import sys

import numpy as np

from fitgym.common.statistics import crosswise_interval
from fitgym.common.tables import markdown_table

SHARES = (0.0, 0.3, 0.6, 0.8, 0.9, 1.0)
EPISODES = 100


def coverage(seeds: int, share: float, trials: int, *, skewed: bool = False) -> float:
    """Return the share of simulated evaluations whose 95 % interval holds the true mean, 0."""
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(trials):
        effects = generator.exponential(size=(seeds, 1)) - 1.0
        if not skewed:
            effects = generator.normal(size=(seeds, 1))
        of_episodes = generator.normal(size=(1, EPISODES))
        both = generator.normal(size=(seeds, EPISODES))
        # The mean over seeds and episodes has variance 1, but for the interaction.
        scale = np.sqrt((1.0 - share) * EPISODES)
        values = np.sqrt(share * seeds) * effects + scale * (of_episodes + 0.5 * both)
        interval = crosswise_interval(values, resamples=500)
        covered += interval.low <= 0.0 <= interval.high
    return covered / trials


def main() -> None:
    """Print the table."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    rows = [
        (
            f"{seeds}{' (skewed)' if skewed else ''}",
            *(f"{100 * coverage(seeds, share, trials, skewed=skewed):.1f}" for share in SHARES),
        )
        for skewed in (False, True)
        for seeds in (3, 5, 10)
    ]
    print(markdown_table(("seeds", *(f"{100 * share:.0f} % seeds" for share in SHARES)), rows))


if __name__ == "__main__":
    main()
