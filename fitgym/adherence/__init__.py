"""Adherence: what an individual really does when a plan is pushed."""

from fitgym.adherence.base import Adherence
from fitgym.adherence.custom import CustomAdherence, Response, Situation
from fitgym.adherence.models import adherence_class, make_adherence

__all__ = [
    "Adherence",
    "CustomAdherence",
    "Response",
    "Situation",
    "adherence_class",
    "make_adherence",
]
