"""Packages are valid bags and RO-Crates, by the libraries that others read them with."""

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import replace
from datetime import UTC, datetime

import bagit
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rocrate.rocrate import ROCrate

from bookings.results.domain.packages import Measurement, Result, Thing, package
from bookings.results.domain.zips import Stored, cut, length, pieces
from tests.factories.crates import crate_problems

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
SESSION = Measurement(
    reference="results-7k3m",
    title="Electron microscope, 2 March 2026",
    host=Thing("USTC", "https://ror.org/04c4dkn09"),
    instrument=Thing("Electron microscope", "https://doi.org/10.1000/1"),
    agent=Thing("王丽", "https://orcid.org/0000-0002-1825-0097"),
    samples=(Thing("Steel", more={"identifier": "S-1"}),),
    started_at=AT,
    ended_at=AT.replace(hour=10),
    sealed_at=AT.replace(hour=11),
    page="https://example.org/results/1/",
)
CONTENT = {"a.csv": b"1,2\n", "图像/样品 1.tif": b"II*\x00", "a b/#1?.txt": b"", "x.html": b"<b>"}


def results(content):
    return [
        Result(path, len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data), key=data)
        for path, data in content.items()
    ]


def unpacked(tmp_path, content, session=SESSION):
    """The folder of a package, unpacked."""
    parts = pieces(package(session, results(content)), session.sealed_at)
    data = b"".join(
        (p if isinstance(p, bytes) else p.key if p.content is None else p.content)[first:last]
        for p, first, last in cut(parts, 0, length(parts))
    )
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None
        read.extractall(tmp_path)
    return tmp_path / session.reference


def test_it_is_a_valid_bag(tmp_path):
    bag = bagit.Bag(str(unpacked(tmp_path, CONTENT)))
    bag.validate(completeness_only=False)
    assert bag.info["Payload-Oxum"].endswith(".5")
    assert bag.info["Source-Organization"] == "USTC"
    assert (tmp_path / "results-7k3m/data/files/图像/样品 1.tif").read_bytes() == b"II*\x00"


def test_a_changed_byte_is_no_valid_bag(tmp_path):
    folder = unpacked(tmp_path, CONTENT)
    (folder / "data/files/a.csv").write_bytes(b"1,3\n")
    assert not bagit.Bag(str(folder)).is_valid()


def test_it_is_an_ro_crate_of_the_session(tmp_path):
    crate = ROCrate(unpacked(tmp_path, CONTENT) / "data")
    assert crate.version == "1.2"
    action = crate.dereference("#session")
    assert action.type == "CreateAction"
    assert action["instrument"].id == "https://doi.org/10.1000/1"
    assert action["agent"].id == "https://orcid.org/0000-0002-1825-0097"
    assert action["object"]["name"] == "Steel"
    assert (action["startTime"], action["endTime"]) == ("2026-03-02T08:30:00Z", "2026-03-02T10:30:00Z")
    assert len(crate.root_dataset["hasPart"]) == len(CONTENT)
    assert all((tmp_path / "results-7k3m/data/files" / path).is_file() for path in CONTENT)


def test_who_is_not_known_is_left_out(tmp_path):
    session = replace(SESSION, agent=None, samples=(), instrument=Thing("Microscope"))
    text = (unpacked(tmp_path, CONTENT, session) / "data/ro-crate-metadata.json").read_text()
    graph = {each["@id"]: each for each in json.loads(text)["@graph"]}
    assert "agent" not in graph["#session"]
    assert "object" not in graph["#session"]
    assert graph["#instrument"]["name"] == "Microscope"


@pytest.mark.parametrize("content", [CONTENT, {"a.csv": b"1"}, {}])
@pytest.mark.parametrize(
    "session",
    [
        SESSION,
        replace(SESSION, agent=None, samples=(), instrument=Thing("Microscope"), host=Thing("中国科大")),
    ],
)
def test_an_independent_validator_has_nothing_to_say(tmp_path, content, session):
    folder = unpacked(tmp_path, content, session) / "data"
    assert crate_problems(folder) == []
    if content is CONTENT:
        described = folder / "ro-crate-metadata.json"
        described.write_text(described.read_text().replace("datePublished", "dateCreated"))
        assert [each.partition(":")[0] for each in crate_problems(folder)] == ["ro-crate-1.2_13.4"]


def test_a_result_cannot_stand_in_for_the_description(tmp_path):
    folder = unpacked(tmp_path, {"ro-crate-metadata.json": b"{}"} | CONTENT)
    assert bagit.Bag(str(folder)).info["Source-Organization"] == "USTC"
    assert ROCrate(folder / "data").version == "1.2"


def test_what_has_line_ends_in_it_adds_no_field(tmp_path):
    session = replace(SESSION, title="x\nPayload-Oxum: 1.1")
    bag = bagit.Bag(str(unpacked(tmp_path, CONTENT, session)))
    assert bag.info["External-Description"] == "x Payload-Oxum: 1.1"


@given(st.dictionaries(st.text("abc%\u00e9样 .#", min_size=1).map(lambda n: "f" + n), st.binary()))
def test_equal_inputs_give_equal_bytes_and_manifests_name_every_file(content):
    files = package(SESSION, results(content))
    assert files == package(SESSION, results(content))
    manifest = next(f.content for f in files if f.name.endswith("/manifest-sha256.txt"))
    lines = dict(reversed(line.split("  ", 1)) for line in manifest.decode().splitlines())
    for path, data in content.items():
        escaped = path.replace("%", "%25")
        assert lines[f"data/files/{escaped}"] == hashlib.sha256(data).hexdigest()
    assert sum(isinstance(f, Stored) and f.content is None for f in files) == len(content)
