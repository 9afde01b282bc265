"""Time and memory of reading many recordings: ``python scripts/time_reading.py [--files 1000]``.

Writes FIT, TCX and GPX files in turn, each an hour of one point a second with heart rate, into a
temporary zip archive of one member each, reads it, and prints seconds and peak memory, after a
hundredth of the files and after all.
"""

from __future__ import annotations

import argparse
import resource
import struct
import tempfile
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fitgym.logs import read
from fitgym.logs.fit_file import FIT_EPOCH_S

FIRST = datetime(2021, 1, 1, 7, tzinfo=UTC)


def main() -> None:
    """Write, read and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=3600, help="points of each file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number in (max(3, options.files // 100), options.files):
            path = Path(folder) / f"{number}.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for index in range(number):
                    name = ("fit", "tcx", "gpx")[index % 3]
                    writer = {"fit": fit, "tcx": tcx, "gpx": gpx}[name]
                    start = FIRST + timedelta(days=index)
                    archive.writestr(f"{index:05d}.{name}", writer(start, options.seconds))
            before, busy = time.perf_counter(), time.process_time()
            history = read(path)
            seconds, busy = time.perf_counter() - before, time.process_time() - busy
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{number} files of {options.seconds} points: {len(history.sessions)} sessions in "
                f"{seconds:.1f} s, {busy:.1f} s of them on a core ({1000 * busy / number:.0f} ms a "
                f"file), peak memory {peak:.0f} MB"
            )


def beats(second: int) -> int:
    """Return a heart rate."""
    return 130 + second // 60 % 40


def fit(start: datetime, seconds: int) -> bytes:
    """Return a FIT file without a summary."""
    first = int(start.timestamp()) - FIT_EPOCH_S
    body = struct.pack("<BBBHB", 0x41, 0, 0, 20, 5)
    body += bytes((253, 4, 0x86, 5, 4, 0x86, 3, 1, 2, 73, 4, 0x86, 78, 4, 0x86))
    body += b"".join(
        struct.pack("<BIIBII", 1, first + s, 300 * s, beats(s), 3000, 2500 + 5 * (s // 60 % 9))
        for s in range(seconds)
    )
    body += struct.pack("<BBBHB", 0x42, 0, 0, 18, 3) + bytes((253, 4, 0x86, 2, 4, 0x86, 5, 1, 0))
    body += struct.pack("<BIIB", 2, first + seconds, first, 1)
    return struct.pack("<BBHI4sH", 14, 0x20, 2100, len(body), b".FIT", 0) + body + b"\0\0"


def tcx(start: datetime, seconds: int) -> str:
    """Return a TCX file."""
    points = "".join(
        f"<Trackpoint><Time>{moment(start, s)}</Time><AltitudeMeters>{s // 60 % 9}</AltitudeMeters>"
        f"<DistanceMeters>{3 * s}</DistanceMeters><HeartRateBpm><Value>{beats(s)}</Value>"
        "</HeartRateBpm></Trackpoint>\n"
        for s in range(seconds)
    )
    return (
        '<TrainingCenterDatabase><Activities><Activity Sport="Running">'
        f"<Lap><TotalTimeSeconds>{seconds}</TotalTimeSeconds><Track>{points}</Track></Lap>"
        "</Activity></Activities></TrainingCenterDatabase>"
    )


def gpx(start: datetime, seconds: int) -> str:
    """Return a GPX file."""
    points = "".join(
        f'<trkpt lat="{10 + s * 2.698e-5:.7f}" lon="1"><ele>{s // 60 % 9}</ele>'
        f"<time>{moment(start, s)}</time><extensions><TrackPointExtension><hr>{beats(s)}</hr>"
        "</TrackPointExtension></extensions></trkpt>\n"
        for s in range(seconds)
    )
    return f"<gpx><trk><type>running</type><trkseg>{points}</trkseg></trk></gpx>"


def moment(start: datetime, seconds: int) -> str:
    """Return a time as GPX and TCX write it."""
    return (start + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    main()
