"""Files are written whole or not at all."""

import os
import subprocess
import sys

import pytest

from fitgym.common.files import atomic_path, lock_folder, temporary_folder, write_bytes, write_text


def test_content_arrives_and_folders_are_made(tmp_path):
    write_text(tmp_path / "a" / "b.txt", "Zürich")
    write_bytes(tmp_path / "a" / "c.bin", b"\x00\x01")
    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "Zürich"
    assert (tmp_path / "a" / "c.bin").read_bytes() == b"\x00\x01"
    assert len(list((tmp_path / "a").iterdir())) == 2


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "result.json"
    write_text(target, "old")

    def fail_half_way():
        with atomic_path(target) as temporary:
            temporary.write_text("half of the ne")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail_half_way()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_an_error_of_the_system_names_the_file(tmp_path):
    target = tmp_path / "result.json"

    def write():
        with atomic_path(target):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: '.*result\.json'"):
        write()


def test_the_temporary_file_keeps_the_suffix_and_the_result_is_readable_by_others(tmp_path):
    with atomic_path(tmp_path / "figure.svg") as temporary:
        assert temporary.suffix == ".svg"
        assert temporary.parent == tmp_path
    reference = tmp_path / "plain"
    reference.touch()
    assert (tmp_path / "figure.svg").stat().st_mode == reference.stat().st_mode


def test_a_folder_that_a_killed_process_left_goes_with_a_later_one_once_it_is_old(tmp_path):
    left = temporary_folder(tmp_path / "out")
    (left / "half.fit").write_bytes(b"half")
    fresh = temporary_folder(tmp_path / "out")
    assert left.exists()
    os.utime(left, (1.0, 1.0))
    temporary_folder(tmp_path / "out")
    assert not left.exists()
    assert fresh.exists()


def test_what_a_killed_process_left_goes_with_a_later_write_once_it_is_old(tmp_path):
    def begin(name):
        block = atomic_path(tmp_path / name)
        temporary = block.__enter__()
        temporary.write_text("half")
        return block, temporary

    (old, left), (new, fresh) = begin("agent.json"), begin("weights-1.safetensors")
    os.utime(left, (0, 0))
    hidden = tmp_path / ".agent-notes.json"
    hidden.touch()
    os.utime(hidden, (0, 0))
    write_text(tmp_path / "other.txt", "whole")
    assert not left.exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        fresh.name,
        ".agent-notes.json",
        "other.txt",
    }
    new.__exit__(None, None, None)
    assert (tmp_path / "weights-1.safetensors").read_text() == "half"
    del old


def test_a_lock_holds_against_other_processes_and_ends_with_its_own(tmp_path):
    code = (
        "import sys; from fitgym.common.files import lock_folder\n"
        "with lock_folder(sys.argv[1]): print('locked', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "run")]
    holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "locked\n"
        message = f"{tmp_path / 'run'} is in use: another process"
        with pytest.raises(BlockingIOError, match=message), lock_folder(tmp_path / "run"):
            pass
        with lock_folder(tmp_path):
            pass
    finally:
        holder.kill()
        holder.communicate(timeout=30)
    with lock_folder(tmp_path / "run"):
        pass
