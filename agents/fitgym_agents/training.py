"""Training into a folder: saved as it goes, told where it came from, and gone on with."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fitgym.common.files import write_text
from fitgym.common.provenance import commit, machine, versions
from fitgym.common.validation import require_integer
from fitgym_agents.agent import CARD, Agent, find_agent, load_agent

__all__ = ["Training", "find_learner", "read_record", "train", "write_evaluation"]

_RECORD = "training.json"
_CURVE = "learning_curve.csv"

# What a killed process may lose; saving takes some milliseconds.
_SECONDS_BETWEEN_SAVES = 30.0


@dataclass(frozen=True, kw_only=True)
class Training:
    """What is trained where; two trainings that are equal may share a folder.

    Attributes:
        agent: Name or import path of the agent, see ``fitgym_agents.agent.find_agent``.
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
    goes on from there; an agent that does not note its ``timesteps`` starts anew unless it has
    learnt as many. A folder in which nothing was learnt yet may be used for another training.

    Args:
        training: What to train.
        total_timesteps: Environment steps in all, those of earlier sessions included; learners
            that collect in batches finish the last one.
        folder: Made if missing.
        command: The command to note.
        watch: Called at the start and now and then with the agent and the steps learnt so far.

    Raises:
        ValueError: If an argument is out of range, the agent does not learn, or the folder holds
            another training.
        TypeError: If an argument has the wrong type.
        KeyboardInterrupt: When stopped from the keyboard, after saving.
    """
    require_integer("total_timesteps", total_timesteps, 1)
    folder = Path(folder)
    agent_class = find_learner(training.agent)
    agent, start, sessions = _start(training, agent_class, folder, total_timesteps)
    if watch is not None:
        watch(agent, start)
    if start >= total_timesteps:
        return agent

    session: dict[str, Any] = {
        "command": command,
        "from_timesteps": start,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": 0.0,
        "machine": machine(),
        "versions": versions(),
        "commit": commit(),
    }
    started = saved = time.monotonic()

    def save(timesteps: int) -> None:
        nonlocal saved
        agent.save(folder)
        if agent.learning_curve:
            write_text(folder / _CURVE, _as_csv(agent.learning_curve))
        session["seconds"] = round(time.monotonic() - started, 1)
        record = {
            "training": asdict(training),
            "timesteps": timesteps,
            "sessions": [*sessions, session],
        }
        write_text(folder / _RECORD, json.dumps(record, indent=2) + "\n")
        saved = time.monotonic()

    def progress(steps: int) -> None:
        if watch is not None:
            watch(agent, start + steps)
        if time.monotonic() - saved > _SECONDS_BETWEEN_SAVES:
            save(agent.timesteps)

    save(start)
    try:
        agent.learn(total_timesteps - start, progress=progress)
    except KeyboardInterrupt:
        save(agent.timesteps)
        raise
    save(max(total_timesteps, agent.timesteps))
    return agent


def find_learner(name: str) -> type[Agent]:
    """Return the class of agent called ``name``; see ``fitgym_agents.agent.find_agent``.

    Raises:
        ValueError: If there is no such agent, or it does not learn.
        TypeError: If the name leads to something that is no agent.
    """
    agent_class = find_agent(name)
    if not agent_class.learns():
        raise ValueError(f"agent {name!r} does not learn: there is nothing to train")
    return agent_class


def _start(
    training: Training, agent_class: type[Agent], folder: Path, total_timesteps: int
) -> tuple[Agent, int, list[dict[str, Any]]]:
    """Return the agent, the steps it has learnt, and the sessions in which it did."""
    record = read_record(folder)
    if record is None:
        if (folder / CARD).exists():
            raise ValueError(f"{folder} holds an agent that no training is known of")
    else:
        agent = load_agent(folder)
        # The agent is saved before the record, and may be ahead of it.
        start = agent.timesteps or record["timesteps"]
        # Where nothing has been learnt yet, another training may begin.
        wanted = json.loads(json.dumps(asdict(training))) if start else {}
        for key, value in wanted.items():
            if record["training"].get(key) != value:
                raise ValueError(
                    f"{folder} holds another training: its {key} is "
                    f"{record['training'].get(key)!r}, not {value!r}"
                )
        if agent.timesteps or start >= total_timesteps:
            return agent, start, record["sessions"]
    agent = agent_class.create(
        training.env_id,
        env_kwargs=training.env_kwargs,
        seed=training.seed,
        configuration=training.configuration,
    )
    return agent, 0, []


def read_record(folder: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return what ``training.json`` of a folder says; None if there is none.

    Raises:
        ValueError: If the file is damaged.
    """
    path = Path(folder) / _RECORD
    if not path.exists():
        return None
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not {"training", "timesteps", "sessions"} <= record.keys():
            raise ValueError("keys are missing")
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path} is no record of a training: {error}") from None
    return record


def read_curve(folder: str | os.PathLike[str]) -> tuple[tuple[int, float], ...]:
    """Return the learning curve of a training: steps and mean returns; empty if there is none.

    Raises:
        ValueError: If the file is damaged.
    """
    path = Path(folder) / _CURVE
    if not path.exists():
        return ()
    rows = path.read_text(encoding="utf-8").splitlines()[1:]
    try:
        return tuple((int(steps), float(value)) for steps, value in csv.reader(rows))
    except ValueError as error:
        raise ValueError(f"{path} is no learning curve: {error}") from None


def write_evaluation(folder: str | os.PathLike[str], evaluation: Mapping[str, Any]) -> None:
    """Add how the trained agent was evaluated to ``training.json``.

    Args:
        folder: Folder of a training.
        evaluation: JSON-able values.
    """
    record = {**(read_record(folder) or {}), "evaluation": dict(evaluation)}
    write_text(Path(folder) / _RECORD, json.dumps(record, indent=2) + "\n")


def _as_csv(curve: Any) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("timesteps", "mean_return"))
    writer.writerows(curve)
    return lines.getvalue()
