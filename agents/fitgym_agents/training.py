"""Training into a folder: saved as it goes, described by a record, and resumable."""

from __future__ import annotations

import csv
import io
import json
import os
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fitgym.common.files import lock_folder, write_text
from fitgym.common.json_files import json_text, read_object
from fitgym.common.provenance import commit, machine, versions
from fitgym.common.validation import require_integer
from fitgym_agents.agent import CARD, Agent, LossPoint
from fitgym_agents.files import load_agent
from fitgym_agents.registry import find_learner

_RECORD = "training.json"
_RECORD_KEYS = ("training", "timesteps", "sessions")
_CURVE = "learning_curve.csv"
_CURVE_COLUMNS = ("timesteps", "mean_return", "policy_loss", "value_loss")

# What a killed process may lose; saving takes some milliseconds.
_SECONDS_BETWEEN_SAVES = 30.0


@dataclass(frozen=True, kw_only=True)
class Training:
    """What is trained where; two trainings that are equal may share a folder.

    Attributes:
        agent: Name or import path of the agent, see ``fitgym_agents.registry.find_agent``.
        env_id: Registered id.
        env_kwargs: Arguments of the environment, JSON-able.
        configuration: Settings of the agent that differ from its defaults, JSON-able.
        seed: Seed of everything random in learning.
    """

    agent: str
    env_id: str
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as they are read back from JSON."""
        fields: dict[str, Any] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return fields


def train(
    training: Training,
    total_timesteps: int,
    folder: str | os.PathLike[str],
    *,
    command: str = "",
    watch: Callable[[Agent, int], None] | None = None,
) -> Agent:
    """Train an agent up to a number of environment steps, and save it in a folder.

    The folder gets what ``Agent.save`` writes, ``learning_curve.csv`` and ``training.json``: what
    was trained, and for each session with which command, versions and commit. All of it is
    written every half a minute, at the end, and when stopped from the keyboard. Called again, this
    goes on from there, with new episodes and random numbers, so that the agent is another one than
    that of an unbroken training; an agent that does not note its ``timesteps`` starts anew unless
    it has learnt as many. A folder in which nothing was learnt yet may be used for another
    training. No other process can train in the folder meanwhile.

    Args:
        training: What to train.
        total_timesteps: Environment steps in all, those of earlier sessions included; learners
            that collect in batches finish the last one.
        folder: Made if missing.
        command: The command to note.
        watch: Called at the start and now and then with the agent and the steps learnt so far.

    Raises:
        ValueError: If an argument is out of range, the agent does not learn, or the folder holds
            another training or an agent that was trained for more steps.
        TypeError: If an argument has the wrong type.
        BlockingIOError: If another process trains in the folder.
        OSError: If the agent cannot be saved at the start or the end; in between that is a
            warning.
        KeyboardInterrupt: When stopped from the keyboard, after saving.
    """
    require_integer("total_timesteps", total_timesteps, 1)
    agent_class = find_learner(training.agent)
    with lock_folder(folder):
        return _train(training, agent_class, total_timesteps, Path(folder), command, watch)


def _train(
    training: Training,
    agent_class: type[Agent],
    total_timesteps: int,
    folder: Path,
    command: str,
    watch: Callable[[Agent, int], None] | None,
) -> Agent:
    agent, start, sessions = _start(training, agent_class, folder, total_timesteps)
    if watch is not None:
        watch(agent, start)
    if start >= total_timesteps:
        return agent

    session: dict[str, Any] = {
        "command": command,
        "from_timesteps": start,
        "total_timesteps": total_timesteps,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": 0.0,
        "machine": machine(),
        "versions": versions(),
        "commit": commit(),
    }
    started = saved = time.monotonic()

    def write_record(timesteps: int) -> None:
        session["seconds"] = round(time.monotonic() - started, 1)
        record = {
            "training": training.to_dict(),
            "timesteps": timesteps,
            "sessions": [*sessions, session],
        }
        write_text(folder / _RECORD, json_text(record) + "\n")

    def save(timesteps: int) -> None:
        agent.save(folder)
        _write_curve(agent, folder)
        write_record(timesteps)

    def progress(steps: int) -> None:
        nonlocal saved
        if watch is not None:
            watch(agent, start + steps)
        if time.monotonic() - saved > _SECONDS_BETWEEN_SAVES:
            try:
                save(agent.timesteps)
            except OSError as error:
                message = f"cannot save in {folder}, training goes on: {error}"
                warnings.warn(message, RuntimeWarning, stacklevel=2)
            saved = time.monotonic()

    # Before the agent, so that no crash leaves an agent without a record.
    write_record(start)
    save(start)
    try:
        agent.learn(total_timesteps - start, progress=progress)
    except KeyboardInterrupt:
        save(agent.timesteps)
        raise
    save(max(total_timesteps, agent.timesteps))
    return agent


def _start(
    training: Training, agent_class: type[Agent], folder: Path, total_timesteps: int
) -> tuple[Agent, int, list[dict[str, Any]]]:
    """Return the agent, the steps it has learnt, and the sessions in which it did."""
    record = read_record(folder)
    saved = (folder / CARD).exists()
    if saved and record is None:
        raise ValueError(
            f"{folder} holds an agent, but no {_RECORD} that tells how it was trained; give "
            "another folder (--out)"
        )
    if saved and record is not None:
        agent = load_agent(folder)
        # The agent is saved before curve and record, and may be ahead of them.
        start = agent.timesteps or record["timesteps"]
        if start:
            _check_same(training, record, folder)
            asked = max(session.get("total_timesteps", 0) for session in record["sessions"])
            if start > total_timesteps and asked > total_timesteps:
                raise ValueError(
                    f"{folder} holds an agent trained for {start:,} steps, more than the "
                    f"{total_timesteps:,} asked for: give another folder (--out) or at least "
                    f"{start} steps (--steps)"
                )
        if start > record["timesteps"]:
            _write_curve(agent, folder)
            write_text(folder / _RECORD, json_text({**record, "timesteps": start}) + "\n")
        if agent.timesteps or start >= total_timesteps:
            return agent, start, record["sessions"]
    agent = agent_class.create(
        training.env_id,
        env_kwargs=training.env_kwargs,
        seed=training.seed,
        configuration=training.configuration,
    )
    return agent, 0, []


def _check_same(training: Training, record: Mapping[str, Any], folder: Path) -> None:
    """Raise ValueError if a folder's record is of another training."""
    for key, value in training.to_dict().items():
        if record["training"].get(key) != value:
            raise ValueError(
                f"{folder} holds another training: its {key} is "
                f"{record['training'].get(key)!r}, not {value!r}; give another folder (--out)"
            )


