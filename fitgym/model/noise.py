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
from numpy.typing import NDArray

from fitgym.common.compilation import compiled

# Numbers per day: of tolerance, motivation and habit intensity, whether habit strikes, the episode
# itself (replay's window), and the motivation at the start.
CHANNELS = 6
TOLERANCE = 0
MOTIVATION = 1
HABIT_INTENSITY = 2
HABIT_STRIKES = 3
EPISODE = 4
INITIAL_MOTIVATION = 5
# Of the offset of heart rate: tomorrow's number of the episode itself, which only day 0 uses.
HEART_RATE = CHANNELS + EPISODE
UPTAKE = CHANNELS + INITIAL_MOTIVATION

# The ziggurat: 256 layers of equal area under exp(-x^2 / 2), and where the tail begins.
_LAYERS = 256
_LAYER_AREA = 0.00492867323399
_TAIL = 3.6541528853610088

# The largest magnitude of a normal number: the tail with the smallest uniform number, 2^-53.
LARGEST_NORMAL = _TAIL + 53.0 * math.log(2.0) / _TAIL

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
def _unit(bits: Any) -> float:
    """Return the upper 52 bits as a number in (0, 1)."""
    # The middle of each of 2^52 cells: neither 0 nor 1 occurs, so logarithms are finite.
    return float((np.float64(bits >> np.uint64(12)) + 0.5) * 2.0**-52)


@compiled
def uniform(key: Any, day: int, channel: int) -> float:
    """Return a uniform number in (0, 1) for the channel on that day."""
    return _unit(split_mix(key, day * CHANNELS + channel))


def _layers() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return right edges, heights at them, and shares inside the next layer of the ziggurat.

    The lowest layer is a box as wide as its area asks for; what is beyond ``_TAIL`` is the tail.
    """
    edges = np.empty(_LAYERS + 1)
    edges[0], edges[1] = _LAYER_AREA / math.exp(-0.5 * _TAIL**2), _TAIL
    for layer in range(2, _LAYERS):
        below = edges[layer - 1]
        height = _LAYER_AREA / below + math.exp(-0.5 * below**2)
        edges[layer] = math.sqrt(-2.0 * math.log(height))
    edges[_LAYERS] = 0.0
    return edges, np.exp(-0.5 * edges**2), edges[1:] / edges[:-1]


_EDGES, _HEIGHTS, _SURE_SHARES = _layers()


@compiled
def normal(key: Any, day: int, channel: int) -> float:
    """Return a standard normal number for the channel on that day.

    The ziggurat of Marsaglia and Tsang (2000, Journal of Statistical Software 5(8)): one number in
    a hundred needs more than a look-up, and draws on the SplitMix64 sequence that its bits seed.
    """
    bits = split_mix(key, day * CHANNELS + channel)
    draws = 0
    while True:
        layer = int(bits & np.uint64(_LAYERS - 1))
        sign = 1.0 if bits & np.uint64(_LAYERS) else -1.0
        share = _unit(bits)
        size = share * _EDGES[layer]
        if share < _SURE_SHARES[layer]:
            return float(sign * size)
        first, second = split_mix(bits, draws), split_mix(bits, draws + 1)
        if layer == 0:
            # Marsaglia's tail: exponential beyond the edge, thinned to the normal density.
            excess = -math.log(_unit(first)) / _TAIL
            if -2.0 * math.log(_unit(second)) > excess * excess:
                return float(sign * (_TAIL + excess))
        else:
            height = _HEIGHTS[layer] + _unit(first) * (_HEIGHTS[layer + 1] - _HEIGHTS[layer])
            if height < math.exp(-0.5 * size * size):
                return float(sign * size)
            bits = second
        draws += 2
