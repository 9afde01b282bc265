"""``fitgym coach`` from end to end, and what it refuses."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym.coach import policies
from fitgym.profile import Profile

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def person(profile: Profile, tmp_path: Path) -> Path:
    path = tmp_path / "me.json"
    profile.to_file(path)
    return path


def log(folder: Path, rows: str) -> Path:
    path = folder / "log.csv"
    path.write_text("Date,Distance (km),Time\n" + rows)
    return path


def test_a_week_of_the_loop(
    person: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fitgym.common.cache.cache_folders", lambda: iter([tmp_path / "cache"]))
    pytest.importorskip("fit_tool")
    pytest.importorskip("icalendar")
    words = ["coach", str(person), "--today", "2026-03-02", "--acwr", "1.5", "--hard-gap", "1"]
    files = [tmp_path / name for name in ("p.html", "p.ics", "p.fit")]
    outputs = [
        word
        for option, path in zip(("--page", "--calendar", "--workout"), files, strict=True)
        for word in (option, str(path))
    ]
    assert main([*words, *outputs]) == 0
    text, error = capsys.readouterr()
    assert text.count("not medical advice") == 1
    assert "planning the season" in error
    assert json.loads((tmp_path / "me.coach.json").read_text())["published"]
    assert "me.coach.json" in text
    assert all(path.stat().st_size > 200 for path in files)
    history = log(tmp_path, "2026-03-02,5.1,0:31:00\n2026-03-03,8.0,0:48:10\n")
    words[3] = "2026-03-04"
    assert main([*words, "--history", str(history), "--json"]) == 0
    written = capsys.readouterr()
    assert "planning the season" not in written.out
    content = json.loads(written.out)
    assert content["date"] == "2026-03-04"
    assert [row["date"] for row in content["done"]] == ["2026-03-02", "2026-03-03"]
    assert len(content["candidates"]) == 11
    assert len(content["outlook"]) == 28
    diary = (tmp_path / "me.coach.json").read_bytes()
    assert main([*words, "--history", str(history)]) == 0
    assert (tmp_path / "me.coach.json").read_bytes() == diary


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--goal", "weight"], "goal must be"),
        (["--goal", "performance@2026-03-01"], "is not after"),
        (["--free", "someday"], "'someday'"),
        (["--busy", "soon"], "'soon'"),
        (["--injured", "2026-03-09..soon"], "'2026-03-09..soon'"),
        (["--acwr", "0.4"], "acwr"),
        (["--longest", "4"], "the shortest lasts"),
        (["--hard-gap", "-1"], "hard_gap"),
        (["--days", "0"], "days must be"),
        (["--at", "18:00"], "belong together"),
        (["--at", "18:00", "--zone", "Nowhere"], "zone must be"),
        (["--policy", "a3c"], "--agent FOLDER"),
        (["--today", "2026-01-01"], "the profile is of"),
    ],
)
def test_what_cannot_be_is_refused(
    person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    words = ["coach", str(person), "--today", "2026-03-02", *more]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert not (tmp_path / "me.coach.json").exists()


def test_limits_hold_unless_they_are_lifted(
    person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A race in a fortnight asks for nothing that is hardly ever completed, and says so."""
    words = ["coach", str(person), "--today", "2026-03-02", "--goal", "performance@2026-03-16"]
    lifted = ["--hard-gap", "0", "--acwr", "none", "--least-chance", "0"]
    plans = []
    for number, more in enumerate(([], lifted)):
        diary = ["--diary", str(tmp_path / f"{number}.json"), "--json"]
        assert main([*words, *more, *diary]) == 0
        content = json.loads(capsys.readouterr().out)
        plans.append([day for day in content["outlook"] if day["plan"]])
        assert (content["constraints"]["acwr"] is None) == bool(more)
    usual, free = plans
    assert usual
    assert all(day["chance"] >= 0.5 and day["ratio"] <= 1.3 + 1e-9 for day in usual)
    hard = [date.fromisoformat(day["date"]) for day in usual if day["hard"]]
    assert all((later - day).days > 1 for day, later in pairwise(hard))
    assert any(day["chance"] < 0.5 for day in free)


def test_every_limit_that_was_asked_for_is_said(
    person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["coach", str(person), "--today", "2026-03-02", "--free", "mon,wed,sat"]
    words += ["--busy", "2026-03-04", "--injured", "2026-04-01..2026-04-09", "--longest", "90"]
    assert main([*words, "--diary", str(tmp_path / "diary.json")]) == 0
    shown = capsys.readouterr().out
    (line,) = (line for line in shown.splitlines() if line.startswith("Limits: "))
    assert "; plans on mon, wed, sat alone; none on 2026-03-04; none from 2026-04-01 to " in line
    assert line.endswith("2026-04-09 (injured); sessions of at most 90 minutes.")


def test_an_injury_is_remembered(
    person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["coach", str(person), "--injured", "2026-03-02..2026-03-04", "--json"]
    for day in ("2026-03-02", "2026-03-06"):
        assert main([*words, "--today", day]) == 0
        content = json.loads(capsys.readouterr().out)
    diary = json.loads((tmp_path / "me.coach.json").read_text())
    free = {day: entry["free"] for day, entry in diary["days"].items()}
    assert [day for day in sorted(free) if not free[day]] == [
        "2026-03-02",
        "2026-03-03",
        "2026-03-04",
    ]
    assert free["2026-03-06"]
    assert content["outlook"][0]["free"]


def test_every_policy_answers(
    person: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {}
    for policy in ("belief", "dp", "coach"):
        diary = tmp_path / f"{policy}.json"
        words = ["coach", str(person), "--today", "2026-03-02", "--diary", str(diary), "--json"]
        assert main([*words, "--policy", policy]) == 0
        found[policy] = json.loads(capsys.readouterr().out)
    assert found["coach"]["plan"] == 2
    assert found["belief"]["plan"] == pytest.approx(found["dp"]["plan"], abs=1)


def test_a_saved_agent_is_asked_for_what_is_allowed(
    person: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A small A3C of version 1; it is found as installed packages offer it."""
    pytest.importorskip("torch")
    pytest.importorskip("stable_baselines3")
    from fitgym_agents.coaching import saved_rating
    from fitgym_agents.registry import find_learner

    agent = find_learner("a3c").create("fitgym/Acquisition-v1", seed=0)
    agent.save(tmp_path / "agent")

    class Offered:
        name = "saved"

        @staticmethod
        def load() -> object:
            return saved_rating

    monkeypatch.setattr(policies, "entry_points", lambda group: [Offered()])
    words = ["coach", str(person), "--policy", "a3c", "--agent", str(tmp_path / "agent"), "--json"]
    for day in ("2026-03-02", "2026-03-03"):
        assert main([*words, "--today", day, "--longest", "50"]) == 0
        content = json.loads(capsys.readouterr().out)
        assert content["candidates"][content["plan"]]["minutes"] <= 50.0
    rating = saved_rating(tmp_path / "agent")
    rated = rating(np.zeros((3, 6), dtype=np.float32))
    assert rated.shape == (11,)
    assert rated.sum() == pytest.approx(1.0, abs=1e-3)


def test_an_agent_of_version_0_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from fitgym_agents.coaching import saved_rating

    (tmp_path / "agent.json").write_text('{"configuration": {"env_id": "fitgym/Acquisition-v0"}}')
    with pytest.raises(ValueError, match="fitgym/Acquisition-v0"):
        saved_rating(tmp_path)
