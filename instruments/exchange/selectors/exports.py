"""Export an organisation's instruments as a file, read and written in pieces."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from tempfile import TemporaryFile
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch
from django.utils.translation import gettext

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from instruments.capabilities.selectors.capabilities import capabilities_in_order
from instruments.exchange.adapters import nrii, pidinst, table, uniquip
from instruments.exchange.domain.datacite import Told, datacite_json
from instruments.exchange.domain.fields import FACILITY_FIELDS, TEMPLATE_HEADS, told
from instruments.exchange.domain.pidinst import PidinstRecord, pidinst_json
from instruments.exchange.domain.terms import TERMS
from instruments.exchange.selectors.terms import names_in
from instruments.rates.domain.ratecards import card_in_force
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import load_card
from instruments.reading.adapters import workbook
from instruments.reading.domain.clock import local_date
from instruments.reading.domain.delimited import text_cell
from instruments.register.models import Facility, Instrument
from instruments.vocabulary.domain.parameters import Stated, written
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import load_parameters

PIECE = 500
CSV, XLSX = ("text/csv; charset=utf-8", ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))
PIDINST_FIELDS = [name for name in PidinstRecord.__dataclass_fields__ if name not in {"page", "host"}]

type Cells = Callable[[Sequence[Instrument]], Iterator[list[str]]]


@dataclass(frozen=True)
class Export:
    """A file to send: its name, its media type, its content in pieces."""

    name: str
    media: str
    content: Iterator[bytes]


# Format of an export -> the file's extension and media type.
FORMATS = {
    "csv": ("csv", CSV),
    "xlsx": ("xlsx", XLSX),
    "uniquip": ("uniquip.csv", CSV),
    "pidinst-json": ("pidinst.json", "application/json"),
    "pidinst-xml": ("pidinst.xml", "application/xml"),
    "nrii": ("nrii.csv", CSV),
    "nrii-xlsx": ("nrii.xlsx", XLSX),
}


def export_for(actor: Actor, organisation: Organisation, format: str, now: datetime) -> Export:
    """Return all instruments of an organisation, drafts and retired ones too, for its managers.
    `NotFound` for others."""
    if not actor.may("manage-instruments", place_of(organisation)):
        raise NotFound
    return export_of(organisation, format, now)


def export_of(organisation: Organisation, format: str, now: datetime) -> Export:
    """Export an organisation's instruments like `export_for`, but without checking permission (commands,
    tests)."""
    pieces = _pieces(organisation)
    heads: Sequence[str]
    cells: Cells
    match format:
        case "csv" | "xlsx":
            heads, cells = table.HEADS, _table_cells
        case "uniquip":
            heads, cells = uniquip.HEADS, _uniquip_cells
        case "nrii" | "nrii-xlsx":
            heads, cells = tuple(nrii.COLUMNS.values()), _nrii_cells(now)
        case _:
            heads, cells = (), _table_cells
    ending, media = FORMATS[format]
    name = f"{organisation.code}.{ending}"
    if format == "pidinst-json":
        return Export(name, media, _json(pieces))
    if format == "pidinst-xml":
        return Export(name, media, _xml(pieces))
    rows = (row for piece in pieces for row in cells(piece))
    return Export(name, media, _workbook(heads, rows) if media == XLSX else _csv(heads, rows))


TEMPLATES = {name: FORMATS[name] for name in ("csv", "xlsx")}


def template_for(actor: Actor, organisation: Organisation, format: str, labels: Mapping[str, Any]) -> Export:
    """Return a table to fill in with an organisation's instruments, in the reader's language, for its
    managers: the heads, an example row that imports leave out and, in a workbook, the allowed values on a
    second sheet. `labels`: those of the fields, by name. `NotFound` for others."""
    if not actor.may("manage-instruments", place_of(organisation)):
        raise NotFound
    heads = [str(labels[name]) for name in TEMPLATE_HEADS]
    technique = Technique.objects.order_by("name", "code").first()
    facility = Facility.objects.filter(organisation=organisation).order_by("name").first()
    example = {
        "inventory_number": gettext("EXAMPLE"),
        "name": gettext("Scanning electron microscope"),
        "manufacturers": "Zeiss",
        "model": "Sigma 300",
        "facility": facility.name if facility else gettext("Electron microscopy"),
        "address": facility.address if facility else "",
        "room": "B1.07",
        "kind": "general",
        "service_modes": "self; assisted",
        "techniques": technique.name if technique else "",
        "acquisition_date": "2024-03-31",
        "acquisition_cost": "2100000",
        "acquisition_currency": organisation.region.currency,
    }
    row = [example.get(name, "") for name in TEMPLATE_HEADS]
    ending, media = TEMPLATES[format]
    name = f"{organisation.code}.template.{ending}"
    if format == "csv":
        return Export(name, media, _csv(heads, iter([row])))
    allowed = [gettext("Field"), gettext("Allowed value"), gettext("Meaning")]
    sheets = [
        (gettext("Instruments"), heads, [row]),
        (gettext("Allowed values"), allowed, _allowed_values(organisation, labels)),
    ]
    return Export(name, media, _sheets(sheets))


def _allowed_values(organisation: Organisation, labels: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield the known terms of each field that takes only these: label of the field, term, meaning."""
    for field in TERMS:
        for term, names in names_in(organisation, field):
            label = str(labels[field])
            if field == "techniques":
                yield [label, term, " ".join(filter(None, names[:2]))]
            else:
                choices = {"kind": Instrument.Kind, "service_modes": Instrument.ServiceMode}.get(field)
                yield [label, term, str(choices(term).label) if choices else ""]


