"""Collecting results: the files, the public page of a link, and what the page of a delivery does about links,
receipts and retention."""

from functools import partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.api.throttling import Addresses, exceeded
from accounts.api.transfers import given_out
from accounts.domain.errors import NotFound, TooOften
from accounts.domain.roles import NOBODY, By
from accounts.selectors.rows import visible
from accounts.views.pages import by_of, chooses, reads, shown, writes
from bookings.results.forms.collecting import KeepForm, LinkForm
from bookings.results.models import CollectLink
from bookings.results.selectors import collecting
from bookings.results.selectors.handoffs import hand_off_by_id, hands_over
from bookings.results.services.collecting import link_make
from bookings.results.services.delivering import LENT, Request, file_deliver, package_deliver
from bookings.results.services.retention import keep_ask, keep_decide, results_keep
from bookings.results.views.handoffs import SHOWN_FILES, acted


def asked(request: HttpRequest) -> Request:
    """Return the HTTP request in the form in which the services that send results take it."""
    return Request(str(request.method), request.headers, timezone.now)


@reads
def file(request: HttpRequest, hand_off_id: UUID, file_id: UUID) -> HttpResponseBase:
    """Send a file to recipients of the results and to the host."""
    by = by_of(request)
    hand_off = collecting.hand_off_to_read(by.actor, hand_off_id)
    row = collecting.file_to_read(hand_off, file_id)
    return given_out(
        request,
        by.actor.user_id,
        lambda: file_deliver(by, hand_off=hand_off, file=row, link=None, request=asked(request)),
    )


@reads
def package(request: HttpRequest, hand_off_id: UUID) -> HttpResponseBase:
    """Send all results as one file."""
    by = by_of(request)
    hand_off = collecting.hand_off_to_read(by.actor, hand_off_id)
    return given_out(
        request,
        by.actor.user_id,
        lambda: package_deliver(by, hand_off=hand_off, link=None, request=asked(request)),
    )


# Without signing in


class Guesses(Addresses):
    """A rate limit for addresses that lead nowhere: a link has 256 bits, so only somebody who guesses asks
    for many."""

    scope = "guesses"


def _link(request: HttpRequest, token: str) -> tuple[By, CollectLink]:
    """Return the actor and link of an address. Raise `NotFound`; `TooOften` for somebody who tries many wrong
    addresses."""
    by = By(NOBODY, timezone.now())
    try:
        return by, collecting.link_by_token(token, by.now)
    except NotFound:
        if exceeded([Guesses()], cast(Any, request), None):
            raise TooOften from None
        raise


@never_cache
@require_safe
def collect(request: HttpRequest, token: str) -> HttpResponse:
    """Show the files to which a link leads, each to be downloaded."""
    _by, link = _link(request, token)
    rows = collecting.files_of_link(link)
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
    """Send a file that a link gives access to."""
    by, link = _link(request, token)
    row = visible(collecting.files_of_link(link), pk=file_id)
    return given_out(
        request,
        link.pk,
        lambda: file_deliver(by, hand_off=link.hand_off, file=row, link=link, request=asked(request)),
    )


@require_safe
def collect_package(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send all files of a link as one ZIP file; not for a link to a single file."""
    by, link = _link(request, token)
    if link.path:
        raise NotFound
    return given_out(
        request,
        link.pk,
        lambda: package_deliver(by, hand_off=link.hand_off, link=link, request=asked(request)),
    )


# On the page of a delivery


_acted = partial(acted, part="#collect")


@writes
def link_new(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """Make a link for somebody without an account."""
    hand_off = collecting.hand_off_to_read(by_of(request).actor, hand_off_id)
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
def keep(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """Keep results longer: the host does so directly, others request it."""
    is_host = hands_over(by_of(request).actor, hand_off_by_id(by_of(request).actor, hand_off_id))
    work = results_keep if is_host else keep_ask

    return _acted(
        request,
        hand_off_id,
        lambda by, data: work(by, hand_off_id=hand_off_id, days=data["days"], reason=data["reason"]),
        gettext("Saved.") if is_host else gettext("The host is asked."),
        KeepForm(request.POST),
        "keep_form",
    )


@writes
@chooses("grant", "decline")
def keep_answer(request: HttpRequest, request_id: UUID, choice: str) -> HttpResponse:
    """Grant or decline a request to keep results longer."""
    hand_off_id = visible(collecting.keep_requests_for(by_of(request).actor), pk=request_id).hand_off_id
    return _acted(
        request,
        hand_off_id,
        lambda by, _: keep_decide(by, request_id=request_id, grant=choice == "grant"),
        gettext("Saved."),
    )
