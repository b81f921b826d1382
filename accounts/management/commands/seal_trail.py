"""Run `manage.py seal_trail`: seal the entries of the trail that are not sealed yet."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.services.seals import trail_seal


class Command(BaseCommand):
    help = "Seal all entries of the trail that are not sealed yet."

    def handle(self, *args: Any, **options: Any) -> None:
        seals = trail_seal(now=timezone.now())
        for seal in seals:
            self.stdout.write(f"{seal.number} {bytes(seal.digest).hex()} {seal.count} entries")
        if not seals:
            self.stdout.write("Everything was sealed already.")
