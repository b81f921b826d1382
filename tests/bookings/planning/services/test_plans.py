"""Entering, changing, dropping planned purchases, and who is told."""

from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.planning.models import PlannedPurchase
from bookings.planning.selectors.plans import plan_by_id, plans_for, told_of
from bookings.planning.services import plans as services
from bookings.planning.services.plans import plan_change, plan_drop, plan_make, plan_name_case
from tests.factories.agreements import agree
from tests.factories.cast import NOW
from tests.factories.planning import plan_of, plan_values

pytestmark = pytest.mark.django_db


def codes(refused):
    return [(each.field, each.code) for each in refused.value.problems]


@pytest.mark.parametrize("who", ["chen", "xu"])
def test_managers_and_the_regions_coordinator_enter_it(cast, who):
    plan = plan_of(cast, who)
    assert (plan.organisation.code, plan.technique, plan.currency) == ("fudan", cast.technique, "CNY")
    assert TrailEntry.objects.get(action="plan.create").after["price"] == "6500000.00"
    assert OutboxMessage.objects.get(kind="plan.entered").payload["plan"] == str(plan.pk)


@pytest.mark.parametrize("who", ["wang", "lin", "zhao", "coordinator", "auditor", "admin", "alice"])
def test_nobody_else_does(cast, who):
    with pytest.raises(NotPermitted):
        plan_of(cast, who)
    assert not PlannedPurchase.objects.exists() and not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"technique": "no-such"}, ("technique", "unknown-term")),
        ({"technique": "\0"}, ("technique", "unknown-term")),
        ({"name": "  "}, ("name", "required")),
        ({"year": 2031}, ("year", "plan-too-far")),
        ({"year": 2025}, ("year", "plan-past")),
        ({"currency": "XXX"}, ("currency", "unknown-currency")),
        ({"currency": "JPY", "price": Decimal("10.5")}, ("price", "too-many-decimals")),
        ({"price": Decimal(0)}, ("price", "too-small")),
        ({"hours": 8785}, ("hours", "out-of-range")),
    ],
)
def test_bad_values(cast, changed, problem):
    with pytest.raises(Invalid) as refused:
        plan_of(cast, **changed)
    assert codes(refused) == [problem]
    assert not PlannedPurchase.objects.exists()
    assert not TrailEntry.objects.filter(action="plan.create").exists()


def test_an_unknown_organisation(cast):
    with pytest.raises(Invalid) as refused:
        plan_of(cast, organisation="nowhere")
    assert codes(refused) == [("organisation", "unknown-value")]


def test_so_many_at_a_time(cast, monkeypatch):
    monkeypatch.setattr(services, "MOST_PLANS", 1)
    plan = plan_of(cast)
    with pytest.raises(WrongState) as refused:
        plan_of(cast)
    assert refused.value.code == "too-many-plans"
    plan_drop(By(cast.actor("chen"), NOW), plan_id=plan.pk, reason="no money")
    plan_of(cast)


def test_it_is_changed_and_an_old_page_is_told(cast):
    plan = plan_of(cast)
    by = By(cast.actor("chen"), NOW, 1)
    changed = plan_change(by, plan_id=plan.pk, values=plan_values(cast, year=2028, quarter=None))
    assert (changed.year, changed.quarter, changed.version) == (2028, None, 2)
    assert TrailEntry.objects.get(action="plan.change").before["year"] == 2027
    with pytest.raises(WrongVersion):
        plan_change(by, plan_id=plan.pk, values=plan_values(cast))
    same = plan_values(cast, year=2028, quarter=None)
    assert plan_change(replace(by, version=2), plan_id=plan.pk, values=same).version == 2


def test_it_is_dropped_once_with_a_reason(cast):
    plan = plan_of(cast)
    by = By(cast.actor("chen"), NOW)
    with pytest.raises(Invalid):
        plan_drop(by, plan_id=plan.pk, reason=" ")
    assert plan_drop(by, plan_id=plan.pk, reason="shared instead").state == "dropped"
    for act in (
        lambda: plan_drop(by, plan_id=plan.pk, reason="again"),
        lambda: plan_change(by, plan_id=plan.pk, values=plan_values(cast)),
    ):
        with pytest.raises(WrongState) as refused:
            act()
        assert refused.value.code == "plan-over"
    assert TrailEntry.objects.filter(action="plan.drop").count() == 1


def test_no_case_but_its_organisations_own(cast):
    plan = plan_of(cast)
    with pytest.raises(Invalid) as refused:
        plan_name_case(By(cast.actor("chen"), NOW), plan_id=plan.pk, case=plan.pk)
    assert codes(refused) == [("case", "unknown-value")]


def test_neighbours_see_it_once_they_agree_and_do_not_change_it(cast):
    plan = plan_of(cast)
    for who in ("chen", "lin", "xu", "admin"):
        assert plan_by_id(cast.actor(who), plan.pk, NOW) == plan
    others = ("zhao", "gao", "coordinator", "auditor")
    assert not any(plans_for(cast.actor(who), NOW).exists() for who in others)
    agree(cast)
    assert all(plans_for(cast.actor(who), NOW).exists() for who in others)
    assert not any(plans_for(cast.actor(who), NOW).exists() for who in ("wang", "sun", "alice"))
    with pytest.raises(NotPermitted):
        plan_drop(By(cast.actor("zhao"), NOW), plan_id=plan.pk, reason="ours is free")
    with pytest.raises(NotFound):
        plan_drop(By(cast.actor("sun"), NOW), plan_id=plan.pk, reason="ours is free")


def test_coordinators_and_hosts_of_the_class_are_told(cast):
    plan = plan_of(cast)
    assert told_of(plan) == [cast.xu]
    agree(cast)
    assert set(told_of(plan)) == {cast.xu, cast.coordinator, cast.zhao}
    own = plan_make(By(cast.actor("zhao"), NOW), organisation="ustc", values=plan_values(cast))
    assert set(told_of(own)) == {cast.xu, cast.coordinator}
