"""Booking policies."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from instruments.policy.domain import policies
from instruments.rates.domain.ratecards import PRICE_GROUPS


def test_defaults():
    policy = policies.parse_policy({})
    assert policy == policies.Policy()
    assert (policy.min_minutes, policy.max_minutes, policy.approval) == (30, 1440, "automatic")
    assert policy.horizon_for("external") == 60


@pytest.mark.parametrize(("slot", "longest"), [(45, 1440), (50, 1400), (1000, 1000), (7, 1435)])
def test_the_longest_is_a_multiple_of_the_slot_up_to_a_day(slot, longest):
    policy = policies.parse_policy({"slot_minutes": slot})
    assert (policy.min_minutes, policy.max_minutes) == (slot, longest)


def test_reads_back():
    policy = policies.parse_policy(
        {"slot_minutes": 15, "horizon_days": {"external": 3}, "check_in_minutes": 20, "units": 3}
    )
    assert policies.parse_policy(policies.policy_to_json(policy)).horizon_for("external") == 3
    assert policies.policy_to_json(
        policies.parse_policy(policies.policy_to_json(policy))
    ) == policies.policy_to_json(policy)


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ([], "", "not-an-object"),
        ({"quota": []}, "quota", "unknown-field"),
        ({"qualification": []}, "qualification", "not-a-text"),
        ({"slot_minutes": 0}, "slot_minutes", "out-of-range"),
        ({"slot_minutes": "30"}, "slot_minutes", "out-of-range"),
        ({"slot_minutes": True}, "slot_minutes", "out-of-range"),
        ({"slot_minutes": 30, "min_minutes": 45}, "min_minutes", "not-a-multiple"),
        ({"min_minutes": 120, "max_minutes": 60}, "max_minutes", "less-than-min"),
        ({"approval": "sometimes"}, "approval", "unknown-value"),
        ({"approval": ""}, "approval", "unknown-value"),
        ({"approval": []}, "approval", "unknown-value"),
        ({"approval": 0}, "approval", "unknown-value"),
        ({"approval": False}, "approval", "unknown-value"),
        ({"horizon_days": 5}, "horizon_days", "not-an-object"),
        ({"horizon_days": {"friends": 5}}, "horizon_days.friends", "unknown-field"),
        ({"horizon_days": {"external": -1}}, "horizon_days.external", "out-of-range"),
        ({"units": 501}, "units", "out-of-range"),
    ],
)
def test_refused_with_the_field(data, field, code):
    with pytest.raises(Invalid) as refused:
        policies.parse_policy(data)
    assert (field, code) in {(p.field, p.code) for p in refused.value.problems}


WHOLE = st.integers(0, policies.MOST_LIMIT).map(Decimal)
CENTS = st.integers(0, policies.MOST_LIMIT * 100).map(lambda n: Decimal(n) / 100)
QUOTAS = st.sampled_from(policies.MEASURES).flatmap(
    lambda unit: st.builds(
        policies.Quota,
        st.sampled_from(policies.SCOPES),
        st.just(unit),
        st.sampled_from(policies.SPANS),
        WHOLE if unit == "bookings" else CENTS,
        st.none() | st.sampled_from(PRICE_GROUPS),
    )
)
SHARES = st.none() | st.builds(policies.Share, st.integers(0, 100), st.integers(0, 525600))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.lists(QUOTAS, max_size=policies.MOST_QUOTAS), SHARES)
def test_limits_read_back_as_they_were_written(quotas, share):
    problems = []
    assert policies.parse_quotas([policies.quota_to_json(quota) for quota in quotas], problems) == tuple(
        quotas
    )
    assert policies.parse_share(policies.share_to_json(share), problems) == share
    assert problems == []
    policy = policies.parse_policy(
        {
            "quotas": [policies.quota_to_json(quota) for quota in quotas],
            "cross_region_share": policies.share_to_json(share),
        }
    )
    assert policies.parse_policy(policies.policy_to_json(policy)).quotas == tuple(quotas)
    assert policies.parse_policy(policies.policy_to_json(policy)).cross_region_share == share


def test_the_shape_of_a_limit():
    quota = policies.Quota("user", "hours", "week", Decimal("7.50"), "external")
    assert policies.quota_to_json(quota) == {
        "scope": "user",
        "unit": "hours",
        "per": "week",
        "limit": 7.5,
        "price_group": "external",
    }
    assert policies.quota_to_json(policies.Quota("organisation", "bookings", "upcoming", Decimal(3))) == {
        "scope": "organisation",
        "unit": "bookings",
        "per": "upcoming",
        "limit": 3,
    }
    assert policies.share_to_json(policies.Share(30, 60)) == {"percent": 30, "released_minutes": 60}
    assert policies.share_to_json(None) is None
    problems = []
    assert policies.parse_share({"percent": 30}, problems) == policies.Share(30, 0)
    assert policies.parse_quotas(None, problems) == ()
    assert policies.parse_share(None, problems) is None
    assert problems == []


GOOD = {"scope": "user", "unit": "hours", "per": "week", "limit": 7.5}


def quota(**changes):
    return {"quotas": [GOOD, {k: v for k, v in (GOOD | changes).items() if v is not ...}]}


def share(**values):
    return {"cross_region_share": values}


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ({"quotas": {}}, "quotas", "not-a-list"),
        ({"quotas": "user"}, "quotas", "not-a-list"),
        ({"quotas": [GOOD] * (policies.MOST_QUOTAS + 1)}, "quotas", "too-many"),
        ({"quotas": [GOOD, "user"]}, "quotas[1]", "not-an-object"),
        ({"quotas": [GOOD, None]}, "quotas[1]", "not-an-object"),
        (quota(scope=...), "quotas[1].scope", "required"),
        (quota(unit=None), "quotas[1].unit", "required"),
        (quota(per=...), "quotas[1].per", "required"),
        (quota(scope="everybody"), "quotas[1].scope", "unknown-choice"),
        (quota(scope=["user"]), "quotas[1].scope", "unknown-choice"),
        (quota(unit="minutes"), "quotas[1].unit", "unknown-choice"),
        (quota(per="year"), "quotas[1].per", "unknown-choice"),
        (quota(per={}), "quotas[1].per", "unknown-choice"),
        (quota(price_group="friends"), "quotas[1].price_group", "unknown-price-group"),
        (quota(price_group=[]), "quotas[1].price_group", "unknown-price-group"),
        (quota(limit=...), "quotas[1].limit", "out-of-range"),
        (quota(limit=-1), "quotas[1].limit", "out-of-range"),
        (quota(limit=policies.MOST_LIMIT + 0.01), "quotas[1].limit", "out-of-range"),
        (quota(limit=0.001), "quotas[1].limit", "out-of-range"),
        (quota(limit=1e-300), "quotas[1].limit", "out-of-range"),
        (quota(limit="7"), "quotas[1].limit", "out-of-range"),
        (quota(limit=True), "quotas[1].limit", "out-of-range"),
        (quota(limit=float("nan")), "quotas[1].limit", "out-of-range"),
        (quota(limit=float("inf")), "quotas[1].limit", "out-of-range"),
        (quota(unit="bookings"), "quotas[1].limit", "out-of-range"),  # 7.5 of them
        (quota(hours=3), "quotas[1].hours", "unknown-field"),
        ({"cross_region_share": 30}, "cross_region_share", "not-an-object"),
        ({"cross_region_share": []}, "cross_region_share", "not-an-object"),
        (share(), "cross_region_share.percent", "out-of-range"),
        (share(percent=None), "cross_region_share.percent", "out-of-range"),
        (share(percent=101), "cross_region_share.percent", "out-of-range"),
        (share(percent=-1), "cross_region_share.percent", "out-of-range"),
        (share(percent=12.5), "cross_region_share.percent", "out-of-range"),
        (share(percent=True), "cross_region_share.percent", "out-of-range"),
        (share(percent=1, released_minutes=-1), "cross_region_share.released_minutes", "out-of-range"),
        (share(percent=1, released_minutes=525601), "cross_region_share.released_minutes", "out-of-range"),
        (share(percent=1, weeks=2), "cross_region_share.weeks", "unknown-field"),
    ],
)
def test_a_limit_is_refused_with_the_field(data, field, code):
    with pytest.raises(Invalid) as refused:
        policies.parse_policy(data)
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]


def test_every_fault_is_named_at_once():
    with pytest.raises(Invalid) as refused:
        policies.parse_policy(
            {
                "quotas": [{"scope": "x", "unit": "hours"}, GOOD | {"limit": -1}],
                "cross_region_share": {"percent": 200, "released_minutes": "1"},
            }
        )
    assert {p.field for p in refused.value.problems} == {
        "quotas[0].scope",
        "quotas[0].per",
        "quotas[0].limit",
        "quotas[1].limit",
        "cross_region_share.percent",
        "cross_region_share.released_minutes",
    }


@given(
    JSON | st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys([*GOOD, "price_group"], JSON))),
    JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(["percent", "released_minutes"], JSON)),
)
def test_whatever_is_sent_is_read_or_refused(quotas, share):
    """No shape of JSON makes it fail; what is not refused reads back."""
    problems = []
    read, kept = policies.parse_quotas(quotas, problems), policies.parse_share(share, problems)
    if not problems:
        assert policies.parse_quotas([policies.quota_to_json(quota) for quota in read], problems) == read
        assert policies.parse_share(policies.share_to_json(kept), problems) == kept
    assert all(problem.field and problem.code for problem in problems)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"days": []}, ("days", "not-a-weekday")),
        ({"days": [0]}, ("days", "not-a-weekday")),
        ({"days": ["1"]}, ("days", "not-a-weekday")),
        ({"opens": "24:00"}, ("opens", "not-a-time")),
        ({"closes": "6"}, ("closes", "not-a-time")),
        ({"who": "friends"}, ("who", "unknown-choice")),
        ({"who": "certified"}, ("certificate", "required")),
        ({"colour": 1}, ("colour", "unknown-field")),
    ],
)
def test_what_is_wrong_with_hours_for_a_group(wrong, told):
    rule = {"days": [1], "opens": "22:00", "closes": "06:00", "who": "region"} | wrong
    with pytest.raises(Invalid) as refused:
        policies.parse_policy({"group_hours": [rule]})
    field, code = told
    assert [(p.field, p.code) for p in refused.value.problems] == [(f"group_hours[0].{field}", code)]
