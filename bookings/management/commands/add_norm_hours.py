"""Enter norm hours: manage.py add_norm_hours SCHEME KIND HOURS --from DATE"""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.errors import Invalid
from accounts.domain.roles import PLATFORM, By
from bookings.hours.domain.norms import FIRST, KINDS
from bookings.hours.services.norms import norm_add
from bookings.record.messages import sentence


class Command(BaseCommand):
    help = "Enter norm hours per year from a given day on; earlier figures do not change."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scheme", choices=list(FIRST))
        parser.add_argument("kind", choices=list(KINDS))
        parser.add_argument("hours", type=int, help="hours per year")
        parser.add_argument("--from", dest="valid_from", required=True, metavar="DATE")
        parser.add_argument("--reason", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            valid_from = date.fromisoformat(options["valid_from"])
        except ValueError:
            raise CommandError(f"{options['valid_from']!r} is not a date like 2027-01-01.") from None
        try:
            row = norm_add(
                By(PLATFORM, timezone.now()),
                scheme=options["scheme"],
                kind=options["kind"],
                hours=options["hours"],
                valid_from=valid_from,
                reason=options["reason"],
            )
        except Invalid as refused:
            problem = refused.problems[0]
            raise CommandError(f"{problem.field}: {sentence(problem.code, problem.numbers)}") from None
        self.stdout.write(f"From {row.valid_from}: {row.hours} hours per year, {row.scheme}, {row.kind}.")
