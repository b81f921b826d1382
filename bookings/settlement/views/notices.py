"""What payers say they have paid: reporting, the list, and what becomes of each."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from bookings.record.views.lists import waits_of
from bookings.settlement.forms.money import NoticeForm, VersionForm, VoidForm
from bookings.settlement.selectors.statements import (
    notice_by_id,
    notices_for,
    notices_to_match,
    statement_by_id,
)
from bookings.settlement.services.payment_notices import (
    payment_notice_match,
    payment_notice_refuse,
    payment_notice_report,
    payment_notice_withdraw,
)
from bookings.settlement.views.statements import carried_out

PAGE = 30


@login_required
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """Those of statements one may see, the newest first."""
    now, actor = timezone.now(), actor_of(request.user)
    waits = waits_of(request, "notices")
    rows = notices_to_match(actor, now) if waits else notices_for(actor)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "bookings/settlement/notices.html", {"page": page, "waits": waits})


@login_required
@require_POST
def report(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Say that it was paid, whole or in part."""
    now, actor = timezone.now(), actor_of(request.user)
    statement_by_id(actor, statement_id)
    form = NoticeForm(request.POST)
    return carried_out(
        request,
        statement_id,
        form,
        "notice_form",
        lambda version: payment_notice_report(
            By(actor, now, version), statement_id=statement_id, paid=form.paid()
        ),
        gettext("The host has been told. It marks the payment when it has found the money."),
    )


@login_required
@require_POST
def match(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Record the payment it speaks of."""
    now = timezone.now()

    def act(actor: Actor, form: VersionForm, version: int | None) -> Any:
        return payment_notice_match(By(actor, now, version), notice_id=notice_id)

    form = VersionForm(request.POST)
    return _decided(request, notice_id, form, act, gettext("The payment is recorded."))


@login_required
@require_POST
def refuse(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Say why no such money was found."""
    now = timezone.now()

    def act(actor: Actor, form: VersionForm, version: int | None) -> Any:
        return payment_notice_refuse(
            By(actor, now, version), notice_id=notice_id, reason=form.cleaned_data["reason"]
        )

    done = gettext("The notice is refused, and the payer has been told.")
    return _decided(request, notice_id, VoidForm(request.POST), act, done)


@login_required
@require_POST
def withdraw(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Take back one's own."""
    now = timezone.now()

    def act(actor: Actor, form: VersionForm, version: int | None) -> Any:
        return payment_notice_withdraw(By(actor, now, version), notice_id=notice_id)

    form = VersionForm(request.POST)
    return _decided(request, notice_id, form, act, gettext("The notice is withdrawn."))


def _decided(
    request: HttpRequest,
    notice_id: UUID,
    form: VersionForm,
    act: Callable[[Actor, VersionForm, int | None], Any],
    done: str,
) -> HttpResponse:
    actor = actor_of(request.user)
    notice = notice_by_id(actor, notice_id)
    return carried_out(
        request,
        notice.statement_id,
        form,
        "decide_form",
        lambda version: act(actor, form, version),
        done,
        refused_notice=notice_id,
    )
