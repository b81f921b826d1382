"""Agreements: proposed, signed by each region, in force for bookings, ended."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core import mail

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.models import Region, TrailEntry
from accounts.services.memberships import role_grant
from bookings.models import Agreement, AgreementMember
from bookings.overview.services.effects import effects_carry_out
from bookings.pricing.services.agreements import (
    agreement_change,
    agreement_end,
    agreement_propose,
    agreement_sign,
)
from tests.factories.agreements import agree, propose, terms
from tests.factories.cast import NOW, reserve

D = Decimal


def entries(row, action):
    return list(TrailEntry.objects.filter(object_id=row.pk, action=f"agreement.{action}"))


def sign(cast, row, who, **values):
    return agreement_sign(
        By(cast.actor(who), NOW, values.pop("expected_version", None)), agreement_id=row.pk, **values
    )


def end(cast, row, who="xu", **values):
    return agreement_end(By(cast.actor(who), values.pop("now", NOW)), agreement_id=row.pk, **values)


def change(cast, row, who="coordinator", **changes):
    return agreement_change(By(cast.actor(who), NOW), agreement_id=row.pk, changes=changes)


def problems(refused):
    return [(problem.field, problem.code) for problem in refused.value.problems]


def test_the_last_signature_puts_it_in_force(cast):
    made = propose(cast)
    assert reserve(cast, "2026-03-06 08:00", "2026-03-06 09:00").price_group == "external"
    assert sign(cast, made, "coordinator").signed_at is None
    assert reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00").price_group == "external"
    assert sign(cast, made, "xu").signed_at == NOW
    booked = reserve(cast, "2026-03-06 12:00", "2026-03-06 13:00")
    assert (booked.price_group, booked.agreement_id) == ("partner", made.pk)
    assert [m.signed_by for m in made.members.order_by("region__code")] == [cast.coordinator, cast.xu]


def test_each_act_is_in_the_trail_of_every_member(cast):
    made = agree(cast)
    end(cast, made, reason="a new one follows")
    for action, number in (("propose", 1), ("sign", 2), ("end", 1)):
        found = entries(made, action)
        assert len(found) == number
        assert all({cast.anhui.pk, cast.shanghai.pk} <= set(e.region_ids) for e in found)
    assert [e.after["in_force"] for e in entries(made, "sign")] == [False, True]
    assert entries(made, "end")[0].text_digest is not None


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"regions": "one"}, [("regions", "too-few")]),
        ({"regions": "twice"}, [("regions[1]", "repeated")]),
        ({"regions": "parent"}, [("regions[1]", "region-does-not-share")]),
        ({"discount_percent": D("100.001")}, [("discount_percent", "out-of-range")]),
        ({"discount_percent": D("-1")}, [("discount_percent", "out-of-range")]),
        ({"discount_percent": D("0.0001")}, [("discount_percent", "too-many-decimals")]),
        ({"valid_until": date(2026, 1, 1)}, [("valid_until", "not-after-valid-from")]),
        ({"valid_until": date(2026, 3, 5)}, [("valid_until", "in-the-past")]),
        ({"valid_from": date(1890, 1, 1)}, [("valid_from", "out-of-range")]),
        ({"code": "two words"}, [("code", "not-a-code")]),
        ({"name": " "}, [("name", "required")]),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(cast, changes, wrong):
    regions = {
        "one": (cast.anhui.pk,),
        "twice": (cast.anhui.pk, cast.anhui.pk),
        "parent": (cast.anhui.pk, cast.anhui.parent_id),
    }
    if "regions" in changes:
        changes = {"regions": regions[changes["regions"]]}
    with pytest.raises(Invalid) as refused:
        propose(cast, **changes)
    assert problems(refused) == wrong
    assert not Agreement.objects.exists()


def test_a_code_is_used_once(cast):
    propose(cast)
    with pytest.raises(Invalid) as refused:
        propose(cast)
    assert problems(refused) == [("code", "code-taken")]
    assert Agreement.objects.count() == 1


@pytest.mark.parametrize("who", ["wang", "zhao", "lin", "auditor", "admin", "alice"])
def test_only_coordinators_of_a_member_propose_sign_and_end(cast, who):
    made = propose(cast)
    with pytest.raises(NotPermitted):
        agreement_propose(By(cast.actor(who), NOW), terms=terms(cast, code="two"))
    for act in (sign, change, end):
        with pytest.raises(NotPermitted if who == "auditor" else NotFound):
            act(cast, made, who)
    assert Agreement.objects.count() == 1
    assert not AgreementMember.objects.exclude(signed_at=None).exists()


def test_the_coordinator_of_another_region_proposes_nothing_between_others(cast):
    other = type(cast.anhui).objects.create(
        scheme="ISO 3166-2", code="CN-JS", name="Jiangsu", time_zone="Asia/Shanghai",
        currency="CNY", shares=True, parent=cast.anhui.parent,
    )  # fmt: skip
    other.lineage = [other.pk, cast.anhui.parent_id]
    other.save()
    with pytest.raises(NotPermitted):
        agreement_propose(By(cast.actor("xu"), NOW), terms=terms(cast, regions=(cast.anhui.pk, other.pk)))


def test_the_coordinator_of_the_region_above_signs_for_both_one_by_one(cast):
    role_grant(By(PLATFORM, NOW), user=cast.alice, role="coordinator", region=cast.anhui.parent)
    made = propose(cast)
    with pytest.raises(Invalid) as refused:
        sign(cast, made, "alice")
    assert problems(refused) == [("region", "required")]
    sign(cast, made, "alice", region_id=cast.anhui.pk)
    assert sign(cast, made, "alice", region_id=cast.shanghai.pk).signed_at == NOW


def test_a_region_signs_once_and_only_its_own_place(cast):
    made = propose(cast)
    sign(cast, made, "xu")
    with pytest.raises(WrongState) as refused:
        sign(cast, made, "xu")
    assert refused.value.code == "signed-already"
    with pytest.raises(NotPermitted):
        sign(cast, made, "xu", region_id=cast.anhui.pk)
    with pytest.raises(Invalid):
        sign(cast, made, "xu", region_id=uuid4())
    with pytest.raises(NotFound):
        agreement_sign(By(cast.actor("xu"), NOW), agreement_id=uuid4())
    assert made.members.exclude(signed_at=None).count() == 1


def test_what_changes_is_signed_again(cast):
    """Shanghai's word was for 10 %, not for 40."""
    made = propose(cast)
    sign(cast, made, "xu")
    changed = change(cast, made, discount_percent=D(40))
    assert changed.version == made.version + 2
    assert made.members.exclude(signed_at=None).count() == 0
    (entry,) = entries(made, "change")
    assert entry.before == {"discount_percent": "10.000", "signed": ["CN-SH"]}
    assert entry.after == {"discount_percent": "40"}
    with pytest.raises(WrongVersion):
        sign(cast, made, "coordinator", expected_version=2)


