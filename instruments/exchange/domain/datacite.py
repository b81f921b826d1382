"""Describe an instrument's record in the terms of DataCite 4.5 and, from these, of Dublin Core.

The properties correspond as PIDINST's recommendation maps them: makers are creators, the owner is publisher
and hosts the instrument, its first and last day are `Available` and `Withdrawn`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from instruments.exchange.domain.pidinst import UNKNOWN, Item, PidinstRecord

SCHEMA_VERSION = "http://datacite.org/schema/kernel-4"
INSTRUMENT = "Instrument"
_DATES = {"Commissioned": "Available", "DeCommissioned": "Withdrawn"}
# What DataCite has no word for is left out.
_RELATIONS = {
    name: name
    for name in (
        *("IsDescribedBy", "IsNewVersionOf", "IsPreviousVersionOf", "References", "HasMetadata"),
        "IsIdenticalTo",
    )
} | {"HasComponent": "HasPart", "IsComponentOf": "IsPartOf"}
_RELATED_TYPES = frozenset(
    {
        *("ARK", "arXiv", "bibcode", "DOI", "EAN13", "EISSN", "Handle", "IGSN", "ISBN", "ISSN", "ISTC"),
        *("LISSN", "PMID", "PURL", "UPC", "URL", "URN", "w3id"),
    }
)


@dataclass(frozen=True)
class Told:
    """The facts that DataCite has beyond PIDINST: the name and description in Chinese, the names of
    techniques, the day on which the record was published, and the address of the licence of records, if one
    is stated."""

    name_zh: str
    description_zh: str
    techniques: Sequence[str]
    published: date
    licence: str = ""


def datacite_json(record: PidinstRecord, told: Told) -> dict[str, Any]:
    """Return the record as DataCite's JSON, without empty properties."""
    doi = record.identifier if record.identifier_type == "DOI" and record.identifier.startswith("10.") else ""
    owners = record.owners or [record.host]
    words = [str(item.get("name") or "") for item in (*record.instrument_types, *record.measured_variables)]
    properties: dict[str, Any] = {
        "doi": doi,
        "url": record.landing_page or record.page,
        "types": {"resourceTypeGeneral": INSTRUMENT, "resourceType": INSTRUMENT},
        "creators": [_party(item) for item in record.manufacturers or [{"name": UNKNOWN}]],
        "titles": _unlike(
            {"title": record.name, "lang": "en" if record.name != told.name_zh else "zh"},
            {"title": told.name_zh, "titleType": "TranslatedTitle", "lang": "zh"},
            "title",
        ),
        "publisher": {"name": _party(owners[0])["name"]},
        "publicationYear": str(_year(record, told)),
        "subjects": [{"subject": word} for word in _once([*told.techniques, *words])],
        "contributors": [
            _party(item) | {"contributorType": "HostingInstitution"} for item in _hosts(record, owners)
        ],
        "dates": _dates(record.dates),
        "alternateIdentifiers": _alternates(record, doi),
        "relatedIdentifiers": _related(record.related_identifiers),
        "rightsList": [{"rightsUri": told.licence}] if told.licence else [],
        "descriptions": [
            {"descriptionType": "Abstract", "lang": lang, "description": text}
            for text, lang in ((record.description, "en"), (told.description_zh, "zh"))
            if text
        ]
        + ([{"descriptionType": "TechnicalInfo", "description": record.model}] if record.model else []),
        "schemaVersion": SCHEMA_VERSION,
    }
    return {name: value for name, value in properties.items() if value}


def _party(item: Item) -> dict[str, Any]:
    party: dict[str, Any] = {"name": str(item.get("name") or UNKNOWN), "nameType": "Organizational"}
    if item.get("identifier"):
        scheme = str(item.get("identifier_type") or "Other")
        party["nameIdentifiers"] = [
            {"nameIdentifier": str(item["identifier"]), "nameIdentifierScheme": scheme}
        ]
    return party


def _hosts(record: PidinstRecord, owners: Sequence[Item]) -> list[Item]:
    names = {record.host["name"]}
    return [record.host, *(item for item in owners if item.get("name") not in names)]


def _unlike(first: dict[str, str], second: dict[str, str], key: str) -> list[dict[str, str]]:
    return [first, second] if second[key] and second[key] != first[key] else [first]


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, words)))


def _year(record: PidinstRecord, told: Told) -> int:
    """Return the year of taking into use, or of publishing here."""
    first = next((i["date"] for i in record.dates if i.get("date_type") == "Commissioned"), "")
    return int(first[:4]) if first[:4].isdecimal() and len(first) >= 4 else told.published.year


def _dates(items: Sequence[Item]) -> list[dict[str, str]]:
    return [
        {"date": date, "dateType": kind}
        for date, kind in dict.fromkeys(
            (str(item["date"]), _DATES[item["date_type"]])
            for item in items
            if item.get("date") and item.get("date_type") in _DATES
        )
    ]


def _alternates(record: PidinstRecord, doi: str) -> list[dict[str, str]]:
    pairs = [(record.page, "URL")]
    if record.identifier and not doi:
        pairs.append((record.identifier, record.identifier_type or "Other"))
    pairs += [
        (str(item.get("identifier") or ""), str(item.get("identifier_type") or "Other"))
        for item in record.alternate_identifiers
    ]
    return [
        {"alternateIdentifier": value, "alternateIdentifierType": kind}
        for value, kind in dict.fromkeys(pairs)
        if value
    ]


def _related(items: Sequence[Item]) -> list[dict[str, str]]:
    found = dict.fromkeys(
        (str(item["identifier"]), str(item["identifier_type"]), _RELATIONS[item["relation_type"]])
        for item in items
        if item.get("identifier")
        and item.get("identifier_type") in _RELATED_TYPES
        and item.get("relation_type") in _RELATIONS
    )
    return [
        {"relatedIdentifier": value, "relatedIdentifierType": kind, "relationType": relation}
        for value, kind, relation in found
    ]


def dublin_core(record: dict[str, Any], page: str) -> list[tuple[str, str, str]]:
    """Return a DataCite record as Dublin Core: elements with their texts and languages. `page`: the address
    of the record here."""
    told: list[tuple[str, str, str]] = [
        ("title", item["title"], item.get("lang", "")) for item in record["titles"]
    ]
    told += [("creator", item["name"], "") for item in record["creators"]]
    told += [("subject", item["subject"], "") for item in record.get("subjects", ())]
    told += [
        ("description", item["description"], item.get("lang", "")) for item in record.get("descriptions", ())
    ]
    told.append(("publisher", record["publisher"]["name"], ""))
    told += [("contributor", item["name"], "") for item in record["contributors"]]
    told.append(("date", record["publicationYear"], ""))
    told.append(("type", INSTRUMENT, ""))
    names = [page, *([f"https://doi.org/{record['doi']}"] if record.get("doi") else [])]
    names += [item["alternateIdentifier"] for item in record["alternateIdentifiers"]]
    told += [("identifier", name, "") for name in _once(names)]
    told += [("relation", item["relatedIdentifier"], "") for item in record.get("relatedIdentifiers", ())]
    return told + [("rights", item["rightsUri"], "") for item in record.get("rightsList", ())]
