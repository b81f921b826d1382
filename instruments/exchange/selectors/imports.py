"""Read imports (their rows and files) and the origins of fields for the managers of an organisation."""

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
from instruments.exchange.adapters import pidinst, table, uniquip
from instruments.exchange.domain import imports
from instruments.exchange.domain.mappings import parse_mapping
from instruments.exchange.models import Import, ImportMapping, ImportRow
from instruments.reading.adapters import workbook
from instruments.reading.domain.delimited import FileRefused, Record, RowProblem, check_text, read_records
from instruments.register.domain.provenance import Origin, origins_of
from instruments.register.models import Instrument, Provenance

SAMPLES = 3
_DELIMITERS = (",", ";", "\t", "|")


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


def rows_of(job: Import, result: str = "") -> QuerySet[ImportRow]:
    """Return the rows of an import in the order of the file. `result` filters them; `kept` selects those that
    are not taken over entirely."""
    rows = job.rows.defer("values").order_by("position")
    if result == "kept":
        return rows.filter(differences__contains=[{"is_kept": True}])
    return rows.filter(result=result) if result else rows


def load_report(job: Import) -> imports.ImportReport:
    """Return the actual or expected outcome of an import. Two statements."""
    refused = job.rows.filter(result=imports.Result.REFUSED).order_by("position")
    return imports.ImportReport(
        counts={result: int(job.counts.get(result.value, 0)) for result in imports.Result},
        refused=tuple(
            imports.RowOutcome(
                row.line,
                imports.Result.REFUSED,
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
    mapping = mapping or table.own_mapping(header)
    if mapping is None:
        return Opened(columns=_samples(header, records))
    rows = table.rows_of(mapping, header, records)
    ignored = [name for name in header if name not in mapping.columns]
    return _placed(Opened(table.source_of(mapping), rows, ignored), job.facility)


def _records(job: Import, stream: BinaryIO, delimiter: str) -> tuple[tuple[str, ...], Iterator[Record]]:
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
    """Return the file with `facility` as the facility of all rows; unchanged if it is empty."""

    def rows() -> Iterator[imports.Row]:
        for line, row in opened.rows:
            if isinstance(row, imports.RowValues):
                row = replace(row, facility=imports.FacilityValues(facility, row.facility.time_zone))
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
