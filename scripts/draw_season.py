"""Draw the README's picture: fifty days of a coach's season in fitgym/Acquisition-v0.

Run from the root of the repository: ``python scripts/draw_season.py``.
"""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
from matplotlib.image import imsave

import fitgym  # noqa: F401
from fitgym.common.files import atomic_path

TARGET = Path(__file__).parent.parent / "docs" / "figures" / "season.png"

if __name__ == "__main__":
    env = gym.make("fitgym/Acquisition-v0", render_mode="rgb_array")
    env.reset(seed=2)
    for day in range(52):
        # Fifteen easy days, then every fourth day hard.
        env.step(10 if day >= 15 and (day - 15) % 4 == 0 else 2)
    with atomic_path(TARGET) as temporary:
        imsave(temporary, env.render())
    print(f"wrote {TARGET}")
