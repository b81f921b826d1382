"""Draw up the statements of a month: manage.py draw_statements [--month 2026-03] [--host CODE]"""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.errors import Invalid
from accounts.models import Organisation
from bookings.settlement.services.statements import statements_draw, statements_draw_due


class Command(BaseCommand):
    help = (
        "Draw up the statements of a month, for one host or for all hosts where the month is over, "
        "and the settlements that are then complete. Without a month: all that are due. It is safe "
        "to run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--month", metavar="YYYY-MM", help="the month to draw up")
        parser.add_argument("--host", metavar="CODE", help="only this host organisation")

    def handle(self, *args: Any, **options: Any) -> None:
        now, month, code = timezone.now(), _month(options["month"]), options["host"]
        if month is None:
            if code:
                raise CommandError("--host needs a --month.")
            drawn = statements_draw_due(now=now)
        else:
            host = Organisation.objects.select_related("region").filter(code=code).first()
            if code and host is None:
                raise CommandError(f"There is no organisation {code!r}.")
            try:
                drawn = statements_draw(month=month, host=host, now=now)
            except Invalid:
                raise CommandError(f"{month:%Y-%m} is not over yet at {code}.") from None
        self.stdout.write(
            f"Closed {drawn.hosts} host months: {drawn.statements} statements and "
            f"{drawn.settlements} settlements drawn up."
        )


def _month(given: str | None) -> date | None:
    if given is None:
        return None
    try:
        if len(given) == len("2026-03"):
            return date.fromisoformat(f"{given}-01")
    except ValueError:
        pass
    raise CommandError(f"--month must be a month like 2026-03, not {given!r}.")
