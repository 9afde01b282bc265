"""Check that a dataclass read from a file holds what its annotations say."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from fitgym.common.validation import require_number

# No quantity of a person is larger; sums and texts of what is do not overflow.
_LARGEST = 1e12


def check_fields(record: Any, where: str = "") -> None:
    """Check every field of a dataclass, and of the dataclasses in it, against its annotation.

    Args:
        record: The dataclass. Annotations may be numbers, strings, booleans, None, dataclasses,
            tuples, mappings with keys of strings, unions of them, and ``Any``.
        where: What the record is called in messages, as ``"state"``.

    Raises:
        TypeError: If a value has another type.
        ValueError: If a number is not finite, or larger than 1e12.
    """
    hints = get_type_hints(type(record))
    for one in fields(record):
        name = f"{where}.{one.name}" if where else one.name
        _check(getattr(record, one.name), hints[one.name], name)


def _check(value: Any, hint: Any, name: str) -> None:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return
    if origin in (Union, types.UnionType):
        # None or one other type.
        (other,) = (one for one in inner if one is not type(None))
        if value is not None:
            _check(value, other, name)
    elif origin is tuple:
        if not isinstance(value, tuple):
            raise TypeError(f"{name} must be a list, got {value!r:.80}")
        if inner[-1] is not Ellipsis and len(value) != len(inner):
            raise ValueError(f"{name} must have {len(inner)} parts, got {value!r:.80}")
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        for number, (part, kind) in enumerate(zip(value, kinds, strict=True)):
            _check(part, kind, f"{name}[{number}]")
    elif origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise TypeError(f"{name} must be a mapping, got {value!r:.80}")
        for key, part in value.items():
            _check(part, inner[1], f"{name}[{key!r}]")
    elif hint is float:
        require_number(name, value, -_LARGEST, _LARGEST)
    elif is_dataclass(hint):
        if not isinstance(value, hint):  # type: ignore[arg-type]
            raise TypeError(f"{name} must be a mapping, got {value!r:.80}")
        check_fields(value, name)
    elif not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise TypeError(f"{name} must be {_WORDS.get(hint, hint.__name__)}, got {value!r:.80}")


_WORDS = {int: "a whole number", str: "a string", bool: "true or false"}
