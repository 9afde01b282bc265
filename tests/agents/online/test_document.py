"""The agent that docs/online.md writes works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fitgym_agents.online.bandits import RandomProbabilities
from fitgym_agents.online.cohort import Cohort, run_cohort

PAGE = Path(__file__).parents[3] / "docs" / "online.md"


def test_the_documents_agent_serves_and_learns() -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.S | re.M)
    assert len(block.splitlines()) <= 40
    names: dict[str, Any] = {}
    exec(block, names)
    agent = names["Staircase"]()
    cohort = Cohort(people=60, env_kwargs={"individual": "population"})
    log, random = run_cohort(agent, cohort), run_cohort(RandomProbabilities(), cohort)
    assert agent.level.std() > 0.3
    assert log.returns.mean() > random.returns.mean()
