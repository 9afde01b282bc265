"""Individuals: parameters of both stages, physiology, motivation, habit and plan grid.

An individual is named (``"marathon-runner"``), read from a JSON file, or built in Python; every
form goes through the same checks. The papers' symbols stand beside the names. The ranges are ours:
wide around what is known of people, and such that every quantity computed from them is finite.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Self

from fitgym.common.files import write_text
from fitgym.common.json_files import parse_json, read_json
from fitgym.common.validation import require_choice, require_integer, require_name, require_number

# Fang et al. 2022: ten plans, the first ten edges of the histogram of the runner's intensities.
DEFAULT_PLANS_TRIMP = (1.8, 7.0, 12.2, 17.4, 22.6, 27.8, 33.0, 38.2, 43.4, 48.6)


# Ours: a week of easy running without sleep has 2,016 points.
_LARGEST_SESSION_TRIMP = 2000.0
_LARGEST_PLAN_TRIMP = 1000.0
_SMALLEST_PLAN_TRIMP = 0.1


class _Record:
    """Base of the records below: made from, and turned into, mappings that JSON can hold."""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], where: str = "") -> Self:
        """Build the record from ``content``; unknown and missing keys are errors.

        Args:
            content: Field names and values.
            where: How to call the record in messages.

        Raises:
            TypeError: If ``content`` is no mapping.
            ValueError: If a key is unknown or missing, or a value out of range.
        """
        label = where or cls.__name__
        if not isinstance(content, Mapping):
            raise TypeError(f"{label} must be a mapping of field names, got {content!r}")
        allowed = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(map(str, set(content) - allowed))
        if unknown:
            raise ValueError(
                f"{label} has unknown keys {unknown}; allowed are {', '.join(sorted(allowed))}"
            )
        try:
            return cls(**content)
        except TypeError as error:
            if "required" in str(error):
                missing = str(error).partition("argument")[2].lstrip("s: ")
                raise ValueError(f"{label} lacks the keys {missing}") from None
            raise

    def to_dict(self) -> dict[str, Any]:
        """Return the record as nested plain mappings, lists, numbers and strings."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True, kw_only=True)
class StageParameters(_Record):
    """Fitness-fatigue parameters ``theta`` of one stage, and its initial state (Fang et al. 2022).

    Attributes:
        fitness_decay: ``alpha`` in [0.0001, 10], decay rate of fitness per session.
        fatigue_decay: ``beta`` in [0.0001, 10], decay rate of fatigue per session.
        fitness_exponent: ``gamma_F`` in [0.01, 1], the concave response of fitness.
        fatigue_exponent: ``gamma_G`` in [1, 5], the convex response of fatigue.
        base_decay: ``delta`` in [0.01, 1], what is left of the base level after a session.
        fitness_utility: ``k_F`` in [1e-6, 1000], VDOT per unit of fitness.
        fatigue_utility: ``k_G`` in [0, 1000], VDOT per unit of fatigue; 0 where a log shows none.
        base_scaling: ``sigma`` in [0, 1]; 0 is the paper's reading.
        baseline_performance: ``p_0`` in [0, 100], VDOT without training.
        initial_base_level: ``B_0`` in [1, 2000], points.
        initial_fitness: ``F_0`` in [0, 1e9].
        initial_fatigue: ``G_0`` in [0, 1e9].
    """

    fitness_decay: float
    fatigue_decay: float
    fitness_exponent: float
    fatigue_exponent: float
    base_decay: float
    fitness_utility: float
    fatigue_utility: float
    base_scaling: float
    baseline_performance: float
    initial_base_level: float
    initial_fitness: float
    initial_fatigue: float

    def __post_init__(self) -> None:
        """Check every parameter against its range."""
        require_number("fitness_decay", self.fitness_decay, 1e-4, 10)
        require_number("fatigue_decay", self.fatigue_decay, 1e-4, 10)
        require_number("fitness_exponent", self.fitness_exponent, 0.01, 1)
        require_number("fatigue_exponent", self.fatigue_exponent, 1, 5)
        require_number("base_decay", self.base_decay, 0.01, 1)
        require_number("fitness_utility", self.fitness_utility, 1e-6, 1000)
        require_number("fatigue_utility", self.fatigue_utility, 0, 1000)
        require_number("base_scaling", self.base_scaling, 0, 1)
        require_number("baseline_performance", self.baseline_performance, 0, 100)
        require_number("initial_base_level", self.initial_base_level, 1, _LARGEST_SESSION_TRIMP)
        require_number("initial_fitness", self.initial_fitness, 0, 1e9)
        require_number("initial_fatigue", self.initial_fatigue, 0, 1e9)


