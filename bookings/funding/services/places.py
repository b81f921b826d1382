"""Reserve what places in courses cost in the payer's funding sources, and release it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet

from accounts import trail
from accounts.domain.roles import By
from accounts.services.jobs import work_through
from bookings.funding.domain.funding import PlaceCost, Share
from bookings.funding.models import Earmark
from bookings.funding.selectors.defaults import load_default_on
from bookings.funding.services.earmarks import earmark_release, earmarks_store, sources_take
from bookings.record.domain.money import format_number
from instruments.reading.domain.clock import local_date
from instruments.training.domain.training import CHARGED_WITHIN
from instruments.training.models import Enrolment
from instruments.training.services.enrolments import lock_session


def place_fund(by: By, enrolment: Enrolment, funding: Sequence[tuple[str, Decimal]] | None) -> None:
    """Reserve the price of a place that was just asked for, also of one in line, in the named sources of its
    payer, as codes with percents; None: the default of the person, if they have one. Nothing is reserved for
    a place that costs nothing. Raises what `sources_take` raises."""
    payer, payable, currency = enrolment.organisation, enrolment.payable, enrolment.currency
    if payer is None or not payable or currency is None:
        return
    zone = ZoneInfo(enrolment.session.facility.time_zone)
    day = local_date(zone, enrolment.session.start_at)
    if funding is None:
        shares: Sequence[Share] = load_default_on(payer, enrolment.user_id, day).shares
    else:
        shares = [Share(code, percent) for code, percent in funding]
    rows = sources_take(
        subject=enrolment,
        cost=PlaceCost(payable, currency),
        shares=shares,
        day=day,
        today=local_date(zone, by.now),
        now=by.now,
    )
    if not rows:
        return
    earmarks_store(rows)
    # The sources are the payer's affair: hosts see none of their guests'.
    trail.record(
        by,
        "enrolment.fund",
        enrolment,
        after={"funding": {share.source: format_number(share.percent) for share in shares}},
        places=((payer.pk,), payer.region.lineage),
    )


def place_release(*, enrolment: Enrolment, now: datetime) -> None:
    """Release all money that is reserved for a place that will not be charged. One statement if there is
    none."""
    rows = Earmark.objects.filter(enrolment=enrolment, released_at=None)
    for row in rows.order_by("source_id"):
        earmark_release(row, now)


def places_release(*, now: datetime) -> int:
    """Release what is reserved for places whose session ended so long ago that they cannot be charged any
    more; return for how many."""
    return work_through(
        job="release course places", due=places_to_release(now), act=lambda pk: _release(pk, now), now=now
    )


def places_to_release(now: datetime) -> QuerySet[Enrolment]:
    """Return the places with money reserved that is not needed any more."""
    held = Earmark.objects.filter(enrolment=OuterRef("pk"), released_at=None)
    return Enrolment.objects.filter(Exists(held), session__end_at__lt=now - CHARGED_WITHIN)


def _release(enrolment_id: UUID, now: datetime) -> int:
    row = Enrolment.objects.get(pk=enrolment_id)
    lock_session(row.session_id)
    if not places_to_release(now).filter(pk=enrolment_id).exists():
        return 0
    place_release(enrolment=row, now=now)
    return 1
