"""What is cached comes back as it was or is made anew, and a cache that fails stops nobody."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from fitgym.common import cache

ALIGNED = np.dtype([("flag", np.bool_), ("number", np.float64)], align=True)
ARRAYS = {
    "a": np.arange(6.0).reshape(2, 3),
    "b": np.array([True, False]),
    "records": np.array([(True, 1.5)], dtype=ALIGNED),
}


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The user's cache folder and the one for where that cannot be written to."""
    user, temporary = tmp_path / "user", tmp_path / "temporary"
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: user)
    monkeypatch.setattr(cache, "_temporary_folder", lambda: temporary)
    return user, temporary


class Maker:
    """Makes a text, and counts how often."""

    def __init__(self) -> None:
        self.made = 0

    def make(self) -> str:
        self.made += 1
        return "made"

    def get(self) -> str:
        return cache.cached("kind/name.txt", self.read, self.make, self.write)

    @staticmethod
    def read(path: Path) -> str:
        if path.read_text() != "made":
            raise ValueError(f"{path} is damaged")
        return "made"

    @staticmethod
    def write(content: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_what_is_cached_is_made_once(folders: tuple[Path, Path]) -> None:
    maker = Maker()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [maker.get(), maker.get()] == ["made", "made"]
    assert maker.made == 1
    assert (folders[0] / "kind" / "name.txt").read_text() == "made"


def test_a_damaged_file_is_made_anew_once_with_a_warning(folders: tuple[Path, Path]) -> None:
    maker = Maker()
    maker.get()
    (folders[0] / "kind" / "name.txt").write_text("nonsense")
    with pytest.warns(RuntimeWarning, match="made anew.*damaged"):
        assert maker.get() == "made"
    assert (maker.get(), maker.made) == ("made", 2)


def test_where_the_user_s_cache_cannot_be_written_a_temporary_folder_serves(
    folders: tuple[Path, Path],
) -> None:
    folders[0].write_text("no folder")
    maker = Maker()
    with pytest.warns(RuntimeWarning, match="cannot be cached"):
        maker.get()
    assert (folders[1] / "kind" / "name.txt").exists()
    assert (maker.get(), maker.made) == ("made", 1)


def test_where_nothing_can_be_written_the_work_is_not_lost(folders: tuple[Path, Path]) -> None:
    for folder in folders:
        folder.write_text("no folder")
    maker = Maker()
    with pytest.warns(RuntimeWarning, match="cannot be cached"):
        assert maker.get() == "made"


def test_arrays_come_back_under_their_key_alone(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    cache.write_arrays(path, "key", ARRAYS)
    again = cache.read_arrays(path, "key")
    assert again.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype.fields == array.dtype.fields
    with pytest.raises(ValueError, match="something else than what 'other' stands for"):
        cache.read_arrays(path, "other")
    np.savez(path, **ARRAYS)
    with pytest.raises(ValueError, match="something else than what 'key' stands for"):
        cache.read_arrays(path, "key")


def test_every_cut_of_a_file_of_arrays_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    cache.write_arrays(path, "key", ARRAYS)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="damaged"):
            cache.read_arrays(path, "key")


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="temporary folders are private there")
def test_a_temporary_folder_that_others_may_write_to_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = cache._temporary_folder()
    assert folder is not None
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    assert cache._temporary_folder() is None
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    assert cache._temporary_folder() is None


def _fill(folder: str, number: int) -> list[float]:
    """Make what is cached in a process of its own, as slowly as others can interfere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_path", lambda name: Path(folder))
        found = cache.cached(
            "kind/table.npz",
            lambda path: cache.read_arrays(path, "key"),
            lambda: {"a": np.arange(100_000.0)},
            lambda arrays, path: cache.write_arrays(path, "key", arrays),
        )
    return [number, float(found["a"].sum())]


def test_eight_processes_may_fill_one_cache(tmp_path: Path) -> None:
    with ProcessPoolExecutor(8, mp_context=get_context("spawn")) as processes:
        found = list(processes.map(_fill, [str(tmp_path)] * 8, range(8)))
    assert found == [[number, 4999950000.0] for number in range(8)]
    (table,) = (path for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".npz")
    assert cache.read_arrays(table, "key")["a"].size == 100_000
