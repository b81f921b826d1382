"""Funding sources: what finance does with them."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import Membership, TrailEntry
from bookings.funding.services.funding import source_change, source_resume, source_suspend, terms_of
from bookings.models import FundingSource
from tests.factories.cast import NOW, Cast, reserve
from tests.factories.funding import paid_by, source, sums


def problems(caught: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in caught.value.problems]


def told(row: FundingSource) -> list[str]:
    found = TrailEntry.objects.filter(object_id=row.pk).order_by("at", "id")
    return list(found.values_list("action", flat=True))


def test_finance_makes_one_and_the_trail_says_so(cast: Cast) -> None:
    made = source(cast, users=("chen",))
    row = FundingSource.objects.get(pk=made.pk)
    assert (row.code, row.budget, row.held, row.spent) == ("NSFC-17", Decimal(10000), 0, 0)
    assert row.owner == cast.wang
    assert [user.name for user in row.users.all()] == ["Chen Jing"]
    entry = TrailEntry.objects.get(object_id=row.pk)
    assert entry.action == "source.create"
    assert entry.after["code"] == "NSFC-17"
    assert entry.after["users"] == [str(cast.chen.pk)]
    assert entry.organisation_ids == [cast.fudan.pk]


@pytest.mark.parametrize("who", ["wang", "chen", "gao", "zhao", "auditor", "admin", "alice"])
def test_nobody_else_makes_one(cast: Cast, who: str) -> None:
    with pytest.raises(NotPermitted):
        source(cast, by=who)
    assert not FundingSource.objects.exists()


def test_a_code_is_the_organisations_own(cast: Cast) -> None:
    source(cast)
    with pytest.raises(Invalid) as caught:
        source(cast)
    assert problems(caught) == [("code", "code-taken")]
    other = source(cast, by="gao", organisation=cast.ustc, owner="sun")
    assert other.code == "NSFC-17"
    assert FundingSource.objects.count() == 2


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"code": ""}, ("code", "required")),
        ({"code": "a b"}, ("code", "not-a-code")),
        ({"code": "x" * 41}, ("code", "too-long")),
        ({"name": ""}, ("name", "required")),
        ({"name": "x" * 201}, ("name", "too-long")),
        ({"currency": "XXX"}, ("currency", "unknown-currency")),
        ({"budget": "-1"}, ("budget", "out-of-range")),
        ({"budget": "NaN"}, ("budget", "out-of-range")),
        ({"budget": "1.005"}, ("budget", "too-many-decimals")),
        ({"budget": "1.5", "currency": "JPY"}, ("budget", "too-many-decimals")),
        ({"valid_until": date(2026, 1, 1)}, ("valid_until", "not-after-valid-from")),
        ({"valid_from": date(1999, 1, 1)}, ("valid_from", "out-of-range")),
        ({"owner": "sun"}, ("owner", "not-one-of-theirs")),
        ({"users": ("alice",)}, ("users", "not-one-of-theirs")),
    ],
)
def test_what_does_not_fit_is_refused(cast: Cast, values: dict, found: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        source(cast, **values)
    assert problems(caught) == [found]
    assert not FundingSource.objects.exists()
    assert not TrailEntry.objects.filter(action__startswith="source.").exists()


def test_finance_changes_what_it_says(cast: Cast) -> None:
    row = source(cast, users=("chen",))
    changed = source_change(
        By(cast.actor("lin"), NOW, 1),
        source_id=row.pk,
        changes={
            "name": "Cathodes",
            "owner": cast.chen.pk,
            "users": frozenset({cast.wang.pk}),
            "budget": None,
            "is_open": True,
            "valid_until": date(2027, 1, 1),
            "currency": "EUR",
        },
    )
    now = terms_of(FundingSource.objects.get(pk=row.pk))
    assert (now.name, now.owner, now.budget, now.is_open) == ("Cathodes", cast.chen.pk, None, True)
    assert now.users == frozenset({cast.wang.pk})
    assert now.currency == "EUR"  # nothing has been charged to it
    assert changed.version == 2
    entry = TrailEntry.objects.get(action="source.update")
    assert entry.before["budget"] == "10000.000"
    assert entry.after["budget"] is None
    assert "valid_from" not in entry.after  # only what is new


def test_saying_the_same_again_changes_nothing(cast: Cast) -> None:
    row = source(cast)
    source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes={"name": row.name})
    row.refresh_from_db()
    assert row.version == 1
    assert told(row) == ["source.create"]


def test_a_budget_is_never_less_than_what_is_set_aside(cast: Cast) -> None:
    row = source(cast)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", funding=paid_by("NSFC-17"))
    held, _ = sums(row)
    assert held == Decimal("657.20")  # (2 h x 260 + 100) + 6 %
    with pytest.raises(Invalid) as caught:
        change = {"budget": Decimal("657.19")}
        source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes=change)
    assert problems(caught) == [("budget", "budget-below-use")]
    assert caught.value.problems[0].numbers == {"used": "657.20", "currency": "CNY"}
    change = {"budget": Decimal("657.20")}
    source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes=change)
    row.refresh_from_db()
    assert (row.budget, row.held) == (Decimal("657.20"), Decimal("657.20"))


def test_an_overrun_source_can_still_be_renamed(cast: Cast) -> None:
    row = source(cast, budget="100")
    FundingSource.objects.filter(pk=row.pk).update(spent=Decimal(120))
    source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes={"name": "Other"})
    with pytest.raises(Invalid):
        change = {"budget": Decimal(110)}
        source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes=change)


def test_the_currency_stays_once_something_was_charged(cast: Cast) -> None:
    row = source(cast)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", funding=paid_by("NSFC-17"))
    with pytest.raises(Invalid) as caught:
        source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes={"currency": "EUR"})
    assert problems(caught) == [("currency", "currency-in-use")]


def test_who_has_left_may_stay_named_but_is_not_named_anew(cast: Cast) -> None:
    row = source(cast, users=("chen",))
    Membership.objects.filter(user=cast.chen).update(ended_at=NOW)
    source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes={"name": "New"})
    with pytest.raises(Invalid) as caught:
        source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes={"owner": cast.sun.pk})
    assert problems(caught) == [("owner", "not-one-of-theirs")]


def test_suspending_and_resuming(cast: Cast) -> None:
    row = source(cast)
    lin = cast.actor("lin")
    with pytest.raises(Invalid) as caught:
        source_suspend(By(lin, NOW), source_id=row.pk, reason=" ")
    assert problems(caught) == [("reason", "required")]
    source_suspend(By(lin, NOW, 1), source_id=row.pk, reason="Under review")
    with pytest.raises(WrongState):
        source_suspend(By(lin, NOW), source_id=row.pk, reason="Again")
    source_resume(By(lin, NOW, 2), source_id=row.pk)
    with pytest.raises(WrongState):
        source_resume(By(lin, NOW), source_id=row.pk)
    row.refresh_from_db()
    assert (row.suspended_at, row.version) == (None, 3)
    assert told(row) == ["source.create", "source.suspend", "source.resume"]
    entry = TrailEntry.objects.get(action="source.suspend")
    assert entry.text.content == {"reason": "Under review"}


def test_versions_and_strangers(cast: Cast) -> None:
    row = source(cast)
    for act in (
        lambda by, pk: source_change(by, source_id=pk, changes={"name": "x"}),
        lambda by, pk: source_suspend(by, source_id=pk, reason="x"),
        lambda by, pk: source_resume(by, source_id=pk),
    ):
        with pytest.raises(WrongVersion):
            act(By(cast.actor("lin"), NOW, 7), row.pk)
        for who in ("wang", "chen"):  # who may see it, but not account for it
            with pytest.raises(NotPermitted):
                act(By(cast.actor(who), NOW), row.pk)
        for who in ("gao", "sun", "alice", "auditor", "admin"):
            with pytest.raises(NotFound):
                act(By(cast.actor(who), NOW), row.pk)
        with pytest.raises(NotFound):
            act(By(cast.actor("lin"), NOW), uuid4())
    row.refresh_from_db()
    assert (row.name, row.version, row.suspended_at) == ("Cathodes without cobalt", 1, None)
