"""Results on disk: one folder per finished run, found again by the run's key."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import atomic_path, write_text
from fitgym_agents.evaluation import Evaluation
from fitgym_agents.training import read_curve, read_record
from fitgym_benchmarks.runs import Result, Run

_RESULT = "result.json"
_EVALUATION = "evaluation.npz"
_DRAWN = "drawn.npz"


class ResultStore:
    """A folder with one sub-folder per run, named by the run's key.

    A run's folder holds ``agent/`` (the trained agent with the record of its training, from which
    an interrupted one goes on), ``evaluation.npz`` and, of learners, ``drawn.npz`` (every step of
    every episode with likeliest and with drawn actions) and ``result.json``, which is written last
    and atomically: where it is, the run has finished.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Use ``folder``, which is made when first needed."""
        self.folder = Path(folder)

    def agent_folder(self, run: Run) -> Path:
        """Return where the trained agent of ``run`` is kept."""
        return self.folder / run.key / "agent"

    def put(self, result: Result) -> None:
        """Write a result, all but what its training has written."""
        folder = self.folder / result.run.key
        _write_evaluation(folder / _EVALUATION, result.evaluation)
        if result.drawn is not None:
            _write_evaluation(folder / _DRAWN, result.drawn)
        content = {
            "run": asdict(result.run),
            "finished_at": result.finished_at,
            "machine": result.machine,
            "versions": dict(result.versions),
            "commit": result.commit,
        }
        write_text(folder / _RESULT, json.dumps(content, indent=2) + "\n")

    def get(self, run: Run) -> Result | None:
        """Return the stored result of ``run``, or None if the run has not finished.

        Raises:
            ValueError: If a file is damaged.
        """
        folder = self.folder / run.key
        if not (folder / _RESULT).exists():
            return None
        try:
            content = json.loads((folder / _RESULT).read_text(encoding="utf-8"))
            return Result(
                run=run,
                evaluation=_read_evaluation(folder / _EVALUATION),
                drawn=_read_evaluation(folder / _DRAWN) if run.steps else None,
                training=read_record(self.agent_folder(run)),
                curve=read_curve(self.agent_folder(run)),
                finished_at=content["finished_at"],
                machine=content["machine"],
                versions=content["versions"],
                commit=content["commit"],
            )
        except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"the result in {folder} is damaged ({error}): remove the folder, and the run "
                "will be done again"
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
