"""How long records are kept: what administrators enter holds from its day on, for the nightly removal too."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import By
from accounts.models import Message, TrailEntry
from bookings.privacy.domain.periods import MOST_DAYS, check_period, days_on
from bookings.privacy.selectors.periods import least_days, load_kept
from bookings.privacy.services.periods import period_add
from bookings.privacy.services.retention import records_remove
from tests.factories.cast import NOW

TODAY = NOW.date()
ENTERED = {"kind": "messages", "days": 90, "valid_from": TODAY, "reason": "Decided by the board."}


@given(st.integers(-5, 4000), st.integers(-3, 3), st.sampled_from(["messages", "outbox", "tokens"]))
def test_a_period_is_within_its_bounds_and_begins_today_at_the_earliest(days, later, kind):
    fits = kind != "outbox" and {"messages": 30, "tokens": 90}[kind] <= days <= MOST_DAYS and later >= 0
    try:
        check_period(
            kind=kind, days=days, valid_from=TODAY + timedelta(later), today=TODAY,
            least={"messages": 30, "tokens": 90},
        )  # fmt: skip
    except Invalid:
        assert not fits
    else:
        assert fits


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 9), st.integers(1, 99)), unique_by=lambda x: x[:2]
    )
)
def test_the_latest_that_has_begun_holds(rows):
    entered = [(kind, TODAY + timedelta(day), days) for kind, day, days in rows]
    for ahead in (0, 5, 9):
        begun = sorted((day, kind, days) for kind, day, days in rows if day <= ahead)
        assert days_on(entered, TODAY + timedelta(ahead)) == {kind: days for _, kind, days in begun}


def test_what_is_older_is_removed_from_that_day_on(cast):
    admin = By(cast.actor("admin"), NOW)
    for days in (45, 100):
        Message.objects.create(
            user=cast.wang, topic="x", kind="x", language="en", subject="x", text="x",
            created_at=NOW - timedelta(days),
        )  # fmt: skip
    period_add(admin, **ENTERED)
    period_add(admin, **ENTERED | {"days": 40, "valid_from": TODAY + timedelta(days=7)})
    held = {each.kind: each.span.days for each in load_kept(TODAY)}
    assert (held["messages"], held["outbox"]) == (90, 90)
    assert records_remove(now=NOW)["messages"] == 1 and Message.objects.count() == 1
    assert records_remove(now=NOW + timedelta(days=7))["messages"] == 1
    assert [entry.after["days"] for entry in TrailEntry.objects.filter(action="holdingperiod.add")] == [
        90,
        40,
    ]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"kind": "trail"}, "unknown-choice"),
        ({"kind": "outbox"}, "unknown-choice"),  # its keys make effects happen once
        ({"days": 29}, "out-of-range"),
        ({"days": MOST_DAYS + 1}, "out-of-range"),
        ({"valid_from": TODAY - timedelta(days=1)}, "in-the-past"),
        ({"reason": "  "}, "required"),
        ({}, "period-entered-already"),
    ],
)
def test_what_does_not_fit_is_refused(cast, wrong, code):
    admin = By(cast.actor("admin"), NOW)
    if not wrong:
        period_add(admin, **ENTERED)
    with pytest.raises(Invalid) as refused:
        period_add(admin, **ENTERED | wrong)
    assert refused.value.problems[0].code == code
    with pytest.raises(NotPermitted):
        period_add(By(cast.actor("auditor"), NOW), **ENTERED)


def test_page_and_api_enter_a_period(cast, client, clock):
    client.force_login(cast.people["admin"])
    told = ENTERED | {"valid_from": TODAY.isoformat()}
    page = client.post("/operations/settings/periods/", told | {"days": 20})
    assert page.status_code == 400 and "between 30 and 3650" in page.content.decode()
    assert client.post("/operations/settings/periods/", told).status_code == 302
    refused = client.post("/api/v1/operations/holding-periods/", told, "application/json")
    assert refused.json()["errors"][0]["code"] == "period-entered-already"
    (row,) = client.get("/api/v1/operations/holding-periods/").json()["periods"]
    assert (row["kind"], row["days"], row["reason"]) == ("messages", 90, "Decided by the board.")
    page = client.get("/operations/settings/").content.decode()
    assert "Decided by the board." in page and 'href="/operations/settings/periods/"' in page
    assert set(least_days()) < {each.kind for each in load_kept(TODAY)}
