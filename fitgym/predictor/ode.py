"""The physiological equation of a typical person as a predictor, independent of the network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_number
from fitgym.logs.workout import GRID_STEP_S
from fitgym.predictor.channels import sport_family
from fitgym.predictor.sessions import PreviousWorkout, Session, all_pairs
from fitgym.predictor.simulator.heart_rate import (
    CARRY_OVER_BPM,
    DEMAND_SHARE,
    RECOVERY_DAYS,
    TYPICAL,
    TYPICAL_EXPONENT,
    TYPICAL_HIGHEST_BPM,
    TYPICAL_LOWEST_BPM,
    HeartDynamics,
    carry_over,
    climb_rate,
    demand,
    heart_rate_response,
    internal_load,
)

Array = NDArray[np.float64]

# The virtual people's mean first heart rate.
INITIAL_SHARE = 0.26


class OdePredictor:
    """Predicts by the demand equation; follows ``fitgym.predictor.sessions.Predictor``.

    Deterministic: a typical person without daily offset. Of the history it uses the load and the
    days since, by the carry-over. An ``unknown`` sport is answered as running.

    Args:
        lowest_bpm: The person's HR_min.
        highest_bpm: The person's HR_max.
    """

    def __init__(
        self,
        lowest_bpm: float = TYPICAL_LOWEST_BPM,
        highest_bpm: float = TYPICAL_HIGHEST_BPM,
    ) -> None:
        self.lowest_bpm = require_number("lowest_bpm", lowest_bpm, 30.0, 100.0)
        self.highest_bpm = require_number("highest_bpm", highest_bpm, 140.0, 240.0)

    def predict(
        self,
        sessions: Sequence[Session],
        histories: Sequence[PreviousWorkout | None],
        pairs: Sequence[tuple[int, int]] | None = None,
    ) -> list[Array]:
        """Predict the heart rate of sessions after previous workouts.

        Args:
            sessions: The sessions.
            histories: The previous workouts; None stands for no earlier session.
            pairs: Which (session index, history index) to predict; None means every session after
                every history, all histories of the first session first.

        Returns:
            For each pair the heart rate in bpm, (T,) with T the length of its session.
        """
        wanted = all_pairs(len(sessions), len(histories), pairs)
        load = np.array([self._load(history) for history in histories])
        days = np.array([0.0 if history is None else history.days_since for history in histories])
        results: list[Array] = [np.empty(0)] * len(wanted)
        for index, session in enumerate(sessions):
            positions = [p for p, (number, _) in enumerate(wanted) if number == index]
            if not positions:
                continue
            chosen = np.array([wanted[position][1] for position in positions])
            people = self.heart_dynamics(session.sport, len(chosen))
            speed = np.tile(session.speed_m_s, (len(chosen), 1))
            climb = climb_rate(np.tile(session.altitude_m, (len(chosen), 1)))
            offset = carry_over(people, load[chosen], days[chosen])
            reserve = self.highest_bpm - self.lowest_bpm
            initial = np.full(len(chosen), self.lowest_bpm + INITIAL_SHARE * reserve)
            heart_rate = heart_rate_response(people, demand(people, speed, climb, offset), initial)
            for position, row in zip(positions, heart_rate, strict=True):
                results[position] = row
        return results

    def heart_dynamics(self, sport: str, people: int) -> HeartDynamics:
        """Return the typical person's parameters for a sport, ``people`` times over."""
        family = sport_family(sport)
        typical = TYPICAL[family if family in TYPICAL else "run"]
        reserve = self.highest_bpm - self.lowest_bpm
        values = {
            "lowest_bpm": self.lowest_bpm,
            "highest_bpm": self.highest_bpm,
            "standing_bpm": self.lowest_bpm + typical.standing_share * reserve,
            "usual_speed_m_s": typical.usual_speed_m_s,
            "usual_bpm": self.lowest_bpm + typical.usual_share * reserve,
            "climb_factor": typical.climb_factor,
            "drift": typical.drift,
            "demand_rate": 60.0 * GRID_STEP_S / (DEMAND_SHARE * typical.lag_s),
            "response_rate": 60.0 * GRID_STEP_S / ((1.0 - DEMAND_SHARE) * typical.lag_s),
            "lower_exponent": TYPICAL_EXPONENT,
            "upper_exponent": TYPICAL_EXPONENT,
            "carry_over_bpm": CARRY_OVER_BPM,
            "recovery_days": RECOVERY_DAYS,
        }
        return HeartDynamics(**{name: np.full(people, value) for name, value in values.items()})

    def _load(self, history: PreviousWorkout | None) -> float:
        if history is None:
            return 0.0
        people = self.heart_dynamics(history.session.sport, 1)
        return float(internal_load(people, history.heart_rate_bpm[None, :])[0, -1])
