"""FitRec-Attn along a recorded workout: the next ten seconds to a minute, beside the last value.

Ten seconds ahead is what the network is trained for. Beyond, its own forecasts are fed back as if
they had been measured, with the last speed and altitude held: nothing but the past is used. Beside
it stands persistence, the last measured value, the strongest simple forecast of a heart rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fitgym.common.statistics import ratio_interval
from fitgym.common.validation import require_integer
from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.predictor.attention.data import complete_windows
from fitgym.predictor.attention.inference import earlier_inputs
from fitgym.predictor.attention.network import AttentionWindows, FitRecAttention
from fitgym.predictor.channels import (
    CHANNELS,
    ELAPSED_CENTRE,
    ELAPSED_SCALE,
    denormalise_heart_rate,
    normalise_heart_rate,
    session_channels,
)
from fitgym.predictor.datasets import Vocabulary
from fitgym.predictor.sessions import fill_heart_rate

Array = NDArray[np.float64]

HORIZONS_S = (10, 20, 30, 60)
LONGEST_HORIZON_S = 300
# Phases of a workout (ours): the start, and by the change over the minute before the forecast.
START_MINUTES, CHANGING_BPM, CHANGE_STEPS = 5.0, 5.0, 6
PHASES = ("all", "first 5 min", "changing", "steady")
TIME = CHANNELS.index("elapsed_time")


@dataclass(frozen=True, eq=False)
class Nowcast:
    """Forecasts along one workout, each made after nine measured steps in a row.

    Attributes:
        workout: The workout.
        made_step: (n,) the step after which each was made.
        horizons_s: (H,) how far ahead, in seconds.
        predicted_bpm: (n, H) forecasts.
        last_bpm: (n,) the last measured value.
        measured_bpm: (n, H) what came; NaN where it was not measured or lies beyond the end.
        phase: (n,) index in ``PHASES`` of the phase in which each was made.
    """

    workout: Workout
    made_step: NDArray[np.int64]
    horizons_s: tuple[int, ...]
    predicted_bpm: Array
    last_bpm: Array
    measured_bpm: Array
    phase: NDArray[np.int64]


def nowcast(
    model: FitRecAttention,
    workout: Workout,
    previous: Workout | None = None,
    horizons_s: Sequence[int] = HORIZONS_S,
) -> Nowcast:
    """Forecast from every moment of a workout that has nine measured steps up to it.

    Args:
        model: A trained network to which everybody is ``unknown``.
        workout: The workout.
        previous: The same person's previous workout.
        horizons_s: How far ahead, multiples of ten seconds, rising.

    Raises:
        ValueError: If a horizon is no multiple of ten seconds, ``previous`` is not an earlier
            workout of the same person, or no nine steps in a row were measured.
    """
    ahead = [_steps_ahead(seconds) for seconds in horizons_s]
    seen_steps = model.config.window - 1
    starts = complete_windows(workout.valid, seen_steps)
    if not starts.size:
        raise ValueError(
            f"workout {workout.identifier!r} must have {seen_steps} measured steps of heart rate "
            "in a row"
        )
    made = starts + seen_steps - 1
    steps = starts[:, None] + np.arange(seen_steps)
    channels = session_channels(workout.speed_m_s, workout.altitude_m, workout.has_altitude)
    heart_rate = normalise_heart_rate(fill_heart_rate(workout))
    seen, read = heart_rate[steps], channels[steps]
    earlier, earlier_heart_rate = earlier_inputs(workout, previous)
    rows = Vocabulary().rows(workout.user, workout.sport, workout.gender)
    predicted = np.empty((len(starts), max(ahead)))
    model.eval()
    with torch.inference_mode():
        for number in range(max(ahead)):
            held = np.minimum(
                starts[:, None] + number + np.arange(seen_steps + 1), len(earlier) - 1
            )
            following = _held_channels(read[:, -1], made + number + 1)
            windows = AttentionWindows(
                channels=torch.from_numpy(np.concatenate([read, following[:, None]], axis=1)),
                previous_channels=torch.from_numpy(earlier[held]),
                previous_target=torch.from_numpy(earlier_heart_rate[held][:, :, None]),
                has_previous=torch.full((len(starts),), float(previous is not None)),
                attributes=torch.tensor([rows]).expand(len(starts), -1),
                seen=torch.from_numpy(seen),
            )
            output = model(windows).prediction.numpy()
            predicted[:, number] = denormalise_heart_rate(output)
            seen = np.concatenate([seen[:, 1:], output[:, None].astype(np.float32)], axis=1)
            read = np.concatenate([read[:, 1:], following[:, None]], axis=1)
    chosen = np.array(ahead)
    wanted = made[:, None] + chosen
    inside = np.minimum(wanted, len(workout) - 1)
    known = (wanted < len(workout)) & workout.valid[inside]
    return Nowcast(
        workout=workout,
        made_step=made,
        horizons_s=tuple(horizons_s),
        predicted_bpm=predicted[:, chosen - 1],
        last_bpm=workout.heart_rate_bpm[made],
        measured_bpm=np.where(known, workout.heart_rate_bpm[inside], np.nan),
        phase=_phases(workout, made),
    )


def nowcast_report(nowcasts: Sequence[Nowcast]) -> dict[str, Any]:
    """Return the errors of FitRec-Attn and of persistence by phase and horizon.

    Returns:
        ``workouts`` and ``people``, and ``phases``: for each phase and horizon the number of
        forecasts, MAE and RMSE of both, the share of the forecasts in which FitRec-Attn is nearer,
        and ``gain``, persistence's MAE less FitRec-Attn's; of two or more people with a 95 %
        bootstrap interval over them. Phases and horizons without a forecast are left out.
    """
    horizons = nowcasts[0].horizons_s
    people = {each.workout.user for each in nowcasts}
    phases: dict[str, dict[str, Any]] = {}
    for number, phase in enumerate(PHASES):
        found = {
            str(horizon): scores
            for column, horizon in enumerate(horizons)
            if (scores := _scores(nowcasts, number, column, len(people))) is not None
        }
        if found:
            phases[phase] = found
    return {"workouts": len(nowcasts), "people": len(people), "phases": phases}


def nowcast_rows(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the table of ``nowcast_report``."""
    columns = ["made in", "ahead (s)", "forecasts", "FitRec-Attn MAE", "last value MAE", "gain"]
    columns += ["FitRec-Attn nearer", "smaller error"]
    rows = []
    for phase, horizons in report["phases"].items():
        for horizon, scores in horizons.items():
            gain = f"{scores['gain']:+.2f}"
            if "gain_low" in scores:
                gain += f" ({scores['gain_low']:+.2f} to {scores['gain_high']:+.2f})"
            rows.append(
                [
                    phase,
                    horizon,
                    str(scores["forecasts"]),
                    f"{scores['attention_mae']:.2f}",
                    f"{scores['last_value_mae']:.2f}",
                    gain,
                    f"{100.0 * scores['attention_nearer']:.0f} %",
                    _winner(scores),
                ]
            )
    return columns, rows


