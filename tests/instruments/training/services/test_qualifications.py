"""Granting and revoking certificates."""

from datetime import date, timedelta

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry
from accounts.services.memberships import role_grant
from instruments.training.models import Qualification
from instruments.training.services.qualifications import (
    AlreadyQualified,
    qualification_grant,
    qualification_revoke,
    qualifications_grant,
)
from tests.factories.cast import NOW
from tests.factories.qualifications import certify, withdraw


@pytest.fixture
def unchanged():
    """To be called at the end: nothing was written meanwhile."""

    def rows():
        return list(Qualification.objects.order_by("pk").values()), TrailEntry.objects.count()

    state = {}

    def remember():
        state["before"] = rows()

    def check():
        assert rows() == state["before"]

    return remember, check


def test_granted(cast):
    row = certify(cast, cast.microscope, until="2026-12-31", note=" Introduction on 5 March ")
    row.refresh_from_db()
    assert (row.user, row.instrument, row.technique) == (cast.wang, cast.microscope, None)
    assert (row.issuer, row.granted_by, row.granted_at) == (cast.ustc, cast.zhao, NOW)
    assert (row.valid_from, row.valid_until) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (row.note, row.version, row.revoked_at) == ("Introduction on 5 March", 1, None)
    entry = TrailEntry.objects.get(action="qualification.grant")
    assert (entry.object_id, entry.actor_id, entry.at) == (row.pk, cast.zhao.pk, NOW)
    assert entry.after == {
        "user": str(cast.wang.pk),
        "instrument": str(cast.microscope.pk),
        "technique": None,
        "issuer": str(cast.ustc.pk),
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
    }
    assert entry.organisation_ids == [cast.ustc.pk]
    assert entry.region_ids == sorted(cast.anhui.lineage)
    # Free text lies beside the entry, where it can be erased.
    assert entry.text.content == {"reason": "Introduction on 5 March"}


def test_any_manager_certifies_for_a_technique(cast):
    row = certify(cast, cast.technique, "hu", by="chen", issuer=cast.fudan)
    assert (row.technique, row.instrument, row.issuer) == (cast.technique, None, cast.fudan)


@pytest.mark.parametrize("who", ["wang", "sun", "hu", "chen", "auditor", "coordinator", "admin"])
def test_others_may_not(cast, unchanged, who):
    row = certify(cast, cast.microscope, "alice")
    remember, check = unchanged
    remember()
    with pytest.raises(NotPermitted):
        certify(cast, cast.microscope, by=who)
    with pytest.raises(NotPermitted if who == "auditor" else NotFound):
        qualification_revoke(By(cast.actor(who), NOW), qualification_id=row.pk, reason="No")
    check()


def test_never_to_oneself(cast, unchanged):
    remember, check = unchanged
    remember()
    with pytest.raises(WrongState) as refused:
        certify(cast, cast.microscope, "zhao")
    assert refused.value.code == "no-second-manager"
    check()
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    with pytest.raises(WrongState) as refused:
        certify(cast, cast.microscope, "zhao")
    assert refused.value.code == "own-qualification"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"technique": "technique"}, "instrument", "instrument-or-technique"),
        ({"instrument": None}, "instrument", "instrument-or-technique"),
        ({"valid_from": date(1969, 12, 31)}, "valid_from", "out-of-range"),
        ({"valid_until": date(2101, 1, 1)}, "valid_until", "out-of-range"),
        ({"valid_until": date(2025, 12, 31)}, "valid_until", "before-valid-from"),
        ({"note": "x" * 501}, "note", "too-long"),
    ],
)
def test_what_does_not_fit(cast, unchanged, changes, field, code):
    remember, check = unchanged
    remember()
    values = {"instrument": cast.microscope, "issuer": cast.ustc, "valid_from": date(2026, 1, 1)} | {
        name: cast.technique if value == "technique" else value for name, value in changes.items()
    }
    with pytest.raises(Invalid) as refused:
        qualification_grant(
            By(cast.actor("zhao"), NOW, values.pop("expected_version", None)), user=cast.wang, **values
        )
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]
    check()


def test_only_the_host_certifies_for_its_instrument(cast, unchanged):
    remember, check = unchanged
    remember()
    with pytest.raises(Invalid) as refused:
        certify(cast, cast.microscope, by="chen", issuer=cast.fudan)
    assert [(p.field, p.code) for p in refused.value.problems] == [("issuer", "not-the-host")]
    check()


@pytest.mark.parametrize("until", [None, "2026-12-31"])
def test_the_same_again_is_refused_until_it_is_revoked(cast, unchanged, until):
    first = certify(cast, cast.microscope, until=until)
    remember, check = unchanged
    remember()
    with pytest.raises(AlreadyQualified):
        certify(cast, cast.microscope, until=until)
    check()
    certify(cast, cast.microscope, since="2026-01-02", until=until)
    certify(cast, cast.technique, until=until)
    certify(cast, cast.microscope, "sun", until=until)
    withdraw(cast, first)
    assert certify(cast, cast.microscope, until=until).pk != first.pk


def test_revoked(cast):
    row = certify(cast, cast.technique)
    later = NOW + timedelta(days=1)
    done = withdraw(cast, row, reason=" Left the group ", now=later)
    done.refresh_from_db()
    assert (done.revoked_by, done.revoked_at, done.reason) == (cast.zhao, later, "Left the group")
    assert (done.version, done.valid_until) == (2, None)
    entry = TrailEntry.objects.get(action="qualification.revoke")
    assert (entry.object_id, entry.actor_id) == (row.pk, cast.zhao.pk)
    assert entry.before["user"] == str(cast.wang.pk)
    assert entry.before["technique"] == "PaNET01198"
    assert entry.after == {"revoked_at": "2026-03-06T04:00:00.000000Z"}
    assert entry.organisation_ids == [cast.ustc.pk]
    assert entry.text.content == {"reason": "Left the group"}


def test_revoking_is_refused(cast, unchanged):
    row = certify(cast, cast.microscope)
    gone = withdraw(cast, certify(cast, cast.technique))
    zhao = cast.actor("zhao")
    remember, check = unchanged
    remember()
    for values, error in (
        ({"qualification_id": row.pk, "reason": "  "}, Invalid),
        ({"qualification_id": row.pk, "reason": "x" * 501}, Invalid),
        ({"qualification_id": row.pk, "reason": "So", "expected_version": 2}, WrongVersion),
        ({"qualification_id": gone.pk, "reason": "So"}, WrongState),
        ({"qualification_id": cast.ustc.pk, "reason": "So"}, NotFound),
    ):
        with pytest.raises(error):
            qualification_revoke(By(zhao, NOW, values.pop("expected_version", None)), **values)
    check()


def test_several_are_certified_in_the_order_of_their_ids(cast):
    users = sorted(
        (cast.people[who] for who in ("wang", "hu", "alice")), key=lambda user: user.pk, reverse=True
    )
    rows, _ = qualifications_grant(
        By(cast.actor("zhao"), NOW),
        users=users,
        issuer=cast.ustc,
        instrument=cast.microscope,
        valid_from=date(2026, 1, 1),
    )
    assert [row.user for row in rows] == users[::-1]
