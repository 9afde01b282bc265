"""Day after day: what is remembered, what is refused, and what a kill leaves."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from coached_people import TODAY

from fitgym.coach.constraints import Constraints
from fitgym.coach.diary import Diary, SessionRead, morning_of, read_diary
from fitgym.coach.goals import Goal
from fitgym.coach.loop import Answer, answer, run_day
from fitgym.coach.person import Coached, coached_of
from fitgym.coach.tracking import DayDone, Tracker, replay_days
from fitgym.logs.history import History
from fitgym.logs.training_log import LoggedSession
from fitgym.profile import Profile
from fitgym.profile.course import replay
from fitgym.profile.plans import read_plans

pytestmark = pytest.mark.usefixtures("quick")


def run(day: int, kilometres: float = 8.0, minutes: float = 48.0) -> LoggedSession:
    return LoggedSession(TODAY + timedelta(days=day), 1000.0 * kilometres, minutes)


def history(*sessions: LoggedSession) -> History:
    return History(tuple(sessions))


def test_the_same_file_twice_changes_nothing(profile: Profile, tmp_path: Path) -> None:
    path = tmp_path / "me.coach.json"
    run_day(path, profile, history=None, today=TODAY)
    later = TODAY + timedelta(days=3)
    read = history(run(0), run(2))
    first = run_day(path, profile, history=read, today=later)
    content = path.read_bytes()
    stamp = path.stat().st_mtime_ns
    again = run_day(path, profile, history=read, today=later)
    assert path.read_bytes() == content
    assert path.stat().st_mtime_ns == stamp
    assert again.advice == first.advice
    assert "No session is new." in again.notes


def test_days_in_one_go_or_one_by_one_lead_to_the_same_state(profile: Profile) -> None:
    sessions = [run(0), run(1, 5.0, 31.0), run(4, 10.0, 61.0)]
    diary: Diary | None = None
    for day in range(6):
        done = [one for one in sessions if one.date < TODAY + timedelta(days=day)]
        found = answer(profile, diary, history(*done), TODAY + timedelta(days=day))
        diary = found.diary
    assert diary is not None
    coached = coached_of(profile)
    tracker = Tracker(coached.individual)
    # As if nothing had been read until the last day, with the same plans known.
    entries = {day: replace(entry, sessions=()) for day, entry in diary.days.items()}
    late = answer(
        profile,
        replace(diary, days=entries),
        history(*sessions),
        TODAY + timedelta(days=5),
    )
    assert late.diary.morning == diary.morning
    assert any("is new; the days since are replayed" in note for note in late.notes)
    today = TODAY + timedelta(days=5)
    assert morning_of(diary, coached, tracker, today) == diary.morning


def test_stocks_are_those_of_the_model(coached: Coached) -> None:
    """Without plans the tracker replays points as the profile does."""
    points = [0.0, 20.0, 0.0, 12.0, 31.0]
    tracker = Tracker(coached.individual)
    morning = replay_days(tracker, coached.morning, [DayDone(0.0, one) for one in points])
    course = replay(coached.individual.acquisition, points)
    assert morning.base_level == pytest.approx(course.base_level[-1])
    assert morning.fitness == pytest.approx(course.fitness[-1])
    assert morning.fatigue == pytest.approx(course.fatigue[-1])
    assert morning.date == (TODAY + timedelta(days=5)).isoformat()


def test_plans_met_raise_motivation_and_plans_missed_lower_it(coached: Coached) -> None:
    tracker = Tracker(coached.individual)
    met = replay_days(tracker, coached.morning, [DayDone(7.0, 7.0)] * 10)
    stopped = replay_days(tracker, coached.morning, [DayDone(22.6, 8.0)] * 10)
    skipped = replay_days(tracker, coached.morning, [DayDone(7.0, 0.0)] * 10)
    rested = replay_days(tracker, coached.morning, [DayDone(0.0, 0.0)] * 10)
    assert met.motivation > rested.motivation > stopped.motivation
    # A plan not begun costs e_f each day and tells nothing of the day's tolerance.
    expected = coached.morning.motivation
    effect = coached.individual.motivation.failure_effect
    for _ in range(10):
        expected = 0.95 * expected - effect
    assert skipped.motivation == pytest.approx(expected, abs=0.02)


def test_a_plan_that_was_done_is_matched(profile: Profile) -> None:
    first = answer(profile, None, None, TODAY)
    trimp = first.advice.today.trimp
    assert trimp > 0.0
    from fitgym.model.plans import plan_segments, session_course

    course = session_course(plan_segments(trimp), profile.individual.physiology.vdot)
    metres = float((course.speed_m_s * course.duration_s).sum())
    minutes = float(course.duration_s.sum() / 60.0)
    done = history(LoggedSession(TODAY, metres, minutes))
    second = answer(profile, first.diary, done, TODAY)
    assert second.advice.date == (TODAY + timedelta(days=1)).isoformat()
    assert "Today's session is done: this is for tomorrow." in second.notes
    assert second.diary.morning is not None
    assert second.diary.morning.motivation > 0.0
    again = answer(profile, second.diary, done, TODAY)
    assert again.diary == second.diary


@pytest.mark.parametrize(
    ("later", "message"),
    [
        ((run(0, 9.0, 54.0), run(1)), "contradicts what was read before"),
        ((run(9),), "after today"),
    ],
)
def test_histories_that_cannot_be_are_refused(
    profile: Profile, later: tuple[LoggedSession, ...], message: str
) -> None:
    first = answer(profile, None, history(run(0), run(1)), TODAY + timedelta(days=2))
    with pytest.raises(ValueError, match=message):
        answer(profile, first.diary, history(*later), TODAY + timedelta(days=3))


def test_days_that_cannot_be_are_refused(profile: Profile) -> None:
    first = answer(profile, None, None, TODAY + timedelta(days=2))
    with pytest.raises(ValueError, match="the past is not advised"):
        answer(profile, first.diary, None, TODAY)
    with pytest.raises(ValueError, match="the profile is of"):
        answer(profile, None, None, TODAY - timedelta(days=1))
    with pytest.raises(ValueError, match="at most 400"):
        answer(profile, None, None, TODAY + timedelta(days=500))
    with pytest.raises(ValueError, match="days must be"):
        answer(profile, None, None, TODAY, season_days=0)


def test_a_second_run_of_the_day_from_a_file_of_its_own_is_added(profile: Profile) -> None:
    first = answer(profile, None, history(run(0)), TODAY + timedelta(days=1))
    second = answer(profile, first.diary, history(run(0, 4.0, 25.0)), TODAY + timedelta(days=1))
    assert len(second.diary.days[TODAY.isoformat()].sessions) == 2


def test_seasons_end_and_goals_change(profile: Profile) -> None:
    found = answer(profile, None, None, TODAY, season_days=5)
    assert found.advice.days_left == 5
    found = answer(profile, found.diary, None, TODAY + timedelta(days=4), season_days=5)
    assert found.advice.days_left == 1
    found = answer(profile, found.diary, None, TODAY + timedelta(days=5), season_days=5)
    assert found.advice.days_left == 5
    assert any("season of 5 days is over" in note for note in found.notes)
    race = Goal("race", (TODAY + timedelta(days=12)).isoformat())
    raced = answer(profile, found.diary, None, TODAY + timedelta(days=6), goal=race)
    assert raced.advice.days_left == 6
    raced = answer(profile, raced.diary, None, TODAY + timedelta(days=8), goal=race)
    assert raced.advice.days_left == 4


def test_impossible_constraints_are_refused_with_the_reason(profile: Profile) -> None:
    # Nothing was done for four weeks, so any session is a sudden rise.
    idle = replace(profile, points=(0.0,) * 40, plans_trimp=(0.0,) * 40)
    with pytest.raises(ValueError, match="above the cap of the acute:chronic ratio"):
        answer(idle, None, None, TODAY, constraints=Constraints(acwr=1.0, free=(0,)), season_days=5)


def test_a_diary_is_read_as_written_and_nothing_else(profile: Profile, tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    found = run_day(path, profile, history=history(run(0)), today=TODAY + timedelta(days=1))
    assert read_diary(path) == found.diary
    assert read_diary(tmp_path / "none.json") is None
    content = json.loads(path.read_text())
    content["days"][TODAY.isoformat()]["sessions"][0]["minutes"] += 1.0
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="changed by hand"):
        read_diary(path)
    path.write_text('{"format": 9}')
    with pytest.raises(ValueError, match="format"):
        read_diary(path)


def test_a_profile_reads_the_plans_of_a_diary(profile: Profile, tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    first = run_day(path, profile, history=None, today=TODAY)
    run_day(path, profile, history=history(run(0)), today=TODAY + timedelta(days=3))
    plans = read_plans(path)
    assert plans.by_date[TODAY] == first.advice.today.trimp
    assert set(plans.by_date) == {TODAY, TODAY + timedelta(days=3)}
    assert plans.vdot == profile.individual.physiology.vdot
    assert plans.grid_trimp == profile.individual.plans_trimp


def test_readings_of_one_session_are_the_same() -> None:
    one = SessionRead(8000.0, 48.0, 12.0)
    assert one.same(SessionRead(8040.0, 48.1, 12.3))
    assert not one.same(SessionRead(8400.0, 48.0, 12.0))


def test_the_loop_keeps_its_constraints_whatever_is_done(profile: Profile) -> None:
    """Plans that are given on many days keep them with what was really done in between."""
    kept = Constraints(free=(0, 1, 3, 5, 6), hard_gap=2, hard_trimp=15.0, acwr=1.4)
    generator = np.random.default_rng(2)
    diary: Diary | None = None
    sessions: list[LoggedSession] = []
    loads, hard = list(profile.points), [done >= 15.0 for done in profile.points]
    from fitgym.model.session_points import session_points
    from fitgym.model.strain import workload_ratio

    given = 0
    for day in range(18):
        today = TODAY + timedelta(days=day)
        found: Answer = answer(profile, diary, history(*sessions), today, constraints=kept)
        diary = found.diary
        plan = found.advice.today
        if plan.plan:
            given += 1
            assert today.weekday() in kept.free
            assert workload_ratio([*loads, plan.trimp])[-1] <= 1.4 + 1e-9
            assert plan.trimp < 15.0 or not any(hard[-2:])
        done = 0.0
        if generator.random() < 0.7:
            minutes = float(generator.uniform(20.0, 60.0))
            sessions.append(LoggedSession(today, 165.0 * minutes, minutes))
            vdot = profile.individual.physiology.vdot
            done = float(session_points(165.0 * minutes, minutes, vdot))
        loads.append(done)
        hard.append(max(done, plan.trimp) >= 15.0)
    assert given > 5


_DAYS = """
import sys, pickle
from datetime import date, timedelta
from functools import partial
from pathlib import Path
sys.path.insert(0, {tests!r})
from coached_people import SMALL, TODAY, profile_of
from fitgym.coach import loop
from fitgym.coach.diary import read_diary
from fitgym.coach.program import SeasonProgram
from fitgym.logs.history import History
from fitgym.logs.training_log import LoggedSession
from fitgym.people.individual import load_individual
loop.SeasonProgram = partial(SeasonProgram, size=SMALL)
person = profile_of(load_individual("club-runner"), (12.0, 0.0, 20.0) * 10)
path = Path({path!r})
sessions = []
print("ready", flush=True)
for day in range({days}):
    today = TODAY + timedelta(days=day)
    known = read_diary(path)
    if known is None or known.day <= today.isoformat():
        loop.run_day(path, person, history=History(tuple(sessions)), today=today)
    if day % 3:
        sessions.append(LoggedSession(today, 6000.0 + 100.0 * day, 40.0))
print("done", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_kill_at_any_moment_leaves_a_whole_diary(tmp_path: Path) -> None:
    tests = str(Path(__file__).parent)
    days = 8

    def script(path: Path) -> list[str]:
        return [sys.executable, "-c", _DAYS.format(tests=tests, path=str(path), days=days)]

    whole = tmp_path / "whole.json"
    started = time.perf_counter()
    subprocess.run(script(whole), check=True, stdout=subprocess.DEVNULL, env=os.environ)
    lasting = time.perf_counter() - started
    path = tmp_path / "killed.json"
    generator = random.Random(1)
    kills = 0
    for _ in range(15):
        with subprocess.Popen(
            script(path), stdout=subprocess.PIPE, text=True, env=os.environ
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            try:
                process.wait(timeout=generator.uniform(0.02, max(0.3 * lasting, 0.1)))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills += 1
            ended = process.wait() == 0
        found = read_diary(path)
        assert found is None or date.fromisoformat(found.day) >= TODAY
        if ended:
            break
    assert kills >= 2
    subprocess.run(script(path), check=True, stdout=subprocess.DEVNULL, env=os.environ)
    # Nothing was lost or counted twice on the way.
    assert path.read_text() == whole.read_text()
