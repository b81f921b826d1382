"""Load review schemes: `manage.py load_review_schemes [FILE ...]`"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.errors import Invalid
from accounts.domain.roles import PLATFORM, By
from bookings.reviews.adapters.schemes import read, shipped
from bookings.reviews.services.schemes import schemes_load


class Command(BaseCommand):
    help = (
        "Load the schemes by which purchases are reviewed: those that come with the platform, or "
        "a region's own files (docs/reviews.md). A changed scheme becomes a new version; existing "
        "cases keep their version."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "files", nargs="*", help="JSON files; default: the schemes that come with the platform"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            schemes = [read(Path(file).read_text("utf-8")) for file in options["files"]]
            made = schemes_load(By(PLATFORM, timezone.now()), schemes=schemes or shipped())
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The file cannot be read: {error}") from None
        except Invalid as refused:
            raise CommandError(f"This is not a review scheme: {refused.problems[0].field}") from None
        for row in made:
            self.stdout.write(f"{row.code}: version {row.version}")
