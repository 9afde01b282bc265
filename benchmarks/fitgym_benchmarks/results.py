"""Results: doing a run into a folder of its own, and reading back what it left there."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import atomic_path, write_text
from fitgym.common.provenance import commit, machine, versions
from fitgym_agents.agent import LossPoint, Progress
from fitgym_agents.evaluation import Evaluation
from fitgym_agents.files import load_agent
from fitgym_agents.registry import find_agent
from fitgym_agents.summary import Summary, evaluate_modes
from fitgym_agents.training import Training, read_curve, read_losses, read_record, train
from fitgym_benchmarks.runs import Run

# The trained agent with the record of its training, from which an interrupted one goes on.
AGENT = "agent"

_RESULT = "result.json"
_EVALUATION = "evaluation.npz"
_DRAWN = "drawn.npz"


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What a run brought. Episodes stay on disk and are read whenever they are asked for.

    Attributes:
        run: The run.
        folder: Where everything of it lies: ``agent/``, ``evaluation.npz``, of learners
            ``drawn.npz``, and ``result.json``, written last: where it is, the run has finished.
        finished_at: Date and time, UTC, ISO 8601.
        machine: What it was evaluated on.
        versions: Versions of Python and the packages that matter.
        commit: Of the code that did it; None outside a repository.
    """

    run: Run
    folder: Path
    finished_at: str
    machine: str
    versions: Mapping[str, str]
    commit: str | None

    @property
    def evaluation(self) -> Evaluation:
        """The episodes it was evaluated on, with its likeliest actions."""
        with _named(self.folder):
            return _read_evaluation(self.folder / _EVALUATION)

    @property
    def drawn(self) -> Evaluation | None:
        """The same episodes with drawn actions; None for agents that do not learn."""
        if not self.run.steps:
            return None
        with _named(self.folder):
            return _read_evaluation(self.folder / _DRAWN)

    @property
    def agent(self) -> str:
        """The agent's own name."""
        with _named(self.folder), np.load(self.folder / _EVALUATION) as arrays:
            return str(arrays["agent"])

    @property
    def training(self) -> dict[str, Any] | None:
        """The record of the training; None for agents that do not learn."""
        return read_record(self.folder / AGENT)

    @property
    def curve(self) -> tuple[tuple[int, float], ...]:
        """Environment steps and mean return of the episodes that ended since the point before."""
        return read_curve(self.folder / AGENT)

    @property
    def losses(self) -> tuple[LossPoint, ...]:
        """Environment steps, mean policy and value loss where the learner noted them."""
        return read_losses(self.folder / AGENT)

    @property
    def timesteps(self) -> int:
        """Environment steps trained; 0 for agents that do not learn."""
        training = self.training
        return 0 if training is None else int(training["timesteps"])

    @property
    def training_seconds(self) -> float | None:
        """Wall time of training, over all its sessions; None for agents that do not learn."""
        training = self.training
        if training is None:
            return None
        return float(sum(session["seconds"] for session in training["sessions"]))

    @property
    def steps_per_second(self) -> float | None:
        """Environment steps trained per second of wall time; None without a measured time."""
        seconds = self.training_seconds
        return self.timesteps / seconds if seconds else None


def is_finished(folder: Path) -> bool:
    """Return whether the run of a folder has finished."""
    return (folder / _RESULT).exists()


def finished_folders(folder: Path) -> Iterator[Path]:
    """Yield the folders of finished runs in ``folder``."""
    return (path.parent for path in folder.glob(f"*/{_RESULT}"))


def execute(run: Run, folder: Path, progress: Progress) -> Result:
    """Train the agent of ``run`` if it learns, evaluate it, and keep all of it in a folder.

    A training that was interrupted goes on from what was saved in the folder.

    Args:
        run: What to do.
        folder: Where the result is kept; made if missing.
        progress: Called now and then with the steps trained so far.
    """
    arguments: dict[str, Any] = {
        "env_kwargs": dict(run.training_kwargs),
        "configuration": dict(run.configuration),
        "seed": run.seed,
    }
    if run.steps:
        train(
            Training(agent=run.agent, env_id=run.environment, **arguments),
            run.steps,
            folder / AGENT,
            watch=lambda _, timesteps: progress(timesteps),
        )
        # Read anew, so that what is drawn does not depend on what was drawn in training.
        agent = load_agent(folder / AGENT)
    else:
        agent = find_agent(run.agent).create(run.environment, **arguments)
        agent.save(folder / AGENT)
    likeliest, drawn = evaluate_modes(
        agent,
        run.environment,
        episodes=run.episodes,
        seed=run.evaluation_seed,
        env_kwargs=run.evaluation_kwargs,
    )
    _write_evaluation(folder / _EVALUATION, likeliest)
    if drawn is not None:
        _write_evaluation(folder / _DRAWN, drawn)
    content = {
        "run": asdict(run),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "commit": commit(),
    }
    write_text(folder / _RESULT, json.dumps(content, indent=2) + "\n")
    return read_result(folder, run)


def read_result(folder: Path, run: Run | None = None) -> Result:
    """Return the result of the finished run in a folder.

    Args:
        folder: Of the run.
        run: The run; None for what the folder says.

    Raises:
        ValueError: If it is damaged; so do the result's episodes when they are asked for.
    """
    with _named(folder):
        content = json.loads((folder / _RESULT).read_text(encoding="utf-8"))
        return Result(
            run=run or Run(**content["run"]),
            folder=folder,
            finished_at=content["finished_at"],
            machine=content["machine"],
            versions=content["versions"],
            commit=content["commit"],
        )


def summary_of(*results: Result, label: str | None = None) -> Summary:
    """Return what runs amount to that differ in nothing but the seed.

    Args:
        results: One per training seed.
        label: What tables call the agent; None for the agent's own name.
    """
    likeliest = tuple(result.evaluation.outcomes() for result in results)
    drawn = tuple(one.outcomes() for result in results if (one := result.drawn) is not None)
    return Summary(label or likeliest[0].agent, likeliest, drawn)


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Make every error of reading a ValueError that names the folder and the remedy."""
    try:
        yield
    except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"the result in {folder} is damaged ({error}): remove the folder, and the run will be "
            "done again"
        ) from error


def _write_evaluation(path: Path, evaluation: Evaluation) -> None:
    content = {field.name: getattr(evaluation, field.name) for field in fields(Evaluation)}
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **content)


def _read_evaluation(path: Path) -> Evaluation:
    with np.load(path, allow_pickle=False) as arrays:
        return Evaluation(**{name: _plain(arrays[name]) for name in arrays})


def _plain(array: NDArray[Any]) -> Any:
    """Return numbers and strings, which ``numpy.savez`` keeps as arrays, as what they were."""
    return array if array.ndim else array.item()
