"""Read imports (their rows and files) and the origins of fields for the managers of an organisation."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Organisation, User
from accounts.selectors.rows import visible
from instruments.exchange.adapters import pidinst, table, uniquip
from instruments.exchange.domain import imports
from instruments.exchange.domain.fields import heads_line
from instruments.exchange.domain.mappings import parse_mapping
from instruments.exchange.domain.terms import plain
from instruments.exchange.models import Import, ImportMapping, ImportRow
from instruments.reading.adapters import workbook
from instruments.reading.domain.delimited import FileRefused, Record, RowProblem, check_text, read_records
from instruments.register.domain.provenance import Origin, origins_of
from instruments.register.models import Facility, Instrument, Provenance
from instruments.vocabulary.models import Technique

SAMPLES = 3
_FIRST, _HEAD = 20, 65_536  # lines, and bytes, in which the names of the columns are looked for
_DELIMITERS = (",", ";", "\t", "|")
# Rows that are selected by what is said of them, besides their result.
KEPT, APART = "kept", "apart"


def imports_for(actor: Actor) -> QuerySet[Import]:
    """Return the imports of organisations whose instruments the actor manages."""
    return Import.objects.filter(
        organisation_id__in=actor.organisations_where("manage-instruments")
    ).select_related("organisation__region", "user")


def import_by_id(actor: Actor, import_id: UUID) -> Import:
    """Return an import. `NotFound` if there is none, or the actor may not see it."""
    return visible(imports_for(actor), pk=import_id)


def mappings_for(actor: Actor) -> QuerySet[ImportMapping]:
    return (
        ImportMapping.objects.filter(organisation_id__in=actor.organisations_where("manage-instruments"))
        .select_related("organisation")
        .order_by("name", "id")
    )


def mapping_by_id(actor: Actor, mapping_id: UUID) -> ImportMapping:
    """Return a mapping. `NotFound` if there is none, or the actor may not see it."""
    return visible(mappings_for(actor), pk=mapping_id)


def load_mapping(organisation: Organisation, name: str) -> Any:
    """Return the entries of a mapping that the organisation saved or that comes with the platform, by name.
    `FileRefused`: no-mapping."""
    saved = ImportMapping.objects.filter(organisation=organisation, name=name).first()
    if saved is not None:
        return saved.content
    if name not in table.own_mappings():
        raise FileRefused("no-mapping", mapping=name, known=", ".join(table.own_mappings()))
    return table.load_entries(name)


def mapping_before(job: Import) -> Any:
    """Return the entries of the mapping with which a table was read before somebody went back to its columns;
    None if there was none, or it is deleted."""
    if not job.mapping_name:
        return None
    try:
        return load_mapping(job.organisation, job.mapping_name)
    except FileRefused:
        return None


def rows_of(job: Import, result: str = "") -> QuerySet[ImportRow]:
    """Return the rows of an import in the order of the file. `result` filters them; `kept` selects those that
    are not taken over entirely, `apart` those that go to a facility of their own."""
    rows = job.rows.order_by("position")
    if result in (KEPT, APART):
        return rows.filter(differences__contains=[{f"is_{result}": True}])
    return rows.filter(result=result) if result else rows


def techniques_in(rows: Iterable[ImportRow]) -> dict[str, Technique]:
    """Return, by code, the techniques that new instruments of some rows get. One statement."""
    codes = {code for row in rows for field, value in row.given if field == "techniques" for code in value}
    return Technique.objects.in_bulk(codes, field_name="code") if codes else {}


def facility_names(job: Import) -> set[str]:
    """Return the names of the facilities that the organisation of an import has."""
    return set(Facility.objects.filter(organisation=job.organisation_id).values_list("name", flat=True))


def drafts_of(job: Import) -> QuerySet[Instrument]:
    """Return the instruments of an import that nobody has published yet."""
    return Instrument.objects.filter(
        pk__in=job.rows.exclude(instrument=None).values("instrument"),
        publication__in=(Instrument.Publication.DRAFT, Instrument.Publication.SUBMITTED),
        merged_into=None,
    )


def problem_of(stored: Mapping[str, Any]) -> RowProblem:
    """Return the problem of a row as it was stored."""
    more = tuple(problem_of(each) for each in stored.get("more", ()))
    return RowProblem(stored["code"], stored["numbers"], more=more)


def load_report(job: Import) -> imports.ImportReport:
    """Return the actual or expected outcome of an import. Three statements."""
    noted = Q(differences__contains=[{"is_kept": True}]) | Q(differences__contains=[{"is_apart": True}])
    lines = job.rows.filter(noted).order_by("position").values_list("line", "differences")
    refused = job.rows.filter(result=imports.Result.REFUSED).order_by("position")
    return imports.ImportReport(
        counts={result: int(job.counts.get(result.value, 0)) for result in imports.Result},
        refused=tuple(
            imports.RowOutcome(row.line, imports.Result.REFUSED, row.key, problem_of(row.problem))
            for row in refused.only("line", "key", "problem")
        ),
        absent=job.absent,
        kept=job.kept,
        apart=int(job.counts.get(APART, 0)),
        remarks=tuple(
            imports.RowRemark(line, each["field"], each["before"], each["after"], each.get("kept", ""))
            for line, differences in lines
            for each in differences
            if each.get("is_kept") or each.get("is_apart")
        ),
    )


def load_disputed(import_id: UUID) -> frozenset[str]:
    """Return the names of the facilities for which rows of an import give several addresses. A row that names
    none speaks of the one in which its instrument stands, or of the organisation's own. One statement."""
    rows = ImportRow.objects.filter(job=import_id, values__contact__has_key="address")
    names = ("values__facility", "result", "instrument__facility__name", "job__organisation__name")
    given = rows.exclude(values__contact__address="").values_list(*names, "values__contact__address")
    addresses: dict[str, set[str]] = {}
    for named, result, there, own, address in given.distinct():
        stands = there if there and result != imports.Result.CREATED else own
        addresses.setdefault(named or stands, set()).add(imports.plain_address(address))
    return frozenset(name for name, several in addresses.items() if len(several) > 1)