def read_record(folder: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return what ``training.json`` of a folder says; None if there is none.

    Raises:
        ValueError: If the file is damaged.
    """
    path = Path(folder) / _RECORD
    try:
        record = read_object(path, _RECORD_KEYS)
        training, timesteps, sessions = (record[key] for key in _RECORD_KEYS)
        if not isinstance(training, dict):
            raise ValueError(f"training must be an object, got {training!r}")
        require_integer("timesteps", timesteps, 0)
        if not (
            isinstance(sessions, list)
            and sessions
            and all(isinstance(one, dict) for one in sessions)
        ):
            raise ValueError("sessions must be a list of objects")
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is no record of a training: {error}") from None
    return record


def saved_timesteps(training: Training, folder: str | os.PathLike[str]) -> int:
    """Return how many environment steps of a training are saved in a folder; 0 if none are."""
    record = read_record(folder)
    if record is None or record["training"] != training.to_dict():
        return 0
    return int(record["timesteps"]) if (Path(folder) / CARD).exists() else 0


def read_curve(folder: str | os.PathLike[str]) -> tuple[tuple[int, float], ...]:
    """Return the learning curve of a training: steps and mean returns; empty if there is none.

    Raises:
        ValueError: If the file is damaged.
    """
    return tuple((steps, value) for steps, value, *_ in _curve_rows(folder))


def read_losses(folder: str | os.PathLike[str]) -> tuple[LossPoint, ...]:
    """Return steps, mean policy and value loss where a training noted a loss; else empty.

    Raises:
        ValueError: If the file of the learning curve is damaged.
    """
    return tuple(
        (steps, policy, value)
        for steps, _, policy, value in _curve_rows(folder)
        if policy is not None or value is not None
    )


def _curve_rows(
    folder: str | os.PathLike[str],
) -> list[tuple[int, float, float | None, float | None]]:
    """Return steps, mean return and losses; files of older trainings have no losses."""
    path = Path(folder) / _CURVE
    if not path.exists():
        return []
    try:
        return [
            (
                int(row["timesteps"]),
                float(row["mean_return"]),
                _loss(row, "policy_loss"),
                _loss(row, "value_loss"),
            )
            for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no learning curve: {error}") from None


def _loss(row: Mapping[str, str], name: str) -> float | None:
    return float(row[name]) if row.get(name) else None


def write_evaluation(folder: str | os.PathLike[str], evaluation: Mapping[str, Any]) -> None:
    """Add how the trained agent was evaluated to ``training.json``.

    Args:
        folder: Folder of a training.
        evaluation: JSON-able values.

    Raises:
        ValueError: If no training is recorded there.
        BlockingIOError: If another process trains in the folder.
    """
    with lock_folder(folder):
        record = read_record(folder)
        if record is None:
            raise ValueError(f"{folder} holds no {_RECORD} to add an evaluation to")
        record["evaluation"] = dict(evaluation)
        write_text(Path(folder) / _RECORD, json_text(record) + "\n")


def _write_curve(agent: Agent, folder: Path) -> None:
    """Write the learning curve as CSV, if the agent notes one."""
    if agent.learning_curve:
        losses = {timesteps: pair for timesteps, *pair in agent.learning_losses}
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(_CURVE_COLUMNS)
        for timesteps, mean_return in agent.learning_curve:
            writer.writerow((timesteps, mean_return, *losses.get(timesteps, (None, None))))
        write_text(folder / _CURVE, lines.getvalue())
