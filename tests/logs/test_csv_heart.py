"""Heart rates of sessions in tables, and what a profile takes from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from fitgym.logs import History, LoggedSession, read
from fitgym.profile.hearts import seen_maximum

Reading = Callable[[str], History]


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    def write(text: str) -> History:
        path = tmp_path / "log.csv"
        path.write_text(text, encoding="utf-8")
        return read(path)

    return write


def beats(history: History) -> list[tuple[float | None, float | None]]:
    return [(one.mean_heart_rate_bpm, one.max_heart_rate_bpm) for one in history.sessions]


@pytest.mark.parametrize(
    ("mean", "highest"),
    [
        ("\u00d8 Puls", "Max. Puls"),
        ("Average Heart Rate", "Max Heart Rate"),
        ("Avg HR (bpm)", "HR max"),
        ("FC moyenne", "FC max"),
        ("hr", "Maximale hartslag"),
        ("\u5e73\u5747\u5fc3\u62cd\u6570", "\u6700\u5927\u5fc3\u62cd\u6570"),
    ],
)
def test_names_of_columns(mean: str, highest: str, reading: Reading) -> None:
    history = reading(
        f"Datum;km;Dauer;{mean};{highest};Schuhe\n2026-06-02;8,5;0:48:52;142;171 bpm;blau\n"
        "2026-06-04;9,5;0:50:59;158,5;;rot\n"
    )
    assert beats(history) == [(142.0, 171.0), (158.5, None)]
    told = dict(history.report.understood)
    assert told["heart rate"] == f"mean in column {mean!r}; maximum in column {highest!r}; bpm"
    assert told["not used"] == "column(s) 'Schuhe'"
    assert told["time"].startswith("column 'Dauer'")


def test_what_is_no_heart_rate_is_told(reading: Reading) -> None:
    rows = [("130", "999"), ("0", "160"), ("150", "140"), ("141", "170"), ("139", "")]
    text = "Date,km,Time,HR,Max HR\n" + "".join(
        f"2026-06-0{day},8,45:0{day},{mean},{highest}\n"
        for day, (mean, highest) in enumerate(rows, start=1)
    )
    history = reading(text)
    assert beats(history) == [
        (130.0, None), (None, 160.0), (150.0, None), (141.0, 170.0), (139.0, None),
    ]  # fmt: skip
    notes = " ".join(history.report.notes)
    assert "1 value(s) of column 'Max HR' outside 60 to 230 bpm" in notes
    assert "row 2 ('999')" in notes
    assert "1 maxima below the mean of their session are left out, the first in row 4" in notes
    for cells in (("72 %", "75 %"), ("72", "75"), ("2", "3"), ("1:30", "1:20")):
        history = reading(
            "Date,km,Time,HR\n2026-06-01,8,45:00,{}\n2026-06-03,9,51:00,{}\n".format(*cells)
        )
        assert beats(history) == [(None, None)] * 2
        assert any("column 'HR'" in note and "not used" in note for note in history.report.notes)


def test_repetitions_have_the_mean_by_time_and_the_highest(reading: Reading) -> None:
    history = reading(
        "Date,km,Time,HR,Max HR\n2026-06-01,1,4:00,150,165\n2026-06-01,1,4:00,160,180\n"
        "2026-06-01,0.5,2:00,140,\n2026-06-03,8,45:00,130,150\n"
    )
    assert beats(history) == [(152.0, 180.0), (130.0, 150.0)]


def test_a_profile_takes_a_high_percentile_of_the_maxima() -> None:
    highest = np.linspace(150.0, 185.0, 40)
    highest[7] = 225.0
    sessions = [
        LoggedSession(date(2026, 1, 1) + timedelta(days=day), 8000.0, 45.0, None, float(bpm))
        for day, bpm in enumerate(highest)
    ]
    seen = seen_maximum((), sessions)
    assert seen.bpm is not None
    assert 180.0 <= seen.bpm <= 185.0
    assert (seen.workouts, seen.logged) == (0, 40)
    assert seen_maximum((), [LoggedSession(date(2026, 1, 1), 8000.0, 45.0)]).bpm is None


def test_a_heart_rate_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a heart rate must be in \[60, 230\] bpm, got 20"):
        LoggedSession(date(2026, 1, 1), 8000.0, 45.0, 20.0)


def test_the_maximum_of_a_person_is_none_of_a_session(reading: Reading) -> None:
    rows = "".join(f"2026-06-{day:02d},8,45:00,{130 + day},188\n" for day in range(1, 7))
    history = reading("Date,km,Time,Avg HR,HR max\n" + rows)
    assert [mean for mean, _ in beats(history)] == [131.0, 132.0, 133.0, 134.0, 135.0, 136.0]
    assert {highest for _, highest in beats(history)} == {None}
    assert any("'HR max' (188) is the person's maximum" in note for note in history.report.notes)
    polar = "Date,Total distance (km),Duration,Average heart rate (bpm),HR max,HR sit\n"
    history = reading(polar + "2026-06-20,8,00:45:00,140,188,50\n")
    assert beats(history) == [(140.0, None)]


def test_beats_as_other_services_and_dutch_name_them(reading: Reading) -> None:
    for mean, highest in (
        ("Avg. Heart Rate (count/min)", "Max. Heart Rate (count/min)"),
        ("Gem. HS", "Max. HS"),
        ("pulse_avg", "pulse_max"),
    ):
        history = reading(f"Date,km,Time,{mean},{highest}\n2026-06-20,8,00:45:00,140,170\n")
        assert beats(history) == [(140.0, 170.0)]
