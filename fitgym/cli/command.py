"""What a sub-command of ``fitgym`` is, and those of this package."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A sub-command, described without importing what it needs.

    Attributes:
        help: One line for ``fitgym --help``.
        module: Import path of a module with ``add_arguments(parser)``, which sets ``run``.
        extra: Extra of the package that the command needs; None if it needs none.
    """

    help: str
    module: str
    extra: str | None = None


COMMANDS = {
    "calibrate": Command("fit the model to a training log", "fitgym.cli.calibrate"),
    "read": Command("show what is read of logs and recordings", "fitgym.cli.read"),
    "profile": Command(
        "make an individual, with intervals and today's state, of a history", "fitgym.cli.profile"
    ),
    "coach": Command("say what to do today and in the weeks to come", "fitgym.cli.coach"),
    "simulate-athlete": Command(
        "write the files of a virtual person's season", "fitgym.cli.simulate_athlete", "watch"
    ),
    "predictor": Command(
        "train, evaluate and use the heart-rate predictor", "fitgym.cli.predictor", "predictor"
    ),
    "recommend": Command(
        "rank workouts and routes by the predicted match of heart rate to a target",
        "fitgym.cli.recommend",
        "predictor",
    ),
    "explain": Command(
        "show what the heart-rate predictor goes by, beside known physiology",
        "fitgym.cli.explain",
        "predictor",
    ),
    "cluster": Command(
        "group people by how their hearts respond to exercise", "fitgym.cli.cluster", "predictor"
    ),
    "solve": Command("find the best plans by dynamic programming", "fitgym.cli.solve"),
    "scores": Command(
        "make, or show, the reference scores of every environment and shipped individual",
        "fitgym.cli.scores",
    ),
}