# Files


@contextmanager
def kept_file(job: Import) -> Iterator[BinaryIO]:
    """Yield the stored file of an import as it was sent. It is copied to a temporary file, never whole into
    memory."""
    with TemporaryFile() as file:
        positions = list(job.chunks.order_by("position").values_list("position", flat=True))
        for position in positions:
            file.write(bytes(job.chunks.values_list("content", flat=True).get(position=position)))
        file.seek(0)
        yield cast(BinaryIO, file)


@dataclass(frozen=True)
class Opened:
    """An opened file: `source` names the register of its `rows`. If it still needs a mapping, it has
    `columns` instead, each with some sample values. `ignored` are the columns that are not used."""

    source: str = ""
    rows: Iterable[imports.Row] = ()
    ignored: list[str] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)


def load_rows(job: Import, stream: BinaryIO) -> Opened:
    """Open the stored file of an import by its format. `FileRefused`: as the adapters."""
    if job.format == Import.Format.PIDINST:
        site = settings.SITE_URL
        return _placed(Opened(pidinst.SOURCE, pidinst.read(stream, site=site)), job.facility)
    mapping = parse_mapping(job.mapping) if job.mapping else None
    delimiter = mapping.delimiter if mapping else _delimiter(job, stream)
    header, records = _records(job, stream, delimiter)
    if job.format == Import.Format.UNIQUIP:
        rows = uniquip.rows_of(header, records)
        ignored = uniquip.ignored_columns(header)
        return _placed(Opened(uniquip.SOURCE, rows, ignored), job.facility)
    if job.mapping is None:
        mapping = table.own_mapping(header)
    if mapping is None:
        return Opened(columns=_samples(header, records))
    rows = table.rows_of(mapping, header, records)
    ignored = [name for name in header if name not in mapping.columns]
    return _placed(Opened(table.source_of(mapping), rows, ignored), job.facility)


