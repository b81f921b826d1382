"""Finance charges other sources than those a booking was made with, until the charge is final."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.urls import reverse

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry
from accounts.services.memberships import role_grant
from bookings.charging.domain.corrections import Amendment
from bookings.charging.selectors.recoding import charges_without_source
from bookings.charging.selectors.stories import record_story
from bookings.charging.services.charges import charges_finalise
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.charging.services.disputes import dispute_open
from bookings.charging.services.recoding import charge_recode
from bookings.funding.domain.funding import Share
from bookings.funding.services.funding import source_suspend
from bookings.models import Charge, Earmark, FundingSource
from bookings.record.domain.refusals import RulesRefuse
from tests.factories.cast import NOW, at
from tests.factories.charges import use
from tests.factories.funding import paid_by, source, sums

D = Decimal
AFTER = at("2026-03-06 13:00")


@pytest.fixture
def used(cast):
    """Wang's booking, which the first of two sources paid."""
    sources = [source(cast, code) for code in ("A", "B")]
    charge = use(cast, "2026-03-06 10:00", "2026-03-06 12:00", funding=paid_by("A"))
    return cast, charge, *sources


def recode(cast, charge, *shares, who="lin", now=AFTER, reason="Other project", version=None):
    by = By(cast.actor(who), now, version)
    return charge_recode(by, charge_id=charge.pk, shares=shares or paid_by("B"), reason=reason)


def paying(charge):
    rows = Earmark.objects.filter(reservation=charge.reservation_id, source__isnull=False, percent__gt=0)
    return {row.source.code: (row.percent, row.held, row.redeemed) for row in rows.select_related("source")}


def test_the_money_goes_over_and_the_trail_says_so(used):
    cast, charge, first, second = used
    assert sums(first) == (0, charge.payable)
    recode(cast, charge)
    assert (sums(first), sums(second)) == ((0, 0), (0, charge.payable))
    assert paying(charge) == {"B": (100, 0, charge.payable)}
    entry = TrailEntry.objects.get(action="charge.recode")
    assert (entry.before, entry.after) == ({"funding": {"A": "100"}}, {"funding": {"B": "100"}})
    assert (entry.actor_id, entry.text.content["reason"]) == (cast.lin.pk, "Other project")
    after = Charge.objects.get(pk=charge.pk)
    assert (after.payable, after.version) == (charge.payable, charge.version + 1)
    # Split, and back to one that has paid before: always all of it, and nothing twice.
    recode(cast, charge, Share("A", D("33.333")), Share("B", D("66.667")))
    assert sums(first)[1] + sums(second)[1] == charge.payable
    recode(cast, charge, Share("A", D(100)))
    assert (sums(first), sums(second)) == ((0, charge.payable), (0, 0))


def test_later_corrections_are_of_the_new_source(used):
    cast, charge, first, second = used
    recode(cast, charge)
    proposed = correction_propose(
        By(cast.actor("gao"), AFTER),
        charge_id=charge.pk,
        amendment=Amendment(waive_percent=D(50)),
        reason="x",
    )
    correction_agree(By(cast.actor("zhao"), AFTER), correction_id=proposed.pk)
    new = Charge.objects.get(reservation=charge.reservation_id, state="open")
    assert 0 < new.payable < charge.payable
    assert (sums(first), sums(second)) == ((0, 0), (0, new.payable))


