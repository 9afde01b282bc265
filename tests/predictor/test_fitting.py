"""Early stopping, on errors that are known beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from fitgym.predictor.fitting import EpochRecord, fit

ERRORS = [5.0, 3.0, 4.0, 3.0, 2.9, 3.5, 3.1, 2.9, 1.0]


def run(
    epochs: int, patience: int, path: Path | None = None, stop_at: int | None = None
) -> tuple[float, list[EpochRecord]]:
    """Return the weight left behind; each epoch sets it to its own number."""
    model = nn.Linear(1, 1)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)

    def run_epoch(epoch: int) -> tuple[float, float]:
        if epoch == stop_at:
            raise KeyboardInterrupt
        with torch.no_grad():
            model.weight.fill_(float(epoch))
        return 0.0, ERRORS[epoch]

    records = fit(
        model, optimiser, run_epoch, epochs=epochs, patience=patience, run="x", checkpoint=path
    )
    assert not model.training
    return model.weight.item(), records


@pytest.mark.parametrize(
    ("epochs", "patience", "best", "last"),
    [(9, 2, 1, 3), (9, 3, 4, 7), (9, 4, 8, 8), (3, 9, 1, 2), (1, 1, 0, 0)],
)
def test_stops_after_epochs_without_a_better_one_and_keeps_the_best(
    epochs: int, patience: int, best: int, last: int
) -> None:
    weight, records = run(epochs, patience)
    assert weight == best
    assert [record.validation for record in records] == ERRORS[: last + 1]


def test_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(9, 3, path, stop_at=6)
    assert run(9, 3, path) == run(9, 3)
