"""Import bookings: manage.py import_bookings FILE --person MAIL [--dry-run] [--skip-refused] ..."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from accounts.database import is_busy
from accounts.domain.errors import FieldProblem, Invalid, Refused
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.users import person_named
from bookings.plans.adapters.tables import ENCODINGS
from bookings.plans.domain.imports import REFUSE, SKIP, ImportReport, Result, RowsRefused
from bookings.plans.services.imports import bookings_import
from bookings.record.messages import sentence

REFUSED = 2


class Command(BaseCommand):
    help = (
        "Book the rows of a table (CSV or .xlsx) in the name of a person, under the same rules and "
        "rights as on the website. Importing a file again books nothing twice; every row is reported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a CSV file or an Excel workbook with a header")
        parser.add_argument("--person", required=True, metavar="MAIL", help="the person who imports the file")
        parser.add_argument(
            "--organisation",
            metavar="CODE",
            help="the organisation that pays; default: the person's only one",
        )
        parser.add_argument("--encoding", default="utf-8", choices=ENCODINGS)
        parser.add_argument("--dry-run", action="store_true", help="report the result without saving")
        parser.add_argument(
            "--skip-refused",
            action="store_true",
            help="book the rows that can be booked; otherwise all or none",
        )

    def handle(self, **options: Any) -> None:
        person = person_named(options["person"])
        if person is None:
            raise CommandError(f"There is no account {options['person']}.", returncode=REFUSED)
        try:
            report = bookings_import(
                By(actor_of(person), timezone.now()),
                content=_read(options["file"]),
                file_name=Path(options["file"]).name,
                organisation=options["organisation"],
                on_refused=SKIP if options["skip_refused"] else REFUSE,
                dry_run=options["dry_run"],
                encoding=options["encoding"],
            )
        except RowsRefused as refused:
            self._say(refused.report)
            raise CommandError(_sentence(refused), returncode=REFUSED) from None
        except Refused as refused:
            raise CommandError(_sentence(refused), returncode=REFUSED) from None
        except OperationalError as error:
            if not is_busy(error):
                raise
            words = "The instruments are in use, perhaps by another import: try again later."
            raise CommandError(words, returncode=REFUSED) from None
        self._say(report)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was saved.")

    def _say(self, report: ImportReport) -> None:
        """Print the counts, then each refused row with its line, codes and sentences."""
        counts = ", ".join(f"{report.count(result)} {result}" for result in Result)
        self.stdout.write(f"{len(report.outcomes)} rows: {counts}; {report.waiting} need approval.")
        if report.ignored:
            self.stdout.write(f"Unknown columns: {', '.join(report.ignored)}.")
        for outcome in report.outcomes:
            for problem in outcome.problems:
                self.stdout.write(f"line {outcome.line}: {_problem(problem)}")
            for refusal in outcome.refusals:
                words = sentence(refusal.code, refusal.numbers)
                near = refusal.nearest
                nearest = f" Nearest: {near.start.isoformat()}." if near else ""
                self.stdout.write(f"line {outcome.line}: {refusal.code} - {words}{nearest}")


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=REFUSED) from None


def _problem(problem: FieldProblem) -> str:
    column = f"{problem.field}: " if problem.field else ""
    return f"{column}{problem.code} - {sentence(problem.code, problem.numbers)}"


def _sentence(refused: Refused) -> str:
    if isinstance(refused, Invalid):
        return " ".join(_problem(problem) for problem in refused.problems)
    return f"{refused.code} - {sentence(refused.code, refused.numbers)}"
