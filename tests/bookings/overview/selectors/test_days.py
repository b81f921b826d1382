"""Whose day it is: at half past midnight in China, rows and what finds them say the same."""

from datetime import date, timedelta

import pytest

from accounts.domain.errors import Invalid
from accounts.domain.roles import By
from accounts.models import Region
from bookings.audit.selectors.audit import findings_for, findings_in, is_finding_overdue
from bookings.audit.services.findings import Raised, finding_raise
from bookings.funding.selectors.funding_sources import in_state, sources_for, sources_nearly_used, state_of
from bookings.models import FundingSource, Settlement
from bookings.settlement.services.statements import statements_draw
from tests.factories.cast import at
from tests.factories.funding import source
from tests.factories.money import MARCH, charge_of, store

NIGHT = at("2026-03-20 00:30")  # in UTC it is still the day before
DAY = date(2026, 3, 20)


def test_funding_sources_have_the_day_of_their_organisation(cast):
    source(cast, "ends", valid_until=DAY)
    source(cast, "begins", valid_from=DAY)
    source(cast, "goes-on")
    lin = cast.actor("lin")
    rows = sources_for(lin).select_related("organisation__region")
    shown = {row.code: state_of(row, NIGHT) for row in rows}
    assert set(shown.values()) == {"ended", "valid"}
    for state in ("coming", "valid", "ended", "suspended"):
        found = {row.code for row in in_state(sources_for(lin), state, NIGHT)}
        assert found == {code for code, is_ in shown.items() if is_ == state}
    FundingSource.objects.update(spent=9999, held=0)
    assert "ends" not in {row.code for row in sources_nearly_used(lin, NIGHT)}


def test_findings_have_the_day_of_who_answers(cast):
    auditor = cast.actor("auditor")
    yesterday = DAY - timedelta(days=1)

    def raised(due: date) -> Raised:
        return Raised("low", "T", "t", organisation="ustc", due_date=due)

    with pytest.raises(Invalid):
        finding_raise(By(auditor, NIGHT), raised=raised(yesterday))
    row = finding_raise(By(auditor, NIGHT - timedelta(days=1)), raised=raised(yesterday))
    for moment, is_late in ((NIGHT, True), (NIGHT - timedelta(hours=1), False)):
        assert is_finding_overdue(row, moment) is is_late
        found = findings_in(findings_for(auditor), "overdue", moment)
        assert ([each.pk for each in found] == [row.pk]) is is_late


def test_settlements_are_due_by_the_day_of_the_region_that_is_paid(cast):
    Region.objects.filter(pk=cast.shanghai.pk).update(time_zone="Europe/London")
    store([charge_of(cast, covered="50.00")])
    statements_draw(month=MARCH, now=at("2026-05-02 00:30"))
    assert Settlement.objects.get().due_date == date(2026, 6, 1)  # the 2nd of May in Anhui
