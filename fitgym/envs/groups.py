"""Groups of environments that one compiled call steps together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence import Adherence
from fitgym.adherence.base import Tables
from fitgym.envs.records import PERSON
from fitgym.envs.task import Person


@dataclass(frozen=True, eq=False)
class Group:
    """Environments whose people share plans and log.

    Attributes:
        people: Record array of ``PERSON``: one shared by all, or one for each environment.
        starts: Record array of ``STATE``: where an episode may start.
        targets_trimp: Points that each action asks for, 0 first.
        models: Adherence models: one shared by all, or those whose tables people refer to.
        tables: What the compiled step reads: the models' tables, one after the other.
    """

    people: NDArray[np.void]
    starts: NDArray[np.void]
    targets_trimp: NDArray[np.float64]
    models: tuple[Adherence, ...]
    tables: Tables = field(init=False)

    def __post_init__(self) -> None:
        """Join the tables of the models."""
        object.__setattr__(self, "tables", _joined([model.tables for model in self.models]))

    def __deepcopy__(self, memo: dict[int, Any]) -> Group:
        """Return a group with people of its own; everything else never changes."""
        twin = object.__new__(Group)
        twin.__dict__.update(self.__dict__, people=self.people.copy())
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the models, which know how to find their tables, in place of the tables."""
        return Group, (self.people, self.starts, self.targets_trimp, self.models)

    @classmethod
    def of(cls, person: Person, size: int | None = None) -> Group:
        """Return a group of people like ``person``.

        Args:
            person: Whose plans and log they share.
            size: How many environments there are, with an empty record each; None for people who
                are all alike.
        """
        people = person.record if size is None else np.zeros(size, dtype=PERSON)
        return cls(people, person.starts, np.array(person.targets_trimp), (person.adherence,))

    def with_model(self, model: Adherence) -> tuple[Group, int]:
        """Return the group with the tables of another model, and their number among all tables.

        People with the same ``tables_key`` share tables.
        """
        known = [one.tables_key for one in self.models]
        if model.tables_key in known:
            return self, known.index(model.tables_key)
        return replace(self, models=(*self.models, model)), len(known)


def _joined(tables: list[Tables]) -> Tables:
    """Return the tables as one, without a copy if there is but one."""
    if len(tables) == 1:
        return tables[0]
    joined = {}
    for name in ("loads", "beats", "nodes", "load_slopes"):
        joined[name] = np.concatenate([getattr(one, name) for one in tables])
        # numba compiles anew for arrays that differ in whether they can be written to.
        joined[name].setflags(write=getattr(tables[0], name).flags.writeable)
    return tables[0]._replace(**joined)
