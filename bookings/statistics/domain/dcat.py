"""Describe what anybody may download here as a catalogue of DCAT-AP 3, in JSON-LD."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
}
_PUBLIC = "http://publications.europa.eu/resource/authority/access-right/PUBLIC"
_FILE_TYPE = "http://publications.europa.eu/resource/authority/file-type/"
_MEDIA_TYPE = "https://www.iana.org/assignments/media-types/"

# Language -> text.
type Texts = Mapping[str, str]


@dataclass(frozen=True)
class Download:
    """A form in which a data set comes: its address, the name of its kind of file in the European list, and
    its media type."""

    address: str
    kind: str
    media: str


@dataclass(frozen=True)
class Service:
    """An interface at which a data set is asked for, and the standard that it follows, if any."""

    address: str
    title: Texts
    standard: str = ""
    described_at: str = ""


@dataclass(frozen=True)
class DataSet:
    code: str
    title: Texts
    description: Texts
    page: str
    downloads: Sequence[Download]
    services: Sequence[Service] = ()


def dcat_catalogue(
    at: str, site: str, title: Texts, about: Texts, sets: Sequence[DataSet], licence: str = ""
) -> dict[str, Any]:
    """Return the catalogue. `at`: its own address; `site`: the platform's; `title`: the platform's name;
    `licence`: the address of that of all data, if one is stated."""
    licensed = {"dct:license": {"@id": licence}} if licence else {}
    publisher = {"@id": f"{site}/#publisher", "@type": "foaf:Agent", "foaf:name": _texts(title)}
    return {
        "@context": _CONTEXT,
        "@id": at,
        "@type": "dcat:Catalog",
        "dct:title": _texts(title),
        "dct:description": _texts(about),
        "dct:publisher": publisher,
        "foaf:homepage": {"@id": f"{site}/"},
        **licensed,
        "dcat:dataset": [_set(at, one, publisher["@id"], licensed) for one in sets],
        "dcat:service": [
            _service(service, f"{at}#{one.code}", publisher["@id"]) | licensed
            for one in sets
            for service in one.services
        ],
    }


def _texts(texts: Texts) -> list[dict[str, str]]:
    return [{"@value": text, "@language": language} for language, text in texts.items() if text]


def _set(at: str, one: DataSet, publisher: object, licensed: dict[str, Any]) -> dict[str, Any]:
    return {
        "@id": f"{at}#{one.code}",
        "@type": "dcat:Dataset",
        "dct:identifier": one.code,
        "dct:title": _texts(one.title),
        "dct:description": _texts(one.description),
        "dct:publisher": {"@id": publisher},
        "dct:accessRights": {"@id": _PUBLIC},
        "dcat:landingPage": {"@id": one.page},
        "dcat:distribution": [
            {
                "@id": f"{at}#{one.code}-{download.kind.lower()}",
                "@type": "dcat:Distribution",
                "dcat:accessURL": {"@id": download.address},
                "dct:format": {"@id": _FILE_TYPE + download.kind},
                "dcat:mediaType": {"@id": _MEDIA_TYPE + download.media},
                **licensed,
            }
            for download in one.downloads
        ],
    }


def _service(service: Service, serves: str, publisher: object) -> dict[str, Any]:
    told: dict[str, Any] = {
        "@id": f"{service.address}#service",
        "@type": "dcat:DataService",
        "dct:title": _texts(service.title),
        "dct:publisher": {"@id": publisher},
        "dcat:endpointURL": {"@id": service.address},
        "dcat:servesDataset": {"@id": serves},
    }
    if service.standard:
        told["dct:conformsTo"] = {"@id": service.standard}
    if service.described_at:
        told["dcat:endpointDescription"] = {"@id": service.described_at}
    return told
