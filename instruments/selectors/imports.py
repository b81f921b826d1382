"""Imports as their people see them: the jobs, their rows, their files; where fields come from."""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.domain.roles import Actor
from accounts.models import Organisation, User
from accounts.selectors.rows import visible
from instruments.adapters import pidinst, table, uniquip, workbook
from instruments.domain.delimited import (
    FileRefused,
    Record,
    RowProblem,
    check_text,
    read_records,
)
from instruments.domain.import_mappings import parse_mapping
from instruments.domain.imports import (
    FacilityValues,
    ImportReport,
    Origin,
    Result,
    Row,
    RowOutcome,
    RowValues,
    origins_of,
)
from instruments.models import Import, ImportMapping, ImportRow, Instrument, Provenance

SAMPLES = 3
_DELIMITERS = (",", ";", "\t", "|")


def imports_for(actor: Actor) -> QuerySet[Import]:
    """Return the imports of organisations whose instruments the actor manages."""
    return Import.objects.filter(
        organisation_id__in=actor.organisations_where("manage-instruments")
    ).select_related("organisation__region", "user")


def import_by_id(actor: Actor, import_id: UUID) -> Import:
    """Return an import. `NotFound` if there is none, or it is not the actor's to see."""
    return visible(imports_for(actor), pk=import_id)


def mappings_for(actor: Actor) -> QuerySet[ImportMapping]:
    return (
        ImportMapping.objects.filter(
            organisation_id__in=actor.organisations_where("manage-instruments")
        )
        .select_related("organisation")
        .order_by("name", "id")
    )


def mapping_by_id(actor: Actor, mapping_id: UUID) -> ImportMapping:
    """Return a mapping. `NotFound` if there is none, or it is not the actor's to see."""
    return visible(mappings_for(actor), pk=mapping_id)


def load_mapping(organisation: Organisation, name: str) -> Any:
    """Return what a mapping says: one the organisation saved, or one that comes with the platform.
    `FileRefused`: no-mapping."""
    saved = ImportMapping.objects.filter(organisation=organisation, name=name).first()
    if saved is not None:
        return saved.content
    if name not in table.own_mappings():
        raise FileRefused("no-mapping", mapping=name, known=", ".join(table.own_mappings()))
    return table.load_entries(name)


def rows_of(job: Import, result: str = "") -> QuerySet[ImportRow]:
    """Return the rows of an import in the order of the file; `kept` are those of which something is
    not taken over."""
    rows = job.rows.defer("values").order_by("position")
    if result == "kept":
        return rows.filter(differences__contains=[{"is_kept": True}])
    return rows.filter(result=result) if result else rows


def load_report(job: Import) -> ImportReport:
    """Return what became, or would become, of the file. Two statements."""
    refused = job.rows.filter(result=Result.REFUSED).order_by("position")
    return ImportReport(
        counts={result: int(job.counts.get(result.value, 0)) for result in Result},
        refused=tuple(
            RowOutcome(
                row.line,
                Result.REFUSED,
                row.key,
                RowProblem(row.problem["code"], row.problem["numbers"]),
            )
            for row in refused.only("line", "key", "problem")
        ),
        absent=job.absent,
        kept=job.kept,
    )


# Files


@contextmanager
def kept_file(job: Import) -> Iterator[BinaryIO]:
    """Give the file as it was sent, on disk while it is read: never whole in memory."""
    with TemporaryFile() as file:
        positions = list(job.chunks.order_by("position").values_list("position", flat=True))
        for position in positions:
            file.write(bytes(job.chunks.values_list("content", flat=True).get(position=position)))
        file.seek(0)
        yield cast(BinaryIO, file)


@dataclass(frozen=True)
class Opened:
    """A file begun to be read: what names its rows' register, and the rows; or, where nobody has
    said yet which column is which, its `columns`, each with some samples. `ignored` are the
    columns of which nothing is used."""

    source: str = ""
    rows: Iterable[Row] = ()
    ignored: list[str] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)


def load_rows(job: Import, stream: BinaryIO) -> Opened:
    """Open a kept file by its format. `FileRefused`: as the adapters."""
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
    mapping = mapping or table.own_mapping(header)
    if mapping is None:
        return Opened(columns=_samples(header, records))
    rows = table.rows_of(mapping, header, records)
    ignored = [name for name in header if name not in mapping.columns]
    return _placed(Opened(table.source_of(mapping), rows, ignored), job.facility)


def _records(
    job: Import, stream: BinaryIO, delimiter: str
) -> tuple[tuple[str, ...], Iterator[Record]]:
    start = _start(stream)
    if start.startswith(workbook.SIGNATURE):
        return workbook.read_records(stream, header_row=job.header_row)
    encoding = _encoding(job, start)
    return read_records(stream, encoding=encoding, delimiter=delimiter, header_row=job.header_row)


def _start(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    start = stream.read(4096)
    stream.seek(0)
    return start


def _encoding(job: Import, start: bytes) -> str:
    """As the file itself says by its mark, else as whoever sent it does."""
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    return job.encoding


def _delimiter(job: Import, stream: BinaryIO) -> str:
    """Return the delimiter that the line with the names of the columns has most of."""
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
    """Return the delimiter of a table that waits for its columns to be named."""
    with kept_file(job) as stream:
        return _delimiter(job, stream)


def _samples(header: Sequence[str], records: Iterator[Record]) -> list[dict[str, Any]]:
    rows = [record for _line, record in islice(records, 50) if isinstance(record, dict)]
    return [
        {"name": name, "samples": [row[name][:80] for row in rows if row[name]][:SAMPLES]}
        for name in header
    ]


def _placed(opened: Opened, facility: str) -> Opened:
    """Return the file with one facility for all rows, where one is named."""

    def rows() -> Iterator[Row]:
        for line, row in opened.rows:
            if isinstance(row, RowValues):
                row = replace(row, facility=FacilityValues(facility, row.facility.time_zone))
            yield line, row

    return replace(opened, rows=rows()) if facility else opened


# Where fields come from


@dataclass(frozen=True)
class FieldOrigin:
    """A field with who wrote it last: an import, or a person (nobody: before it was kept)."""

    field: str
    origin: Origin
    job: Import | None
    user: User | None


def load_provenance(instrument: Instrument) -> list[FieldOrigin]:
    """Return the origin of each field that an import or a hand wrote. Three statements."""
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