def test_what_is_the_same_changes_nothing(cast):
    made = propose(cast)
    sign(cast, made, "xu")
    assert change(cast, made, discount_percent=D(10)).version == 2
    assert made.members.exclude(signed_at=None).count() == 1


def test_what_all_have_signed_is_never_edited(cast):
    made = agree(cast)
    with pytest.raises(WrongState):
        change(cast, made, discount_percent=D(40))
    made.refresh_from_db()
    assert made.discount_percent == 10


def test_ended_from_a_day_on(cast):
    made = agree(cast)
    booked = reserve(cast, "2026-03-09 10:00", "2026-03-09 11:00")
    assert end(cast, made, valid_until=date(2026, 3, 9)).valid_until == date(2026, 3, 9)
    assert reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00").price_group == "partner"
    assert reserve(cast, "2026-03-09 12:00", "2026-03-09 13:00").price_group == "external"
    booked.refresh_from_db()
    assert (booked.price_group, booked.agreement_id) == ("partner", made.pk)


@pytest.mark.parametrize(
    ("day", "code"), [(date(2026, 3, 4), "in-the-past"), (date(2027, 1, 1), "ends-before-that")]
)
def test_ended_neither_in_the_past_nor_later_than_agreed(cast, day, code):
    made = agree(cast)
    with pytest.raises(Invalid) as refused:
        end(cast, made, valid_until=day)
    assert problems(refused) == [("valid_until", code)]
    made.refresh_from_db()
    assert (made.valid_until, made.ended_by) == (date(2027, 1, 1), None)


