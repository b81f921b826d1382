"""The manifest of *journal*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.areas import FOR_BOOKS, Area, Record
from accounts.menu import MONEY, Below, MenuEntry, has
from bookings.journal.messages import ACTS, REFUSALS
from bookings.journal.models import AccountRule, ChartAccount, JournalMonth
from bookings.journal.selectors.charts import accounts_for

AREA = Area(
    "bookings.journal",
    refusals=REFUSALS,
    menu=(
        MenuEntry(
            "bookings:money-journal", pgettext_lazy("accounting", "Journal"), "list", MONEY, 70,
            has("finance", "auditor"),
        ),
    ),
    below=(
        Below("bookings:money-journal", "money-journal-*"),
    ),
    records=(
        Record(ChartAccount, "name", "name_zh", kind=_("account"), acts="chart", seen=accounts_for),
        Record(AccountRule, "role", kind=_("rule of the chart of accounts")),
        Record(JournalMonth, "month", kind=_("closed month of the journal"), acts="journal"),
    ),
    acts=ACTS,
    official={
        "bookings.AccountRule.set_by": FOR_BOOKS,
        "bookings.JournalMonth.closed_by": FOR_BOOKS,
    },
)  # fmt: skip