def _winner(scores: Mapping[str, Any]) -> str:
    """Return whose error is smaller, if the interval over people does not span zero."""
    if scores.get("gain_low", 1.0) <= 0.0 <= scores.get("gain_high", -1.0):
        return "undecided"
    return "FitRec-Attn" if scores["gain"] > 0.0 else "last value"


def _scores(
    nowcasts: Sequence[Nowcast], phase: int, column: int, people: int
) -> dict[str, Any] | None:
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, float] = defaultdict(float)
    ours, theirs = [], []
    for each in nowcasts:
        here = ~np.isnan(each.measured_bpm[:, column])
        if phase:
            here &= each.phase == phase
        truth = each.measured_bpm[here, column]
        first = np.abs(each.predicted_bpm[here, column] - truth)
        second = np.abs(each.last_bpm[here] - truth)
        ours.append(first)
        theirs.append(second)
        sums[each.workout.user] += float((second - first).sum())
        counts[each.workout.user] += len(truth)
    attention, last = np.concatenate(ours), np.concatenate(theirs)
    if not attention.size:
        return None
    scores = {
        "forecasts": len(attention),
        "attention_mae": float(attention.mean()),
        "last_value_mae": float(last.mean()),
        "attention_rmse": float(np.sqrt(np.square(attention).mean())),
        "last_value_rmse": float(np.sqrt(np.square(last).mean())),
        "attention_nearer": float((attention < last).mean()),
        "gain": float((last - attention).mean()),
    }
    if people > 1:
        interval = ratio_interval(list(sums.values()), list(counts.values()))
        scores |= {"gain_low": interval.low, "gain_high": interval.high}
    return scores


def _phases(workout: Workout, made: NDArray[np.int64]) -> NDArray[np.int64]:
    minutes = made * GRID_STEP_S / 60.0
    beats = workout.heart_rate_bpm
    change = np.abs(beats[made] - beats[made - CHANGE_STEPS])
    later = np.where(change >= CHANGING_BPM, PHASES.index("changing"), PHASES.index("steady"))
    phases: NDArray[np.int64] = np.where(
        minutes < START_MINUTES, PHASES.index("first 5 min"), later
    )
    return phases


def _held_channels(last: NDArray[np.float32], step: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the last known channels (n, N) with the time of a later step (n,)."""
    held = last.copy()
    minutes = GRID_STEP_S * step / 60.0
    held[:, TIME] = (np.log1p(minutes) - ELAPSED_CENTRE) / ELAPSED_SCALE
    return held


def _steps_ahead(seconds: int) -> int:
    require_integer("horizon in seconds", seconds, round(GRID_STEP_S), LONGEST_HORIZON_S)
    if seconds % round(GRID_STEP_S):
        raise ValueError(f"horizon in seconds must be a multiple of {GRID_STEP_S:g}, got {seconds}")
    return round(seconds / GRID_STEP_S)
