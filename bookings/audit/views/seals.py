"""Pages about seals over the trail: the newest, all earlier ones, proofs and bundles."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.domain.errors import Invalid
from accounts.permissions import actor_of, require_somewhere
from accounts.selectors.seals import bundle_lines, proof_of, seals, seals_like, unsealed_count
from accounts.selectors.verification import last_verified
from accounts.services.seals import trail_seal_now
from accounts.views.pages import act, by_of, reads, writes
from bookings.audit.forms.trail import BundleForm
from bookings.audit.selectors.bundles import bundle_for, bundles_of
from bookings.audit.selectors.trail import entry_for
from bookings.audit.selectors.trail_records import called_of
from bookings.audit.services.bundles import bundle_ask, bundle_open, bundle_start
from bookings.audit.views.trail import midnight
from bookings.charging.selectors.stories import steps_of
from bookings.record.messages import refusal_sentence

SHOWN = 50


@reads
def all_seals(request: HttpRequest) -> HttpResponse:
    return _page(request, BundleForm())


def _page(request: HttpRequest, form: BundleForm, status: int = 200) -> HttpResponse:
    actor = actor_of(request.user)
    require_somewhere(actor, "read-trail")
    rows = seals()
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 10:
        rows = rows.filter(number__lt=int(before))
    shown, bundles = list(rows[: SHOWN + 1]), list(bundles_of(actor)[:5])
    context = {
        "newest": seals().first(),
        "seals": shown[:SHOWN],
        "older": shown[SHOWN - 1].number if len(shown) > SHOWN else None,
        "before": before,
        "waiting": unsealed_count(),
        "verified": last_verified(),
        "held": _held(request.GET.get("seal", "")),
        "form": form,
        "bundles": bundles,
        "is_at_work": any(row.state in {"waiting", "working"} for row in bundles),
    }
    is_part = request.headers.get("HX-Target") == "bundles"
    template = "bookings/audit/bundles.html" if is_part else "bookings/audit/seals.html"
    return render(request, template, context, status=status)


def _held(text: str) -> dict[str, Any] | None:
    """Return what the page says about a seal that somebody holds; None if they named none."""
    if not text:
        return None
    try:
        return {"text": text, "is_in_chain": bool(seals_like(text))}
    except Invalid as refused:
        return {"text": text, "problem": refusal_sentence(refused)}


@writes
def seal_now(request: HttpRequest) -> HttpResponse:
    new = trail_seal_now(by_of(request))
    count = sum(seal.count for seal in new)
    if new:
        text = ngettext("{count} entry is sealed.", "{count} entries are sealed.", count)
        messages.success(request, text.format(count=count))
    else:
        messages.info(request, gettext("Everything was sealed already."))
    return redirect("bookings:seals")


@writes
def bundle(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    by = by_of(request)
    require_somewhere(by.actor, "read-trail")
    form = BundleForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    part = bundle_ask(by, **_span(form.cleaned_data))
    lines = bundle_lines(part, site=settings.SITE_URL, now=by.now)
    answer = StreamingHttpResponse(lines, content_type="application/jsonl")
    answer["Content-Disposition"] = f'attachment; filename="trail-{by.now:%Y-%m-%d-%H%M}.jsonl"'
    return answer


@writes
def bundle_later(request: HttpRequest) -> HttpResponse:
    """Have a worker write a bundle; the page shows its progress."""
    require_somewhere(actor_of(request.user), "read-trail")
    form = BundleForm(request.POST)
    return act(
        request,
        partial(_page, request),
        lambda by, data: bundle_start(by, **_span(data)),
        to=reverse("bookings:seals"),
        done=gettext("The bundle is being written. You may leave this page."),
        form=form,
        shows=lambda refused: form.add_error(None, refusal_sentence(refused)),
    )


@reads
def bundle_file(request: HttpRequest, bundle_id: UUID) -> HttpResponseBase:
    row = bundle_for(actor_of(request.user), bundle_id)
    return FileResponse(bundle_open(row), as_attachment=True, filename=f"trail-{row.pk}.jsonl.gz")


def _span(data: dict[str, Any]) -> dict[str, datetime | None]:
    return {name: midnight(data[name]) for name in ("since", "until")}


@reads
def proof(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    entry = entry_for(actor_of(request.user), entry_id)
    (step,) = steps_of([entry])
    names = called_of([(entry.object_type, entry.object_id)])
    context = {"step": step, "proof": proof_of(entry), "names": names}
    return render(request, "bookings/audit/proof.html", context)
