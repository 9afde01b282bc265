"""The expected heart rate alone: what the network of the second edition corrects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitgym.predictor.attributes import Attributes, reference_values
from fitgym.predictor.exertion import expected_share, lagged_uptake
from fitgym.predictor.sessions import PreviousWorkout, Session

Array = NDArray[np.float64]


class EquationPredictor:
    """Predicts heart rate from a session and a body by ``fitgym.predictor.exertion``."""

    def predict(
        self,
        sessions: Sequence[Session],
        histories: Sequence[PreviousWorkout | None],
        bodies: Sequence[Attributes],
    ) -> list[Array]:
        """Predict the heart rate of sessions by bodies; histories change nothing.

        Args:
            sessions: The sessions.
            histories: What went before; they only count.
            bodies: What is known of the person's body on that day.

        Returns:
            For all combinations, bodies fastest and sessions slowest, the heart rate in bpm, (T,)
            with T the length of the session.
        """
        resting, maximum, vdot = reference_values(np.stack([body.row() for body in bodies])).T
        results: list[Array] = []
        for session in sessions:
            uptake = lagged_uptake(session.sport, session.speed_m_s, session.altitude_m)
            share = expected_share(uptake, vdot[:, None])
            heart_rate = resting[:, None] + (maximum - resting)[:, None] * share
            results.extend(list(heart_rate) * len(histories))
        return results
