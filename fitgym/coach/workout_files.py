"""Today's session as a FIT workout, with heart-rate ranges, for a watch to guide through."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from fitgym.coach.advice import Advice
from fitgym.coach.sessions import pace_of

# FIT writes heart rates in bpm as 100 more, since less stands for per cent of the maximum.
_BPM = 100
_NAME_LENGTH = 15


def workout_bytes(advice: Advice) -> bytes:
    """Return today's plan as a FIT workout file; the same answer gives the same bytes.

    Args:
        advice: The answer.

    Raises:
        ValueError: If there is no plan today.
        ImportError: If the ``watch`` extra is not installed.
    """
    if not advice.plan:
        raise ValueError(f"there is no plan on {advice.date}, so there is no workout to write")
    try:
        from fit_tool.fit_file_builder import FitFileBuilder
        from fit_tool.profile.messages.file_id_message import FileIdMessage
        from fit_tool.profile.messages.workout_message import WorkoutMessage
        from fit_tool.profile.messages.workout_step_message import WorkoutStepMessage
        from fit_tool.profile.profile_type import (
            FileType,
            Intensity,
            Manufacturer,
            Sport,
            WorkoutStepDuration,
            WorkoutStepTarget,
        )
    except ImportError as error:
        raise ImportError("FIT workouts need fit-tool: pip install 'fitgym[watch]'") from error
    builder = FitFileBuilder(auto_define=True, min_string_size=50)
    identity = FileIdMessage()
    identity.type = FileType.WORKOUT
    identity.manufacturer = Manufacturer.DEVELOPMENT.value
    identity.product = 0
    identity.serial_number = 1
    midnight = datetime.combine(date.fromisoformat(advice.date), time(), UTC)
    identity.time_created = round(midnight.timestamp() * 1000)
    builder.add(identity)
    workout = WorkoutMessage()
    workout.workout_name = f"{advice.date} plan {advice.plan}"
    workout.sport = Sport.RUNNING
    workout.num_valid_steps = len(advice.steps)
    builder.add(workout)
    for index, step in enumerate(advice.steps):
        message = WorkoutStepMessage()
        message.message_index = index
        message.workout_step_name = f"{step.zone} {pace_of(step.speed_m_s)}"
        last = len(advice.steps) - 1
        message.intensity = Intensity.ACTIVE
        if last > 0 and index == 0:
            message.intensity = Intensity.WARMUP
        elif last > 0 and index == last:
            message.intensity = Intensity.COOLDOWN
        message.duration_type = WorkoutStepDuration.TIME
        message.duration_time = float(round(60.0 * step.minutes))
        message.target_type = WorkoutStepTarget.HEART_RATE
        message.target_hr_zone = 0
        message.custom_target_heart_rate_low = round(step.heart_rate_low) + _BPM
        message.custom_target_heart_rate_high = round(step.heart_rate_high) + _BPM
        builder.add(message)
    return bytes(builder.build().to_bytes())