@dataclass(frozen=True, kw_only=True)
class Physiology(_Record):
    """Running performance, heart rates and gender of a person.

    Attributes:
        vdot: Running performance in VDOT (Daniels), in [15, 90]; sets the paces of the plans.
        resting_heart_rate: bpm, in [30, 110].
        maximum_heart_rate: bpm, in [120, 230], above the resting one.
        gender: ``"male"``, ``"female"`` or ``"unknown"``.
        heart_rate_offset: By how much the heart lastingly beats faster in exercise than is usual
            for these attributes, bpm, in [-40, 40]; version 0 of the environments ignores it.
    """

    vdot: float
    resting_heart_rate: float = 55.0
    maximum_heart_rate: float = 185.0
    gender: str = "unknown"
    heart_rate_offset: float = 0.0

    def __post_init__(self) -> None:
        """Check every parameter against its range."""
        require_number("vdot", self.vdot, 15, 90)
        require_number("resting_heart_rate", self.resting_heart_rate, 30, 110)
        require_number("maximum_heart_rate", self.maximum_heart_rate, 120, 230)
        require_choice("gender", self.gender, ("male", "female", "unknown"))
        require_number("heart_rate_offset", self.heart_rate_offset, -40, 40)


@dataclass(frozen=True, kw_only=True)
class Motivation(_Record):
    """Tolerance of strain, and how completed and missed plans change motivation (ours).

    After the goal-setting and self-efficacy models of Aswani et al. 2019 and Zhou et al. 2018.

    Attributes:
        reference_plan: The plan, counted from 1, that fixes the tolerance ``C_0``.
        reference_completion: Probability in [0.001, 0.999] that it is completed the day after it
            was completed, at the initial base level, without fatigue and with ``m = 0``.
        base_level_effect: ``zeta`` in [0, 10], by which tolerance grows with ``ln(B / B_0)``.
        fatigue_effect: ``kappa`` in [0, 100], by which it falls with fatigue relative to fitness.
        tolerance_sd: ``s_C`` in [1e-6, 10], daily standard deviation of log tolerance.
        persistence: ``phi`` in [0, 0.999], what is left of motivation a day later.
        success_effect: ``e_c`` in [0, 10], gain after a completed plan.
        failure_effect: ``e_f`` in [0, 10], loss after a plan not done at all.
        motivation_sd: ``s_m`` in [0, 10], daily standard deviation of motivation.
        initial_motivation_sd: Standard deviation of ``m_0``, in [0, 10].
    """

    reference_plan: int = 5
    reference_completion: float = 0.55
    base_level_effect: float = 0.5
    fatigue_effect: float = 4.0
    tolerance_sd: float = 0.30
    persistence: float = 0.95
    success_effect: float = 0.03
    failure_effect: float = 0.15
    motivation_sd: float = 0.08
    initial_motivation_sd: float = 0.2

    def __post_init__(self) -> None:
        """Check every parameter against its range."""
        require_integer("reference_plan", self.reference_plan, 1, 10)
        require_number("reference_completion", self.reference_completion, 0.001, 0.999)
        require_number("base_level_effect", self.base_level_effect, 0, 10)
        require_number("fatigue_effect", self.fatigue_effect, 0, 100)
        require_number("tolerance_sd", self.tolerance_sd, 1e-6, 10)
        require_number("persistence", self.persistence, 0, 0.999)
        require_number("success_effect", self.success_effect, 0, 10)
        require_number("failure_effect", self.failure_effect, 0, 10)
        require_number("motivation_sd", self.motivation_sd, 0, 10)
        require_number("initial_motivation_sd", self.initial_motivation_sd, 0, 10)


@dataclass(frozen=True, kw_only=True)
class Habit(_Record):
    """Training on days without a plan: how likely and how hard (ours).

    Attributes:
        probability: ``q`` in [0.001, 0.999], of training by habit when motivation is zero.
        median_trimp: Median of the lognormal intensity of a habit session, in [0.1, 2000] points.
        log_sd: Standard deviation of its logarithm, in [0, 5].
        maximum_trimp: Largest habit session, in [0.1, 2000] points; larger draws become this one.
    """

    probability: float = 0.45
    median_trimp: float = 18.0
    log_sd: float = 0.6
    maximum_trimp: float = 60.0

    def __post_init__(self) -> None:
        """Check every parameter against its range."""
        largest = _LARGEST_SESSION_TRIMP
        require_number("probability", self.probability, 0.001, 0.999)
        require_number("median_trimp", self.median_trimp, _SMALLEST_PLAN_TRIMP, largest)
        require_number("log_sd", self.log_sd, 0, 5)
        require_number("maximum_trimp", self.maximum_trimp, _SMALLEST_PLAN_TRIMP, largest)


