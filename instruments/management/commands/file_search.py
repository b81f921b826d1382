"""`manage.py file_search`"""

from typing import Any

from django.core.management.base import BaseCommand

from instruments.services.search import register_file


class Command(BaseCommand):
    help = "File every instrument for the search anew. The nightly job does the same."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"{register_file()} instruments filed")
