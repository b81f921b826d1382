"""Compare all statements and settlements with the ledger: manage.py check_statements"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bookings.settlement.domain.statements import statement_number
from bookings.settlement.models import Settlement, Statement
from bookings.settlement.selectors.books import charges_astray, check_settlement, statements_astray


class Command(BaseCommand):
    help = (
        "Recompute every statement and settlement from the ledger's postings, and look for final "
        "charges of closed months that are not on a statement."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = [
            f"statement {statement_number(row.host.code, row.year, row.number)} ({row.pk})"
            for row in statements_astray()
        ]
        settlements = list(Settlement.objects.select_related("first", "second"))
        wrong += [
            f"settlement of {row.month:%Y-%m} between {row.first.code} and {row.second.code}"
            for row in settlements
            if not check_settlement(row).agrees
        ]
        wrong += [
            f"charge {pk} is not on a statement" for pk in charges_astray().values_list("pk", flat=True)
        ]
        for text in wrong:
            self.stderr.write(text)
        if wrong:
            raise CommandError(f"{len(wrong)} records do not agree with the ledger.")
        self.stdout.write(
            f"{Statement.objects.count()} statements and {len(settlements)} settlements agree "
            "with the ledger."
        )
