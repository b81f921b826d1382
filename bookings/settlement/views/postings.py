"""The page of postings, to which every balance leads."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.domain.roles import By
from accounts.forms import known_to
from accounts.views.pages import by_of, reads
from bookings.charging.models import Posting
from bookings.record.views.lists import ListPage, wants_file
from bookings.settlement.forms.postings import PostingFilterForm
from bookings.settlement.selectors import postings as posting_selectors

# Filters of an address that say which balance the list is of.
BALANCES = ("charge", "payment", "statement", "settlement", "settled", "debtor", "between", "aged")
# Of these the sums of both directions are shown, and their difference.
_BETWEEN_REGIONS = ("settlement", "settled", "debtor", "between")


def _about(rows: list[Posting], by: By) -> dict[str, Any]:
    return {"read": {row.pk for row in rows if posting_selectors.reads_money(by.actor, row)}}


LIST = ListPage(
    "bookings/settlement/postings.html",
    posting_selectors.POSTINGS,
    about=_about,
    totals=posting_selectors.sums_of_postings,
    number=lambda totals: sum(one.number for one in totals),
    size=50,
)


@reads
def postings(request: HttpRequest) -> HttpResponseBase:
    """List postings, the latest first, with their sum by account and currency."""
    by = by_of(request)
    form = PostingFilterForm(request.GET)
    known_to(form, by.actor)
    of = [name for name in BALANCES if request.GET.get(name)]
    nets: list[posting_selectors.RegionsNet] = []
    if not wants_file(request) and any(name in _BETWEEN_REGIONS for name in of):
        rows = LIST.narrowed(request, by, posting_selectors.postings_for(by.actor), form)[0]
        nets = posting_selectors.nets_of(rows)
    return LIST.answer(request, by, form=form, nets=nets, is_of_balance=bool(of))
