"""Results on disk: one folder per finished run, found again by the run's key."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import atomic_path, write_text
from fitgym_agents.evaluation import Evaluation
from fitgym_benchmarks.runs import CurvePoint, Result, Run

__all__ = ["ResultStore"]

_RESULT = "result.json"
_EVALUATION = "evaluation.npz"


class ResultStore:
    """A folder with one sub-folder per run, named by the run's key.

    A run's folder holds ``agent/`` (the trained agent), ``evaluation.npz`` (every day of every
    season) and ``result.json``, which is written last and atomically: where it is, the run has
    finished. What a killed run left behind is removed at the next attempt.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Use ``folder``, which is made when first needed."""
        self.folder = Path(folder)

    def agent_folder(self, run: Run) -> Path:
        """Return where the trained agent of ``run`` is kept."""
        return self.folder / run.key / "agent"

    def discard(self, run: Run) -> None:
        """Remove whatever there is of ``run``."""
        if (self.folder / run.key).exists():
            shutil.rmtree(self.folder / run.key)

    def put(self, result: Result) -> None:
        """Write a result."""
        folder = self.folder / result.run.key
        evaluation = {
            field.name: getattr(result.evaluation, field.name) for field in fields(Evaluation)
        }
        with atomic_path(folder / _EVALUATION) as temporary:
            np.savez_compressed(temporary, **evaluation)
        content = {
            "run": asdict(result.run),
            "curve": [asdict(point) for point in result.curve],
            "training_seconds": result.training_seconds,
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
            with np.load(folder / _EVALUATION, allow_pickle=False) as arrays:
                evaluation = Evaluation(**{name: _plain(arrays[name]) for name in arrays})
            return Result(
                run=run,
                evaluation=evaluation,
                curve=tuple(CurvePoint(**point) for point in content["curve"]),
                training_seconds=content["training_seconds"],
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


def _plain(array: NDArray[Any]) -> Any:
    """Return numbers and strings, which ``numpy.savez`` keeps as arrays, as what they were."""
    return array if array.ndim else array.item()
