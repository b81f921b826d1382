"""Acts that pages send: each has a page that can show what refuses it."""

import re
from inspect import signature, unwrap
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.urls import get_resolver, resolve, reverse

from accounts.acts import ACTS
from accounts.api.resource import Resource
from accounts.domain.roles import By
from accounts.services.joining import join_ask
from bookings.board.models import Bid
from bookings.questions.services.meters import counter_add
from tests.factories.api import clock  # noqa: F401
from tests.factories.board import bid_of, enquiry_of
from tests.factories.cast import NOW


def acts():
    assert get_resolver().url_patterns  # which the acts are found by
    return ACTS


def test_the_page_of_an_act_takes_what_refuses_it():
    assert len(acts()) > 30
    for name, on in acts().items():
        page = resolve(reverse(on.shows, args=[UUID(int=0)] if on.of else [])).func
        takes = signature(unwrap(page)).parameters
        is_open = any(one.kind is one.VAR_KEYWORD for one in takes.values())
        assert is_open or (on.form is None and {"status", "refused"} <= takes.keys()), f"{name}: {on.shows}"


def resources(kind=Resource):
    for each in kind.__subclasses__():
        yield from (each, *resources(each))


def test_the_form_of_an_act_says_which_version_was_read():
    """Of each act whose operation heeds a version: `press` sends it by itself."""
    functions = [one for each in resources() for one in vars(each).values() if hasattr(one, "on_page")]
    heeding = {id(one.on_page) for one in functions if one.declared[2].get("versioned")}
    heeding = {name: on for name, on in acts().items() if id(on) in heeding}
    del heeding["import-cancel"]  # a worker may have gone on: it is stopped all the same
    assert len(heeding) > 30
    for name, on in heeding.items():
        assert on.form is None or "version" in on.form.base_fields, name
    sent = re.compile("version|components/form.html|for field in|_fields.html")
    for app in ("accounts", "bookings", "instruments"):
        for template in Path(settings.ROOT, app, "templates").rglob("*.html"):
            for form in re.findall("<form.*?</form>", template.read_text(), re.DOTALL):
                named = {name for name in re.findall(r"url '\w+:([\w-]+)'", form) if name in heeding}
                assert not named or sent.search(form), (template.name, named)


@pytest.mark.django_db
def test_an_act_on_what_changed_meanwhile_is_refused_on_its_page(cast, client, clock):  # noqa: F811
    enquiry = enquiry_of(cast)
    bid = bid_of(cast, enquiry)
    client.force_login(cast.zhao)
    address = reverse("bookings:bid-withdraw", args=[bid.pk])
    assert client.get(address).headers["Location"] == reverse("bookings:bids")
    for version in ("7", "9" * 20, "one", "-1"):
        answer = client.post(address, {"version": version})
        assert answer.status_code == 412 and b"alert-danger" in answer.content
    assert Bid.objects.get().state == "made"
    answer = client.post(address, {"version": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("bookings:bids"))
    assert Bid.objects.get().state == "withdrawn"
    client.logout()
    assert "/accounts/login/" in client.post(address).headers["Location"]


@pytest.mark.django_db
def test_who_may_not_act_is_led_past_a_page_that_they_may_not_see(cast, client, clock):  # noqa: F811
    counter = counter_add(
        By(cast.actor("zhao"), NOW), instrument_id=cast.microscope.pk, meter=None, name="Tip", limit=5
    )
    address = reverse("bookings:counter-done", args=[counter.pk])
    meters = reverse("bookings:meters", args=[cast.microscope.pk])
    for who, page in ((cast.zhao, meters), (cast.lin, "/manage/")):
        client.force_login(who)
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (302, page)


@pytest.mark.django_db
@pytest.mark.parametrize("roles", [(), ("finance", "researcher")])  # none: every box was emptied
def test_a_request_to_join_is_answered_where_it_stands(cast, client, clock, roles):  # noqa: F811
    row = join_ask(By(cast.actor("zhao"), NOW), organisation=cast.fudan, text="")
    client.force_login(cast.chen)
    approve, reject = (reverse(f"accounts:join-{act}", args=[row.pk]) for act in ("approve", "reject"))
    answer = client.post(reject, {"reason": " "})
    assert answer.status_code == 400 and b'aria-invalid="true"' in answer.content
    answer = client.post(approve, {"roles": roles})
    members = reverse("accounts:members", args=[cast.fudan.pk])
    assert (answer.status_code, answer.headers["Location"]) == (302, members)
    given = cast.zhao.role_grants.filter(organisation=cast.fudan).order_by("role")
    assert tuple(given.values_list("role", flat=True)) == roles
