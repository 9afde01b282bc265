"""Files to read: one by one from files, folders and archives, nothing extracted to disk.

Archives are read member by member in memory, within limits, so that a small archive cannot fill it.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fitgym.logs.history import LeftOut

# Ours: recordings of a day have some 10 MB, and text packs 30 times at most.
LARGEST_FILE_BYTES = 200_000_000
LARGEST_ARCHIVE_BYTES = 20_000_000_000
LARGEST_RATIO, RATIO_FROM_BYTES = 200, 5_000_000
LARGEST_NESTED_BYTES = 2_000_000_000
MOST_MEMBERS = 200_000
_DEEPEST = 2

TABLES = (".csv", ".tsv", ".txt", ".tab")
RECORDINGS = (".fit", ".tcx", ".gpx")
_CHUNK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError)

# Suffixes under which recordings stand, too, and many other files.
_UNTOLD = ("", ".xml")

# What people try to read that is another thing, and what to do.
_REMEDIES = {
    ".xlsx": "a spreadsheet: save its table as CSV (UTF-8)",
    ".xls": "a spreadsheet: save its table as CSV (UTF-8)",
    ".ods": "a spreadsheet: save its table as CSV (UTF-8)",
    ".numbers": "a spreadsheet: save its table as CSV (UTF-8)",
    ".xml": "XML: of an Apple Health export, give its folder workout-routes, or a CSV of workouts",
    ".json": "JSON: export the log as CSV, or the recordings as FIT, TCX or GPX",
    ".docx": "a document: save its table as CSV (UTF-8)",
    ".pdf": "a document: export the log as CSV",
    ".gz": "a packed file of no kind that is read: unpack it first",
    ".kml": "KML, which tells no times: export the recordings as FIT, TCX or GPX",
    ".pwx": "PWX: export the recordings as FIT, TCX or GPX",
    ".hrm": "HRM: export the recordings as FIT, TCX or GPX",
    ".tar": "a tar archive: unpack it and give the folder, or pack it as zip",
    ".tgz": "a tar archive: unpack it and give the folder, or pack it as zip",
    ".7z": "a 7z archive: unpack it and give the folder, or pack it as zip",
    ".rar": "a rar archive: unpack it and give the folder, or pack it as zip",
}
_NO_REMEDY = (
    "none of FIT, TCX, GPX, CSV or a zip archive: export the recordings as FIT, TCX or GPX, or the "
    "log as CSV"
)


@dataclass(frozen=True)
class Source:
    """A file that may be read.

    Attributes:
        name: What to call it: its path, that in the archive behind a colon.
        kind: ``.csv`` for tables, or one of ``RECORDINGS``.
        read: Returns its bytes, unpacked.
    """

    name: str
    kind: str
    read: Callable[[], bytes]


def kind_of_content(content: bytes, kind: str) -> str:
    """Return the kind that the first bytes of a file tell, that of its name where they do not."""
    head = content[:4096].replace(b"\0", b"")
    if content[8:12] == b".FIT":
        return ".fit"
    if b"<TrainingCenterDatabase" in head:
        return ".tcx"
    if re.search(rb"<(?:\w+:)?gpx\b", head):
        return ".gpx"
    if kind != ".csv" and b"\0" not in content[:4096] and b"<" not in head:
        lines = head.splitlines()
        if len(lines) > 1 and re.search(rb"[,;\t]", lines[0]):
            return ".csv"
    return kind


def sources_of(path: Path) -> Iterator[Source | LeftOut]:
    """Yield the files to read in a file, folder or archive, and those that are none.

    Args:
        path: A file, a folder (with the folders in it), or a zip archive.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no kind of file that is read, or an archive that cannot be.
    """
    if path.is_dir():
        found = False
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                found = True
                file = Path(folder) / name
                yield from _of_file(file, str(file), in_folder=True)
        if not found:
            raise ValueError(f"{path}: the folder is empty")
        return
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder")
    if not path.is_file():
        raise ValueError(f"{path}: is no ordinary file")
    yield from _of_file(path, str(path), in_folder=False)


def _of_file(path: Path, name: str, *, in_folder: bool) -> Iterator[Source | LeftOut]:
    if in_folder and not path.is_file():
        yield LeftOut(name, "no ordinary file")
        return
    kind, packed = _kind(path.name)
    if not kind and not in_folder:
        with path.open("rb") as file:
            kind = _sniff(file.read(4096), path.name)
    elif not kind and path.suffix.lower() in _UNTOLD:
        with contextlib.suppress(OSError), path.open("rb") as file:
            kind = _recording_in(file)
    if kind == ".zip":
        try:
            with path.open("rb") as file:
                yield from _of_archive(file, name, 1)
        except (ValueError, OSError) as error:
            if not in_folder or "refused" in str(error):
                raise
            yield LeftOut(name, "archive that cannot be read", str(error))
    elif kind:
        yield Source(name, kind, lambda: _bounded_file(path, name, packed))
    elif in_folder:
        yield _no_source(name, path.suffix)
    else:
        remedy = _REMEDIES.get(path.suffix.lower(), _NO_REMEDY)
        raise ValueError(f"{name}: is {remedy}")


def _no_source(name: str, suffix: str) -> LeftOut:
    """Return that a file of a folder or archive is not read, and what to do about it."""
    remedy = _REMEDIES.get(suffix.lower(), "")
    return LeftOut(name, f"no recording or log ({suffix.lower() or 'no suffix'})", remedy)


def _kind(name: str) -> tuple[str, bool]:
    """Return the kind of a file by its name, "" if it is none, and whether it is gzipped."""
    lower = name.lower()
    if lower.startswith("._"):
        return "", False
    packed = lower.endswith(".gz")
    suffix = Path(lower.removesuffix(".gz")).suffix
    if suffix in TABLES:
        return ".csv", packed
    if suffix in RECORDINGS or (suffix == ".zip" and not packed):
        return suffix, packed
    return "", packed


def _sniff(head: bytes, name: str) -> str:
    """Return the kind of a named file without a known suffix by its first bytes."""
    kind = kind_of_content(head, "")
    if kind in RECORDINGS or Path(name).suffix.lower() in _REMEDIES:
        return kind if kind in RECORDINGS else ""
    if head.startswith(b"PK\x03\x04"):
        return ".zip"
    return "" if b"\0" in head or Path(name).suffix != "" else ".csv"


def _of_archive(file: IO[bytes], name: str, depth: int) -> Iterator[Source | LeftOut]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ValueError(f"{name}: is no zip archive that can be read: {error}") from None
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MOST_MEMBERS:
            raise ValueError(
                f"{name}: refused: {len(members)} files in the archive, at most {MOST_MEMBERS} are "
                "read"
            )
        total = sum(member.file_size for member in members)
        if total > LARGEST_ARCHIVE_BYTES:
            raise ValueError(
                f"{name}: refused: unpacked it has {total / 1e9:.1f} GB, at most "
                f"{LARGEST_ARCHIVE_BYTES / 1e9:g} GB are read"
            )
        for member in sorted(members, key=lambda entry: entry.filename):
            shown = f"{name}:{member.filename}"
            kind, packed = _kind(Path(member.filename).name)
            if not kind and Path(member.filename).suffix.lower() in _UNTOLD:
                with contextlib.suppress(*_DAMAGED), archive.open(member) as packed_file:
                    kind = _recording_in(packed_file)
            if not kind:
                yield _no_source(shown, Path(member.filename).suffix)
                continue
            if member.flag_bits & 1:
                yield LeftOut(shown, "encrypted", "unpack the archive with its password first")
                continue
            if member.file_size > RATIO_FROM_BYTES and member.file_size > LARGEST_RATIO * max(
                1, member.compress_size
            ):
                times = member.file_size // max(1, member.compress_size)
                raise ValueError(
                    f"{shown}: refused: it is packed {times} times, as no recording is (at most "
                    f"{LARGEST_RATIO}): a zip bomb"
                )
            if kind == ".zip":
                if depth >= _DEEPEST:
                    yield LeftOut(shown, "archive in an archive in an archive", "unpack it first")
                    continue
                try:
                    content = _bounded(archive, member, shown, False, LARGEST_NESTED_BYTES)
                    yield from _of_archive(io.BytesIO(content), shown, depth + 1)
                except ValueError as error:
                    if "refused" in str(error):
                        raise
                    yield LeftOut(shown, "archive that cannot be read", str(error))
            else:
                yield Source(shown, kind, _member_reader(archive, member, shown, packed))


def _recording_in(file: IO[bytes]) -> str:
    """Return the kind of recording that the first bytes of a file tell, "" without one."""
    kind = kind_of_content(file.read(4096), "")
    return kind if kind in RECORDINGS else ""


def _member_reader(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, shown: str, packed: bool
) -> Callable[[], bytes]:
    return lambda: _bounded(archive, member, shown, packed, LARGEST_FILE_BYTES)


def _bounded(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, shown: str, packed: bool, limit: int
) -> bytes:
    try:
        with archive.open(member) as file:
            return _read(file, shown, packed, limit)
    except _DAMAGED as error:
        raise ValueError(f"{shown}: cannot be unpacked: {error}") from None


def _bounded_file(path: Path, name: str, packed: bool) -> bytes:
    with path.open("rb") as file:
        return _read(file, name, packed, LARGEST_FILE_BYTES)


def _read(file: IO[bytes], name: str, packed: bool, limit: int) -> bytes:
    """Return the content of a file up to a limit, gunzipped; what is readable of a damaged one."""
    head = file.read(2)
    if head == b"\x1f\x8b" or packed:
        joined = _Joined(head, file)
        stream: IO[bytes] = gzip.GzipFile(fileobj=joined)  # type: ignore[assignment]
        parts: list[bytes] = []
    else:
        stream, parts = file, [head]
    size = sum(map(len, parts))
    while True:
        try:
            chunk = stream.read(_CHUNK)
        except (OSError, EOFError, zlib.error) as error:
            if size and isinstance(error, EOFError):
                break
            raise ValueError(f"{name}: cannot be unpacked: {error}") from None
        if not chunk:
            break
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            raise ValueError(
                f"{name}: refused: it has more than {limit / 1e6:g} MB unpacked, as no recording "
                "has"
            )
    return b"".join(parts)


class _Joined(io.RawIOBase):
    """The first bytes of a file and then the rest of it, for a stream that cannot go back."""

    def __init__(self, head: bytes, file: IO[bytes]) -> None:
        self._head, self._file = head, file

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._file.read(size)
        if size < 0:
            head, self._head = self._head, b""
            return head + self._file.read()
        head, self._head = self._head[:size], self._head[size:]
        return head if len(head) == size else head + self._file.read(size - len(head))
