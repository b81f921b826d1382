"""Convert an instrument's record to PIDINST 1.0 JSON and back.

Schema: rdawg-pidinst, `pidinst-schema-1_0.schema.json`. Our record has the same properties under our own
names. Where PIDINST admits only certain words, others are written as `Other` or, where there is no such word,
left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from instruments.exchange.domain.fields import INSTRUMENT_FIELDS, Unusable, clean, clean_lines, is_name
from instruments.exchange.domain.imports import RowValues, bad_value, key_kept
from instruments.reading.domain.delimited import RowProblem

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
    """An instrument with the properties of PIDINST, in our shapes
    (instruments/register/models/instruments.py).

    `page` is the address of the record here: the landing page, and also the identifier until the instrument
    has another. `host` stands for the owner until owners are named.
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
    model_identifier_type: str = ""
    description: str = ""
    instrument_types: Sequence[Item] = ()
    measured_variables: Sequence[Item] = ()
    dates: Sequence[Item] = ()
    related_identifiers: Sequence[Item] = ()
    alternate_identifiers: Sequence[Item] = ()


def pidinst_json(record: PidinstRecord) -> dict[str, Any]:
    """Return the record under PIDINST's own names, without empty properties."""
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
    """Write `{name, identifier?, identifier_type?}` under PIDINST's three names."""
    named: dict[str, Any] = {f"{word}Name": item.get("name") or UNKNOWN}
    if item.get("identifier"):
        named[f"{word}Identifier"] = {
            f"{word}Identifier": item["identifier"],
            f"{word}IdentifierType": item.get("identifier_type") or "Other",
        }
    return named


def _owner(item: Item) -> dict[str, Any]:
    named = _named(item, "owner")
    contact = {"ownerContact": item["contact"]} if item.get("contact") else {}
    # In the order of the XML schema.
    return {"ownerName": named["ownerName"], **contact, **named}


def _model(record: PidinstRecord) -> dict[str, Any]:
    if not record.model and not record.model_identifier:
        return {}
    model = {"name": record.model, "identifier": record.model_identifier}
    return _named(model | {"identifier_type": record.model_identifier_type}, "model")


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


# Reading

_MOST_ITEMS = 50


def pidinst_values(data: Mapping[str, Any], *, site: str) -> RowValues | RowProblem:
    """Return the values of a record that fits the schema. If an export of the platform at `site` wrote it
    without an identifier, its address there is its key. Problems: no-name, no-key, too-long, too-many-items,
    bad-value."""
    identifier = clean(data["identifier"]["identifier"])
    kind = clean(data["identifier"]["identifierType"])
    page = re.fullmatch(re.escape(site) + r"/instruments/([0-9a-f-]{36})/", identifier)
    landing_page = clean(data["landingPage"])
    model = data.get("model") or {}
    model_identifier = _identifier_of(model, "modelIdentifier")
    record: dict[str, Any] = {
        "identifier": "" if page else identifier,
        "identifier_type": "" if page else kind,
        "landing_page": landing_page,
        "name": clean(data["name"]),
        "model": clean(model.get("modelName", "")),
        "model_identifier": model_identifier.get("identifier", ""),
        "model_identifier_type": model_identifier.get("identifier_type", ""),
        "description": clean_lines(data.get("description", "")),
        "owners": [
            _name_of(item, "owner")
            | ({"contact": contact} if (contact := clean(item.get("ownerContact", ""))) else {})
            for item in data["owners"]
        ],
        "manufacturers": _names_of(data["manufacturers"], "manufacturer"),
        "instrument_types": _names_of(data.get("instrumentTypes", ()), "instrumentType"),
        "measured_variables": [
            {"name": name} for item in data.get("measuredVariables", ()) if (name := clean(item))
        ],
        "dates": [
            {"date": item["date"].strip(), "date_type": item["dateType"]} for item in data.get("dates", ())
        ],
        "related_identifiers": [
            _other_identifier(item, "relatedIdentifier") | {"relation_type": item["relationType"]}
            for item in data.get("relatedIdentifiers", ())
        ],
        "alternate_identifiers": [
            _other_identifier(item, "alternateIdentifier") for item in data.get("alternateIdentifiers", ())
        ],
    }
    record["owners"] = [owner for owner in record["owners"] if owner["name"]]
    if problem := _unfit(record, site):
        return problem
    if record["model_identifier_type"] == "Other":
        record["model_identifier_type"] = ""
    key = page[1] if page else f"{kind}:{identifier}" if identifier else ""
    if not key:
        return RowProblem("no-key")
    return RowValues(key_kept(key), record)


