"""`manage.py import_instruments FILE --organisation CODE [--format uniquip|table] ...`"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from accounts.domain.errors import NotFound
from accounts.selectors.organisations import organisation_by_code
from instruments.adapters import table, uniquip
from instruments.domain.delimited import MAX_BYTES, FileRefused
from instruments.domain.imports import ImportReport, Result
from instruments.services.imports import instruments_import

REFUSED = 2
FILE_SENTENCES = {
    "file-too-large": "The file is larger than {megabytes} MB.",
    "unknown-encoding": "There is no character encoding {encoding}.",
    "not-text": (
        "The file is not {encoding} text: byte {offset} cannot be read. "
        "Say how it is encoded with --encoding, for instance --encoding cp1252."
    ),
    "nul-byte": "Line {line} has a NUL byte: the file is no text. Save a spreadsheet as CSV first.",
    "empty-file": "The file is empty.",
    "no-header": "The file has no header: its first line should name the columns.",
    "duplicate-header": "Two columns are called {column}.",
    "unclosed-quote": "The quotation mark opened on line {line} is never closed.",
    "no-name-column": "The file has no column Name or Description; its columns are: {columns}.",
    "no-mapping": "There is no mapping {mapping}; the platform's own are: {known}.",
    "mapping-unreadable": "The mapping is no readable YAML (line {line}).",
    "mapping-unknown-entry": "The mapping has an entry that means nothing: {entry}.",
    "mapping-missing-entry": "The mapping lacks {entry}.",
    "mapping-bad-entry": "The mapping's {entry} is not of the right form.",
    "mapping-unknown-field": "The mapping fills a field that does not exist: {field}.",
    "mapping-absent-column": "The mapping names a column that the file does not have: {column}.",
}
ROW_SENTENCES = {
    "no-name": "it has no usable name or description",
    "no-key": "its key is empty",
    "duplicate-key": "its key {key} came before, on line {first}",
    "wrong-cells": "it has {cells} cells, the header {columns}",
    "cell-too-long": "the cell of column {column} has {length} characters, {most} at most",
    "malformed-quotes": "its quotation marks make no sense",
    "too-long": "{field} has {length} characters, {most} at most",
    "bad-value": "{field} is not of the right form",
    "facility-row": "it describes a facility, not an instrument",
    "left-out": "the mapping leaves it out: {because}",
}


class Command(BaseCommand):
    help = (
        "Import an organisation's instruments from a file. New ones are drafts; importing again "
        "changes only what changed in the file; every row is accounted for."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", help="a CSV file with a header")
        parser.add_argument("--organisation", required=True, metavar="CODE")
        parser.add_argument("--format", choices=["uniquip", "table"])
        parser.add_argument(
            "--mapping",
            help="for tables: pnnl, emsl or the path of a YAML file (adapters/table.py)",
        )
        parser.add_argument(
            "--facility", default="", metavar="NAME", help="one facility for all rows"
        )
        parser.add_argument("--encoding", default="utf-8")
        parser.add_argument("--dry-run", action="store_true", help="say the same, write nothing")

    def handle(self, **options: Any) -> None:
        try:
            report = _import(options)
        except FileRefused as refusal:
            sentence = FILE_SENTENCES[refusal.code].format_map(
                {**refusal.numbers, "megabytes": MAX_BYTES // 1024**2}
            )
            raise CommandError(sentence, returncode=REFUSED) from None
        except NotFound:
            sentence = f"There is no organisation {options['organisation']}."
            raise CommandError(sentence, returncode=REFUSED) from None
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            sentence = "Its records are in use, perhaps by another import: try again later."
            raise CommandError(sentence, returncode=REFUSED) from None
        for line in report_lines(report):
            self.stdout.write(line)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")


def _import(options: Mapping[str, Any]) -> ImportReport:
    chosen = options["format"] or ("table" if options["mapping"] else "uniquip")
    if (chosen == "table") != bool(options["mapping"]):
        sentence = "--format table needs a --mapping, and no other format takes one."
        raise CommandError(sentence, returncode=REFUSED)
    mapping = table.load_mapping(options["mapping"]) if chosen == "table" else None
    organisation = organisation_by_code(options["organisation"])
    facility = " ".join(options["facility"].split())
    if len(facility) > 200:
        raise CommandError("The facility's name has over 200 characters.", returncode=REFUSED)
    with _open(options["file"]) as stream:
        return instruments_import(
            actor=None,
            organisation_id=organisation.pk,
            source=table.source_of(mapping) if mapping else uniquip.SOURCE,
            rows=(
                table.read(stream, mapping, encoding=options["encoding"])
                if mapping
                else uniquip.read(stream, encoding=options["encoding"])
            ),
            facility=facility,
            dry_run=options["dry_run"],
            now=timezone.now(),
        )


def _open(name: str) -> BinaryIO:
    path = Path(name)
    if not path.is_file():
        raise CommandError(f"There is no file {name}.", returncode=REFUSED)
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(
            f"{name} cannot be read: {error.strerror}.", returncode=REFUSED
        ) from None


def report_lines(report: ImportReport) -> Iterator[str]:
    """Counts, then each refused row with its line, code and sentence."""
    counts = ", ".join(f"{report.count(result)} {result}" for result in Result)
    yield f"{len(report.outcomes)} rows: {counts}."
    if report.absent:
        yield (
            f"{report.absent} instruments of earlier imports are not among the accepted rows of "
            "this file; they stay as they are."
        )
    if report.hours_kept:
        yield f"{report.hours_kept} published instruments keep the opening hours they have here."
    for outcome in report.outcomes:
        if (problem := outcome.problem) is not None:
            sentence = ROW_SENTENCES[problem.reason].format_map(problem.numbers)
            if until := problem.numbers.get("until"):
                sentence += f"; it runs on to line {until}, perhaps from a stray quotation mark"
            yield f"line {outcome.line}: {problem.reason} - {sentence}"
