"""The addresses of *bank*, as tests/architecture/permission_table.py reads them."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from accounts.domain.roles import By
from bookings.bank.domain.books import Part
from bookings.bank.models import BankMapping, BankTransaction
from bookings.bank.services import matches
from bookings.bank.services.credits import credit_use
from bookings.bank.services.files import GivenFile, file_read
from bookings.models import Statement
from tests.factories.cast import NOW, Cast

DATA = Path(__file__).parents[2] / "data" / "bank"

PAGES = """
GET  bookings:money-bank              - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-bank-book-certain - 404 404 404 404 404 404 404 409 403 404 404 404
POST bookings:money-bank-set-aside-many - 404 404 404 404 404 404 404 302 403 404 404 404
GET  bookings:money-bank-files        - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-bank-files        - 403 403 403 403 403 403 400 400 403 403 403 403
GET  bookings:money-bank-file         - 404 404 404 404 404 404 404 200 200 404 404 404
POST bookings:money-bank-file-take-back - 404 404 404 404 404 404 404 409 403 404 404 404
GET  bookings:money-bank-formats      - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-bank-formats      - 403 403 403 403 403 403 302 302 403 403 403 403
GET  bookings:money-bank-one          - 404 404 404 404 404 404 404 200 200 404 404 404
POST bookings:money-bank-by-hand      - 404 404 404 404 404 404 404 302 403 404 404 404
POST bookings:money-bank-book         - 404 404 404 404 404 404 404 302 403 404 404 404
POST bookings:money-bank-set-aside    - 404 404 404 404 404 404 404 302 403 404 404 404
POST bookings:money-bank-take-up      - 404 404 404 404 404 404 404 302 403 404 404 404
POST bookings:money-bank-take-back    - 404 404 404 404 404 404 404 302 403 404 404 404
POST bookings:money-bank-match-undo   - 404 404 404 404 404 404 404 302 403 404 404 404
POST bookings:money-bank-credit-return - 404 404 404 404 404 404 403 302 403 404 404 404
POST bookings:money-bank-format-forget - 404 404 404 404 404 404 404 302 403 404 404 404
POST bookings:money-statements-use-credit - 404 404 404 404 403 403 403 302 403 404 404 404
"""
API = """
GET    api-bank-files                   - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-bank-files                   - 415 415 415 415 415 415 415 415 415 415 415 415
GET    api-bank-file                    - 404 404 404 404 404 404 404 200 200 404 404 404
POST   api-bank-file-take-back          - 404 404 404 404 404 404 404 409 403 404 404 404
GET    api-bank-transactions            - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-bank-transaction             - 404 404 404 404 404 404 404 200 200 404 404 404
GET    api-bank-transaction-proposals   - 404 404 404 404 404 404 404 200 200 404 404 404
GET    api-bank-transaction-matches     - 404 404 404 404 404 404 404 200 200 404 404 404
POST   api-bank-transaction-book        - 404 404 404 404 404 404 404 200 403 404 404 404
POST   api-bank-transaction-match       - 404 404 404 404 404 404 404 200 403 404 404 404
POST   api-bank-transaction-set-aside   - 404 404 404 404 404 404 404 200 403 404 404 404
POST   api-bank-transaction-take-up     - 404 404 404 404 404 404 404 200 403 404 404 404
POST   api-bank-transaction-take-back   - 404 404 404 404 404 404 404 200 403 404 404 404
POST   api-bank-transactions-book-certain - 403 403 403 403 403 403 409 409 403 403 403 403
POST   api-bank-transactions-set-aside  - 404 404 404 404 404 404 404 200 403 404 404 404
GET    api-bank-match                   - 404 404 404 404 404 404 404 200 200 404 404 404
POST   api-bank-match-undo              - 404 404 404 404 404 404 404 200 403 404 404 404
GET    api-bank-credits                 - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-bank-credit-return           - 404 404 404 404 404 404 403 200 403 404 404 404
POST   api-statement-credit-uses        - 404 404 404 404 403 403 403 201 403 404 404 404
GET    api-bank-formats                 - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-bank-formats                 - 403 403 403 403 403 403 201 201 403 403 403 403
DELETE api-bank-format                  - 404 404 404 404 404 404 404 204 403 404 404 404
"""
REFUSED = """
POST api-bank-file-take-back             409 something-is-matched
POST api-bank-transactions-book-certain  409 no-longer-certain
"""


def things(cast: Cast) -> dict[str, str]:
    """Bring a file of four transactions to USTC: one waits, one has been matched, one is set aside, and the
    last is kept as Fudan's credit."""
    by = By(cast.actor("gao"), NOW)
    content = (DATA / "world.xml").read_bytes()
    file = file_read(by, host=cast.ustc, given=GivenFile("world.xml", content))
    open_, matched, aside, kept = BankTransaction.objects.order_by("position")
    january = Statement.objects.get(month=date(2026, 1, 1))
    part = (Part(january.pk, Decimal(8)),)
    matches.transaction_match(
        by, transaction_id=matched.pk, given=matches.Given(part, Decimal(2), cast.fudan.pk)
    )
    matches.transaction_set_aside(by, transaction_id=aside.pk, reason="Internal transfer")
    given = matches.Given((), kept.amount, cast.fudan.pk)
    matches.transaction_match(by, transaction_id=kept.pk, given=given)
    used = credit_use(by, statement_id=january.pk, amount=Decimal("0.10"))
    mapping = BankMapping.objects.create(
        host=cast.ustc, name="ICBC", account="1", currency="CNY", columns={"booked_on": "a", "amount": "b"}
    )
    return {
        "bank-file": str(file.pk),
        "bank-transaction": str(open_.pk),
        "matched-bank-transaction": str(matched.pk),
        "bank-transaction-aside": str(aside.pk),
        "kept-bank-transaction": str(kept.pk),
        "bank-match": str(matched.matches.get().pk),
        "bank-credit": str(used.pk),
        "bank-format": str(mapping.pk),
    }


