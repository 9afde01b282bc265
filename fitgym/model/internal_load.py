"""Internal load of exercise from heart rate: Banister's TRIMPexp (Banister 1991)."""

from __future__ import annotations

from typing import Any

import numpy as np

# Weight and exponent for men (and unknown gender) and for women.
_MEN = (0.64, 1.92)
_WOMEN = (0.86, 1.67)
# A heart's offset is whole up to three quarters of its reserve, then fades to none at the maximum.
OFFSET_FADE = 4.0


def load_rates(heart_rate: Any, resting: Any, maximum: Any, female: bool) -> Any:
    """Return internal load per minute, ``h w e^(c h)`` with strain ``h`` in [0, 1].

    Args:
        heart_rate: bpm; a number or an array.
        resting: Resting heart rate, bpm; a number or an array that broadcasts.
        maximum: Maximum heart rate, bpm; likewise.
        female: Whether to take the constants for women.

    Returns:
        Load per minute, shaped as the arguments broadcast.
    """
    weight, exponent = _WOMEN if female else _MEN
    strain = np.minimum(np.maximum((heart_rate - resting) / (maximum - resting), 0.0), 1.0)
    return strain * weight * np.exp(exponent * strain)


def offset_weight(heart_rate: Any, resting: Any, maximum: Any) -> Any:
    """Return how much of a heart's offset in bpm shows at a heart rate, 0 to 1 (ours).

    Whatever moves a heart at moderate effort, in a race it beats near its maximum; so an offset of
    at most ``(maximum - resting) / OFFSET_FADE`` never leads beyond the maximum.

    Args:
        heart_rate: bpm without the offset; a number or an array.
        resting: Resting heart rate, bpm.
        maximum: Maximum heart rate, bpm.
    """
    room = (maximum - heart_rate) / (maximum - resting)
    return np.minimum(np.maximum(OFFSET_FADE * room, 0.0), 1.0)
