"""The default environments reward planning: paired over 1,000 seasons on common random numbers."""

import pytest

from fitgym_agents.evaluation import evaluate, paired_difference
from fitgym_agents.references.simple import CoachRule, FixedPlan, Myopic, RandomPlan

SEASONS = 1000


@pytest.fixture(scope="module", params=["fitgym/Acquisition-v0", "fitgym/Retention-v0"])
def scores(request):
    agents = [*(FixedPlan(plan) for plan in range(11)), RandomPlan(), Myopic(), CoachRule()]
    return {agent.name: evaluate(agent, request.param, episodes=SEASONS) for agent in agents}


def test_no_service_random_and_myopic_are_below_the_best_fixed_plan(scores):
    fixed = (scores[f"fixed plan {plan}"] for plan in range(1, 11))
    best = max(fixed, key=lambda evaluation: evaluation.returns.mean())
    for name in ("no service", "random", "myopic"):
        assert paired_difference(best, scores[name]).low > 0.0


def test_the_coach_is_above_every_fixed_plan(scores):
    for plan in range(1, 11):
        assert paired_difference(scores["coach"], scores[f"fixed plan {plan}"]).low > 0.0
