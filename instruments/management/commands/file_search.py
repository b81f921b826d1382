"""`manage.py file_search`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from instruments.selectors.search import is_filed
from instruments.services.search import register_file


class Command(BaseCommand):
    help = "File every instrument for the search anew. The nightly job does the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-needed",
            action="store_true",
            help="only where an update of the platform left entries that are not filed in full",
        )

    def handle(self, **options: Any) -> None:
        if options["if_needed"] and is_filed():
            self.stdout.write("every instrument is filed")
        else:
            self.stdout.write(f"{register_file()} instruments filed")
