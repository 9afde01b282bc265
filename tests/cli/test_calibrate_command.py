"""``fitgym calibrate`` from end to end."""

import json

import numpy as np
import pytest

from fitgym.calibration import STAGES
from fitgym.cli.main import main
from fitgym.people.individual import load_individual


@pytest.fixture(scope="module")
def log_file(tmp_path_factory):
    """A log of half a year, every other day, paces drifting with the load."""
    generator = np.random.default_rng(5)
    lines = ["Date,Distance (km),Time"]
    for session in range(120):
        kilometres = generator.uniform(4.0, 16.0)
        minutes = kilometres * (5.6 - 0.004 * session + generator.normal(0.0, 0.15))
        day = np.datetime64("2023-01-01") + 2 * session
        lines.append(f"{day},{kilometres:.2f},{int(minutes)}:{int(minutes % 1 * 60):02d}")
    path = tmp_path_factory.mktemp("logs") / "mine.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(*words):
    return main(["calibrate", "--bootstrap", "2", "--starts", "2", *map(str, words)])


def test_own_log_both_stages(log_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("--log", log_file, "--time", "day", "--out", out) == 0
    printed = capsys.readouterr().out
    for words in ("acquisition, day time, log mine", "retention, day time", "static curve", "k_G"):
        assert words in printed
    assert sorted(path.name for path in out.iterdir()) == [
        "calibration.json",
        "calibration.png",
        "individual.json",
    ]
    content = json.loads((out / "calibration.json").read_text())
    person = load_individual(str(out / "individual.json"))
    assert person.name == "mine"
    assert list(person.plans_trimp) == content["plans_trimp"]
    for stage, calibration in zip(STAGES, content["calibrations"], strict=True):
        assert calibration["stage"] == stage
        assert calibration["parameters"] == person.stage(stage).to_dict()
    assert (out / "calibration.png").read_bytes().startswith(b"\x89PNG")


def test_every_log_has_a_folder_of_its_own(log_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "other.csv"
    other.write_bytes(log_file.read_bytes())
    for log in (log_file, other):
        assert run("--log", log, "--stage", "retention", "--bootstrap", "0") == 0
    written = sorted(path.parent.name for path in tmp_path.glob("results/*/*/calibration.json"))
    assert written == ["mine", "other"]


def test_json_is_what_the_file_holds(log_file, tmp_path, capsys):
    assert run("--log", log_file, "--stage", "retention", "--json", "--out", tmp_path) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "calibration.json").read_text())
    assert [part["stage"] for part in printed["calibrations"]] == ["retention"]
    assert not (tmp_path / "individual.json").exists()


