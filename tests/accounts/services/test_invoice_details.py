"""Setting invoice details: by whom, what the trail says, and who is told of another account."""

import pytest
from django.core import mail

from accounts.domain.errors import Invalid, NotPermitted, WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.models import Message, Organisation, OutboxMessage, TrailEntry
from accounts.services.memberships import role_grant
from accounts.services.organisations import invoice_details_set
from bookings.overview.services.effects import effects_carry_out
from tests.factories.cast import NOW

DETAILS = {
    "legal_name": "University of Science and Technology of China",
    "address": "96 Jinzhai Road\nHefei, Anhui 230026",
    "tax_number": "12100000485001086E",
    "bank_account": "Bank of China, Hefei\n1764 0001 2345",
    "invoice_email": "invoices@ustc.example",
}


def put(cast, who="gao", **values):
    return invoice_details_set(
        By(cast.actor(who), NOW, values.pop("expected_version", None)),
        organisation_id=cast.ustc.pk,
        details=values.pop("details", DETAILS),
        **values,
    )


def kept(cast):
    return Organisation.objects.filter(pk=cast.ustc.pk).values(*DETAILS).get()


def test_finance_sets_them_and_the_trail_tells_before_and_after(cast):
    version = cast.ustc.version
    row = put(cast)
    assert kept(cast) == DETAILS
    assert (row.version, row.bank_account_changed_at) == (version + 1, NOW)
    put(cast, details={"tax_number": "9"})
    entry = TrailEntry.objects.filter(action="organisation.invoice-details").latest("id")
    assert (entry.before, entry.after) == ({"tax_number": "12100000485001086E"}, {"tax_number": "9"})
    assert entry.organisation_ids == [cast.ustc.pk]


@pytest.mark.parametrize("who", ["gao", "coordinator", "admin"])
def test_finance_coordinators_of_the_region_and_administrators_may(cast, who):
    put(cast, who)
    assert kept(cast) == DETAILS


@pytest.mark.parametrize("who", ["zhao", "sun", "lin", "chen", "hu", "xu", "auditor", "alice"])
def test_nobody_else_may(cast, who):
    with pytest.raises(NotPermitted):
        put(cast, who)
    assert set(kept(cast).values()) == {""}
    assert not TrailEntry.objects.filter(action="organisation.invoice-details").exists()


def test_the_same_again_changes_nothing(cast):
    first = put(cast)
    assert put(cast).version == first.version
    assert TrailEntry.objects.filter(action="organisation.invoice-details").count() == 1
    assert OutboxMessage.objects.filter(kind="people.bank-account").count() == 1


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ({"invoice_email": "nobody"}, "not-a-mail-address"),
        ({"bank_account": "1\u202e2"}, "bad-character"),
        ({"legal_name": "x" * 201}, "too-long"),
    ],
)
def test_what_cannot_be_is_refused_whole(cast, details, code):
    with pytest.raises(Invalid) as refused:
        put(cast, details=DETAILS | details)
    assert [p.code for p in refused.value.problems] == [code]
    assert set(kept(cast).values()) == {""}


def test_a_stale_version_is_refused(cast):
    put(cast)
    with pytest.raises(WrongVersion):
        put(cast, details={"tax_number": "9"}, expected_version=cast.ustc.version)
    assert kept(cast) == DETAILS


def test_another_bank_account_is_told_to_the_others(cast):
    role_grant(By(PLATFORM, NOW), user=cast.people["sun"], role="finance", organisation=cast.ustc)
    put(cast)
    effects_carry_out(now=NOW)
    assert set(Message.objects.values_list("user__email", flat=True)) == {
        "zhao@ustc.example",
        "sun@ustc.example",
    }
    text = Message.objects.first().text
    assert "…2345" in text and "1764" not in text
    put(cast, details={"address": "Elsewhere"})
    effects_carry_out(now=NOW)
    assert Message.objects.count() == 2
    assert {m.to[0] for m in mail.outbox} == {"zhao@ustc.example", "sun@ustc.example"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"account_number": "6222 0001"}, "Account number: – → …0001"),
        ({"bank_account": "Bank of China, Hefei\n1764 9991 2345"}, "Bank account: …4000… → …4999…"),
        ({"bic": "BKCHCNBJ"}, "BIC (SWIFT): – → BKCHCNBJ"),
        ({"bank_name": "Bank of Anhui"}, "Bank: – → Bank of Anhui"),
    ],
)
def test_the_letter_shows_whatever_changed(cast, changed, said):
    """Also a detail beside an account that stays, and an account whose end stays."""
    put(cast, details=DETAILS | {"iban": "DE89370400440532013000"})
    effects_carry_out(now=NOW)
    Message.objects.all().delete()
    mail.outbox.clear()
    put(cast, details=changed)
    effects_carry_out(now=NOW)
    text = Message.objects.get().text
    assert said in text and text.count("→") == 1 and "1764" not in text
    assert said in mail.outbox[-1].body
