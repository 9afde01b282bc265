"""The person whose heart rate is predicted: named, in a file, or told by attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fitgym.common.json_files import read_object
from fitgym.common.validation import require_choice, require_number
from fitgym.logs.workout import GENDERS
from fitgym.people.individual import Individual, load_individual, shipped_individuals
from fitgym.predictor.attributes import Attributes
from fitgym.predictor.correction import PersonalCorrection, VarianceComponents

# Words for attributes on the command line, and the fields of ``Attributes`` they stand for.
WORDS = {"resting": "resting_bpm", "maximum": "maximum_bpm", "vdot": "vdot", "age": "age"}
# A lasting offset of the heart rate, in bpm.
OFFSET_LIMIT_BPM = 40.0


@dataclass(frozen=True)
class Person:
    """A person as the predictor knows one.

    Attributes:
        name: How the person is called.
        attributes: What is known of the body.
        gender: One of ``fitgym.logs.workout.GENDERS``.
        offset_bpm: By how much the heart lastingly beats faster than its attributes say.
        correction: What the person's own recordings say of the predictor's errors, in the form of
            ``PersonalCorrection.as_dict``; empty without any.
    """

    name: str
    attributes: Attributes
    gender: str = "unknown"
    offset_bpm: float = 0.0
    correction: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Check gender and offset."""
        require_choice("gender", self.gender, GENDERS)
        require_number("offset_bpm", self.offset_bpm, -OFFSET_LIMIT_BPM, OFFSET_LIMIT_BPM)

    def personal_correction(self, components: VarianceComponents) -> PersonalCorrection | None:
        """Return the correction for a predictor with ``components``; None without recordings."""
        if not self.correction:
            return None
        try:
            return PersonalCorrection.from_dict(components, self.correction)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the correction of {self.name!r} is malformed: {error}") from error

    @classmethod
    def of(cls, individual: Individual, correction: Mapping[str, Any] | None = None) -> Person:
        """Return an individual as the predictor knows one."""
        body = individual.physiology
        return cls(
            individual.name,
            Attributes(
                resting_bpm=body.resting_heart_rate,
                maximum_bpm=body.maximum_heart_rate,
                vdot=body.vdot,
            ),
            body.gender,
            body.heart_rate_offset,
            correction,
        )


def read_person(text: str) -> Person:
    """Return the person that ``text`` names.

    Args:
        text: The name of a shipped individual; the path of a JSON file of an individual, or of a
            profile, which holds one under ``individual`` and, where recordings are known, a
            correction under ``heart``; or attributes, for instance
            ``resting=52,maximum=188,vdot=45,age=38,gender=female`` (each may be left out).

    Raises:
        OSError: If the file cannot be read.
        ValueError: If there is no such individual, or a value is malformed or out of range.
    """
    if "=" in text and not text.endswith(".json"):
        return _told(text)
    if not text.endswith(".json"):
        if text not in shipped_individuals():
            raise ValueError(
                f"a person must be one of {', '.join(shipped_individuals())}, a path ending in "
                f".json or attributes as in resting=52,maximum=188,vdot=45, got {text!r}"
            )
        return Person.of(load_individual(text))
    content = read_object(text)
    if "individual" not in content:
        return Person.of(load_individual(content))
    individual = content["individual"]
    if not isinstance(individual, Mapping):
        raise ValueError(f"{text}: individual must be an object, got {individual!r}")
    heart = content.get("heart") or {}
    correction = heart.get("correction") if isinstance(heart, Mapping) else heart
    if correction is not None and not isinstance(correction, Mapping):
        raise ValueError(f"{text}: heart must hold a correction or be null, got {heart!r}")
    return Person.of(load_individual(individual), correction)


def _told(text: str) -> Person:
    """Return a person of whom attributes are told on the command line."""
    values: dict[str, float] = {}
    gender = "unknown"
    for part in text.split(","):
        word, equals, value = (piece.strip() for piece in part.partition("="))
        if word == "gender" and equals:
            gender = require_choice("gender of a person", value, GENDERS)
            continue
        if word not in WORDS or not equals or WORDS[word] in values:
            raise ValueError(
                f"attributes of a person must be {', '.join(WORDS)} or gender, each once and with "
                f"a value, got {part.strip()!r}"
            )
        try:
            values[WORDS[word]] = float(value)
        except ValueError:
            raise ValueError(f"{word} of a person must be a number, got {value!r}") from None
    return Person("you", Attributes(**values), gender)
