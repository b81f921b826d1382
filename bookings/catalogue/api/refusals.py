"""Turn refusals into JSON."""

from typing import Any

from django.urls import reverse

from accounts.api.schema import RefusalShape
from accounts.api.shapes import amount, rfc3339, shown_by
from bookings.availability.selectors.cuts import InTheWay
from bookings.catalogue.api.availability import period_json
from bookings.record.domain.refusals import CourseOffered, Equivalent, Refusal, Way
from bookings.record.messages import sentence


def refusal_json(refusal: Refusal) -> dict[str, Any]:
    """Return a refusal as JSON: its code and sentence, the numbers behind it, and the nearest period that
    would be accepted."""
    return {
        **refusal.numbers,
        "code": refusal.code,
        "message": sentence(refusal.code, refusal.numbers),
        "nearest": period_json(refusal.nearest) if refusal.nearest else None,
        **({"booking": refusal.booking} if refusal.booking is not None else {}),
        **(
            {"equivalents": [equivalent_json(other) for other in refusal.equivalents]}
            if refusal.code == "slot-taken"
            else {}
        ),
        **({"ways": [way_json(each) for each in refusal.ways]} if refusal.ways else {}),
        **({"courses": [course_json(each) for each in refusal.courses]} if refusal.courses else {}),
    }


Refusals = shown_by(lambda several: [refusal_json(each) for each in several], RefusalShape(many=True))


def way_json(way: Way) -> dict[str, Any]:
    """Return another way of working as JSON, with the nearest period in which it could be booked."""
    return {"service_mode": way.mode, **period_json(way.period)}


def course_json(offered: CourseOffered) -> dict[str, Any]:
    """Return a course as JSON, with its next sessions that have free places."""
    return {
        "course": str(offered.course),
        "name": offered.name,
        "name_zh": offered.name_zh,
        "link": reverse("api-course", kwargs={"course_id": offered.course}),
        "sessions": [
            {
                "session": str(each.session),
                "start": rfc3339(each.start),
                "end": rfc3339(each.end),
                "time_zone": each.time_zone,
                "free": each.free,
            }
            for each in offered.sessions
        ],
    }


def equivalent_json(other: Equivalent) -> dict[str, Any]:
    """Return another instrument as JSON, with the period and the price that it could be booked for."""
    priced = other.payable is not None and other.currency
    return {
        "instrument": str(other.instrument),
        "name": other.name,
        "name_zh": other.name_zh,
        "host": other.host,
        "region": other.region,
        "time_zone": other.time_zone,
        **period_json(other.period),
        "price_group": other.price_group,
        "payable": amount(other.payable, other.currency) if priced else None,  # type: ignore[arg-type]
    }


def in_the_way_json(refused: InTheWay) -> list[dict[str, Any]]:
    """Return the reservations that overlap a closure as JSON. Only the host's managers, who may see all of
    them, get this. `owed`: what displacing one would cost; only given for the manager's own bookings."""
    return [
        {
            "id": str(row.pk),
            "start": rfc3339(row.start_at),
            "end": rfc3339(row.end_at),
            "state": row.state,
            "unit": row.unit,
            "user": {"id": str(row.user_id), "name": str(row.user)},
            "organisation": row.organisation.code,
            "link": reverse("api-reservation", kwargs={"reservation_id": row.pk}),
            "owed": owed and amount(owed.payable, owed.currency),
        }
        for row in refused.reservations
        for owed in [row.owed]  # type: ignore[attr-defined]
    ]
