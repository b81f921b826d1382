"""Read and write UNIQUIP, the format in which British universities publish their equipment.

Specification: equipment.data.ac.uk/uniquip. Only a Name or a Description column is required. Order, case and
remarks in parentheses ("Technique (:N8)") do not matter. Other columns are ignored, as are Photo, Location (a
Wikipedia page near the place) and the secondary contact, for which a record here has no field.

ID is the key. Without it the key is made from the content of the row (name, description, department, site,
building); rows with the same content are several pieces of equipment, numbered in order. A row whose words
change is then taken for another row.

Nothing here can tell an instrument from a person's or a building's name or a line of an invoice: a row with
any words becomes a draft, and a person decides about publishing it.
"""

import html
import re
import textwrap
from collections.abc import Iterator, Mapping

from instruments.exchange.domain.fields import clean, is_name
from instruments.exchange.domain.imports import Row, RowValues, content_key, read_row
from instruments.reading.domain.delimited import FileRefused, Record, RowProblem, header_name

SOURCE = "uniquip"
COLUMNS = (
    *("type", "name", "description", "related facility id", "technique", "location"),
    *("contact name", "contact telephone", "contact url", "contact email"),
    *("secondary contact name", "secondary contact telephone"),
    *("secondary contact url", "secondary contact email"),
    *("id", "photo", "department", "site location", "building", "service level", "web address"),
)
_WITHOUT_FIELD = {"photo", "location", *(name for name in COLUMNS if name.startswith("secondary"))}
_NAME_LENGTH = 250
# Keys made here: for rows without an ID, and for instruments from other formats.
_MADE_KEY = re.compile(r"row-[0-9a-f]{32}-\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")


def rows_of(header: tuple[str, ...], records: Iterator[Record]) -> Iterator[Row]:
    """Yield the rows of a UNIQUIP file with their line numbers. `FileRefused`: no-name-column."""
    known = _known_columns(header)
    if not {"name", "description"} & set(known.values()):
        raise FileRefused("no-name-column", columns=", ".join(header)[:200])
    return _rows(known, records)


def _known_columns(header: tuple[str, ...]) -> dict[str, str]:
    """Map each known column of the file to that of the specification. Technique may come twice, once per
    vocabulary. `FileRefused` (duplicate-header) if another column does."""
    known: dict[str, str] = {}
    for column in header:
        name = header_name(re.sub(r"\([^)]*\)", "", column).replace("_", " "))
        if name not in COLUMNS:
            continue
        if name != "technique" and name in known.values():
            raise FileRefused("duplicate-header", column=name)
        known[column] = name
    return known


def ignored_columns(header: tuple[str, ...]) -> list[str]:
    """Return the columns of the file that an import does not use."""
    known = _known_columns(header)
    return [name for name in header if known.get(name, "photo") in _WITHOUT_FIELD]


def _rows(known: dict[str, str], records: Iterator[Record]) -> Iterator[Row]:
    for line, record in records:
        if isinstance(record, RowProblem):
            yield line, record
            continue
        cells: dict[str, str] = dict.fromkeys(COLUMNS, "")
        for column, name in known.items():
            cells[name] = f"{cells[name]};{record[column]}" if cells[name] else record[column]
        yield line, _row(cells)


def _row(cells: dict[str, str]) -> RowValues | RowProblem:
    if clean(cells["type"]).casefold() == "facility":
        return RowProblem("facility-row")
    description = _without_tags(cells["description"])
    name = clean(_without_tags(cells["name"]))
    if not is_name(name):
        name = textwrap.shorten(clean(description), _NAME_LENGTH, placeholder=" …")
    about = description
    if level := clean(cells["service level"]):
        about = f"{description}\nService level: {level}"
    key = clean(cells["id"])
    texts = {
        "name": name,
        "description": about,
        "landing_page": cells["web address"],
        "instrument_types": cells["technique"],
        "inventory_number": key,
        "room": cells["building"],
        "facility": cells["department"] if clean(cells["department"]) else cells["site location"],
        "address": cells["site location"],
        "contact_name": cells["contact name"],
        "contact_email": cells["contact email"],
        "contact_phone": cells["contact telephone"],
        "website": cells["contact url"],
    }
    if _MADE_KEY.fullmatch(key):
        del texts["inventory_number"]  # an ID that an export of this platform wrote
    keyed_columns = ("name", "description", "department", "site location", "building")
    record_key = content_key(*(cells[column] for column in keyed_columns))
    return read_row(texts, key=key or record_key, repeats=not key)


def _without_tags(text: str) -> str:
    """Return the readable text of a description that may be HTML."""
    if not _TAG.search(text) and "&" not in text:
        return text
    return html.unescape(_TAG.sub(" ", text))


HEADS = tuple(
    {"id": "ID"}.get(column, column.title().replace("Url", "URL"))
    for column in COLUMNS
    if column not in _WITHOUT_FIELD
)


def cells_of_record(key: str, told: Mapping[str, str]) -> list[str]:
    """Return a record as one row of a UNIQUIP file, in the order of `HEADS`. `told`: the fields of the record
    as texts; `key`: the id of the row."""
    known = {
        "type": "equipment",
        "name": _as_html(told["name"]),
        "description": _as_html(told["description"] or told["description_zh"]),
        "technique": told["instrument_types"],
        "contact name": told["contact_name"],
        "contact telephone": told["contact_phone"],
        "contact url": told["website"],
        "contact email": told["contact_email"],
        "id": key,
        "department": told["facility"],
        "site location": told["address"],
        "building": told["room"],
        "web address": told["landing_page"],
    }
    return [known.get(head.lower(), "") for head in HEADS]


def _as_html(text: str) -> str:
    """Write a text as HTML if readers that take the field for HTML would otherwise lose some of it."""
    return html.escape(text, quote=False) if _without_tags(text) != text else text
