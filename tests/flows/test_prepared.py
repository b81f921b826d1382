"""Questions that are compiled once give what their querysets give, whatever fills them; rows that
are stored so are what `bulk_create` stores."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import Model
from psycopg import ServerCursor

from accounts.domain.roles import By
from accounts.models import Membership, Organisation, OutboxMessage, User
from accounts.models.keys import new_id
from accounts.prepared import Prepared, PreparedFor, insert
from bookings.catalogue.selectors.calendars import load_week
from bookings.models import Quote, Reservation
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.moves import reservation_move
from instruments.register.selectors.registry import instrument_to_book
from tests.factories.cast import NOW, at, reserve

FRIDAY = ("2026-03-06 10:00", "2026-03-06 12:00")
BY_CODE = Prepared(lambda codes: Organisation.objects.filter(code__one_of=codes).order_by("code"))
BY_ID = Prepared(lambda pk: Organisation.objects.filter(pk=pk))


def plain(row, seen=frozenset()):
    """A row as what can be compared: a record with what it loaded, and what it loaded beside
    it."""
    if not isinstance(row, Model) or row in seen:
        return row
    loaded = {name: value for name, value in vars(row).items() if name != "_state"}
    beside = row._state.fields_cache.items()
    return loaded | {f"{name}*": plain(other, seen | {row}) for name, other in beside}


@pytest.fixture
def compared(monkeypatch):
    """Every answer is compared with that of the queryset; gives the questions asked."""
    asked = set()
    prepared = Prepared.rows

    def rows(self, *shape, **values):
        found = prepared(self, *shape, **values)
        expected = list(self.build(*shape, **values))
        assert [plain(row) for row in found] == [plain(row) for row in expected]
        if found:
            asked.add(self)
        return found

    monkeypatch.setattr(Prepared, "rows", rows)
    return asked


def test_a_booking_a_refusal_a_move_and_a_week_ask_as_their_querysets_do(cast, compared):
    for instrument in (cast.microscope, cast.instrument(name="Another")):
        instrument.techniques.set([cast.technique])
    made = reserve(cast, *FRIDAY, who="wang")
    with pytest.raises(RulesRefuse):
        reserve(cast, *FRIDAY, who="sun")
    later = Period(at("2026-03-06 14:00"), at("2026-03-06 16:00"))
    reservation_move(By(cast.actor("wang"), NOW), reservation_id=made.pk, period=later)
    week = Period(at("2026-03-02 00:00"), at("2026-03-09 00:00"))
    for who in ("wang", "sun", "chen"):
        actor = cast.actor(who)
        assert load_week(actor, instrument_to_book(actor, cast.microscope.pk), None, week, NOW, minutes=60)
    assert len(compared) >= 8  # else the flow no longer goes through them


def test_the_catalogue_asks_as_its_querysets_do(cast, client, compared, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    soon = "free_from=2026-03-06T08:00&free_until=2026-03-09T20:00"
    for who in ("wang", "zhao", "admin"):  # books, manages, has no payer
        client.force_login(cast.people[who])
        for search in ("", "sort=price", f"minutes=60&{soon}", "q=microscope", "q=microscope&sort=price"):
            assert client.get(f"/?{search}").context["results"], (who, search)
    assert len(compared) >= 6


def test_lists_of_each_length_and_order(cast):
    codes = sorted(Organisation.objects.values_list("code", flat=True))
    for chosen in ([], codes[:1], codes[:3], codes[::-1], codes * 9):
        found = [row.code for row in BY_CODE.rows(codes=chosen)]
        assert found == sorted(set(chosen))


def test_an_empty_list_asks_nothing(cast, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert BY_CODE.rows(codes=[]) == []


def test_none_is_no_value(cast):
    with pytest.raises(ValueError, match="None"):
        BY_ID.rows(pk=None)


def test_a_lock_needs_a_transaction_each_time(cast, monkeypatch):
    lock = Prepared(lambda pk: Organisation.objects.filter(pk=pk).select_for_update())
    assert lock.rows(pk=cast.ustc.pk) == [cast.ustc]
    monkeypatch.setattr(connections["default"], "get_autocommit", lambda: True)
    with pytest.raises(transaction.TransactionManagementError):
        lock.rows(pk=cast.ustc.pk)


def rows_of_each_kind(cast):
    """Rows as `insert` is given them: one, several of plain columns, several with lists, a null."""
    made = reserve(cast, *FRIDAY)
    reservation = Reservation.objects.get(pk=made.pk)
    reservation.pk, reservation.overrides = new_id(), ["too-soon", "off-grid"]
    quote = Quote(
        reservation=reservation, inputs={"名": [1, None]}, result={"total": "1.50"},
        currency="CNY", total=Decimal("1.50"), payable=Decimal("1.5"), created_at=NOW,
    )  # fmt: skip
    outbox = [
        OutboxMessage(kind="k", key=f"k{n}", payload={"n": n}, due_at=NOW, created_at=NOW) for n in range(3)
    ]
    return [[quote], outbox, [reservation, quote, *outbox]]


@pytest.mark.parametrize("number", range(3))
def test_rows_are_stored_as_bulk_create_stores_them(cast, number, django_assert_num_queries):
    rows = rows_of_each_kind(cast)[number]
    stored = []
    for store in ("bulk_create", "insert", "insert again"):
        with transaction.atomic():
            if store == "bulk_create":
                for row in rows:
                    type(row).objects.bulk_create([row])
            else:
                with django_assert_num_queries(1):
                    insert(rows)
            assert not any(row._state.adding for row in rows)
            stored.append([type(row).objects.filter(pk=row.pk).values().get() for row in rows])
            for values in stored[-1]:
                values.pop("modified", None)  # the clock of the database
            transaction.set_rollback(True)
    assert stored[0] == stored[1] == stored[2]


def test_a_row_that_is_there_is_left_as_it_is(cast):
    row = OutboxMessage(kind="k", key="k", payload={"n": 1}, due_at=NOW, created_at=NOW)
    insert([row])
    again = OutboxMessage(kind="k", key="k", payload={"n": 2}, due_at=NOW, created_at=NOW)
    insert([again], ignore_conflicts=True)
    assert OutboxMessage.objects.get(key="k").payload == {"n": 1}
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([again])


def test_no_rows_are_no_statement(cast, django_assert_num_queries):
    with django_assert_num_queries(0):
        insert([])


@pytest.mark.django_db(transaction=True)
def test_a_statement_stays_planned_where_a_transaction_is_rolled_back(real_cast):
    """Each refusal is a rollback; what drops a table still makes the connection forget."""

    def kept() -> list[tuple[str, int]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT statement, generic_plans FROM pg_prepared_statements"
                " WHERE statement LIKE '%%accounts_organisation%%' AND NOT from_sql"
            )
            return cursor.fetchall()

    connection.close()  # what others asked on it is no matter
    pk = real_cast.ustc.pk
    for number in range(12):
        with suppress(IntegrityError), transaction.atomic():
            with suppress(IntegrityError), transaction.atomic():
                assert BY_ID.first(pk=pk).code == "ustc"
                if number % 2:
                    raise IntegrityError
            raise IntegrityError
    ((_, planned_before),) = kept()
    assert planned_before > 0
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE passing (id int)")
        cursor.execute("DROP TABLE passing")
    assert kept() == []
    assert BY_ID.first(pk=pk).code == "ustc"


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_no_cursor_is_left_to_a_session(real_db):
    """As a pooler would lend the session to others between two pages of rows."""
    connection.ensure_connection()
    with connection.chunked_cursor() as cursor:
        assert not isinstance(cursor.cursor, ServerCursor)
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        assert isinstance(cursor.cursor, ServerCursor)


class TestFor:
    """What is compiled once for people who hold the same roles in the same number of places."""

    @staticmethod
    def beside(actor, now):
        rows = Membership.objects.filter(organisation__in=actor.own_organisations, started_at__lte=now)
        return rows.exclude(user_id=actor.person).order_by("pk").values_list("pk", "organisation_id")

    def test_each_gets_their_own_and_it_is_compiled_once(self, cast):
        asked, built = PreparedFor(), []

        def build(actor, now):
            built.append(actor.user_id)
            return self.beside(actor, now)

        for who in ("zhao", "chen"):  # managers of two organisations
            for now in (NOW, NOW - timedelta(days=9_000)):
                found = asked.rows("beside", build, cast.actor(who), now)
                assert found == list(self.beside(cast.actor(who), now))
        assert asked.rows("beside", build, cast.actor("zhao"), NOW)
        # For two who are not there.
        assert len(built) == 2 and not {person.pk for person in cast.people.values()} & set(built)

    @pytest.mark.parametrize("kept", [True, False])
    def test_what_cannot_be_filled_in_is_compiled_each_time(self, cast, kept):
        def by_day(actor, now):
            rows = User.objects.filter(pk=actor.person)
            return (rows if kept else rows.filter(created_at__date__gte=now.date())).values_list("pk")

        def asking(actor, now):
            rows = User.objects.filter(pk=actor.person).values_list("pk")
            return rows if kept or rows.count() else rows.none()

        User.objects.update(created_at=NOW)
        for build in (by_day, asking):
            asked = PreparedFor()
            for who in ("zhao", "chen"):
                assert asked.rows("own", build, cast.actor(who), NOW) == [(cast.people[who].pk,)]
            assert (None in asked.compiled.values()) is not kept

    def test_none_where_nothing_can_be_found(self, cast, django_assert_num_queries):
        asked, zhao = PreparedFor(), cast.actor("zhao")
        with django_assert_num_queries(0):
            for _ in range(2):
                assert asked.rows("nobody", lambda *_: User.objects.none(), zhao, NOW) == []
