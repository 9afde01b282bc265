"""Certain adherence: every plan is done exactly, and nothing else is."""

from __future__ import annotations

from typing import ClassVar

from fitgym.adherence.base import CERTAIN, Adherence

__all__ = ["Certain"]


class Certain(Adherence):
    """The person does what the plan says, ``x_t = a_t``; without a plan, nothing."""

    code: ClassVar[int] = CERTAIN
