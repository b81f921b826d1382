"""Run `manage.py file_search`: file every instrument for the search again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from instruments.search.selectors.search import is_filed
from instruments.search.services.search import register_file


class Command(BaseCommand):
    help = "Index every instrument for the search again. The nightly job does the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-needed",
            action="store_true",
            help="only if an update of the platform left entries that are incomplete",
        )

    def handle(self, **options: Any) -> None:
        if options["if_needed"] and is_filed():
            self.stdout.write("every instrument is indexed")
        else:
            self.stdout.write(f"{register_file()} instruments indexed")
