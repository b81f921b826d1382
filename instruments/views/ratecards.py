"""Rate cards of one instrument: its versions, its drafts, and a new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain.errors import Invalid, NotFound, Refused, WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from instruments.domain.opening import local_date
from instruments.domain.ratecard_week import week_of
from instruments.domain.ratecards import PRICE_GROUPS, RateCardValues
from instruments.forms import RateCardForm
from instruments.models import Instrument, RateCard
from instruments.selectors.managing import instrument_to_manage, load_guide
from instruments.selectors.ratecard_copies import card_to_copy, cards_to_copy
from instruments.selectors.ratecards import load_card, rate_cards_of
from instruments.services.ratecards import rate_card_change, rate_card_create, rate_card_delete
from instruments.views.guide import onward


@dataclass(frozen=True)
class Editing:
    """What the form begins with: the draft that is changed, or a card to start from."""

    draft: RateCard | None
    base: RateCard | None
    first_day: date

    @property
    def card(self) -> RateCardValues | None:
        return load_card(self.base).values if self.base else None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rate_cards(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The form begins with the newest version, the one `from` names, another instrument's
    (`copy`), or is of a draft (`draft`)."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id)
    today = local_date(ZoneInfo(instrument.facility.time_zone), now)
    rows = list(rate_cards_of(instrument))
    editing = _editing(request, actor, rows, today)
    form = RateCardForm(
        request.POST if request.method == "POST" else None,
        card=editing.card,
        currency=instrument.region.currency,
        first_day=editing.first_day,
        last_day=editing.draft.valid_until if editing.draft else None,
    )
    is_preview = "preview" in request.POST
    card = form.preview() if form.is_bound else editing.card
    context = {
        "form": form,
        "instrument": instrument,
        "groups": PRICE_GROUPS,
        "card": card,
        "week": week_of(card) if card else None,
        "is_preview": form.is_bound,
    }
    if is_preview and request.htmx:  # type: ignore[attr-defined]
        return render(request, "instruments/ratecards_week.html", context)
    refused: Refused | None = None
    if form.is_bound and not is_preview and form.is_valid():
        try:
            made = _save(request, actor, instrument, editing.draft, form.card, now)
        except Invalid as wrong:
            form.refuse(wrong.problems)
        except (WrongState, WrongVersion) as late:
            refused = late
        else:
            return redirect(_next(request, made, today, now))
    look = request.GET.get("look", "").strip()[:100]
    context |= {
        "guide": load_guide(instrument, now, "rate-card"),
        "versions": _shown(rows, today),
        "base": editing.base,
        "draft": editing.draft,
        "copied": editing.base if editing.base and editing.base not in rows else None,
        "look": look,
        "found": cards_to_copy(actor, instrument, look) if "look" in request.GET else None,
        "refused": refused,
    }
    status = 409 if refused else 400 if form.errors and not is_preview else 200
    return render(request, "instruments/ratecards.html", context, status=status)


@login_required
@require_POST
def delete(request: HttpRequest, instrument_id: UUID, version: int) -> HttpResponse:
    """Throw a draft away."""
    actor = actor_of(request.user)
    instrument_to_manage(actor, instrument_id)
    try:
        rate_card_delete(By(actor, timezone.now()), instrument_id=instrument_id, version=version)
    except WrongState:
        messages.error(request, gettext("Version {n} is no longer a draft.").format(n=version))
    else:
        messages.success(request, gettext("The draft is deleted."))
    return redirect("instruments:rate-cards", instrument_id=instrument_id)


def _editing(request: HttpRequest, actor: Actor, rows: Sequence[RateCard], today: date) -> Editing:
    asked = request.GET.get("draft", "")
    draft = next((row for row in rows if str(row.version) == asked and _is_draft(row)), None)
    if draft is not None:
        return Editing(draft, draft, draft.valid_from)
    newest = rows[0] if rows else None
    first_day = max(today, newest.valid_from) if newest else today
    copy = request.GET.get("copy", "")
    if copy:
        try:
            return Editing(None, card_to_copy(actor, UUID(copy)), first_day)
        except ValueError:
            raise NotFound from None
    wanted = request.GET.get("from", "")
    base = next((row for row in rows if str(row.version) == wanted), newest)
    return Editing(None, base, max(today, base.valid_from) if base else today)


def _save(
    request: HttpRequest,
    actor: Actor,
    instrument: Instrument,
    draft: RateCard | None,
    card: RateCardValues,
    now: datetime,
) -> RateCard:
    publish = "publish" in request.POST
    if draft is None:
        return rate_card_create(
            By(actor, now), instrument_id=instrument.pk, card=card, publish=publish
        )
    revision = request.POST.get("revision", "")
    return rate_card_change(
        By(actor, now, int(revision) if revision.isdecimal() and len(revision) < 10 else None),
        instrument_id=instrument.pk,
        version=draft.version,
        card=card,
        publish=publish,
    )


def _next(request: HttpRequest, made: RateCard, today: date, now: datetime) -> str:
    """Where to go with what was saved, having said that it was."""
    if made.published_at is None:
        text = gettext("Version {version} is saved as a draft. Nobody is charged by it yet.")
    elif made.valid_from > today:
        text = gettext("Version {version} is published. It applies from {day}.")
    else:
        text = gettext("Version {version} is in force.")
    messages.success(request, text.format(version=made.version, day=made.valid_from))
    if "try" in request.POST:
        where = reverse("bookings:what-if", args=[made.instrument_id])
        return f"{where}?version={made.version}"
    if made.published_at is not None and made.valid_from <= today:
        return onward(made.instrument, now, "rate-card", otherwise="instruments:rate-cards")
    return reverse("instruments:rate-cards", args=[made.instrument_id])


def _is_draft(row: RateCard) -> bool:
    return row.published_at is None and row.replaced_at is None


def _shown(rows: Sequence[RateCard], today: date) -> list[dict[str, Any]]:
    """The versions, newest first, each with its state: of published ones one is in force."""
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
