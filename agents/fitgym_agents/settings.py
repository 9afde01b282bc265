"""Base class of the learners' settings, and the fields that check themselves.

The settings of an algorithm stand beside it (``fitgym_agents.deep.a3c.settings`` and so on); none
of these modules imports torch or Stable-Baselines3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from fitgym.common.validation import require_choice, require_integer, require_number

# Takes a field's name and value; returns the value to keep, or raises ValueError or TypeError.
Check = Callable[[str, object], object]


def checked(default: Any, check: Check) -> Any:
    """Return a dataclass field whose value ``Configuration`` passes through ``check``.

    Like ``dataclasses.field`` it returns Any, so that the field may be annotated with its type.
    """
    return field(default=default, metadata={"check": check})


def share(default: float) -> Any:
    """Return a field for a number in [0, 1], such as a discount or a probability."""
    return checked(default, lambda name, value: require_number(name, value, 0, 1))


def positive(default: float) -> Any:
    """Return a field for a finite number above 0, such as a learning rate."""
    return checked(default, lambda name, value: require_number(name, value, 0, low_open=True))


def count(default: int, low: int = 1) -> Any:
    """Return a field for a whole number of at least ``low``."""
    return checked(default, lambda name, value: require_integer(name, value, low))


def choice(default: str, choices: Sequence[str]) -> Any:
    """Return a field for one of some names."""
    return checked(default, lambda name, value: require_choice(name, value, choices))


def optional_number(*, low: float) -> Any:
    """Return a field for a finite number of at least ``low``, or None, its default."""
    return checked(
        None, lambda name, value: None if value is None else require_number(name, value, low)
    )


def layer_sizes(default: tuple[int, ...]) -> Any:
    """Return a field for the units of fully connected layers; a list becomes a tuple."""

    def check(name: str, value: object) -> tuple[int, ...]:
        if not isinstance(value, list | tuple):
            raise TypeError(f"{name} must be a list of sizes, got {value!r}")
        return tuple(require_integer(f"{name}[{i}]", size, 1) for i, size in enumerate(value))

    return checked(default, check)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Settings that all learning algorithms share.

    A subclass adds fields. Those made by ``share``, ``positive``, ``count``, ``choice``,
    ``optional_number`` or ``layer_sizes`` check their values, and turn numpy's numbers into
    Python's, which JSON needs. A plain field such as ``warm_up: bool = True`` may have any default
    and is not checked; so may a plain field that replaces an inherited one.

    Attributes:
        environments: Environments stepped at once. The learner's fixed cost per step is shared
            by them.
        learning_rate: Step size of the optimiser at the start; it falls linearly to zero.
        discount: ``gamma`` in [0, 1]. A return is the undiscounted sum of an episode's rewards;
            a discount below 1 keeps out of a state's value most of the later rewards that no plan
            can change, and with them their variance.
        hidden_sizes: Units of the fully connected layers, for policy and value each.
    """

    # Today's names of fields by those that they had in version 0.1, whose agents still load.
    renamed: ClassVar[Mapping[str, str]] = {}

    environments: int = count(64)
    learning_rate: float = positive(1e-3)
    discount: float = share(0.99)
    hidden_sizes: tuple[int, ...] = layer_sizes((64, 64))

    def __post_init__(self) -> None:
        """Check every field that says how."""
        for entry in fields(self):
            check: Check | None = entry.metadata.get("check")
            if check is not None:
                object.__setattr__(self, entry.name, check(entry.name, getattr(self, entry.name)))

    @classmethod
    def from_mapping(cls, changes: Mapping[str, Any]) -> Self:
        """Return the defaults with some of them changed.

        Raises:
            ValueError: If a key is unknown or a value out of range.
            TypeError: If a value has the wrong type.
        """
        changes = {cls.renamed.get(key, key): value for key, value in changes.items()}
        allowed = {entry.name for entry in fields(cls)}
        unknown = sorted(set(changes) - allowed)
        if unknown:
            raise ValueError(
                f"{cls.__name__} has unknown keys {unknown}; allowed are "
                f"{', '.join(sorted(allowed))}"
            )
        return cls(**changes)


def require_settings(name: str, settings: Any, settings_class: type[Any]) -> Any:
    """Return ``settings``, or the defaults if it is None.

    Args:
        name: What to call the agent in messages.
        settings: What its constructor was given.
        settings_class: What it has to be.

    Raises:
        TypeError: If it is something else.
    """
    if settings is None:
        return settings_class()
    if not isinstance(settings, settings_class):
        raise TypeError(
            f"settings of {name} must be a {settings_class.__name__}, got {settings!r} of type "
            f"{type(settings).__name__}"
        )
    return settings


def require_hidden_layers(network: str, hidden_sizes: tuple[int, ...]) -> None:
    """Check that a hybrid network has fully connected layers; without them it is an LSTM.

    Raises:
        ValueError: If it has none.
    """
    if network == "hybrid" and not hidden_sizes:
        raise ValueError("hidden_sizes must not be empty with network='hybrid', got ()")
