"""Questions that the rows of a table leave open, so that all can be asked at once."""

from __future__ import annotations

from collections.abc import Sequence


class Undecided(ValueError):
    """The rows fit several readings, and the person must tell which.

    Attributes:
        orders: Orders of dates between which it is to be decided, () where it is about others.
        header: Names of the table's columns, where the order of its dates is all that is open.
    """

    def __init__(
        self, message: str, orders: Sequence[str] = (), header: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.orders, self.header = tuple(orders), tuple(header)
