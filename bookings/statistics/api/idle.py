"""Why instruments stood idle, through the API."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Instant, Text
from accounts.domain.errors import invalid
from accounts.replica import from_replica
from bookings.hours.domain.idle import COLUMNS, REASONS, moment_of
from bookings.statistics.api.hours import DaysQuery, DaysShape, day_values, days_json, names_json, narrowed_in
from bookings.statistics.selectors import idle as selectors

MOST_ANSWERED = 200  # instruments; files have more
MOST_PARTS = 5000


class IdleQuery(DaysQuery):
    region = Text(20, default="", help_text="Code of a region; the regions within it are included.")
    organisation = Text(40, default="", help_text="Code of the host organisation.")
    facility = serializers.UUIDField(required=False)
    instrument = serializers.UUIDField(required=False, help_text="With it the times are answered, too.")
    technique = Text(60, default="", help_text="Code of a technique; narrower techniques are included.")


class IdleRowShape(serializers.Serializer[Any]):
    """The standby of an instrument by reason, which adds up to `standby_minutes`; `refused_by` are the
    minutes refused by code."""

    def get_fields(self) -> Any:
        return {
            "instrument": serializers.UUIDField(),
            "names": serializers.DictField(),
            "standby_minutes": serializers.IntegerField(),
            **{column: serializers.IntegerField() for column in COLUMNS.values()},
            "refused_by": serializers.DictField(child=serializers.IntegerField()),
        }


class IdlePartShape(serializers.Serializer[Any]):
    """A span of standby of one unit with its reason."""

    start = Instant()
    end = Instant()
    unit = serializers.IntegerField()
    reason = serializers.ChoiceField(REASONS)
    code = serializers.CharField()
    minutes = serializers.IntegerField()


class IdleShape(DaysShape):
    """Why instruments stood idle. `parts` is empty unless one instrument is named."""

    rows = IdleRowShape(many=True)
    parts = IdlePartShape(many=True)


class IdleTimes(Endpoint):
    @from_replica
    @operation(
        "statistics_idle", _("Why instruments stood idle"), tag="statistics", query=IdleQuery, gives=IdleShape
    )
    def get(self, request: Request) -> Response:
        """Return the standby minutes of instruments whose hours you read, each with one reason: the first of
        those listed that holds. At most 200 instruments and 366 days; with `instrument` also its times, at
        most 5,000. The table `idle` of exports has more."""
        query = day_values(IdleQuery, request)
        days: dict[str, Any] = {"since": query["from"], "until": query["until"]}
        found = selectors.idle_rows(self.actor, narrowed=narrowed_in(query), **days, most=MOST_ANSWERED)
        parts = []
        if instrument := query.get("instrument"):
            parts = selectors.idle_parts(self.actor, instrument=instrument, **days)
            if len(parts) > MOST_PARTS:
                raise invalid("until", "too-many-figures", rows=len(parts), most=MOST_PARTS)
        return Response(
            {
                **days_json(query),
                "rows": [_row(row) for row in found],
                "parts": [
                    {
                        "start": moment_of(part.start),
                        "end": moment_of(part.end),
                        "unit": part.unit,
                        "reason": part.reason,
                        "code": part.code,
                        "minutes": part.minutes,
                    }
                    for part in parts
                ],
            }
        )


def _row(row: selectors.IdleRow) -> dict[str, Any]:
    return {
        "instrument": str(row.instrument.pk),
        "names": names_json(row.instrument.name, row.instrument.name_zh),
        "standby_minutes": row.standby,
        **{COLUMNS[reason]: minutes for reason, minutes in row.reasons.items()},
        "refused_by": dict(row.codes),
    }