# Which thing of the test's world an argument of an address names.
ARGUMENTS = {
    "transaction_id": "bank-transaction",
    "match_id": "bank-match",
    "credit_id": "bank-credit",
    "format_id": "bank-format",
}
# And where an address means another.
_ASIDE, _KEPT = "bank-transaction-aside", "kept-bank-transaction"
THINGS = {
    ("bookings:money-bank-file", "file_id"): "bank-file",
    ("api-bank-file", "file_id"): "bank-file",
    ("bookings:money-bank-file-take-back", "file_id"): "bank-file",
    ("api-bank-file-take-back", "file_id"): "bank-file",
    ("bookings:money-bank-take-up", "transaction_id"): _ASIDE,
    ("api-bank-transaction-take-up", "transaction_id"): _ASIDE,
    ("bookings:money-bank-take-back", "transaction_id"): _KEPT,
    ("api-bank-transaction-take-back", "transaction_id"): _KEPT,
}
FORMAT = {
    "name": "A bank", "account": "1", "currency": "CNY", "date_format": "DD.MM.YYYY",
    "column_booked_on": "Day", "column_amount": "Amount",
}  # fmt: skip
PAGE_BODIES: dict[str, Any] = {
    "bookings:money-bank-book-certain": {"file": "<bank-file>", "transaction": ["<bank-transaction-aside>"]},
    "bookings:money-bank-set-aside-many": {"chosen": ["<bank-transaction>"], "reason": "test"},
    "bookings:money-bank-files": {},
    "bookings:money-bank-formats": FORMAT | {"delimiter": "comma", "encoding": "utf-8", "skipped_lines": "0"},
    "bookings:money-bank-by-hand": {"statement": ["<statement>"], "amount_<statement>": "1.00"},
    "bookings:money-bank-book": {"number": "0"},
    "bookings:money-bank-set-aside": {"reason": "test"},
    "bookings:money-statements-use-credit": {"amount": "0.10"},
}
API_BODIES: dict[tuple[str, str], Any] = {
    ("POST", "api-bank-files"): {},
    ("POST", "api-bank-transaction-book"): {"number": 0},
    ("POST", "api-bank-transaction-match"): {"parts": [{"statement": "<statement>", "amount": "0.10"}]},
    ("POST", "api-bank-transaction-set-aside"): {"reason": "test"},
    ("POST", "api-bank-transactions-set-aside"): {"transactions": ["<bank-transaction>"], "reason": "test"},
    ("POST", "api-bank-transactions-book-certain"): {"transactions": ["<bank-transaction-aside>"]},
    ("POST", "api-statement-credit-uses"): {"amount": "0.10"},
    ("POST", "api-bank-formats"): FORMAT,
}
SEEN_BY = {
    "bookings:money-bank": "gao",
    "bookings:money-bank-files": "gao",
    "bookings:money-bank-formats": "gao",
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "bookings:money-bank-file": 20,  # all that waits, the open statements and their payers
    "bookings:money-bank-one": 20,
}
