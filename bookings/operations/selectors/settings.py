"""The settings that are data: what holds today, since when, who entered it and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor, Place
from accounts.models import Region, TrailEntry, User
from accounts.permissions import require
from accounts.work import Kept
from bookings.audit.domain.risk import FIRST as FIRST_WEIGHTS
from bookings.audit.selectors.risk import entered_weights
from bookings.audit.selectors.rules import rule_name
from bookings.board.domain.alarms import PARAMETERS
from bookings.board.models import AlarmThreshold
from bookings.board.selectors.alarms import entered_thresholds
from bookings.hours.domain.norms import FIRST as FIRST_NORMS
from bookings.hours.models import NormHours
from bookings.hours.selectors.norms import entered_norms
from bookings.privacy.selectors.periods import entered_periods, load_kept
from bookings.reviews.models import ReviewScheme
from bookings.reviews.selectors.cases import all_schemes
from instruments.register.models import Instrument

# Each group, in the order of the page: its name, and the page on which it is changed, if there is one.
GROUPS: Mapping[str, tuple[object, str]] = {
    "norm-hours": (_("Norm hours a year"), "bookings:hours-definitions"),
    "alarm-thresholds": (_("Thresholds of alarms"), "bookings:alarm-thresholds"),
    "risk-weights": (_("Weights of audit rules"), "bookings:risk-weights"),
    "review-schemes": (_("Review schemes"), "bookings:review-schemes"),
    "holding-periods": (_("How long records are kept"), "bookings:holding-periods"),
}


@dataclass(frozen=True)
class Setting:
    """A setting as it holds today: its group, its code and name, and its value; for a review scheme the
    number of its version, for a period the hours that records are kept. `since`, `entered_by` and `reason`
    are of the row that holds, and are empty for what comes with the platform."""

    group: str
    code: str
    name: object
    value: int
    region: Region | None = None
    since: date | None = None
    entered_by: User | None = None
    reason: str = ""
    kept: Kept | None = None


def load_settings(actor: Actor, now: datetime) -> list[Setting]:
    """Return all settings that are data, by group. Only administrators may read them. Some six
    statements."""
    require(actor, "administer", Place(None))
    today = now.date()
    return [*_norms(today), *_thresholds(today), *_weights(today), *_schemes(actor), *_periods(today)]


def _in_force(rows: Iterable[Any], today: date, *names: str) -> dict[tuple[Any, ...], Any]:
    """Return of the rows the one of each key that holds on a day."""
    held = sorted((row for row in rows if row.valid_from <= today), key=lambda row: row.valid_from)
    return {tuple(getattr(row, name) for name in names): row for row in held}


def _entered(row: Any, reason: str = "reason") -> dict[str, Any]:
    if row is None:
        return {}
    return {"since": row.valid_from, "entered_by": row.entered_by, "reason": getattr(row, reason)}


def _norms(today: date) -> Iterable[Setting]:
    held = _in_force(entered_norms().select_related("entered_by"), today, "scheme", "kind")
    kinds, schemes = dict(Instrument.Kind.choices), dict(NormHours.Scheme.choices)
    for scheme, norms in FIRST_NORMS.items():
        for kind, hours in norms.items():
            row = held.get((scheme, kind))
            name, value = f"{schemes[scheme]}{gettext(': ')}{kinds[kind]}", row.hours if row else hours
            yield Setting("norm-hours", f"{scheme}.{kind}", name, value, **_entered(row))


def _thresholds(today: date) -> Iterable[Setting]:
    held = _in_force(entered_thresholds(), today, "parameter", "region_id")
    labels = dict(AlarmThreshold.Parameter.choices)
    for code, first in PARAMETERS.items():
        row = held.pop((code, None), None)
        value = row.value if row else first.first
        yield Setting("alarm-thresholds", code, labels[code], value, **_entered(row, "source"))
        for row in [held[key] for key in held if key[0] == code]:
            entered = _entered(row, "source")
            yield Setting("alarm-thresholds", code, labels[code], row.value, region=row.region, **entered)


def _weights(today: date) -> Iterable[Setting]:
    held = _in_force(entered_weights(), today, "rule")
    for rule, first in FIRST_WEIGHTS.items():
        row = held.get((rule,))
        yield Setting("risk-weights", rule, rule_name(rule), row.weight if row else first, **_entered(row))


def _schemes(actor: Actor) -> Iterable[Setting]:
    newest: dict[str, ReviewScheme] = {}
    for row in all_schemes(actor):
        newest.setdefault(row.code, row)
    loads = TrailEntry.objects.filter(
        action="review-scheme.load", object_id__in=[row.pk for row in newest.values()]
    )
    entries = {entry.object_id: entry for entry in loads.select_related("text")}
    people = User.objects.in_bulk({entry.actor_id for entry in entries.values() if entry.actor_id})
    for code, row in newest.items():
        entry = entries.get(row.pk)
        text = getattr(entry, "text", None)
        yield Setting(
            "review-schemes",
            code,
            row,
            row.version,
            since=row.loaded_at.date(),
            entered_by=people.get(entry.actor_id) if entry else None,
            reason=text.content.get("reason", "") if text else "",
        )


def _periods(today: date) -> Iterable[Setting]:
    held = _in_force(entered_periods(), today, "kind")
    for each in load_kept(today):
        hours = int(each.span.total_seconds() // 3600)
        entered = _entered(held.get((each.kind,)))
        yield Setting("holding-periods", each.kind, each.words, hours, kept=each, **entered)
