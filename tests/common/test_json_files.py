"""JSON files: what is valid is read as it stands, everything else is named."""

import json

import pytest

from fitgym.common.json_files import read_json


def test_reads_what_json_says(tmp_path):
    content = {"a": [1, 2.5, -1e-3, None, True], "b": {"a": "é"}}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    assert read_json(path) == content
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(content, ensure_ascii=False).encode())
    assert read_json(str(path)) == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"a": 1, "b": {"a": 1, "a": 2}}',
        b'{"a": NaN}',
        b"[-Infinity]",
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a": ' + b"1" * 5000 + b"}",
        "[1]".encode("utf-16"),
    ],
)
def test_whatever_is_wrong_is_a_value_error_that_names_the_file(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.json is not valid JSON: "):
        read_json(path)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "x.json")
