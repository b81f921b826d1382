"""Read a bank's file: manage.py read_bank_file FILE --by MAIL [--host CODE] [--format NAME]"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from accounts.database import is_busy
from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.users import person_named
from bookings.bank.domain.files import MOST_BYTES
from bookings.bank.selectors.bank import hosts_of, mappings_for
from bookings.bank.services.files import GivenFile, file_read
from bookings.record.messages import refusal_sentence

REFUSED = 2


class Command(BaseCommand):
    help = (
        "Read a bank's file (CAMT.053, MT940 or CSV) in the name of somebody of the host's finance. "
        "Transactions that an earlier file has brought are not read twice; nothing is matched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the file as the bank wrote it")
        parser.add_argument("--by", required=True, metavar="MAIL", help="the person who reads it")
        parser.add_argument("--host", metavar="CODE", help="the host; default: the person's only one")
        parser.add_argument("--format", metavar="NAME", help="the format that reads a CSV file")
        parser.add_argument(
            "--other-account", action="store_true", help="it may be of an account not used so far"
        )

    def handle(self, **options: Any) -> None:
        person = person_named(options["by"])
        if person is None:
            raise CommandError(f"There is no account {options['by']}.", returncode=REFUSED)
        actor = actor_of(person)
        code = options["host"]
        hosts = [each for each in hosts_of(actor) if not code or each.code == code]
        if len(hosts) != 1:
            words = (
                f"{options['by']} keeps the books of {len(hosts)} such organisations: name one with --host."
            )
            raise CommandError(words, returncode=REFUSED)
        mapping = None
        if options["format"]:
            row = mappings_for(actor).filter(host=hosts[0], name=options["format"]).first()
            if row is None:
                raise CommandError(f"There is no format {options['format']}.", returncode=REFUSED)
            mapping = row.pk
        given = GivenFile(
            Path(options["file"]).name, _read(options["file"]), mapping, options["other_account"]
        )
        try:
            file = file_read(By(actor, timezone.now()), host=hosts[0], given=given)
        except Refused as refused:
            raise CommandError(refusal_sentence(refused), returncode=REFUSED) from None
        except OperationalError as error:
            if not is_busy(error):
                raise
            raise CommandError("The books are in use: try again later.", returncode=REFUSED) from None
        self.stdout.write(f"{file.transactions_read} transactions read, {file.known_before} known before.")


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", returncode=REFUSED) from None