def pidinst_of(instrument: Instrument) -> dict[str, Any]:
    """Return the record of an instrument (loaded with its organisation) as PIDINST 1.0 JSON."""
    return pidinst_json(pidinst_record(instrument))


def pidinst_record(instrument: Instrument) -> PidinstRecord:
    """Return the record of an instrument (loaded with its organisation) with the properties of PIDINST."""
    host = {"name": instrument.organisation.name}
    if instrument.organisation.ror:
        host |= {"identifier": instrument.organisation.ror, "identifier_type": "ROR"}
    return PidinstRecord(
        page=page_of(instrument), host=host, **{name: getattr(instrument, name) for name in PIDINST_FIELDS}
    )


def datacite_of(instrument: Instrument) -> dict[str, Any]:
    """Return the record of an instrument (loaded with its organisation and techniques) as DataCite's JSON."""
    zone = ZoneInfo("UTC")
    told = Told(
        name_zh=instrument.name_zh,
        description_zh=instrument.description_zh,
        techniques=[technique.name for technique in instrument.techniques.all()],
        published=local_date(zone, instrument.published_at or instrument.created_at),
        licence=settings.OPEN_DATA_LICENCE,
    )
    return datacite_json(pidinst_record(instrument), told)


def page_of(instrument: Instrument) -> str:
    """Return the address of the instrument's own page."""
    return f"{settings.SITE_URL}/instruments/{instrument.pk}/"


def _pieces(organisation: Organisation) -> Iterator[list[Instrument]]:
    """Yield the instruments ordered by id, some hundred at a time, so that a hundred thousand never lie in
    memory together."""
    rows = (
        Instrument.objects.filter(organisation=organisation)
        .select_related("facility", "organisation")
        .prefetch_related("techniques", Prefetch("capabilities", capabilities_in_order()))
        .order_by("pk")
    )
    piece = list(rows[:PIECE])
    while piece:
        yield piece
        piece = list(rows.filter(pk__gt=piece[-1].pk)[:PIECE])


def _told(instrument: Instrument) -> dict[str, str]:
    facility = {name: getattr(instrument.facility, name, "") for name in FACILITY_FIELDS}
    facility["facility"] = instrument.facility.name
    codes = [technique.code for technique in instrument.techniques.all()]
    return told(vars(instrument) | {"capabilities": _capabilities(instrument)}, codes, facility)


def _capabilities(instrument: Instrument) -> list[str]:
    parameters = load_parameters()
    return [
        text
        for row in instrument.capabilities.all()
        if (terms := parameters.get(row.parameter.code))
        and (text := written(terms, Stated(terms.code, row.minimum, row.maximum, row.condition), row.unit))
    ]