def _unfit(record: dict[str, Any], site: str) -> RowProblem | None:
    """Return the problem if a value of the record cannot be stored; otherwise clean the values in place. A
    landing page at `site` is emptied."""
    if not is_name(record["name"]):
        return RowProblem("no-name")
    if record["landing_page"].startswith(f"{site}/instruments/"):
        record["landing_page"] = ""
    for name, value in record.items():
        if isinstance(value, list):
            if len(value) > _MOST_ITEMS:
                return RowProblem("too-many-items", {"field": name, "items": len(value), "most": _MOST_ITEMS})
            longest = max((len(text) for item in value for text in item.values()), default=0)
            if longest > 500:
                return RowProblem("too-long", {"field": name, "length": longest, "most": 500})
        else:
            try:
                record[name] = INSTRUMENT_FIELDS[name](value)
            except Unusable as error:
                if error.most:
                    return RowProblem("too-long", {"field": name, "length": len(value), "most": error.most})
                return bad_value(name, value)
    for item in record["dates"]:
        try:
            date.fromisoformat(item["date"])
        except ValueError:
            return bad_value("dates", item["date"])
    return None


def _identifier_of(item: Item, word: str) -> dict[str, str]:
    """Return `identifier` and `identifier_type` of an item; empty if it has none."""
    given = item.get(word) or {}
    identifier = clean(given.get(word, ""))
    kind = clean(given.get(f"{word}Type", ""))
    return {"identifier": identifier, "identifier_type": kind} if identifier else {}


def _name_of(item: Item, word: str) -> dict[str, str]:
    return {"name": clean(item[f"{word}Name"])} | _identifier_of(item, f"{word}Identifier")


def _names_of(items: Sequence[Item], word: str) -> list[dict[str, str]]:
    """Return those items of a PIDINST list that have a name, under our own names."""
    return [named for item in items if (named := _name_of(item, word))["name"]]


def _other_identifier(item: Item, word: str) -> dict[str, str]:
    values = {"identifier": clean(item[word]), "identifier_type": item[f"{word}Type"]}
    name = clean(item.get(f"{word}Name", ""))
    return values | ({"name": name} if name else {})


# relation -> the kind of edge, and whether it points the other way
_ORDERED = {
    "IsComponentOf": ("part", False),
    "HasComponent": ("part", True),
    "IsNewVersionOf": ("version", False),
    "IsPreviousVersionOf": ("version", True),
}

type Edge = tuple[str, str, str]  # word, from, to


def edges_of(identifier: str, related: Iterable[Mapping[str, Any]]) -> set[Edge]:
    """Return the relations of an instrument that make one of two things a part or a successor of the other,
    each as `(word, part, whole)`."""
    edges: set[Edge] = set()
    for item in related:
        ordered = _ORDERED.get(str(item.get("relation_type")))
        if ordered and identifier:
            word, is_reverse = ordered
            other = str(item.get("identifier"))
            edges.add((word, other, identifier) if is_reverse else (word, identifier, other))
    return edges


def in_circles(edges: Iterable[Edge]) -> dict[str, tuple[str, ...]]:
    """Return, for each identifier that lies on a circle of relations, the circle, beginning and ending with
    the same identifier. The two sides of one relation (`IsComponentOf`, `HasComponent`) are one edge and no
    circle."""
    ahead: dict[tuple[str, str], set[str]] = {}
    for word, start, end in edges:
        ahead.setdefault((word, start), set()).add(end)
        ahead.setdefault((word, end), set())
    # A node without outgoing edges lies on no circle. Removing such nodes repeatedly leaves the circles
    # and the paths between them.
    behind: dict[tuple[str, str], set[str]] = {}
    for (word, start), ends in ahead.items():
        for end in ends:
            behind.setdefault((word, end), set()).add(start)
    idle = [node for node, ends in ahead.items() if not ends]
    while idle:
        word, gone = idle.pop()
        for start in behind.pop((word, gone), ()):
            ahead[word, start].discard(gone)
            if not ahead[word, start]:
                idle.append((word, start))
        ahead.pop((word, gone), None)
    circles: dict[str, tuple[str, ...]] = {}
    for node in ahead:
        if node[1] not in circles:
            for name in (circle := _circle_from(node, ahead)):
                circles.setdefault(name, circle)
    return circles


def _circle_from(node: tuple[str, str], ahead: Mapping[tuple[str, str], set[str]]) -> tuple[str, ...]:
    word, name = node
    seen: dict[str, int] = {}
    path: list[str] = []
    while name not in seen:
        seen[name] = len(path)
        path.append(name)
        name = min(ahead[word, name])
    return (*path[seen[name] :], name)
