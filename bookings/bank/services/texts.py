"""Forgetting what transactions say that concern nobody's statement."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from bookings.bank.models import BankTransaction

# An account has salaries and private senders, too: after this time finance knows that they pay nothing here.
TEXTS_KEPT = timedelta(days=180)
AT_ONCE = 5000
_TEXTS = ("name", "counter_account", "reference", "purpose")


def texts_forget(*, now: datetime) -> int:
    """Blank the names, accounts and texts of transactions that were set aside long ago; return of how many.
    Day, amount, the bank's own number and the digest stay, so that no file brings them again."""
    has_text = Q(pk=None)
    for name in _TEXTS:
        has_text |= ~Q(**{name: ""})
    rows = BankTransaction.objects.filter(has_text, state="set_aside", aside_at__lt=now - TEXTS_KEPT)
    forgotten = 0
    while True:
        with transaction.atomic():
            locked = rows.select_for_update(of=("self",), skip_locked=True)
            ids = list(locked.values_list("pk", flat=True)[:AT_ONCE])
            if not ids:
                return forgotten
            BankTransaction.objects.filter(pk__in=ids).update(**dict.fromkeys(_TEXTS, ""))
            forgotten += len(ids)
