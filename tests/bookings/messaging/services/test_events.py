"""What events say is what their areas declare, and goes to those concerned alone."""

import json
from datetime import date
from decimal import Decimal

import jsonschema
import pytest

from accounts.domain.hooks import schema_of
from accounts.domain.roles import By
from accounts.models import OutboxMessage
from bookings.board.services.bids import bid_withdraw
from bookings.messaging.selectors.webhooks import all_events
from bookings.messaging.services.webhooks import events_tell
from bookings.models import Charge, Event
from bookings.needs.services.needs import need_change, need_withdraw
from bookings.overview.services.effects import effects_carry_out
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void, statements_draw
from tests.factories.board import bid_of, enquiry_of
from tests.factories.cast import NOW, at, reserve
from tests.factories.money import charge_of, store
from tests.factories.needs import need_of, need_values
from tests.factories.results import released
from tests.factories.samples import announce, join, step

pytestmark = pytest.mark.django_db
APRIL = at("2026-04-01 00:30")


@pytest.fixture
def cast(shared_cast):
    return shared_cast


def told(now=NOW):
    """Each event that was stored, as it is sent, with the codes of those concerned."""
    effects_carry_out(now=now)
    events = list(Event.objects.order_by("number"))
    for event in events:
        body, declared = json.loads(event.body), all_events()[event.kind]
        shape = schema_of(declared.payload) | {"additionalProperties": False}
        jsonschema.validate(body["data"], shape, cls=jsonschema.Draft202012Validator)
    return [(event.kind, json.loads(event.body)["data"], set(event.organisations)) for event in events]


def test_samples_results_enquiries_and_bids(cast):
    sample = announce(cast)
    join(cast, reserve(cast, "2026-03-12 10:00", "2026-03-12 12:00"), sample)
    step(cast, "wang", "shipped", sample)
    released(cast)
    bid = bid_of(cast, enquiry_of(cast))
    bid_withdraw(By(cast.actor("zhao"), NOW), bid_id=bid.pk)
    both, enquires = {cast.ustc.pk, cast.fudan.pk}, bid.enquiry.organisation_id
    found = [event for event in told() if not event[0].startswith(("reservation", "need"))]
    assert [(kind, data["state"], concerned) for kind, data, concerned in found] == [
        ("sample.changed", "shipped", both),
        ("results.released", "released", both),
        ("enquiry.made", "answered", {enquires}),
        ("bid.changed", "withdrawn", {enquires, cast.ustc.pk}),
        ("bid.changed", "withdrawn", {enquires, cast.ustc.pk}),
    ]
    assert found[0][1]["code"] == sample.code
    said = " ".join(Event.objects.values_list("body", flat=True))
    assert "Perovskite" not in said and "alloy" not in said and "Hu Bo" not in said and "Wang" not in said


def test_needs_say_nothing_of_what_is_wanted(cast):
    need = need_of(cast)
    change = need_values(text="XRD of a secret alloy")
    need_change(By(cast.actor("wang"), NOW), need_id=need.pk, values=change)
    need_withdraw(By(cast.actor("wang"), NOW), need_id=need.pk)
    found = told()
    assert [kind for kind, *_ in found] == ["need.changed"] * 3
    ours = {"id": str(need.pk), "organisation": "fudan", "is_withdrawn": True, "version": 3}
    assert [event[1:] for event in found] == [(ours, {cast.fudan.pk})] * 3  # as it is now


def test_statements_their_payments_and_what_replaces_them(cast):
    store([charge_of(cast)])
    Charge.objects.update(state="final", final_at=at("2026-03-20 10:00"), month=date(2026, 3, 1))
    statements_draw(month=date(2026, 3, 1), now=APRIL)
    (kind, issued, concerned), *_ = told(APRIL)
    assert (kind, issued["state"], "replaces" in issued) == ("statement.issued", "issued", False)
    pay = {"paid_on": date(2026, 4, 1), "reference": "x"}
    finance = By(cast.actor("gao"), APRIL)
    for amount in (Decimal(1), Decimal(-1)):
        statement_pay(finance, statement_id=issued["id"], paid=Paid(amount, **pay))
        kind, paid, at_whom = told(APRIL)[-1]
        assert (kind, Decimal(paid["amount"]["amount"]), at_whom) == ("statement.paid", amount, concerned)
        assert paid["statement"]["state"] == ("part_paid" if amount > 0 else "issued")
    new = statement_void(finance, statement_id=issued["id"], reason="address")
    kind, data, _ = told(APRIL)[-1]
    assert (kind, data["id"], data["replaces"]) == ("statement.replaced", str(new.pk), issued["id"])


def test_what_is_gone_meanwhile_is_no_event_and_stops_nothing(cast):
    about = {"enquiry": str(cast.microscope.pk)}
    row = OutboxMessage.objects.create(
        kind="enquiry.unmet", key="x", payload=about, due_at=NOW, created_at=NOW
    )
    assert events_tell(row, now=NOW) == 0 and not Event.objects.exists()