def test_one_without_a_source_waits_until_it_has_one(cast):
    charge = use(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    lin = cast.actor("lin")
    assert not charges_without_source(lin, AFTER)  # Fudan has no sources
    source(cast, "late", valid_from=date(2026, 3, 7))
    source(cast, "over", valid_until=date(2026, 3, 6))
    assert not charges_without_source(lin, AFTER)  # none that could pay for it
    row = source(cast)
    assert list(charges_without_source(lin, AFTER)) == [charge]
    for other in ("wang", "gao", "chen", "hu"):
        assert not charges_without_source(cast.actor(other), AFTER)
    assert not charges_without_source(lin, AFTER + timedelta(days=8))  # as good as final
    recode(cast, charge, *paid_by("NSFC-17"))
    assert not charges_without_source(lin, AFTER)
    assert sums(row) == (0, charge.payable)


@pytest.mark.parametrize(
    ("who", "refusal"), [("wang", NotPermitted), ("gao", NotPermitted), ("hu", NotFound), ("xu", NotFound)]
)
def test_only_finance_of_the_payer(used, who, refusal):
    cast, charge, first, second = used
    with pytest.raises(refusal):
        recode(cast, charge, who=who)
    assert (sums(first), sums(second)) == ((0, charge.payable), (0, 0))


def test_refusals_change_nothing(used):
    cast, charge, first, second = used
    source(cast, "small", budget="1")
    source(cast, "late", valid_from=date(2026, 4, 1))
    source_suspend(By(cast.actor("lin"), AFTER), source_id=source(cast, "closed").pk, reason="x")
    for shares, refusal in (
        ((Share("none", D(100)),), Invalid),
        ((Share("A\0", D(100)),), Invalid),
        ((Share("B", D(50)),), Invalid),
        ((Share("B", D(50)), Share("B", D(50))), Invalid),
        (paid_by("small"), RulesRefuse),
        (paid_by("late"), RulesRefuse),
        (paid_by("closed"), RulesRefuse),
    ):
        with pytest.raises(refusal):
            recode(cast, charge, *shares)
    with pytest.raises(Invalid):
        charge_recode(By(cast.actor("lin"), AFTER), charge_id=charge.pk, shares=(), reason="x")
    with pytest.raises(Invalid):
        recode(cast, charge, reason=" ")
    with pytest.raises(WrongVersion):
        recode(cast, charge, version=charge.version + 1)
    assert (sums(first), sums(second)) == ((0, charge.payable), (0, 0))
    assert paying(charge) == {"A": (100, 0, charge.payable)}
    assert not TrailEntry.objects.filter(action="charge.recode").exists()


def test_until_it_is_final(used):
    cast, charge, _, second = used
    dispute_open(By(cast.actor("wang"), AFTER), charge_id=charge.pk, reason="x")
    recode(cast, charge)  # while it is disputed
    Charge.objects.filter(pk=charge.pk).update(state="open")
    late = AFTER + timedelta(days=8)
    with pytest.raises(WrongState):
        recode(cast, charge, *paid_by("A"), now=late)
    charges_finalise(now=late)
    with pytest.raises(WrongState):
        recode(cast, charge, *paid_by("A"), now=late)
    assert sums(second) == (0, charge.payable)


def test_page_and_program_and_what_the_host_reads(used, client, program, clock):
    cast, charge, first, second = used
    clock.now = AFTER
    lin = program("lin")
    body = {"funding": [{"source": "B", "percent": "100"}], "reason": "By program"}
    assert lin.post(f"charges/{charge.pk}/recode/", body).status == 200
    assert program("gao").post(f"charges/{charge.pk}/recode/", body).code == "not-permitted"
    assert sums(second) == (0, charge.payable)
    client.force_login(cast.people["lin"])
    address = reverse("bookings:money-charges-one", args=[charge.pk])
    page = client.get(address).content.decode()
    assert "Change the funding source" in page and "By program" in page
    version = Charge.objects.get(pk=charge.pk).version
    sent = {"funding": "A", "reason": "Back", "version": version}
    assert client.post(f"{address}recode/", sent).status_code == 302
    assert sums(first) == (0, charge.payable)
    refused = client.post(f"{address}recode/", sent | {"funding": ""}).content.decode()
    assert "Change the funding source" in refused and 'id="recode-title"' in refused
    # The host is not told which sources pay, nor that they were changed.
    client.force_login(cast.people["gao"])
    page = client.get(address).content.decode()
    assert "Paid from" not in page and "By program" not in page and "recode" not in page
    assert all(step.entry.action != "charge.recode" for step in record_story(cast.actor("gao"), charge.pk))


@pytest.mark.parametrize("who", ["gao", "wang", "auditor"])
def test_a_form_that_lacks_all_lists_no_sources_to_others(used, client, clock, who):
    """The charge is theirs to see, the payer's sources are not."""
    _, charge, *_ = used
    cast, clock.now = used[0], AFTER
    FundingSource.objects.filter(code="A").update(name="Secret project")
    client.force_login(cast.people[who])
    address = reverse("bookings:money-charges-one", args=[charge.pk])
    assert client.get(address).status_code == 200
    answer = client.post(f"{address}recode/", {})
    assert answer.status_code == 403 and "Secret project" not in answer.content.decode()


def test_the_trail_shows_a_payers_sources_to_its_own_side(used):
    cast, charge, *_ = used
    recode(cast, charge)
    entry = TrailEntry.objects.get(action="charge.recode")
    assert entry.organisation_ids == [cast.fudan.pk]
    assert cast.shanghai.pk in entry.region_ids and cast.anhui.pk not in entry.region_ids


def test_what_a_source_spent_by_month_and_person(used, client, program, clock):
    """The owner and finance read everybody's, others who may charge it their own; the file says the same."""
    cast, charge, first, _ = used
    clock.now = AFTER
    FundingSource.objects.filter(pk=first.pk).update(is_open=True)
    role_grant(By(PLATFORM, NOW), user=cast.chen, role="researcher", organisation=cast.fudan)
    other = use(cast, "2026-03-06 14:00", "2026-03-06 15:00", who="chen", funding=paid_by("A"))
    expected = {("2026-03-01", cast.wang.name): charge.payable, ("2026-03-01", cast.chen.name): other.payable}

    def spent(who):
        rows = program(who).get(f"funding-sources/{first.pk}/spent/").body["results"]
        return {(row["month"], row["name"]): D(row["spent"]["amount"]) for row in rows}

    assert spent("lin") == spent("wang") == expected
    assert program("gao").get(f"funding-sources/{first.pk}/spent/").status == 404
    client.force_login(cast.people["lin"])
    address = reverse("bookings:money-funding-source", args=[first.pk])
    assert "Spent by month and person" in client.get(address).content.decode()
    sheet = b"".join(client.get(f"{address}?format=csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(sheet)))
    assert {(f"{row['month']}-01", row["person"]): D(row["spent"]) for row in rows} == expected
    # What finance charges to others is theirs.
    recode(cast, charge)
    assert set(spent("lin")) == {("2026-03-01", cast.chen.name)}
    entries = program("lin").get(f"funding-sources/{first.pk}/entries/").body["results"]
    assert [entry["user"]["name"] for entry in entries] == [cast.chen.name]