def test_one_that_has_not_begun_never_does(cast):
    made = agree(cast, valid_from=date(2026, 6, 1))
    assert end(cast, made).valid_until == date(2026, 6, 1)
    with pytest.raises(WrongState):
        end(cast, made)


def test_a_proposal_is_withdrawn_and_cannot_be_signed(cast):
    made = propose(cast)
    end(cast, made, "coordinator")
    assert len(entries(made, "withdraw")) == 1
    for act in (sign, change, end):
        with pytest.raises(WrongState):
            act(cast, made, "xu")


def test_signing_what_has_run_out(cast):
    made = propose(cast, valid_until=date(2026, 3, 7))
    with pytest.raises(WrongState):
        agreement_sign(By(cast.actor("xu"), NOW + timedelta(days=2)), agreement_id=made.pk)


def test_coordinators_who_have_not_signed_are_told(cast):
    made = propose(cast)
    sign(cast, made, "coordinator")
    effects_carry_out(now=NOW)
    assert [(m.to, m.subject) for m in mail.outbox] == [
        (["xu@shanghai.example"], "To sign: Anhui and Shanghai")
    ]
    change(cast, made, discount_percent=D(12))
    effects_carry_out(now=NOW)
    assert [m.to[0] for m in mail.outbox[1:]] == ["coordinator@anhui.example", "xu@shanghai.example"]


def test_of_a_proposal_that_was_withdrawn_nobody_is_told(cast):
    made = propose(cast)
    end(cast, made, "coordinator")
    effects_carry_out(now=NOW)
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("days", "is_refused"),
    [
        ((date(2026, 6, 1), None), True),
        ((date(2026, 12, 31), date(2027, 6, 1)), True),
        ((date(2027, 1, 1), None), False),
    ],
)
def test_the_same_regions_agree_once_for_a_day(cast, days, is_refused):
    agree(cast)
    proposed = {"code": "second", "valid_from": days[0], "valid_until": days[1]}
    if is_refused:
        with pytest.raises(Invalid) as refused:
            propose(cast, **proposed)
        assert problems(refused) == [("regions", "agreed-already")]
        assert refused.value.problems[0].numbers == {"codes": "ah-sh"}
        assert Agreement.objects.count() == 1
    else:
        assert agree(cast, **proposed).signed_at == NOW


def test_the_same_regions_agree_again_once_the_former_is_ended(cast):
    end(cast, agree(cast), valid_until=date(2026, 4, 1))
    assert agree(cast, code="second", valid_from=date(2026, 4, 1)).signed_at == NOW


def test_more_regions_or_fewer_may_agree_on_the_same_days(cast):
    agree(cast)
    third = Region.objects.create(
        scheme="iso-3166-2",
        code="CN-JS",
        name="Jiangsu",
        time_zone="Asia/Shanghai",
        currency="CNY",
        shares=True,
    )
    wider = propose(cast, code="wider", regions=(cast.anhui.pk, cast.shanghai.pk, third.pk))
    assert wider.members.count() == 3


def test_of_two_proposals_alike_the_first_signed_stands(cast):
    first, second = propose(cast), propose(cast, code="second")
    for who in ("coordinator", "xu"):
        sign(cast, first, who)
    sign(cast, second, "coordinator")
    with pytest.raises(Invalid):
        sign(cast, second, "xu")
    second.refresh_from_db()
    assert second.signed_at is None
