"""The package of a delivery: a bag (BagIt 1.0, RFC 8493) whose payload is an RO-Crate 1.2.

    <reference>/bagit.txt, bag-info.txt, manifest-sha256.txt, tagmanifest-sha256.txt
    <reference>/data/ro-crate-metadata.json
    <reference>/data/files/…       the results, by their paths

Results lie in a folder of their own, so that none can replace the description.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bookings.results.domain.zips import Stored

SOFTWARE = "Instrument Commons"
_CONTEXT = "https://w3id.org/ro/crate/1.2/context"
_CRATE = "https://w3id.org/ro/crate/1.2"


@dataclass(frozen=True)
class Result:
    """A sealed file: its path, digest in hexadecimal, CRC-32, and the key by which it is read."""

    path: str
    size: int
    sha256: str
    crc: int
    key: Any = None


@dataclass(frozen=True)
class Thing:
    """A person, an organisation, an instrument or a sample. identifier: an address that leads to it (a DOI,
    an ORCID iD, a ROR); empty if none is known."""

    name: str
    identifier: str = ""
    more: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Measurement:
    """The measurement that results come from. reference: its name, which is safe as the name of a folder."""

    reference: str
    title: str
    host: Thing
    instrument: Thing
    agent: Thing | None
    samples: Sequence[Thing]
    started_at: datetime
    ended_at: datetime
    sealed_at: datetime
    page: str


def package(measurement: Measurement, results: Sequence[Result]) -> list[Stored]:
    """Return the files of the package in their order, the describing ones first. Equal inputs give equal
    bytes."""
    root = measurement.reference + "/"
    crate = described(measurement, results)
    manifest = _manifest(
        [(f"data/files/{each.path}", each.sha256) for each in results]
        + [("data/ro-crate-metadata.json", hashlib.sha256(crate).hexdigest())]
    )
    octets = sum(each.size for each in results) + len(crate)
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": _info(measurement, f"{octets}.{len(results) + 1}"),
        "manifest-sha256.txt": manifest,
    }
    tags["tagmanifest-sha256.txt"] = _manifest(
        [(name, hashlib.sha256(content).hexdigest()) for name, content in tags.items()]
    )
    return [
        *(Stored.of(root + name, content) for name, content in tags.items()),
        Stored.of(root + "data/ro-crate-metadata.json", crate),
        *(Stored(f"{root}data/files/{each.path}", each.size, each.crc, key=each.key) for each in results),
    ]


def described(measurement: Measurement, results: Sequence[Result]) -> bytes:
    """Return the metadata document (RO-Crate) that describes a measurement and its results."""
    host = _entity(measurement.host, "Organization", "host")
    instrument = _entity(measurement.instrument, "IndividualProduct", "instrument")
    instrument["owner"] = {"@id": host["@id"]}
    samples = [_entity(each, "Thing", f"sample-{n}") for n, each in enumerate(measurement.samples, 1)]
    files = [
        {
            "@id": "files/" + _address(each.path),
            "@type": "File",
            "name": each.path.rpartition("/")[2],
            "contentSize": str(each.size),
            "sha256": each.sha256,
        }
        for each in results
    ]
    references = [{"@id": each["@id"]} for each in files]
    session = {
        "@id": "#session",
        "@type": "CreateAction",
        "name": measurement.title,
        "startTime": _moment(measurement.started_at),
        "endTime": _moment(measurement.ended_at),
        "instrument": {"@id": instrument["@id"]},
    }
    if samples:
        session["object"] = _one_or_all([{"@id": each["@id"]} for each in samples])
    if files:
        session["result"] = _one_or_all(references)
    people = []
    if measurement.agent:
        people = [_entity(measurement.agent, "Person", "agent")]
        session["agent"] = {"@id": people[0]["@id"]}
    root = {
        "@id": "./",
        "@type": "Dataset",
        "identifier": measurement.page,
        "name": measurement.title,
        "description": f"Results of a session on {measurement.instrument.name}.",
        "datePublished": f"{measurement.sealed_at.astimezone(UTC):%Y-%m-%d}",
        "license": "No licence is stated.",
        "publisher": {"@id": host["@id"]},
        "hasPart": _one_or_all(references),
        "mentions": {"@id": "#session"},
    }
    about = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _CRATE},
    }
    graph = [about, root, session, instrument, host, *people, *samples, *files]
    document = {"@context": _CONTEXT, "@graph": graph}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _entity(thing: Thing, kind: str, fallback: str) -> dict[str, Any]:
    known = {"identifier": thing.identifier} if thing.identifier else {}
    named = {"@id": thing.identifier or f"#{fallback}", "@type": kind, "name": thing.name}
    return {**named, **known, **(thing.more or {})}


def _address(path: str) -> str:
    """Return a path as a reference; what is not ASCII stays as it is, as RO-Crate wants it."""
    return "".join(each if ord(each) > 127 else quote(each) for each in path)


def _one_or_all(references: list[dict[str, str]]) -> Any:
    """Return what a property of several has: RO-Crate wants no list around a single one."""
    return references[0] if len(references) == 1 else references


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _manifest(lines: Sequence[tuple[str, str]]) -> bytes:
    """Return a manifest of paths with their digests; RFC 8493 requires `%`, CR and LF in paths to be escaped,
    and nothing else."""
    escaped = (
        (path.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D"), digest) for path, digest in lines
    )
    return "".join(f"{digest}  {path}\n" for path, digest in escaped).encode()


def _info(measurement: Measurement, oxum: str) -> bytes:
    fields = {
        "Source-Organization": measurement.host.name,
        "External-Description": measurement.title,
        "External-Identifier": measurement.page,
        "Bagging-Date": f"{measurement.sealed_at.astimezone(UTC):%Y-%m-%d}",
        "Payload-Oxum": oxum,
        "Bag-Software-Agent": SOFTWARE,
    }
    return "".join(f"{name}: {' '.join(str(v).split())}\n" for name, v in fields.items()).encode()
