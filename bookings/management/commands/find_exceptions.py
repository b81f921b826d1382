"""Apply the rules of the audit: manage.py find_exceptions [--full]"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts.domain.roles import PLATFORM, By
from bookings.audit.services.audit import exceptions_find


class Command(BaseCommand):
    help = "Run the rules of the audit on what happened since the last run, or on everything."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--full", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        run = exceptions_find(By(PLATFORM, timezone.now()), full=options["full"])
        for rule, count in sorted(run.counts.items()):
            self.stdout.write(f"{rule} {count}")
        self.stdout.write(f"{run.looked_at} bookings and charges checked.")
