"""Pages for the rate cards of one instrument: published versions, drafts, and a form for a new one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor, By
from accounts.views.pages import act, by_of, edits, sent, writes
from instruments.managing.selectors.managing import load_guide
from instruments.managing.views.guide import onward
from instruments.rates.domain.doubts import doubts_of
from instruments.rates.domain.ratecards import PRICE_GROUPS
from instruments.rates.domain.week import week_of
from instruments.rates.forms.ratecards import RateCardForm
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import card_to_copy, cards_to_copy, load_card, rate_cards_of
from instruments.rates.services.ratecards import rate_card_change, rate_card_create, rate_card_delete
from instruments.reading.domain.clock import local_date
from instruments.register.selectors.registry import instrument_to_manage


@edits
def rate_cards(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the cards and a form. The form edits a draft (`draft`) or begins with the newest version, an
    earlier one (`from`) or another instrument's (`copy`). POST saves or publishes it; what is doubtful
    about it is shown before it is published."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    today = local_date(ZoneInfo(instrument.facility.time_zone), by.now)
    rows = list(rate_cards_of(instrument))
    draft, base, first_day = _start_of(request, by.actor, rows, today)
    base_card = load_card(base).values if base else None
    form = RateCardForm(
        sent(request),
        card=base_card,
        currency=instrument.region.currency,
        first_day=first_day,
        last_day=draft.valid_until if draft else None,
    )
    is_preview = "preview" in request.POST

    def page(status: int = 200, **context: Any) -> HttpResponse:
        card = form.preview() if form.is_bound else base_card
        context |= {
            "form": form,
            "instrument": instrument,
            "groups": PRICE_GROUPS,
            "card": card,
            "week": week_of(card) if card else None,
            "is_preview": form.is_bound,
        }
        if is_preview and request.htmx:  # type: ignore[attr-defined]
            return render(request, "instruments/ratecards_week.html", context)
        look = request.GET.get("look", "").strip()[:100]
        context |= {
            "guide": load_guide(instrument, by.now, "rate-card"),
            "versions": _shown(rows, today),
            "base": base,
            "draft": draft,
            "copied": base if base and base not in rows else None,
            "look": look,
            "found": cards_to_copy(by.actor, instrument, look) if "look" in request.GET else None,
        }
        return render(request, "instruments/ratecards.html", context, status=status)

    def save(by: By, _data: dict[str, Any]) -> RateCard:
        publish = "publish" in request.POST
        if draft is None:
            return rate_card_create(by, instrument_id=instrument.pk, card=form.card, publish=publish)
        revision = request.POST.get("revision", "")
        read = int(revision) if revision.isdecimal() and len(revision) < 10 else None
        return rate_card_change(
            replace(by, version=read),
            instrument_id=instrument.pk,
            version=draft.version,
            card=form.card,
            publish=publish,
        )

    if is_preview:
        return page()
    # A published card stays as it is, so that it is asked once more.
    is_first = "publish" in request.POST and "doubts" not in request.POST and form.is_valid()
    if is_first and (doubts := doubts_of(form.card, instrument.service_modes)):
        return page(doubts=doubts)
    return act(
        request,
        page,
        save,
        to=lambda row: _next(request, row, today, by.now),
        done=lambda row: _done(row, today),
        form=form,
    )


@writes
def delete(request: HttpRequest, instrument_id: UUID, version: int) -> HttpResponse:
    """Delete a draft of an instrument's rate card."""
    to = reverse("instruments:rate-cards", args=[instrument_id])
    return act(
        request,
        lambda status: redirect(to),
        lambda by, _: rate_card_delete(by, instrument_id=instrument_id, version=version),
        to=to,
        done=gettext("The draft is deleted."),
        shows=lambda refused: messages.error(
            request, gettext("Version {n} is no longer a draft.").format(n=version)
        ),
    )


def _start_of(
    request: HttpRequest, actor: Actor, rows: Sequence[RateCard], today: date
) -> tuple[RateCard | None, RateCard | None, date]:
    """Return the draft that the form edits (or None), the card that fills the form, and its first day."""
    number = request.GET.get("draft", "")
    draft = next((row for row in rows if str(row.version) == number and _is_draft(row)), None)
    if draft is not None:
        return draft, draft, draft.valid_from
    newest = rows[0] if rows else None
    if copy := request.GET.get("copy", ""):
        first_day = max(today, newest.valid_from) if newest else today
        try:
            return None, card_to_copy(actor, UUID(copy)), first_day
        except ValueError:
            raise NotFound from None
    number = request.GET.get("from", "")
    base = next((row for row in rows if str(row.version) == number), newest)
    return None, base, max(today, base.valid_from) if base else today


def _done(row: RateCard, today: date) -> str:
    if row.published_at is None:
        message = gettext("Version {version} is saved as a draft. Nobody is charged by it yet.")
    elif row.valid_from > today:
        message = gettext("Version {version} is published. It applies from {day}.")
    else:
        message = gettext("Version {version} is in force.")
    return message.format(version=row.version, day=row.valid_from)


def _next(request: HttpRequest, row: RateCard, today: date, now: datetime) -> str:
    """Return the address to go to after a rate card was saved."""
    if "try" in request.POST:
        return reverse("bookings:what-if", args=[row.instrument_id], query={"version": row.version})
    if row.published_at is not None and row.valid_from <= today:
        return onward(row.instrument, now, "rate-card", otherwise="instruments:rate-cards")
    return reverse("instruments:rate-cards", args=[row.instrument_id])


def _is_draft(row: RateCard) -> bool:
    return row.published_at is None and row.replaced_at is None


def _shown(rows: Sequence[RateCard], today: date) -> list[dict[str, Any]]:
    """Return the versions, the newest first, each with its state: replaced, draft, coming, past or in
    force."""
    shown = []
    for row in rows:
        if row.replaced_at is not None:
            state = "replaced"
        elif row.published_at is None:
            state = "draft"
        elif row.valid_from > today:
            state = "coming"
        elif row.valid_until is not None and row.valid_until <= today:
            state = "past"
        else:
            state = "in-force"
        ways = row.card.get("usage") or [row.card]
        rates = ways[0]["rates"]
        shown.append(
            {
                "row": row,
                "state": state,
                "rates": [rates.get(group) for group in PRICE_GROUPS],
                "by_group": [(group, rates.get(group)) for group in PRICE_GROUPS],
                "more_ways": len(ways) - 1,
                # Whose rates these are, where there are others.
                "modes": ways[0]["modes"] if len(ways) > 1 else [],
            }
        )
    return shown
