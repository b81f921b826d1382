"""Seals over the trail: the newest, all before it, proofs and bundles."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.errors import Invalid, WrongState
from accounts.domain.roles import By
from accounts.permissions import actor_of, require_somewhere
from accounts.selectors.seals import bundle_lines, proof_of, seals, seals_like, unsealed_count
from accounts.selectors.verification import last_verified
from accounts.services.seals import trail_seal_now
from bookings.audit.forms.trail import BundleForm
from bookings.audit.selectors.bundles import bundle_for, bundles_of
from bookings.audit.selectors.trail import entry_for
from bookings.audit.selectors.trail_records import called_of
from bookings.audit.services.bundles import bundle_ask, bundle_open, bundle_start
from bookings.charging.selectors.stories import steps_of
from bookings.record.messages import sentence

SHOWN = 50


@login_required
@require_safe
def all_seals(request: HttpRequest) -> HttpResponse:
    return _page(request, BundleForm(), status=200)


def _page(request: HttpRequest, form: BundleForm, *, status: int) -> HttpResponse:
    actor = actor_of(request.user)
    require_somewhere(actor, "read-trail")
    rows = seals()
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 10:
        rows = rows.filter(number__lt=int(before))
    found = list(rows[: SHOWN + 1])
    context = {
        "newest": seals().first(),
        "seals": found[:SHOWN],
        "older": found[SHOWN - 1].number if len(found) > SHOWN else None,
        "before": before,
        "waiting": unsealed_count(),
        "verified": last_verified(),
        "held": _held(request.GET.get("seal", "")),
        "form": form,
        "bundles": (found_bundles := list(bundles_of(actor)[:5])),
        "is_at_work": any(row.state in {"waiting", "working"} for row in found_bundles),
    }
    is_part = request.headers.get("HX-Target") == "bundles"
    template = "bookings/audit/bundles.html" if is_part else "bookings/audit/seals.html"
    return render(request, template, context, status=status)


def _held(text: str) -> dict[str, Any] | None:
    """What the page says of a seal that somebody holds; None where they named none."""
    if not text:
        return None
    try:
        return {"text": text, "is_in_chain": bool(seals_like(text))}
    except Invalid as refused:
        problem = refused.problems[0]
        return {"text": text, "problem": sentence(problem.code, problem.numbers)}


@login_required
@require_POST
def seal_now(request: HttpRequest) -> HttpResponse:
    made = trail_seal_now(By(actor_of(request.user), timezone.now()))
    count = sum(seal.count for seal in made)
    if made:
        text = ngettext("{count} entry is sealed.", "{count} entries are sealed.", count)
        messages.success(request, text.format(count=count))
    else:
        messages.info(request, gettext("Everything was sealed already."))
    return redirect("bookings:seals")


@login_required
@require_POST
def bundle(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    require_somewhere(actor, "read-trail")
    form = BundleForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    since, until = _span(form)
    wanted = bundle_ask(By(actor, now), since=since, until=until)
    answer = StreamingHttpResponse(
        bundle_lines(wanted, site=settings.SITE_URL, now=now), content_type="application/jsonl"
    )
    answer["Content-Disposition"] = f'attachment; filename="trail-{now:%Y-%m-%d-%H%M}.jsonl"'
    return answer


@login_required
@require_POST
def bundle_later(request: HttpRequest) -> HttpResponse:
    """A worker writes it; the page shows how far it is."""
    actor = actor_of(request.user)
    require_somewhere(actor, "read-trail")
    form = BundleForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    since, until = _span(form)
    try:
        bundle_start(By(actor, timezone.now()), since=since, until=until)
    except WrongState as refused:
        form.add_error(None, sentence(refused.code, refused.numbers))
        return _page(request, form, status=409)
    messages.success(request, gettext("The bundle is being written. You may leave this page."))
    return redirect("bookings:seals")


@login_required
@require_safe
def bundle_file(request: HttpRequest, bundle_id: UUID) -> HttpResponseBase:
    row = bundle_for(actor_of(request.user), bundle_id)
    return FileResponse(bundle_open(row), as_attachment=True, filename=f"trail-{row.pk}.jsonl.gz")


def _span(form: BundleForm) -> tuple[datetime | None, datetime | None]:
    data = form.cleaned_data
    return _midnight(data["since"]), _midnight(data["until"])


def _midnight(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time())) if day else None


@login_required
@require_safe
def proof(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    entry = entry_for(actor_of(request.user), entry_id)
    (step,) = steps_of([entry])
    names = called_of([(entry.object_type, entry.object_id)])
    context = {"step": step, "proof": proof_of(entry), "names": names}
    return render(request, "bookings/audit/proof.html", context)
