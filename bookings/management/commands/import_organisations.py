"""Import organisations or regions: manage.py import_organisations FILE --by MAIL [--regions] [--dry-run]"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.errors import FieldProblem, Invalid, Refused
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.users import person_named
from bookings.organisations.domain.register_files import RegisterRefused, RegisterReport, Result
from bookings.organisations.services.register_imports import organisations_import, regions_import
from bookings.record.messages import sentence

REFUSED = 2


class Command(BaseCommand):
    help = (
        "Create and update the organisations of a table (CSV or .xlsx) in the name of a person; with "
        "--regions, the regions. All rows or none; importing a file again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a CSV file or an Excel workbook with a header")
        parser.add_argument("--by", required=True, metavar="MAIL", help="the person who imports the file")
        parser.add_argument("--regions", action="store_true", help="the rows are regions, not organisations")
        parser.add_argument("--dry-run", action="store_true", help="report the result without saving")

    def handle(self, **options: Any) -> None:
        person = person_named(options["by"])
        if person is None:
            raise CommandError(f"There is no account {options['by']}.", returncode=REFUSED)
        try:
            content = Path(options["file"]).read_bytes()
        except OSError as error:
            text = f"{options['file']} cannot be read: {error.strerror}."
            raise CommandError(text, returncode=REFUSED) from None
        bring_in = regions_import if options["regions"] else organisations_import
        try:
            report = bring_in(
                By(actor_of(person), timezone.now()), content=content, dry_run=options["dry_run"]
            )
        except Refused as refused:
            if isinstance(refused, RegisterRefused):
                self._say(refused.report)
            problems = refused.problems if isinstance(refused, Invalid) else ()
            text = " ".join(map(_problem, problems)) or sentence(refused.code, refused.numbers)
            raise CommandError(text, returncode=REFUSED) from None
        self._say(report)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was saved.")

    def _say(self, report: RegisterReport) -> None:
        """Print the counts, then what each row changes, or why it is refused."""
        counts = ", ".join(f"{report.count(result)} {result}" for result in Result)
        self.stdout.write(f"{len(report.outcomes)} rows: {counts}.")
        if report.ignored:
            self.stdout.write(f"Unknown columns: {', '.join(report.ignored)}.")
        for outcome in report.outcomes:
            for name, before, after in outcome.changes:
                self.stdout.write(f"line {outcome.line}: {name}: {before!r} -> {after!r}")
            for problem in outcome.problems:
                self.stdout.write(f"line {outcome.line}: {_problem(problem)}")


def _problem(problem: FieldProblem) -> str:
    column = f"{problem.field}: " if problem.field else ""
    return f"{column}{problem.code} - {sentence(problem.code, problem.numbers)}"
