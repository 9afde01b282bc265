"""Compare the exact effects of a trial, by living each day twice, with those of randomisation.

    python scripts/exact_effects.py --people 1000000
    python scripts/exact_effects.py --people 100000 --individual population

Who is pushed on a day is drawn, so the difference of the mean outcomes of those who were and those
who were not is unbiased for the mean effect of that day: by people other than those of
the exact effects it is found independently of them. Prints both for each day with standard errors.
"""

from __future__ import annotations

import argparse

import numpy as np

from fitgym.common.tables import markdown_table
from fitgym_agents.trials.micro_randomised import MicroRandomisedTrial, run_micro_randomised


def main() -> None:
    """Run both trials and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=1_000_000, help="in each of the two trials")
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--individual", default="club-runner")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    shared = {
        "people": options.people,
        "days": options.days,
        "env_kwargs": {"individual": options.individual},
    }
    twins = run_micro_randomised(MicroRandomisedTrial(**shared, seed=options.seed), exact=True)
    others = run_micro_randomised(
        MicroRandomisedTrial(**shared, seed=options.seed + 10 * options.people)
    )
    assert twins.effect is not None
    rows = []
    deviations = []
    for day in range(options.days):
        effect = twins.effect[:, day]
        exact, exact_error = effect.mean(), effect.std(ddof=1) / np.sqrt(effect.size)
        pushed = others.treatment[:, day] > 0.0
        groups = others.outcome[pushed, day], others.outcome[~pushed, day]
        found = groups[0].mean() - groups[1].mean()
        error = np.sqrt(sum(group.var(ddof=1) / group.size for group in groups))
        deviations.append((found - exact) / np.hypot(error, exact_error))
        rows.append(
            (
                str(day + 1),
                f"{exact:+.4f} ± {exact_error:.4f}",
                f"{found:+.4f} ± {error:.4f}",
                f"{deviations[-1]:+.2f}",
            )
        )
    print(markdown_table(("day", "by twins", "by randomisation", "standard errors apart"), rows))
    print(f"\nSum of squares over {options.days} days: {np.square(deviations).sum():.1f}")


if __name__ == "__main__":
    main()
