"""Who asks the board in confidence, and for what, is on no list that its host may read. Nor is a secret of
a person on any page or answer that an administrator sees who looks at pages as that person."""

from decimal import Decimal

import pytest
from django.db import transaction
from django.urls import reverse

from accounts.domain.administration import LOOKING
from accounts.domain.roles import PLATFORM, By
from accounts.models import Invitation, User
from accounts.permissions import actor_of
from accounts.selectors.joining import invitation_token
from accounts.services.memberships import membership_start, role_grant
from accounts.services.organisations import organisation_create
from bookings.board.services.bids import BidValues, bid_make
from bookings.board.services.enquiries import EnquiryValues, enquiry_make
from bookings.messaging.domain.webhooks import secret_text
from bookings.messaging.selectors.feeds import feed_token
from bookings.messaging.selectors.webhooks import secret_of
from bookings.messaging.services.feeds import busy_calendar_set, feed_make
from bookings.messaging.services.webhooks import webhook_add
from bookings.models import CalendarFeed, CollectLink, WebhookDelivery, WebhookEndpoint
from bookings.needs.services.needs import need_make
from bookings.operations.services.people import look_begin
from bookings.overview.services.effects import effects_carry_out
from bookings.results.selectors.collecting import collect_token
from tests.architecture.permission_table import API, ARGUMENTS, PAGES, PEOPLE, QUERIES, THINGS
from tests.architecture.test_permissions import ROUTES, _clock, filled, rows, sessions, world  # noqa: F401
from tests.factories.capabilities import parameters_of
from tests.factories.cast import NOW, at
from tests.factories.needs import need_values

pytestmark = pytest.mark.django_db
TEXT = "grain size of our unheard-of zyxtanium"
BUDGET, THRESHOLD = "7654.31", "0.0731"
# Long enough that no token made at random has one of them.
SECRETS = ("zyxwerk", "zyxmann", "zyxtanium", "zyx powder", "茨克斯", BUDGET, "7,654.31", THRESHOLD)


def firm_of(cast):
    """A researcher of a firm of Anhui, which registers name."""
    row = organisation_create(
        By(PLATFORM, NOW),
        code="zyxwerk",
        region=cast.anhui,
        name="Zyxwerk Alloys",
        name_zh="茨克斯合金",
        kind="enterprise",
    )
    user = User.objects.create_user("quirin@zyxwerk.example", "x" * 20, name="Quirin Zyxmann")
    membership_start(By(PLATFORM, NOW), user=user, organisation=row)
    role_grant(By(PLATFORM, NOW), user=user, role="researcher", organisation=row)
    return user


def ask(cast, user):
    """An enquiry with a threshold and a budget, and a bid of USTC; all are told."""
    person = By(actor_of(User.objects.get(pk=user.pk)), NOW)
    values = need_values(
        text=TEXT,
        sample="zyx powder",
        budget=Decimal(BUDGET),
        terms=[cast.technique.code],
        requirements=[{"parameter": "spatial_resolution", "high": Decimal(THRESHOLD)}],
    )
    need = need_make(person, values=values)
    enquiry = enquiry_make(person, need_id=need.pk, values=EnquiryValues(sample="powder"))
    bid = bid_make(
        By(cast.actor("zhao"), NOW),
        enquiry_id=enquiry.pk,
        instrument_id=cast.microscope.pk,
        values=BidValues([at("2026-03-24 14:00"), at("2026-03-25 14:00")], "assisted"),
    )
    effects_carry_out(now=NOW)
    hold = bid.slots.values_list("reservation", flat=True)[0]
    return [need.pk, enquiry.pk, bid.pk, hold]


def lists(person):
    """The addresses of lists, files and searches that the person reads."""
    column = PEOPLE.index(person)
    return [
        reverse(name)
        for table in (PAGES, API)
        for method, name, cells in rows(table)
        if method == "GET" and cells[column] == "200" and not ROUTES[name]
    ]


def read(client, path):
    with transaction.atomic():
        answer = client.get(path)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.set_rollback(True)
    return content.decode(errors="replace")


def said(client, path):
    text = read(client, path).lower()
    return {word: n for word in SECRETS if (n := text.count(word))}