def load_header_row(job: Import, stream: BinaryIO) -> int:
    """Return the number of the line that names the columns of an import's table, below whatever title it has.
    `FileRefused`: as the adapters."""
    start = _start(stream, _HEAD)
    if start.startswith(workbook.SIGNATURE):
        return heads_line(workbook.first_rows(stream, _FIRST))
    check_text(stream, _encoding(job, start))
    text = start.decode(_encoding(job, start), errors="ignore").lstrip("\ufeff")
    lines = re.split(r"\r\n|\r|\n", text)[:_FIRST]
    delimiter = max(_DELIMITERS, key=lambda sign: max(line.count(sign) for line in lines))
    return heads_line([next(csv.reader([line], delimiter=delimiter), []) for line in lines])


def _records(job: Import, stream: BinaryIO, delimiter: str) -> tuple[tuple[str, ...], Iterator[Record]]:
    start = _start(stream)
    if start.startswith(workbook.SIGNATURE):
        return workbook.read_records(stream, header_row=job.header_row)
    encoding = _encoding(job, start)
    return read_records(stream, encoding=encoding, delimiter=delimiter, header_row=job.header_row)


def _start(stream: IO[bytes], most: int = 4096) -> bytes:
    stream.seek(0)
    start = stream.read(most)
    stream.seek(0)
    return start


def _encoding(job: Import, start: bytes) -> str:
    """Return the encoding of an import's file: UTF-16 if it begins with its byte order mark, else the one
    that its sender named."""
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    return job.encoding


def _delimiter(job: Import, stream: BinaryIO) -> str:
    """Return the delimiter that occurs most often in the header line of an import's text table; a comma for
    other files."""
    if job.format != Import.Format.TABLE:
        return ","
    start = _start(stream)
    if start.startswith(workbook.SIGNATURE):
        return ","
    check_text(stream, _encoding(job, start))
    lines = start.decode(_encoding(job, start), errors="ignore").split("\n")
    head = lines[min(job.header_row, len(lines)) - 1]
    return max(_DELIMITERS, key=head.count)


def delimiter_of(job: Import) -> str:
    """Return the delimiter of an import's table that waits for its mapping."""
    with kept_file(job) as stream:
        return _delimiter(job, stream)


def _samples(header: Sequence[str], records: Iterator[Record]) -> list[dict[str, Any]]:
    rows = [record for _line, record in islice(records, 50) if isinstance(record, dict)]
    return [
        {"name": name, "samples": [row[name][:80] for row in rows if row[name]][:SAMPLES]} for name in header
    ]


def _placed(opened: Opened, facility: str) -> Opened:
    """Return the file with `facility` as the facility of all rows, and a remark on whatever else a row says
    of its own; unchanged if it is empty."""

    def rows() -> Iterator[imports.Row]:
        for line, row in opened.rows:
            if isinstance(row, imports.RowValues):
                said = {"facility": row.facility.name, **row.facility.contact}
                unused = tuple(
                    imports.Remark(name, "", imports.ONE_FACILITY, text)
                    for name, text in said.items()
                    if text and not (name == "facility" and plain(text) == plain(facility))
                )
                own = imports.FacilityValues(facility, row.facility.time_zone)
                row = replace(row, facility=own, remarks=row.remarks + unused)
            yield line, row

    return replace(opened, rows=rows()) if facility else opened


# Where fields come from


@dataclass(frozen=True)
class FieldOrigin:
    """A field and who wrote it last: an import, or a person; neither if it was written before origins were
    recorded."""

    field: str
    origin: Origin
    job: Import | None
    user: User | None


def load_provenance(instrument: Instrument) -> list[FieldOrigin]:
    """Return the origin of each field of an instrument's record that an import or a person wrote. Three
    statements."""
    stored = Provenance.objects.filter(instrument=instrument).first()
    origins = origins_of(stored.fields) if stored else {}
    jobs = Import.objects.select_related("user").in_bulk(
        [UUID(origin.job) for origin in origins.values() if origin.job]
    )
    users = User.objects.in_bulk([UUID(o.user) for o in origins.values() if o.user])
    return [
        FieldOrigin(
            name,
            origin,
            jobs.get(UUID(origin.job)) if origin.job else None,
            users.get(UUID(origin.user)) if origin.user else None,
        )
        for name, origin in sorted(origins.items())
    ]
