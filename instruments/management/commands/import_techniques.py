"""`manage.py import_techniques [FILE --scheme NAME]`"""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.errors import Invalid
from accounts.domain.roles import PLATFORM, By
from instruments.adapters.vocabularies import (
    read_panet,
    read_table,
    shipped,
    shipped_measurands,
    shipped_parameters,
)
from instruments.domain.delimited import FileRefused
from instruments.domain.techniques import Term, with_broader
from instruments.services.search import register_file
from instruments.services.techniques import (
    measurands_import,
    parameters_import,
    techniques_import,
)


class Command(BaseCommand):
    help = (
        "Bring the vocabulary of techniques to what a file says, or to what comes with the "
        "platform (PaNET, with Chinese names and terms of our own; then also the measurands, by "
        "which needs are understood, and the parameters, by which instruments are compared), and "
        "file every instrument by it. No term is ever removed, and what a curator has changed "
        "stays."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "file",
            nargs="?",
            help="PaNET's own table, or a CSV with code, name and, where there are such, name_zh, "
            "synonyms, parents (codes; several with | between them), definition",
        )
        parser.add_argument("--scheme", default="", help="whose codes they are; not for PaNET")

    def handle(self, **options: Any) -> None:
        try:
            terms = _read(options["file"], options["scheme"])
            by = By(PLATFORM, timezone.now())
            changed = techniques_import(by, terms=terms)
            if not options["file"]:
                rows = measurands_import(by, measurands=shipped_measurands())
                self.stdout.write(f"{len(rows)} measurands new or changed")
                rows = parameters_import(by, parameters=shipped_parameters().values())
                self.stdout.write(f"{len(rows)} parameters new or changed")
        except FileRefused as refusal:
            numbers = ", ".join(f"{name} {value}" for name, value in refusal.numbers.items())
            raise CommandError(
                f"The file cannot be used: {refusal.code} {numbers}".strip()
            ) from None
        except Invalid as refusal:
            problem = refusal.problems[0]
            raise CommandError(f"{problem.code}: {problem.numbers['technique']}") from None
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from None
        self.stdout.write(f"{len(terms)} terms, {len(changed)} new or changed")
        if changed:
            self.stdout.write(f"{register_file()} instruments filed")


def _read(file: str | None, scheme: str) -> list[Term]:
    if not file:
        return shipped()
    with Path(file).open("rb") as stream:
        if scheme and scheme != "PaNET":
            return read_table(stream, scheme)
        return with_broader(read_panet(stream))
