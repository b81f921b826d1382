"""An instrument's record as PIDINST 1.0 JSON.

Schema: rdawg-pidinst, `pidinst-schema-1_0.schema.json`. Our record has the same properties
under our names; where PIDINST admits only words of its own, others are kept as `Other` or,
where there is no such word, left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA_VERSION = "1.0"
UNKNOWN = "Unknown"

DATE_TYPES = ("Commissioned", "DeCommissioned")
ALTERNATE_IDENTIFIER_TYPES = ("SerialNumber", "InventoryNumber", "Other")
RELATED_IDENTIFIER_TYPES = (
    "ARK", "arXiv", "bibcode", "DOI", "EAN13", "EISSN", "Handle", "IGSN", "ISBN", "ISSN", "ISTC",
    "LISSN", "PMID", "PURL", "RAiD", "RRID", "UPC", "URL", "URN", "w3id",
)  # fmt: skip
RELATION_TYPES = (
    "IsDescribedBy", "IsNewVersionOf", "IsPreviousVersionOf", "HasComponent", "IsComponentOf",
    "References", "HasMetadata", "WasUsedIn", "IsIdenticalTo", "IsAttachedTo",
)  # fmt: skip

Item = Mapping[str, Any]


@dataclass(frozen=True)
class PidinstRecord:
    """What PIDINST asks of an instrument, in our shapes (instruments/models/instruments.py).

    `page` is the address of the record here: the landing page, and the identifier too, until
    it has others. `host` stands for the owner until owners are named.
    """

    page: str
    name: str
    host: Item
    identifier: str = ""
    identifier_type: str = ""
    landing_page: str = ""
    owners: Sequence[Item] = ()
    manufacturers: Sequence[Item] = ()
    model: str = ""
    model_identifier: str = ""
    description: str = ""
    instrument_types: Sequence[Item] = ()
    measured_variables: Sequence[Item] = ()
    dates: Sequence[Item] = ()
    related_identifiers: Sequence[Item] = ()
    alternate_identifiers: Sequence[Item] = ()


def pidinst_json(record: PidinstRecord) -> dict[str, Any]:
    """The record in PIDINST's own names; properties it has nothing to say of are left out."""
    properties: dict[str, Any] = {
        "identifier": {
            "identifier": record.identifier or record.page,
            "identifierType": (record.identifier_type or "Other") if record.identifier else "URL",
        },
        "schemaVersion": SCHEMA_VERSION,
        "landingPage": record.landing_page or record.page,
        "name": record.name,
        "owners": [_owner(item) for item in record.owners or [record.host]],
        "manufacturers": [
            _named(item, "manufacturer") for item in record.manufacturers or [{"name": UNKNOWN}]
        ],
        "model": _model(record),
        "description": record.description,
        "instrumentTypes": [_named(item, "instrumentType") for item in record.instrument_types],
        "measuredVariables": [str(item["name"]) for item in record.measured_variables],
        "dates": [
            {"date": item["date"], "dateType": item["date_type"]}
            for item in record.dates
            if item.get("date_type") in DATE_TYPES
        ],
        "relatedIdentifiers": [
            _related(item)
            for item in record.related_identifiers
            if item.get("identifier_type") in RELATED_IDENTIFIER_TYPES
            and item.get("relation_type") in RELATION_TYPES
        ],
        "alternateIdentifiers": [_alternate(item) for item in record.alternate_identifiers],
    }
    return {name: value for name, value in properties.items() if value}


def _named(item: Item, word: str) -> dict[str, Any]:
    """`{name, identifier?, identifier_type?}` in PIDINST's three names."""
    named: dict[str, Any] = {f"{word}Name": item.get("name") or UNKNOWN}
    if item.get("identifier"):
        named[f"{word}Identifier"] = {
            f"{word}Identifier": item["identifier"],
            f"{word}IdentifierType": item.get("identifier_type") or "Other",
        }
    return named


def _owner(item: Item) -> dict[str, Any]:
    contact = {"ownerContact": item["contact"]} if item.get("contact") else {}
    return _named(item, "owner") | contact


def _model(record: PidinstRecord) -> dict[str, Any]:
    if not record.model and not record.model_identifier:
        return {}
    return _named({"name": record.model, "identifier": record.model_identifier}, "model")


def _related(item: Item) -> dict[str, Any]:
    related = {
        "relatedIdentifier": item["identifier"],
        "relatedIdentifierType": item["identifier_type"],
        "relationType": item["relation_type"],
    }
    return related | ({"relatedIdentifierName": item["name"]} if item.get("name") else {})


def _alternate(item: Item) -> dict[str, Any]:
    kind = item.get("identifier_type") or "Other"
    is_known = kind in ALTERNATE_IDENTIFIER_TYPES
    name = item.get("name") or ("" if is_known else kind)
    alternate = {
        "alternateIdentifier": item["identifier"],
        "alternateIdentifierType": kind if is_known else "Other",
    }
    return alternate | ({"alternateIdentifierName": name} if name else {})
