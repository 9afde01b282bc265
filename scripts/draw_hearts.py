"""Draw the hearts that version 1's population shares tables of, and print them as JSON.

    python scripts/draw_hearts.py > fitgym/data/hearts.json

A Latin hypercube of 32: VDOT that paces are made for, lognormal around 41; resting heart rate that
falls with VDOT; maximum heart rate by age (Tanaka et al. 2001: 208 - 0.7 age, with a spread of 10
bpm); half of the people are women.
"""

import json
from statistics import NormalDist

import numpy as np
from scipy.stats import qmc

HEARTS = 32
NORMAL = NormalDist()


def main() -> None:
    """Print the hearts."""
    sample = qmc.LatinHypercube(d=4, rng=np.random.default_rng(0)).random(HEARTS)
    hearts = []
    for number, (by_vdot, by_age, by_maximum, by_resting) in enumerate(sample):
        # Cut at two standard deviations, as all traits are.
        quantiles = [NORMAL.inv_cdf(0.0228 + 0.9544 * x) for x in (by_vdot, by_maximum, by_resting)]
        vdot = 41.0 * np.exp(0.17 * quantiles[0])
        age = 20.0 + 40.0 * by_age
        maximum = 208.0 - 0.7 * age + 7.0 * quantiles[1]
        resting = 60.0 - 0.6 * (vdot - 41.0) + 5.0 * quantiles[2]
        hearts.append(
            {
                "vdot": round(float(vdot), 1),
                "resting_heart_rate": float(round(resting)),
                "maximum_heart_rate": float(round(maximum)),
                "gender": ("female", "male")[number % 2],
            }
        )
    print(json.dumps(hearts, indent=1))


if __name__ == "__main__":
    main()