def test_no_list_of_the_host_tells_who_asks(cast, client):
    user = firm_of(cast)
    parameters_of(cast)
    webhook_add(
        By(cast.actor("zhao"), NOW),
        organisation_id=cast.ustc.pk,
        address="https://lab.example/",
        events=["reservation.confirmed"],
        description="",
    )
    client.force_login(cast.zhao)
    with transaction.atomic():
        ask(cast, user)
        paths = [*lists("zhao"), f"{reverse('bookings:palette')}?q=alloys"]
        heard = {path: found for path in paths if (found := said(client, path))}
        bodies = " ".join(WebhookDelivery.objects.values_list("body", flat=True)).lower()
        transaction.set_rollback(True)
    assert not [word for word in SECRETS if word in bodies]
    # Registers of organisations name the firm anyway.
    before = {path: said(client, path) for path in heard}
    assert heard == before


def addresses(things, keys):
    """Every address that is read and names something: of the usual things, and with each of the
    keys in the place of each id."""
    for _, name, _ in (row for table in (PAGES, API) for row in rows(table) if row[0] == "GET"):
        usual = {
            argument: things[THINGS.get((name, argument), ARGUMENTS.get(argument, "absent"))]
            for argument in ROUTES[name]
        }
        query = filled(QUERIES.get(name, ""), things)
        for key in keys if usual else ():
            ids = {each: key for each in usual if each.endswith("_id")}
            for kind in ("need", "enquiry", "reservation") if "kind" in usual else ("",):
                yield reverse(name, kwargs=usual | ids | ({"kind": kind} if kind else {})) + query
        if usual:
            yield reverse(name, kwargs=usual) + query


# The host's manager and the region's coordinator. Its auditor reads in the trail who acted.
@pytest.mark.parametrize(("who", "reads"), [("zhao", 200), ("coordinator", 404)])
def test_no_address_of_a_thing_tells_who_asks(world, sessions, client, who, reads):  # noqa: F811
    cast, things = world
    client.cookies.update(sessions[who])
    with transaction.atomic():
        keys = ask(cast, firm_of(cast))
        assert client.get(reverse("bookings:enquiry-answer", args=[keys[1]])).status_code == reads
        paths = set(addresses(things, keys))
        heard = {path: found for path in sorted(paths) if (found := said(client, path))}
        transaction.set_rollback(True)
    assert len(paths) > 1000
    assert heard == {}


def secrets_that_last(cast, who):
    """Whatever opens something for whoever knows it, by what it is of."""
    by = By(cast.actor(who), NOW)
    feed_make(by, instrument_id=None)
    feed_make(by, instrument_id=cast.microscope.pk)
    busy_calendar_set(by, address="https://calendar.example/zyx-private.ics")
    yield "calendar", "zyx-private"
    for model, token in (
        (CalendarFeed, feed_token), (CollectLink, collect_token), (Invitation, invitation_token),
    ):  # fmt: skip
        rows = model.objects.all()
        assert rows
        yield from ((model.__name__, found) for row in rows if (found := token(row.pk, bytes(row.digest))))
    for row in WebhookEndpoint.objects.all():
        yield "webhook", secret_text(secret_of(row, row.generation))


TELLING = "/bookings/calendars/", "/api/v1/busy-calendar/", "/api/v1/webhooks/"


def test_who_looks_as_somebody_reads_no_secret(world, client):  # noqa: F811
    cast, things = world
    with transaction.atomic():
        secrets = list(secrets_that_last(cast, "zhao"))
        kinds = {of for of, _ in secrets}
        assert kinds == {"calendar", "CalendarFeed", "CollectLink", "Invitation", "webhook"}
        paths = {*lists("zhao"), *addresses(things, [])}
        client.force_login(cast.zhao)
        told = {of for path in TELLING for of, secret in secrets if secret in read(client, path)}
        client.force_login(cast.people["admin"])
        viewing = look_begin(By(cast.actor("admin"), NOW), user_id=cast.zhao.pk, reason="They asked.")
        session = client.session
        session[LOOKING] = str(viewing.pk)
        session.save()
        assert client.get("/bookings/").wsgi_request.user == cast.zhao
        texts = {path: read(client, path) for path in paths}
        seen = [  # but where it was asked with the secret itself
            (path, of)
            for path, text in texts.items()
            for of, secret in secrets
            if secret in text and secret not in path
        ]
        transaction.set_rollback(True)
    assert told == {"calendar", "CalendarFeed", "webhook"}, "the person reads them"
    assert seen == []
