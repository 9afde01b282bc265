"""Draw the animations of the documentation site: a season of each environment, as WebP and PNG.

Run from the root of the repository: ``python scripts/draw_animations.py``. The PNG holds the last
frame, for readers whose system asks for less motion.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from PIL import Image

import fitgym  # noqa: F401
from fitgym.common.files import atomic_path

TARGET = Path(__file__).parent.parent / "docs" / "figures"
NAMES = {
    "acquisition": "fitgym/Acquisition-v1",
    "retention": "fitgym/Retention-v1",
    "acquisition-continuous": "fitgym/AcquisitionContinuous-v1",
    "retention-continuous": "fitgym/RetentionContinuous-v1",
    "acquisition-replay": "fitgym/AcquisitionReplay-v0",
    "retention-replay": "fitgym/RetentionReplay-v0",
}
# A season is 45 frames, half a minute of reading in eleven seconds.
_DAYS_PER_FRAME = 2
_FRAME_MS = 180
_LAST_FRAME_MS = 3000
_SIZE = (800, 600)


def frames(env_id: str) -> list[Image.Image]:
    """Return a coach's season as pictures: easy days, then every fourth day hard."""
    env: Any = gym.make(env_id, render_mode="rgb_array")
    env.reset(seed=2)
    continuous = not isinstance(env.action_space, gym.spaces.Discrete)
    hardest = env.unwrapped.individual.plans_trimp[-1]
    pictures = [env.render()]
    day, terminated = 0, False
    while not terminated:
        plan = 8 if day >= 17 and (day - 17) % 4 == 0 else 3
        points = env.unwrapped.individual.plans_trimp[plan - 1]
        action = np.array([2 * points / hardest - 1], np.float32) if continuous else plan
        _, _, terminated, _, _ = env.step(action)
        day += 1
        if terminated or day % _DAYS_PER_FRAME == 0:
            pictures.append(env.render())
    return [Image.fromarray(one).resize(_SIZE, Image.Resampling.LANCZOS) for one in pictures]


def main() -> None:
    """Write the pictures of every environment."""
    for name, env_id in NAMES.items():
        pictures = frames(env_id)
        durations = [_FRAME_MS] * (len(pictures) - 1) + [_LAST_FRAME_MS]
        with atomic_path(TARGET / f"{name}.webp") as temporary:
            pictures[0].save(
                temporary,
                format="WEBP",
                save_all=True,
                append_images=pictures[1:],
                duration=durations,
                loop=0,
                quality=60,
                method=6,
                minimize_size=True,
            )
        with atomic_path(TARGET / f"{name}.png") as temporary:
            pictures[-1].convert("P", palette=Image.Palette.ADAPTIVE).save(
                temporary, format="PNG", optimize=True
            )
        print(f"wrote {TARGET / name}.webp and .png")


if __name__ == "__main__":
    main()
