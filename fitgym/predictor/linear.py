"""A straight line from lagged speed, climb and time to heart rate: the baseline on runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitgym.predictor.attributes import Attributes
from fitgym.predictor.channels import session_channels
from fitgym.predictor.recording_statistics import exponential_mean
from fitgym.predictor.sessions import PreviousWorkout, Session

Array = NDArray[np.float64]

# The pooled lagged regression of ``fitgym.predictor.baselines`` on 145 recorded runs of 51 people
# (scripts/fit_linear_predictor.py): constant, speed, climb and log of time, in the channels' units.
COEFFICIENTS = (143.272, 6.273, 6.376, 5.923)
LAG_S = 90.0


class LinearPredictor:
    """Predicts the heart rate of anybody's run; body and history change nothing."""

    def predict(
        self,
        sessions: Sequence[Session],
        histories: Sequence[PreviousWorkout | None],
        bodies: Sequence[Attributes],
    ) -> list[Array]:
        """Predict the heart rate of sessions; histories and bodies only count.

        Args:
            sessions: The sessions.
            histories: What went before.
            bodies: What is known of the person's body on that day.

        Returns:
            For all combinations, bodies fastest and sessions slowest, the heart rate in bpm, (T,)
            with T the length of the session.
        """
        results: list[Array] = []
        for session in sessions:
            channels = session_channels(
                session.speed_m_s, session.altitude_m, session.has_altitude
            ).astype(np.float64)
            constant, speed, climb, time = COEFFICIENTS
            heart_rate = (
                constant
                + speed * exponential_mean(channels[:, 0], LAG_S)
                + climb * exponential_mean(channels[:, 1], LAG_S)
                + time * channels[:, 4]
            )
            results.extend([heart_rate] * (len(histories) * len(bodies)))
        return results
