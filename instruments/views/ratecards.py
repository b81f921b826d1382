"""Rate cards of one instrument: its versions, and a new one."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import Invalid
from accounts.permissions import actor_of
from instruments.domain.opening import local_date
from instruments.domain.ratecards import PRICE_GROUPS
from instruments.forms import RateCardForm
from instruments.models import RateCard
from instruments.selectors.managing import instrument_to_manage
from instruments.selectors.ratecards import load_card, rate_cards_of
from instruments.services.ratecards import rate_card_create


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rate_cards(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The form begins with the newest version, or with the one `from` names."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id)
    today = local_date(ZoneInfo(instrument.facility.time_zone), now)
    rows = list(rate_cards_of(instrument))
    asked = request.GET.get("from", "")
    base = next((row for row in rows if str(row.version) == asked), rows[0] if rows else None)
    form = RateCardForm(
        request.POST if request.method == "POST" else None,
        card=load_card(base).values if base else None,
        currency=instrument.region.currency,
        first_day=max(today, base.valid_from) if base else today,
    )
    if form.is_bound and form.is_valid():
        is_published = "publish" in request.POST
        try:
            made = rate_card_create(
                actor=actor,
                instrument_id=instrument.pk,
                card=form.card,
                publish=is_published,
                now=now,
            )
        except Invalid as refused:
            form.refuse(refused.problems)
        else:
            _tell(request, made, today)
            return redirect("instruments:rate-cards", instrument_id=instrument.pk)
    context = {
        "form": form,
        "instrument": instrument,
        "versions": _shown(rows, today),
        "groups": PRICE_GROUPS,
        "base": base,
    }
    return render(
        request, "instruments/ratecards.html", context, status=400 if form.errors else 200
    )


def _tell(request: HttpRequest, made: RateCard, today: date) -> None:
    if made.published_at is None:
        text = gettext("Version {version} is saved as a draft. Nobody is charged by it yet.")
    elif made.valid_from > today:
        text = gettext("Version {version} is published. It holds from {day}.")
    else:
        text = gettext("Version {version} is in force.")
    messages.success(request, text.format(version=made.version, day=made.valid_from))


def _shown(rows: Sequence[RateCard], today: date) -> list[dict[str, Any]]:
    """The versions, newest first, each with its state: of published ones one is in force."""
    published = [row for row in rows if row.published_at]
    shown = []
    for row in rows:
        if row.published_at is None:
            is_replaced = any(
                p.valid_from == row.valid_from and p.version > row.version for p in published
            )
            state = "replaced" if is_replaced else "draft"
        elif row.valid_from > today:
            state = "coming"
        elif row.valid_until is not None and row.valid_until <= today:
            state = "past"
        else:
            state = "in-force"
        rates = row.card["rates"]
        shown.append(
            {
                "row": row,
                "state": state,
                "rates": [rates.get(group) for group in PRICE_GROUPS],
                "rate_unit": row.card.get("rate_unit", "hour"),
            }
        )
    return shown
