"""Run `manage.py doctor`: examine this installation and print each finding."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.operations.doctor import examine

MARKS = {True: "ok", False: "WRONG", None: "note"}


class Command(BaseCommand):
    help = (
        "Check this installation and print one line per finding; exits with 1 if something is "
        "wrong. Run it on each machine, with the environment of the web processes."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for finding in examine():
            wrong += finding.is_right is False
            self.stdout.write(f"{MARKS[finding.is_right]:6}{finding.part}: {finding.text}")
        if wrong:
            raise CommandError(f"{wrong} things are wrong.")
