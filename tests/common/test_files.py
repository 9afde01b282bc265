"""Files are written whole or not at all."""

import pytest

from fitgym.common.files import atomic_path, write_bytes, write_text


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


def test_the_temporary_file_keeps_the_suffix_and_the_result_is_readable_by_others(tmp_path):
    with atomic_path(tmp_path / "figure.svg") as temporary:
        assert temporary.suffix == ".svg"
        assert temporary.parent == tmp_path
    reference = tmp_path / "plain"
    reference.touch()
    assert (tmp_path / "figure.svg").stat().st_mode == reference.stat().st_mode