@dataclass(frozen=True, kw_only=True)
class Individual(_Record):
    """A person as an environment takes one: parameters, physiology, habits, plans and log.

    Attributes:
        name: How the person is called, for example ``"marathon-runner"``: 1 to 64 letters of the
            English alphabet, digits, dots, underscores, blanks and hyphens, neither a dot nor a
            blank first, since files and folders are named after people.
        source: Where the values come from.
        acquisition: Parameters of the acquisition stage.
        retention: Parameters of the retention stage.
        physiology: Heart rate, VDOT and gender.
        motivation: Tolerance and motivation.
        habit: Behaviour on a day without a plan.
        plans_trimp: Targets of the ten plans, points, strictly rising, in [0.1, 1000].
        sessions_trimp: The person's own log in time order, points in [0, 2000], 0 for a session
            without a time; empty when there is none. It is what replay adherence replays, and its
            positive values are the habit sessions where present.
    """

    name: str
    source: str
    acquisition: StageParameters
    retention: StageParameters
    physiology: Physiology
    motivation: Motivation = Motivation()
    habit: Habit = Habit()
    plans_trimp: tuple[float, ...] = DEFAULT_PLANS_TRIMP
    sessions_trimp: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Turn lists and mappings, as JSON gives them, into records, and check them all."""
        # Files and folders are named after people.
        require_name("name", self.name)
        if not isinstance(self.source, str):
            raise TypeError(f"source must be a string, got {self.source!r}")
        for field, record in _PARTS.items():
            value = getattr(self, field)
            if not isinstance(value, record):
                object.__setattr__(self, field, record.from_dict(value, where=field))
        ranges = {
            "plans_trimp": (_SMALLEST_PLAN_TRIMP, _LARGEST_PLAN_TRIMP),
            "sessions_trimp": (0.0, _LARGEST_SESSION_TRIMP),
        }
        for field, (low, high) in ranges.items():
            value = getattr(self, field)
            if isinstance(value, str) or not hasattr(value, "__iter__"):
                raise TypeError(f"{field} must be a sequence of numbers, got {value!r}")
            numbers = (
                require_number(f"{field}[{i}]", item, low, high) for i, item in enumerate(value)
            )
            object.__setattr__(self, field, tuple(numbers))
        if len(self.plans_trimp) != 10:
            raise ValueError(f"plans_trimp must hold 10 targets, got {len(self.plans_trimp)}")
        if not all(before < after for before, after in pairwise(self.plans_trimp)):
            raise ValueError(f"plans_trimp must rise strictly, got {self.plans_trimp}")
        if self.physiology.maximum_heart_rate - self.physiology.resting_heart_rate < 40:
            raise ValueError(
                "maximum_heart_rate must exceed resting_heart_rate by at least 40 bpm, got "
                f"{self.physiology.maximum_heart_rate:g} and "
                f"{self.physiology.resting_heart_rate:g}"
            )

    def stage(self, stage: str) -> StageParameters:
        """Return the parameters of ``"acquisition"`` or ``"retention"``."""
        require_choice("stage", stage, ("acquisition", "retention"))
        return self.retention if stage == "retention" else self.acquisition

    def to_file(self, path: str | os.PathLike[str]) -> None:
        """Write the individual to a JSON file, atomically."""
        write_text(path, json.dumps(self.to_dict(), indent=2) + "\n")


_PARTS: dict[str, type[_Record]] = {
    "acquisition": StageParameters,
    "retention": StageParameters,
    "physiology": Physiology,
    "motivation": Motivation,
    "habit": Habit,
}


def nearest_name(text: str) -> str:
    """Return the name of an individual that is closest to ``text``.

    Args:
        text: Any text, for example the name of a log's file; characters that a name may not have
            become hyphens.
    """
    name = re.sub(r"[^A-Za-z0-9._ -]", "-", text)[:64]
    return name if name and name[0] not in ". " else f"log{name[:61]}"


def shipped_individuals() -> tuple[str, ...]:
    """Return the names of the individuals that come with the package."""
    folder = resources.files("fitgym") / "data" / "individuals"
    return tuple(
        sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name[-5:] == ".json")
    )


@cache
def _shipped(name: str) -> Individual:
    path = resources.files("fitgym") / "data" / "individuals" / f"{name}.json"
    return Individual.from_dict(parse_json(path.read_bytes(), f"{name}.json"), where=name)


def load_individual(
    individual: str | os.PathLike[str] | Mapping[str, Any] | Individual,
) -> Individual:
    """Return the individual that ``individual`` names.

    Args:
        individual: The name of a shipped individual, the path of a JSON file (ending in
            ``.json``), a mapping of the same content, or an ``Individual`` itself. Of a profile,
            as ``fitgym profile`` writes it, the individual is taken.

    Raises:
        ValueError: If no such individual ships or the content is malformed.
        FileNotFoundError: If the file does not exist.
    """
    if isinstance(individual, Individual):
        return individual
    if isinstance(individual, Mapping):
        return Individual.from_dict(_without_profile(individual), where="individual")
    if not isinstance(individual, str | os.PathLike):
        raise TypeError(
            "individual must be a name, a .json path, a mapping or an Individual, got "
            f"{individual!r}"
        )
    name = os.fspath(individual)
    if name.endswith(".json"):
        return Individual.from_dict(_without_profile(read_json(name)), where=name)
    if name not in shipped_individuals():
        raise ValueError(
            f"individual must be one of {', '.join(map(repr, shipped_individuals()))} or a path "
            f"ending in .json, got {name!r}"
        )
    return _shipped(name)


def _without_profile(content: Any) -> Any:
    """Return the individual of a profile, anything else as it is."""
    if isinstance(content, Mapping) and isinstance(content.get("individual"), Mapping):
        return content["individual"]
    return content