def _table_cells(piece: Sequence[Instrument]) -> Iterator[list[str]]:
    for instrument in piece:
        texts = _told(instrument)
        yield [str(instrument.pk), *(texts[name] for name in table.HEADS[1:])]


def _uniquip_cells(piece: Sequence[Instrument]) -> Iterator[list[str]]:
    for instrument in piece:
        is_own = instrument.source == uniquip.SOURCE
        key = instrument.source_key if is_own else str(instrument.pk)
        yield uniquip.cells_of_record(key, _told(instrument))


def _nrii_cells(now: datetime) -> Cells:
    def cells(piece: Sequence[Instrument]) -> Iterator[list[str]]:
        fees = _fees(piece, now)
        for instrument in piece:
            place = nrii.Place(
                host_code=instrument.organisation.code,
                host_name=instrument.organisation.name_zh or instrument.organisation.name,
                page=page_of(instrument),
                fee=fees.get(instrument.pk, ""),
                is_published=instrument.publication == Instrument.Publication.PUBLISHED,
                is_retired=instrument.publication == Instrument.Publication.RETIRED,
                techniques="；".join(t.name_zh or t.name for t in instrument.techniques.all()),
            )
            yield nrii.cells_of_record(str(instrument.pk), _told(instrument), place)

    return cells


def _fees(piece: Sequence[Instrument], now: datetime) -> dict[Any, str]:
    """Return, by instrument id, the price for external users by the rate card in force, in the inventory's
    wording."""
    cards: dict[Any, list[RateCard]] = {}
    rows = RateCard.objects.filter(instrument__in=piece, published_at__isnull=False)
    for row in rows.order_by("version"):
        cards.setdefault(row.instrument_id, []).append(row)
    fees = {}
    for instrument in piece:
        today = local_date(ZoneInfo(instrument.facility.time_zone), now)
        in_force = card_in_force(cards.get(instrument.pk, []), today)
        if in_force is not None:
            card = load_card(in_force).values
            card = card.for_mode(card.first_mode(instrument.service_modes, "external"))
            unit = "样品" if card.rate_unit == "sample" else "小时"
            rate = card.rates.get("external") or next(iter(card.rates.values()), None)
            fees[instrument.pk] = f"{rate:f} {card.currency}/{unit}" if rate is not None else ""
    return fees


def _csv(heads: Sequence[str], rows: Iterator[list[str]]) -> Iterator[bytes]:
    """Write CSV with the byte order mark that Excel needs; no cell begins like a formula."""
    yield b"\xef\xbb\xbf"
    out = io.StringIO()
    writer = csv.writer(out)
    for row in chain([list(heads)], rows):
        writer.writerow([text_cell(text) for text in row])
        if out.tell() > 1 << 16:
            yield _drained(out)
    yield _drained(out)


def _drained(out: io.StringIO) -> bytes:
    content = out.getvalue().encode()
    out.seek(0)
    out.truncate()
    return content


def _workbook(heads: Sequence[str], rows: Iterator[list[str]]) -> Iterator[bytes]:
    return _sheets([("instruments", heads, rows)])


def _sheets(sheets: Sequence[workbook.Sheet]) -> Iterator[bytes]:
    with closing(TemporaryFile()) as file:
        workbook.write_sheets(file, sheets)
        file.seek(0)
        yield from iter(lambda: file.read(1 << 16), b"")


def _json(pieces: Iterator[list[Instrument]]) -> Iterator[bytes]:
    before = b"["
    for piece in pieces:
        for instrument in piece:
            yield before + json.dumps(pidinst_of(instrument), ensure_ascii=False).encode()
            before = b",\n"
    yield b"]\n" if before != b"[" else b"[]\n"


def _xml(pieces: Iterator[list[Instrument]]) -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<instruments>\n'
    for piece in pieces:
        for instrument in piece:
            yield pidinst.xml_of(pidinst_of(instrument))
    yield b"</instruments>\n"
