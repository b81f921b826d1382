"""ZIP files whose bytes are known beforehand, read by Python's own reader and by `unzip`."""

import io
import shutil
import struct
import subprocess
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.results.domain import zips
from bookings.results.domain.zips import Stored, cut, length, pieces

AT = datetime(2026, 3, 2, 8, 30, 10, tzinfo=UTC)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)
FILES = st.dictionaries(
    NAMES.filter(lambda name: not set(name) & set("/\\:") and name not in {".", ".."}),
    st.binary(max_size=300),
    max_size=6,
)


def written(parts, start=0, end=None):
    """What lies between two positions, as one is given it."""
    end = length(parts) if end is None else end
    return b"".join(
        (part if isinstance(part, bytes) else part.content)[first:last]
        for part, first, last in cut(parts, start, end)
    )


@given(FILES)
def test_its_length_is_that_of_what_is_sent_and_a_reader_finds_every_byte(files):
    parts = pieces([Stored.of(name, content) for name, content in files.items()], AT)
    whole = written(parts)
    assert len(whole) == length(parts)
    with zipfile.ZipFile(io.BytesIO(whole)) as read:
        assert read.testzip() is None
        assert read.namelist() == list(files)
        for entry in read.infolist():
            assert read.read(entry) == files[entry.filename]
            assert entry.date_time == (2026, 3, 2, 8, 30, 10)


@given(FILES, st.data())
def test_any_part_of_it_is_as_in_the_whole(files, data):
    parts = pieces([Stored.of(name, content) for name, content in files.items()], AT)
    whole = written(parts)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    assert written(parts, start, end) == whole[start:end]


@given(FILES)
def test_beyond_four_gigabytes_and_65535_files_it_is_zip64(files):
    """With the limits set to nothing, each field that may be too small is."""
    with pytest.MonkeyPatch.context() as patch:
        plain = written(pieces([Stored.of(name, data) for name, data in files.items()], AT))
        patch.setattr(zips, "LARGEST", 0)
        patch.setattr(zips, "MOST", 0)
        parts = pieces([Stored.of(name, data) for name, data in files.items()], AT)
        large = written(parts)
        assert len(large) == length(parts) > len(plain)
    # The fields say 0 here, where they say FFFFFFFF beyond the limits: what lies in the extra
    # fields is what a reader would take then.
    assert large[-98:-94] == b"PK\x06\x06"
    number, _, size, offset = struct.unpack("<QQQQ", large[-98 + 24 : -98 + 56])
    assert (number, size + offset) == (len(files), len(large) - 98)


def test_a_file_of_five_gigabytes_is_read_by_others(tmp_path):
    """Sparse, so that it costs little: what is written between its header and its end is nought. Nobody
    reads so much, so its checksum may be any."""
    size = 5 * 2**30
    files = [Stored("a/large.bin", size, 1), Stored.of("a/after.txt", b"after")]
    parts, path = pieces(files, AT), tmp_path / "large.zip"
    with path.open("wb") as out:
        for part, first, last in cut(parts, 0, length(parts)):
            if isinstance(part, Stored) and part.content is None:
                out.seek(last - first, io.SEEK_CUR)
            else:
                out.write(part if isinstance(part, bytes) else part.content)
    assert path.stat().st_size == length(parts)
    with zipfile.ZipFile(path) as read:
        assert [e.file_size for e in read.infolist()] == [size, 5]
        assert read.read("a/after.txt") == b"after"
    if shutil.which("unzip"):
        listed = subprocess.run(["unzip", "-l", path], capture_output=True, text=True, check=True)
        assert str(size) in listed.stdout


@pytest.mark.parametrize("year", [1970, 2200])
def test_a_moment_that_the_format_cannot_write_is_its_first(year):
    parts = pieces([Stored.of("a", b"b")], AT.replace(year=year))
    with zipfile.ZipFile(io.BytesIO(written(parts))) as read:
        assert read.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
