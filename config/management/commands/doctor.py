"""Run `manage.py doctor`: examine this installation and print each finding."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.findings import State
from config.operations.doctor import examine

MARKS = {State.OK: "ok", State.NOTE: "note", State.AMBER: "soon", State.RED: "WRONG"}


class Command(BaseCommand):
    help = (
        "Check this installation and print one line per finding; exits with 1 if something is "
        "wrong. Run it on each machine, with the environment of the web processes."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for finding in examine():
            wrong += finding.state is State.RED
            words = f"{finding.sentence}: {finding.remedy}" if finding.remedy else finding.sentence
            self.stdout.write(f"{MARKS[finding.state]:6}{finding.area}: {words}")
        if wrong:
            raise CommandError(f"{wrong} things are wrong.")
