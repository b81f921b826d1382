"""The page and the API of all settings that are data."""

from datetime import timedelta

from accounts.domain.roles import By
from accounts.work import kept
from bookings.audit.services.risk import weight_add
from bookings.board.services.alarms import threshold_add
from bookings.operations.selectors.settings import GROUPS, load_settings
from tests.factories.cast import NOW
from tests.factories.reviews import schemes


def test_what_holds_today_is_listed_with_who_entered_it_and_why(cast, client):
    schemes()
    admin, today = By(cast.actor("admin"), NOW), NOW.date()
    for days, weight in ((0, 55), (9, 66)):
        weight_add(
            admin, rule="self-approval", weight=weight, valid_from=today + timedelta(days), reason="Audited."
        )
    threshold_add(
        admin, parameter="answer_days", value=30, valid_from=today, source="Circular", region=cast.anhui
    )
    found = {(row.group, row.code, row.region): row for row in load_settings(cast.actor("admin"), NOW)}
    assert {group for group, _, _ in found} == set(GROUPS)
    weight = found["risk-weights", "self-approval", None]
    assert (weight.value, weight.since, weight.reason) == (55, today, "Audited."), "the later one waits"
    assert weight.entered_by == cast.people["admin"]
    assert found["alarm-thresholds", "answer_days", None].value == 61
    assert found["alarm-thresholds", "answer_days", cast.anhui].value == 30
    assert found["review-schemes", "cn-central", None].value == 1
    assert len([group for group, _, _ in found if group == "holding-periods"]) == len(kept())

    client.force_login(cast.people["chen"])
    assert client.get("/operations/settings/").status_code == 403
    client.force_login(cast.people["admin"])
    page = client.get("/operations/settings/").content.decode()
    assert 'href="/audit/weights/"' in page and 'href="/reviews/schemes/"' in page
    rows = client.get("/api/v1/operations/settings/").json()["settings"]
    assert len(rows) == len(found)
