"""The noise tape: every random number of an episode as a pure function of (key, day, channel).

At reset an environment draws one 64-bit key from its own generator, and nothing after that. The
key, the day and the channel then say each number, so a step is a pure function, scalar and
batched trajectories are equal to the bit, and two policies meet the same days (common random
numbers). The generator is SplitMix64 (Steele, Lea and Flood 2014, OOPSLA) read at a counter: its
n-th output for a seed is a mix of seed + n * golden gamma.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fitgym.compilation import compiled

__all__ = [
    "CHANNELS",
    "EPISODE",
    "HABIT_INTENSITY",
    "HABIT_STRIKES",
    "INITIAL_MOTIVATION",
    "LARGEST_NORMAL",
    "MOTIVATION",
    "TOLERANCE",
    "normal",
    "split_mix",
    "uniform",
]

# Numbers per day: two uniform ones for each normal draw of tolerance, motivation and habit
# intensity, one for whether habit strikes, one for the episode itself (replay's window), and two
# for the motivation at the start.
CHANNELS = 10
TOLERANCE = 0
MOTIVATION = 2
HABIT_INTENSITY = 4
HABIT_STRIKES = 6
EPISODE = 7
INITIAL_MOTIVATION = 8

# The largest magnitude of a normal number made from 52 bits, sqrt(-2 ln 2^-53).
LARGEST_NORMAL = math.sqrt(2.0 * 53.0 * math.log(2.0))

_GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@compiled
def split_mix(key: Any, index: int) -> Any:
    """Return output ``index`` (from 0) of SplitMix64 seeded with ``key``, as uint64."""
    z = np.uint64(key) + (np.uint64(index) + np.uint64(1)) * _GOLDEN_GAMMA
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


@compiled
def uniform(key: Any, day: int, channel: int) -> float:
    """Return a uniform number in (0, 1) for the channel on that day."""
    bits = split_mix(key, day * CHANNELS + channel) >> np.uint64(12)
    # The middle of each of 2^52 cells: neither 0 nor 1 occurs, so logarithms are finite.
    return float((np.float64(bits) + 0.5) * 2.0**-52)


@compiled
def normal(key: Any, day: int, channel: int) -> float:
    """Return a standard normal number for the channel on that day (Box and Muller 1958).

    Uses the uniform numbers of ``channel`` and ``channel + 1``.
    """
    radius = math.sqrt(-2.0 * math.log(uniform(key, day, channel)))
    return radius * math.cos(2.0 * math.pi * uniform(key, day, channel + 1))
