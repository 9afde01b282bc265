"""Draw the README's picture: a coach's season of ninety days in fitgym/Acquisition-v1.

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
    env = gym.make("fitgym/Acquisition-v1", render_mode="rgb_array")
    env.reset(seed=2)
    day, terminated = 0, False
    while not terminated:
        # Seventeen easy days, then every fourth day hard, the last one, too.
        hard = day >= 17 and (day - 17) % 4 == 0
        _, _, terminated, _, _ = env.step(8 if hard else 3)
        day += 1
    with atomic_path(TARGET) as temporary:
        imsave(temporary, env.render())
    print(f"wrote {TARGET}")
