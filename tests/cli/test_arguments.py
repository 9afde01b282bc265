"""Paths and numbers on the command line: what cannot be is told before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from fitgym.cli import arguments
from fitgym.cli.main import main


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Return the last line that a command prints whose words or input are refused."""
    try:
        status: object = main([str(word) for word in words])
    except SystemExit as error:
        status = error.code
    assert status == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder that holds a file and another folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()


RECORDINGS = ("--recordings", "folder")
FOLDERS = [
    ("calibrate", "--out"),
    ("solve", "fitgym/Acquisition-v0", "--out"),
    ("predictor", "train", "--output"),
    ("predictor", "evaluate", *RECORDINGS, "--output"),
    ("predictor", "simulate", "--output"),
    ("predictor", "train-attention", *RECORDINGS, "--output"),
    ("predictor", "evaluate-attention", *RECORDINGS, "--output"),
]
FILES = [("predictor", "predict", *RECORDINGS, "--output"), ("scores", "--out")]


@pytest.mark.parametrize("words", FOLDERS)
@pytest.mark.parametrize("value", ["", "file", "file/below"])
def test_output_folders_are_checked_first(
    words: tuple[str, ...], value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, *words, value)
    assert f"argument {words[-1]}: must be a " in line
    assert f"got {value!r}" in line
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("words", FILES)
@pytest.mark.parametrize("value", ["", "folder", "file/below"])
def test_output_files_are_checked_first(
    words: tuple[str, ...], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, *words, value)
    assert f"argument {words[-1]}: must be a " in line


def test_a_default_folder_is_checked_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results").write_text("a file")
    assert "argument --out: must be a folder" in refused(capsys, "calibrate")


def test_paths_that_can_be_are_left_alone(tmp_path: Path) -> None:
    assert arguments.output_folder("new/one") == Path("new/one")
    assert arguments.output_folder("folder") == Path("folder")
    assert arguments.output_file("new/one.csv") == Path("new/one.csv")
    assert arguments.output_file("file") == Path("file")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("option", ["--recordings", "--weights", "--recipe"])
def test_an_empty_path_is_not_the_working_directory(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, "predictor", "evaluate", *RECORDINGS, option, "")
    assert f"argument {option}: must be a path, got ''" in line


HUGE = 10**30


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("calibrate", "--starts"), "starts"),
        (("calibrate", "--bootstrap"), "replications"),
        (("calibrate", "--seed"), "seed"),
        (("solve", "fitgym/Acquisition-v0", "--episodes"), "--episodes"),
        (("solve", "fitgym/Acquisition-v0", "--seed"), "--seed"),
        (("predictor", "simulate", "--people"), "people"),
        (("predictor", "simulate", "--workouts"), "workouts"),
        (("predictor", "predict", *RECORDINGS, "--threads"), "--threads"),
        (("predictor", "evaluate", *RECORDINGS, "--retrain", "--seeds"), "--seeds"),
    ],
)
def test_numbers_that_would_never_end_or_overflow_are_named(
    words: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, *words, HUGE)
    assert f"error: {name} must be an integer of at least " in line
    assert " and at most " in line
    assert line.endswith(f"got {HUGE}")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("evaluate", "--recipe", "file"), "--recipe cannot be used without --retrain"),
        (("evaluate", "--retrain", "--weights", "w"), "--weights cannot be used with --retrain"),
        (("predict", "--model", "ode", "--weights", "w"), "--weights cannot be used with --model"),
        (
            ("evaluate-attention", "--retrain", "--weights", "w"),
            "--weights cannot be used with --retrain",
        ),
    ],
)
def test_options_that_would_be_passed_over_are_refused(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in refused(capsys, "predictor", *words, *RECORDINGS)


@pytest.mark.parametrize("value", ["nan", "inf", "-3", "1e300"])
def test_calibrate_names_the_vdot(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--vdot must be a finite number in [10, 100]" in refused(
        capsys, "calibrate", f"--vdot={value}"
    )


def test_scores_name_the_files_that_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.json").write_text("[]")
    line = refused(capsys, "scores", "--out", "list.json")
    assert "list.json is no file of reference scores: list.json holds no object" in line
    (tmp_path / "page.md").write_bytes(b"\xff")
    line = refused(capsys, "scores", "--markdown", "page.md")
    assert "--markdown must be a file of UTF-8 text: page.md" in line