def test_the_paper_reading_and_a_given_vdot(log_file, tmp_path, capsys):
    words = ("--log", log_file, "--vdot", 47, "--no-baseline", "--stage", "acquisition", "--json")
    assert run(*words, "--out", tmp_path) == 0
    calibration = json.loads(capsys.readouterr().out)["calibrations"][0]
    assert calibration["parameters"]["baseline_performance"] == 0.0
    assert len(calibration["estimates"]) == 7


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--log", "nowhere.csv"), "nowhere.csv"),
        (("--vdot", "500"), "500"),
        (("--vdot", "95", "--starts", "1000000"), "vdot must be a finite number in [15, 90]"),
        (("--bootstrap", "-1"), "replications"),
        (("--starts", "0"), "starts"),
        (("--seed", "-1"), "seed"),
        (("--base-scaling", "2"), "base_scaling"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(words, message, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["calibrate", "--out", str(out), *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_malformed_log_leaves_no_file(tmp_path, capsys):
    path = tmp_path / "mine.csv"
    path.write_text("date,km,time\n2/1/2024,5,30\n3/1/2024,5,30\n", encoding="utf-8")
    assert main(["calibrate", "--log", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "line 2, column 'date'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_was_read_is_told_before_the_fit(log_file, tmp_path, capsys):
    words = ("--stage", "retention", "--out", tmp_path / "out")
    assert run("--log", log_file, *words) == 0
    printed = capsys.readouterr().out
    assert "column 'Distance (km)': in km: median pace 5:" in printed
    assert printed.index("sessions") < printed.index("retention, session time")
    assert run("--log", log_file, "--json", *words) == 0
    told = capsys.readouterr()
    json.loads(told.out)
    assert "column 'Distance (km)'" in told.err


def test_options_of_reading(log_file, tmp_path, capsys):
    text = log_file.read_text(encoding="utf-8").replace("Distance (km)", "How far")
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    words = ("--log", path, "--stage", "retention", "--out", tmp_path / "out")
    assert run(*words) == 2
    assert "--map distance" in capsys.readouterr().err
    assert run(*words, "--map", 'distance="How far"', "--distance-unit", "Kilometer") == 0
    assert "'How far': in km" in capsys.readouterr().out
    assert run(*words, "--map", "distance=How far", "--map", "distance=Time") == 2
    assert "argument --map: a name is given twice" in capsys.readouterr().err
    assert run(*words, "--sport", "chess") == 2
    assert "argument --sport must be one of 'run'" in capsys.readouterr().err
    assert run(*words, "--distance-unit", "leagues") == 2
    assert "argument --distance-unit must be one of 'km'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(*words, "--map", "colour=blue")
    assert "--map: must be NAME" in capsys.readouterr().err


def test_too_few_sessions_and_a_constant_pace_are_told(tmp_path, capsys):
    path = tmp_path / "mine.csv"
    few = "date,km,minutes\n2023-01-02,6,30\n2023-01-05,5,26\n2023-01-08,8,45\n"
    path.write_text(few, encoding="utf-8")
    assert run("--log", path, "--out", tmp_path / "out") == 2
    assert "at least 40 sessions" in capsys.readouterr().err
    rows = "".join(f"2023-{1 + day // 28:02d}-{1 + day % 28:02d},5,27.5\n" for day in range(80))
    path.write_text(f"date,km,minutes\n{rows}", encoding="utf-8")
    assert run("--log", path, "--out", tmp_path / "out") == 2
    assert "bin width of at least 0.1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_figure_that_cannot_be_drawn_leaves_no_file(log_file, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    def broken(self, path, **options):
        path.write_bytes(b"half a figure")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", broken)
    assert run("--log", log_file, "--stage", "retention", "--out", tmp_path) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "place", ["fitgym.calibration.least_squares._Problem.solve", "matplotlib.figure.Figure.savefig"]
)
def test_an_interruption_is_told_and_leaves_no_file(place, log_file, tmp_path, monkeypatch, capsys):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(place, interrupted)
    assert run("--log", log_file, "--stage", "retention", "--out", tmp_path) == 130
    assert capsys.readouterr().err == "stopped\n"
    assert not list(tmp_path.iterdir())


def test_a_mistyped_year_is_named_and_left_out(log_file, tmp_path, capsys):
    typo = tmp_path / "mine.csv"
    typo.write_text(log_file.read_text().replace("2023-03-02", "0223-03-02"))
    words = ("--time", "day", "--stage", "retention", "--out", tmp_path / "out")
    assert run("--log", typo, *words) == 0
    printed = capsys.readouterr().out
    assert "date out of range: mine.csv row 32" in printed
    assert "0223-03-02" in printed


def test_an_individual_is_named_after_the_file_as_far_as_names_allow(log_file, tmp_path):
    odd = tmp_path / "Läufe (2024).csv"
    odd.write_bytes(log_file.read_bytes())
    assert run("--log", odd, "--bootstrap", "0", "--out", tmp_path / "out") == 0
    assert load_individual(tmp_path / "out" / "individual.json").name == "L-ufe -2024-"


def test_sessions_that_a_log_holds_twice_count_once(log_file, tmp_path, capsys):
    header, *rows = log_file.read_text(encoding="utf-8").splitlines()
    twice = tmp_path / "twice.csv"
    twice.write_text("\n".join([header, *rows, *rows[:3]]) + "\n", encoding="utf-8")
    words = ("--stage", "acquisition", "--out", tmp_path / "out")
    assert run("--log", twice, *words) == 0
    printed = capsys.readouterr().out
    assert "120 used, 3 row(s) or file(s) left out" in printed
    assert "the same session twice: twice.csv row 122 (as row 2)" in printed
