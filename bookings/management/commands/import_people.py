"""Invite people: manage.py import_people FILE --person MAIL [--organisation CODE] [--dry-run]"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.errors import NotFound, Refused
from accounts.domain.people import PeopleRefused, PeopleReport, Verdict
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.organisations import organisation_by_code
from accounts.selectors.users import person_named
from accounts.services.people import people_invite
from bookings.plans.adapters.tables import read_people
from bookings.record.messages import sentence

REFUSED = 2


class Command(BaseCommand):
    help = (
        "Invite the people of a table (CSV or .xlsx) in the name of a person, with the same rights "
        "and limits as on the website. All rows or none; importing a file again invites nobody twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a CSV file or an Excel workbook with a header")
        parser.add_argument("--person", required=True, metavar="MAIL", help="the person who invites them")
        parser.add_argument(
            "--organisation", metavar="CODE", help="invite to this organisation; default: the one in each row"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="report the result without sending invitations"
        )

    def handle(self, **options: Any) -> None:
        person, code = person_named(options["person"]), options["organisation"]
        if person is None:
            raise CommandError(f"There is no account {options['person']}.", returncode=REFUSED)
        try:
            report = people_invite(
                By(actor_of(person), timezone.now()),
                rows=read_people(Path(options["file"]).read_bytes()),
                organisation=organisation_by_code(code) if code else None,
                dry_run=options["dry_run"],
            )
        except OSError as error:
            words = f"{options['file']} cannot be read: {error.strerror}."
            raise CommandError(words, returncode=REFUSED) from None
        except PeopleRefused as refused:
            self._say(refused.report)
            raise CommandError("Nobody was invited.", returncode=REFUSED) from None
        except NotFound:
            words = f"There is no organisation {code}."
            raise CommandError(words, returncode=REFUSED) from None
        except Refused as refused:
            words = sentence(refused.code, refused.numbers)
            raise CommandError(words, returncode=REFUSED) from None
        self._say(report)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was sent.")

    def _say(self, report: PeopleReport) -> None:
        counts = ", ".join(f"{report.count(verdict)} {verdict}" for verdict in Verdict)
        self.stdout.write(f"{len(report.outcomes)} rows: {counts}.")
        for one in report.outcomes:
            for problem in one.problems:
                words = sentence(problem.code, problem.numbers)
                self.stdout.write(f"line {one.line}: {problem.field}: {problem.code} - {words}")
            if one.lacking:
                self.stdout.write(f"line {one.line}: {one.verdict}, without {', '.join(one.lacking)}")
        if report.limit:
            self.stdout.write(sentence(report.limit.code, report.limit.numbers))
