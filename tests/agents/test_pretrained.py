"""Agents that ship still earn what is published of them."""

from __future__ import annotations

import pytest

from fitgym.cli.main import main
from fitgym.planning.people_references import EPISODES, people_references, split_of
from fitgym_agents.evaluation import Evaluation, evaluate
from fitgym_agents.people import evaluate_people
from fitgym_agents.pretrained import load_pretrained, pretrained_agents, provenance_of

STAGES = ("Acquisition", "Retention")
SHIPPED = tuple(pretrained_agents())
FOR_EVERYONE = tuple(pair for pair in SHIPPED if pair[0].endswith("-population"))
NAMES = sorted({name for name, _ in SHIPPED if not name.endswith("-population")})


def evaluated_again(name: str, env_id: str) -> Evaluation:
    """Return the evaluation that the agent's provenance tells of, done now."""
    published = provenance_of(name, env_id)
    return evaluate(
        load_pretrained(name, env_id),
        env_id,
        episodes=published.episodes,
        seed=published.evaluation_seed,
        env_kwargs=published.evaluation_kwargs,
    )


def test_every_algorithm_ships_for_both_stages() -> None:
    assert NAMES == ["a2c", "a3c", "acktr", "dqn", "drqn", "gail", "ppo", "recurrent-ppo"]
    stages = [f"fitgym/{stage}-v{version}" for stage in STAGES for version in (0, 1)]
    assert set(SHIPPED) - {*FOR_EVERYONE} == {(name, stage) for name in NAMES for stage in stages}


def test_policies_for_everyone_ship_for_both_stages_of_version_1() -> None:
    names = ["a3c-population", "drqn-population", "ppo-population", "recurrent-ppo-population"]
    stages = [f"fitgym/{stage}-v1" for stage in STAGES]
    assert {*FOR_EVERYONE} == {(name, stage) for name in names for stage in stages}


@pytest.mark.parametrize(("name", "env_id"), [("a3c-population", "fitgym/Retention-v1")])
def test_a_policy_for_everyone_earns_what_is_published(name: str, env_id: str) -> None:
    published = provenance_of(name, env_id)
    assert published.evaluation_kwargs["individual"] == "population:validation"
    evaluation = evaluated_again(name, env_id)
    assert published.mean_return.low <= evaluation.mean <= published.mean_return.high
    assert " people " in published.command


@pytest.mark.parametrize("env_id", [f"fitgym/{stage}-v1" for stage in STAGES])
def test_the_policy_for_everyone_serves_unseen_people(env_id: str) -> None:
    """Twenty test people: most of the way to each one's own program, and nobody harmed."""
    references = people_references(env_id)[:20]
    people = [split_of(env_id, "test").person(one.number) for one in references]
    agent = load_pretrained("a3c-population", env_id)
    shares = evaluate_people(agent, env_id, people, episodes=EPISODES).shares(references)
    assert shares.mean() > 0.75
    assert shares.min() > 0.0


@pytest.mark.parametrize("name", NAMES)
def test_an_agent_earns_what_is_published(name: str) -> None:
    # One stage and version each, in turns: the others are made the same way.
    number = NAMES.index(name)
    env_id = f"fitgym/{STAGES[number % 2]}-v{number // 2 % 2}"
    published = provenance_of(name, env_id)
    evaluation = evaluated_again(name, env_id)
    assert published.mean_return.low <= evaluation.mean <= published.mean_return.high
    assert published.steps > 0
    assert " algorithms " in published.command


def test_the_command_line_takes_them(capsys: pytest.CaptureFixture[str]) -> None:
    env_id = "fitgym/Retention-v0"
    words = ["evaluate", "pretrained:a3c", env_id, "--against", "fixed,plan=2"]
    assert main([*words, "--episodes", "100"]) == 0
    shown = capsys.readouterr().out
    assert f"{provenance_of('a3c', env_id).mean_return.mean:,.1f}" in shown
    assert main(["list"]) == 0
    assert "pretrained:a3c" in capsys.readouterr().out


def test_what_does_not_ship_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="name must be one of 'a2c'"):
        load_pretrained("coach", "fitgym/Acquisition-v0")
    assert main(["evaluate", "pretrained:a3c", "fitgym/AcquisitionReplay-v0"]) == 2
    assert "env_id must be one of 'fitgym/Acquisition-v0'" in capsys.readouterr().err
