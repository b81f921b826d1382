"""Collecting results: the files, the public page of a link, and what the page of a hand-off does
about links, receipts and retention."""

from functools import partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.api.throttling import Addresses, exceeded
from accounts.domain.errors import NotFound, TooOften
from accounts.domain.roles import NOBODY, By
from accounts.selectors.rows import visible
from accounts.views.pages import by_of, reads, shown, writes
from bookings.results.forms.collecting import ConfirmForm, HoldForm, KeepForm, LinkForm
from bookings.results.models import CollectLink
from bookings.results.selectors.collecting import (
    file_to_read,
    files_of_link,
    hand_off_to_read,
    keep_requests_for,
    link_by_token,
    links_for,
)
from bookings.results.selectors.handoffs import hand_off_by_id, hands_over
from bookings.results.services.collecting import link_make, link_revoke, receipt_confirm
from bookings.results.services.delivering import (
    LENT,
    Answer,
    Request,
    file_deliver,
    package_deliver,
)
from bookings.results.services.retention import (
    hold_lift,
    hold_place,
    keep_ask,
    keep_decide,
    results_keep,
)
from bookings.results.views.handoffs import SHOWN_FILES, acted


def given(answer: Answer) -> HttpResponseBase:
    """What is given out, as a response."""
    if answer.content:
        return StreamingHttpResponse(answer.content, status=answer.status, headers=answer.headers)
    return HttpResponse(status=answer.status, headers=answer.headers)


def asked(request: HttpRequest) -> Request:
    """What a reader asks for."""
    return Request(str(request.method), request.headers, timezone.now)


@reads
def file(request: HttpRequest, hand_off_id: UUID, file_id: UUID) -> HttpResponseBase:
    """One file, for whom the results are for, and the host."""
    by = by_of(request)
    hand_off = hand_off_to_read(by.actor, hand_off_id)
    row = file_to_read(hand_off, file_id)
    return given(file_deliver(by, hand_off=hand_off, file=row, link=None, request=asked(request)))


@reads
def package(request: HttpRequest, hand_off_id: UUID) -> HttpResponseBase:
    """Everything, as one file."""
    by = by_of(request)
    hand_off = hand_off_to_read(by.actor, hand_off_id)
    return given(package_deliver(by, hand_off=hand_off, link=None, request=asked(request)))


# Without signing in


class Guesses(Addresses):
    """Addresses that lead nowhere: a link is 256 bits, so only who guesses asks for many."""

    scope = "guesses"


def _link(request: HttpRequest, token: str) -> tuple[By, CollectLink]:
    """The link of an address. `NotFound`; `TooOften` for who tries many that are none."""
    by = By(NOBODY, timezone.now())
    try:
        return by, link_by_token(token, by.now)
    except NotFound:
        if exceeded([Guesses()], cast(Any, request), None):
            raise TooOften from None
        raise


@never_cache
@require_safe
def collect(request: HttpRequest, token: str) -> HttpResponse:
    """What a link leads to: which files, and each to be downloaded."""
    _by, link = _link(request, token)
    rows = files_of_link(link)
    some = list(rows[: SHOWN_FILES + 1])
    answer = shown(
        request,
        "bookings/results/collect.html",
        link=link,
        token=token,
        hand_off=link.hand_off,
        booking=link.hand_off.reservation,
        files=some[:SHOWN_FILES],
        file_count=rows.count() if len(some) > SHOWN_FILES else len(some),
        lent=LENT if settings.RESULTS_FROM == "bucket" and link.uses_left is None else None,
    )
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@require_safe
def collect_file(request: HttpRequest, token: str, file_id: UUID) -> HttpResponseBase:
    """One file of a link."""
    by, link = _link(request, token)
    row = visible(files_of_link(link), pk=file_id)
    return given(
        file_deliver(by, hand_off=link.hand_off, file=row, link=link, request=asked(request))
    )


@require_safe
def collect_package(request: HttpRequest, token: str) -> HttpResponseBase:
    """All files of a link as one; not where it is for a single one."""
    by, link = _link(request, token)
    if link.path:
        raise NotFound
    return given(package_deliver(by, hand_off=link.hand_off, link=link, request=asked(request)))


# On the page of a hand-off


_acted = partial(acted, part="#collect")


@writes
def link_new(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """A link for somebody without an account."""
    hand_off = hand_off_to_read(by_of(request).actor, hand_off_id)
    form = LinkForm(request.POST, files=hand_off.files.order_by("path_key"))
    return _acted(
        request,
        hand_off_id,
        lambda by, _: link_make(by, hand_off_id=hand_off_id, **form.values(by.now)),
        gettext("Here is the link. Anyone who has it can collect the results."),
        form,
        "link_form",
    )


@writes
def link_end(request: HttpRequest, link_id: UUID) -> HttpResponse:
    hand_off_id = visible(links_for(by_of(request).actor), pk=link_id).hand_off_id
    return _acted(
        request,
        hand_off_id,
        lambda by, _: link_revoke(by, link_id=link_id),
        gettext("The link no longer works."),
    )


@writes
def confirm(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """All was received and checked."""
    return _acted(
        request,
        hand_off_id,
        lambda by, data: receipt_confirm(by, hand_off_id=hand_off_id, **data),
        gettext("Confirmed. Thank you."),
        ConfirmForm(request.POST),
        "confirm_form",
    )


@writes
def keep(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """Keep them longer: the host does, others ask for it."""
    is_host = hands_over(by_of(request).actor, hand_off_by_id(by_of(request).actor, hand_off_id))
    work = results_keep if is_host else keep_ask

    return _acted(
        request,
        hand_off_id,
        lambda by, data: work(
            by, hand_off_id=hand_off_id, days=data["days"], reason=data["reason"]
        ),
        gettext("Saved.") if is_host else gettext("The host is asked."),
        KeepForm(request.POST),
        "keep_form",
    )


@writes
def keep_answer(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Grant a request to keep them longer (`act=grant`), or decline it."""
    hand_off_id = visible(keep_requests_for(by_of(request).actor), pk=request_id).hand_off_id
    grant = request.POST.get("act") == "grant"
    return _acted(
        request,
        hand_off_id,
        lambda by, _: keep_decide(by, request_id=request_id, grant=grant),
        gettext("Saved."),
    )


@writes
def hold(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """Keep them whatever their last day, or no longer (`act=lift`)."""
    if request.POST.get("act") == "lift":
        return _acted(
            request,
            hand_off_id,
            lambda by, _: hold_lift(by, hand_off_id=hand_off_id),
            gettext("The hold is lifted."),
        )
    return _acted(
        request,
        hand_off_id,
        lambda by, data: hold_place(by, hand_off_id=hand_off_id, **data),
        gettext("They are kept until the hold is lifted."),
        HoldForm(request.POST),
        "hold_form",
    )
