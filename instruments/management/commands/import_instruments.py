"""Run `manage.py import_instruments FILE --organisation CODE [--format uniquip|pidinst|table] ...`"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, transaction
from django.utils import timezone

from accounts.database import is_busy
from accounts.domain.errors import NotFound
from accounts.domain.roles import PLATFORM, By
from accounts.selectors.organisations import organisation_by_code
from instruments.exchange.adapters import table
from instruments.exchange.domain.imports import ImportReport, Result
from instruments.exchange.messages import APART, FIELD_LABELS, KEPT, file_sentence, row_sentence
from instruments.exchange.models import Import
from instruments.exchange.selectors.imports import load_report
from instruments.exchange.services.jobs import import_apply, import_carry_out, import_read, import_start
from instruments.reading.domain.delimited import FileRefused
from instruments.templatetags.managing import shown

REFUSED = 2


class Command(BaseCommand):
    help = (
        "Import an organisation's instruments from a file. All rows or none; new instruments are "
        "drafts. Importing again changes only what changed in the file; every row is reported."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", help="a table (CSV, XLSX) with a header, or PIDINST records")
        parser.add_argument("--organisation", required=True, metavar="CODE")
        parser.add_argument("--format", choices=Import.Format.values)
        parser.add_argument(
            "--mapping",
            help="for tables: pnnl, emsl, xas or the path of a YAML file (adapters/table.py); "
            "not needed if the columns have the names used here, as in exports",
        )
        parser.add_argument("--facility", default="", metavar="NAME", help="one facility for all rows")
        parser.add_argument(
            "--encoding", default="auto", help="text encoding: auto, utf-8, gb18030, cp1252 ..."
        )
        parser.add_argument(
            "--overwrite", action="store_true", help="overwrite values that people entered on the platform"
        )
        parser.add_argument("--dry-run", action="store_true", help="report the result without saving")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = _import(options)
        except FileRefused as refusal:
            sentence = file_sentence(refusal.code, refusal.numbers)
            raise CommandError(sentence, returncode=REFUSED) from None
        except NotFound:
            sentence = f"There is no organisation {options['organisation']}."
            raise CommandError(sentence, returncode=REFUSED) from None
        except OperationalError as error:
            if not is_busy(error):
                raise
            sentence = "The organisation's records are in use, perhaps by another import: try again later."
            raise CommandError(sentence, returncode=REFUSED) from None
        for line in report_lines(report):
            self.stdout.write(line)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was saved.")


def _import(options: Mapping[str, Any]) -> ImportReport:
    """Run all steps of a stored import in one transaction, so that everything or nothing is applied."""
    chosen = options["format"] or ("table" if options["mapping"] else "uniquip")
    if options["mapping"] and chosen != "table":
        raise CommandError("Only --format table takes a --mapping.", returncode=REFUSED)
    mapping = table.load_entries(options["mapping"]) if options["mapping"] else None
    organisation = organisation_by_code(options["organisation"])
    facility = " ".join(options["facility"].split())
    if len(facility) > 200:
        raise CommandError("The facility's name has over 200 characters.", returncode=REFUSED)
    now = timezone.now()
    with _open(options["file"]) as stream, transaction.atomic():
        job = import_start(
            By(PLATFORM, now),
            organisation_id=organisation.pk,
            file=stream,
            file_name=Path(options["file"]).name,
            format=chosen,
            encoding=options["encoding"],
            mapping=mapping,
            mapping_name=str(options["mapping"] or "")[-80:],
            facility=facility,
            hand_changes="overwrite" if options["overwrite"] else "keep",
        )
        import_read(import_id=job.pk, now=now)
        job.refresh_from_db()
        if job.state == Import.State.UNMAPPED:
            raise FileRefused("mapping-needed")
        import_apply(By(PLATFORM, now), import_id=job.pk)
        import_carry_out(import_id=job.pk, now=now)
        job.refresh_from_db()
        report = load_report(job)
        transaction.set_rollback(bool(options["dry_run"]))
    return report


def _open(name: str) -> BinaryIO:
    path = Path(name)
    if not path.is_file():
        raise CommandError(f"There is no file {name}.", returncode=REFUSED)
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=REFUSED) from None


def report_lines(report: ImportReport) -> Iterator[str]:
    """Yield lines for people: the counts, then each refused row with its line, code and sentence, then each
    value that is not imported as it stands and each row that goes to a facility of its own."""
    counts = ", ".join(f"{report.counts[result]} {result}" for result in Result if result != Result.UNDONE)
    yield f"{report.rows} rows: {counts}."
    if report.absent:
        yield (
            f"{report.absent} instruments from earlier imports are not among the accepted rows of "
            "this file; they do not change."
        )
    if report.kept:
        yield (
            f"{report.kept} rows have values that were not imported, or are read in an unusual way: "
            "each is named below."
        )
    if report.apart:
        yield (
            f"{report.apart} rows go to a facility of their own, because the one they name has another "
            "address."
        )
    for outcome in report.refused:
        if (problem := outcome.problem) is not None:
            sentence = "; ".join(row_sentence(each.reason, each.numbers) for each in (problem, *problem.more))
            yield f"line {outcome.line}: {problem.reason} - {sentence}"
    for remark in report.remarks:
        label, because = FIELD_LABELS.get(remark.field, remark.field), KEPT.get(remark.because, APART)
        yield f"line {remark.line}: {label}: {shown(remark.before)} → {shown(remark.after)} - {because}"
