"""From somebody's training history to an individual, with intervals and today's state.

``profile_from`` makes a ``Profile`` of a ``History``; ``read_profile`` reads one that was written.
Method and evidence: ``docs/profile.md``.
"""

from fitgym.profile.make import profile_from
from fitgym.profile.plans import PushedPlans
from fitgym.profile.prior import Given
from fitgym.profile.profile import Profile, ProfileEstimate, TodaysState, read_profile

__all__ = [
    "Given",
    "Profile",
    "ProfileEstimate",
    "PushedPlans",
    "TodaysState",
    "profile_from",
    "read_profile",
]
