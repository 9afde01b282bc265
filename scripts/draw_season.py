"""Draw the README's pictures: a season of the policy for everyone, as a picture and moving.

Run from the root of the repository: ``python scripts/draw_season.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from PIL import Image

import fitgym  # noqa: F401
from fitgym.common.files import atomic_path
from fitgym_agents.pretrained import load_pretrained

FOLDER = Path(__file__).parent.parent / "docs" / "figures"
ENV_ID = "fitgym/Acquisition-v1"
SEED = 2
# A frame every so many days, shown for so long; the last one stays.
EVERY, MILLISECONDS, LAST_MILLISECONDS = 2, 120, 2_500
WIDTH, COLOURS = 800, 48


def main() -> None:
    """Write ``season.png`` and ``season.gif``."""
    env: Any = gym.make(ENV_ID, render_mode="rgb_array", observation="person")
    agent = load_pretrained("a3c-population", ENV_ID)
    observation, _ = env.reset(seed=SEED)
    hidden, frames = None, []
    for day in range(env.unwrapped.days):
        if day % EVERY == 0:
            frames.append(Image.fromarray(env.render()))
        actions, hidden = agent.predict(observation[None], hidden)
        observation, *_ = env.step(int(actions[0]))
    whole = Image.fromarray(env.render())
    with atomic_path(FOLDER / "season.png") as temporary:
        whole.save(temporary, format="png", optimize=True)
    small = [
        one.resize((WIDTH, round(one.height * WIDTH / one.width)), Image.Resampling.LANCZOS)
        for one in (*frames, whole)
    ]
    # One palette for all frames, so that nothing flickers and little changes.
    palette = small[-1].quantize(COLOURS)
    first, *rest = (one.quantize(palette=palette, dither=Image.Dither.NONE) for one in small)
    times = np.full(len(small), MILLISECONDS)
    times[-1] = LAST_MILLISECONDS
    with atomic_path(FOLDER / "season.gif") as temporary:
        first.save(
            temporary,
            format="gif",
            save_all=True,
            append_images=rest,
            duration=times.tolist(),
            loop=0,
            optimize=True,
        )
    for name in ("season.png", "season.gif"):
        print(f"{name}: {(FOLDER / name).stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
