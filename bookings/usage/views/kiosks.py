"""The page of a tablet beside instruments, and the list of such tablets."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.domain.errors import NotFound, NotPermitted
from accounts.views.pages import act, by_of, edits, sent, writes
from bookings.record.adapters.labels import qr_path
from bookings.usage.forms.faults import FaultForm
from bookings.usage.forms.kiosks import CodeForm, EnrolForm, FacilityForm, KioskForm
from bookings.usage.models import Kiosk
from bookings.usage.selectors import kiosks as kiosk_selectors
from bookings.usage.selectors.at import load_kiosk
from bookings.usage.selectors.faults import standing_faults
from bookings.usage.services import kiosks as kiosk_services
from bookings.usage.views.at import moments

COOKIE = "kiosk"
ENDS_SOON = timedelta(days=7)
HERE = "/kiosk/"  # the token is sent to no other address


@never_cache
@require_safe
def kiosk(request: HttpRequest) -> HttpResponse:
    """Show who uses the kiosk's instruments now and next; on any other device a form for the code."""
    now = timezone.now()
    row = _kiosk(request)
    if row is None:
        if request.htmx:  # type: ignore[attr-defined]  # the screen refreshes itself: show the whole page
            return HttpResponseClientRefresh()
        return _enrol_page(request, form=EnrolForm())
    shown = load_kiosk(kiosk_selectors.shown_on(row), now)
    context = {"kiosk": row, "shown": shown, "ends_soon": row.expires_at - now < ENDS_SOON, **moments(now)}
    return render(request, "bookings/usage/kiosk.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest, token: str = "") -> HttpResponse:
    """Enrol the device as the kiosk of a code; the code is used up only when the form is sent."""
    now = timezone.now()
    if token and kiosk_selectors.kiosk_to_enrol(token, now) is None:
        raise NotFound
    return act(
        request,
        partial(_enrol_page, request, code=token),
        lambda by, data: kiosk_services.kiosk_enrol(code=data["code"], now=by.now),
        to=_enrolled,
        form=EnrolForm(sent(request), initial={"code": token}),
    )


def _enrolled(given: tuple[Kiosk, str]) -> HttpResponse:
    row, token = given
    answer = redirect("bookings:kiosk")
    answer.set_cookie(
        COOKIE,
        token,
        expires=row.expires_at,
        path=HERE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


def _enrol_page(request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    answer = render(request, "bookings/usage/kiosk_enrol.html", context, status=status)
    if COOKIE in request.COOKIES:  # it opens nothing any more
        answer.delete_cookie(COOKIE, path=HERE)
    return answer


def _kiosk(request: HttpRequest) -> Kiosk | None:
    return kiosk_selectors.kiosk_by_token(request.COOKIES.get(COOKIE, ""), timezone.now())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check_in(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Check in with a personal code, at a kiosk that shows the instrument."""
    row = _kiosk(request)
    shown = kiosk_selectors.shown_on(row) if row else []
    instrument = next((each for each in shown if each.pk == instrument_id), None)
    if row is None or instrument is None:
        raise NotFound

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {"kiosk": row, "instrument": instrument}
        return render(request, "bookings/usage/kiosk_check_in.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: kiosk_services.kiosk_check_in(
            token=request.COOKIES[COOKIE], instrument_id=instrument_id, code=data["code"], now=by.now
        ),
        to=reverse("bookings:kiosk"),
        done=gettext("Checked in. Check out with your telephone when you are done."),
        form=CodeForm(sent(request)),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def fault(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Report a fault of an instrument at a kiosk that shows it, without one's name."""
    row = _kiosk(request)
    shown = kiosk_selectors.shown_on(row) if row else []
    instrument = next((each for each in shown if each.pk == instrument_id), None)
    if row is None or instrument is None:
        raise NotFound

    def page(status: int = 200, **context: Any) -> HttpResponse:
        open_fault, issues = standing_faults(instrument_id, timezone.now())
        context |= {"kiosk": row, "instrument": instrument, "fault": open_fault, "issues": issues}
        return render(request, "bookings/usage/kiosk_fault.html", context, status=status)

    form = FaultForm(sent(request))
    del form.fields["file"]
    form.fields["text"].required = True
    return act(
        request,
        page,
        lambda by, data: kiosk_services.kiosk_report_fault(
            token=request.COOKIES[COOKIE],
            instrument_id=instrument_id,
            severity=data["severity"],
            text=data["text"],
            now=by.now,
        ),
        to=reverse("bookings:kiosk"),
        done=gettext("Reported. The owner is notified."),
        form=form,
    )


@never_cache
@writes
def code(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Show the reader six digits for checking in at a kiosk, once."""
    by = by_of(request)
    row, digits = kiosk_services.check_in_code(by, reservation_id=reservation_id)
    context = {
        "reservation_id": reservation_id,
        "instrument": row.instrument,
        "digits": digits,
        "seconds": int((row.expires_at - by.now).total_seconds()),
    }
    return render(request, "bookings/usage/code.html", context)


@never_cache
@edits
def kiosks(request: HttpRequest) -> HttpResponse:
    """List the kiosks of organisations that the reader manages, and create another; its code is shown only in
    that answer."""
    by = by_of(request)
    if not (by.actor.organisations_where("manage-instruments") or by.actor.has("administrator")):
        raise NotPermitted(capability="manage-instruments")
    place = FacilityForm(request.GET, facilities=kiosk_selectors.facilities_to_mark(by.actor))
    facility = place.chosen()
    rows = kiosk_selectors.instruments_to_mark(by.actor, facility) if facility else []
    form = KioskForm(sent(request), instruments=rows)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {
            "kiosks": kiosk_selectors.kiosks_for(by.actor)[:200],
            "place": place,
            "facility": facility,
            "form": context.get("form", form),
            "at": by.now,
        }
        return render(request, "bookings/usage/kiosks.html", context, status=status)

    def given(result: tuple[Kiosk, str]) -> HttpResponse:
        row, secret = result
        link = settings.SITE_URL + reverse("bookings:kiosk-enrol-link", args=[secret])
        side, path = qr_path(link)
        empty = KioskForm(instruments=rows)
        return page(made=row, code=secret, link=link, qr_side=side, qr_path=path, form=empty)

    if pairs := request.POST.get("pair", ""):
        return act(
            request, page, lambda by, _: kiosk_services.kiosk_pair(by, kiosk_id=_id_of(pairs)), to=given
        )

    return act(
        request,
        page,
        lambda by, data: kiosk_services.kiosk_create(
            by, name=data["name"], instrument_ids=[UUID(pk) for pk in data["instrument"]]
        ),
        to=given,
        form=form,
    )


def _id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


@writes
def revoke(request: HttpRequest, kiosk_id: UUID) -> HttpResponse:
    by = by_of(request)
    if not kiosk_selectors.kiosks_for(by.actor).filter(pk=kiosk_id).exists():
        raise NotFound
    return act(
        request,
        lambda **_: HttpResponse(status=409),  # nothing refuses it
        lambda by, _: kiosk_services.kiosk_revoke(by, kiosk_id=kiosk_id),
        to=reverse("bookings:kiosks"),
        done=gettext("Revoked. The tablet no longer shows anything."),
    )
