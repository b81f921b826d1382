"""Roll up the hours of finished days: manage.py roll_up_utilisation [--from DATE] [--until DATE]"""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bookings.hours.services.hours import hours_roll_up


class Command(BaseCommand):
    help = (
        "Roll up the hours of finished days that are new or were corrected; with dates, recompute "
        "the given days."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="since", metavar="DATE", help="first local day")
        parser.add_argument("--until", metavar="DATE", help="the local day after the last one")

    def handle(self, *args: Any, **options: Any) -> None:
        since = _date("--from", options["since"])
        until = _date("--until", options["until"])
        if since and until and since >= until:
            raise CommandError(f"--until {until} must be after --from {since}.")
        result = hours_roll_up(since=since, until=until, now=timezone.now())
        self.stdout.write(
            f"Rolled up {result.instruments} instruments: {result.days} days with a session, "
            f"a closure or a no-show, {result.changed} rows changed."
        )


def _date(name: str, given: str | None) -> date | None:
    if given is None:
        return None
    try:
        if len(given) == len("2026-01-31"):  # fromisoformat also takes 20260131 and 2026-W05
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise CommandError(f"{name} must be a date like 2026-01-31, not {given!r}.")
