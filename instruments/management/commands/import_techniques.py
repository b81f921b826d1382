"""Run `manage.py import_techniques [FILE --scheme NAME]`: bring the vocabulary up to date with a file."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.errors import Invalid
from accounts.domain.roles import PLATFORM, By
from instruments.reading.domain.delimited import FileRefused
from instruments.search.services.search import register_file
from instruments.vocabulary.adapters.vocabularies import (
    read_panet,
    read_table,
    shipped,
    shipped_measurands,
    shipped_parameters,
)
from instruments.vocabulary.domain.techniques import Term, with_broader
from instruments.vocabulary.services.techniques import measurands_import, parameters_import, techniques_import


class Command(BaseCommand):
    help = (
        "Update the vocabulary of techniques from a file, or from what comes with the platform "
        "(PaNET with Chinese names, and additional terms; also the measurands, by which needs are "
        "understood, and the parameters, by which instruments are compared), and index every "
        "instrument again. No term is ever removed, and a curator's changes are kept."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "file",
            nargs="?",
            help="PaNET's own table, or a CSV file with code, name and, optionally, name_zh, synonyms, "
            "parents (codes; several separated by |) and definition",
        )
        parser.add_argument("--scheme", default="", help="the scheme that defines the codes; not for PaNET")

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
            raise CommandError(f"The file cannot be used: {refusal.code} {numbers}".strip()) from None
        except Invalid as refusal:
            problem = refusal.problems[0]
            raise CommandError(f"{problem.code}: {problem.numbers['technique']}") from None
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from None
        self.stdout.write(f"{len(terms)} terms, {len(changed)} new or changed")
        if changed:
            self.stdout.write(f"{register_file()} instruments indexed")


def _read(file: str | None, scheme: str) -> list[Term]:
    if not file:
        return shipped()
    with Path(file).open("rb") as stream:
        if scheme and scheme != "PaNET":
            return read_table(stream, scheme)
        return with_broader(read_panet(stream))
