"""Run `manage.py export_trail FILE`: write a bundle of the whole trail to a file."""

import gzip
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.selectors.seals import Range, bundle_lines
from accounts.services.seals import trail_seal


class Command(BaseCommand):
    help = (
        "Write a bundle of the whole trail, with all regions, for verify_bundle.py. A file whose "
        "name ends in .gz is compressed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--from", dest="since", help="such as 2026-03-01T00:00:00Z")
        parser.add_argument("--until")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        range_ = Range(since=_instant(options["since"]), until=_instant(options["until"]))
        trail_seal(now=now)
        path: Path = options["file"]
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "wb") as out:
            for line in bundle_lines(range_, site=settings.SITE_URL, now=now):
                out.write(line)
        self.stdout.write(str(path))


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        raise CommandError(f"{text} is not a time with a UTC offset.")
    return moment
