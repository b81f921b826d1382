"""What is gone from lists that programs copy: who is told, for how long, and that nothing else goes."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import CASCADE, Model
from django.utils import timezone

from accounts.areas import GONE, areas
from accounts.domain.roles import By
from accounts.work import kept
from bookings.models import Deletion, Need, SampleItem, Settlement
from bookings.needs.services.needs import need_share, need_unshare
from bookings.privacy.services.persons import person_close
from bookings.privacy.services.retention import records_remove
from bookings.record.models.copies import Copied
from bookings.samples.services.joining import sample_leave
from tests.factories.cast import NOW, reserve
from tests.factories.needs import need_of
from tests.factories.samples import announce, join

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOBODY = UUID(int=1)


@pytest.fixture
def cast(shared_cast):
    return shared_cast


def gone(program, who, query=""):
    answer = program(who).get(f"deletions/{query}")
    assert answer.status == 200
    return [(row["kind"], row["id"]) for row in answer.body["results"]]


def left(cast, who="wang"):
    """A sample that was taken off its booking."""
    booking, sample = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00"), announce(cast)
    join(cast, booking, sample)
    sample_leave(By(cast.actor(who), NOW), reservation_id=booking.pk, sample_id=sample.pk)
    return booking, sample


def test_a_sample_off_its_booking_is_gone_for_its_host_alone(cast, program):
    booking, sample = left(cast)
    assert gone(program, "zhao") == [("sample", str(sample.pk))]
    assert all(gone(program, who) == [] for who in cast.people if who != "zhao" and who != "admin")
    assert gone(program, "zhao", "?kind=need") == []
    join(cast, booking, sample)
    assert gone(program, "zhao") == []
    assert program("zhao").get(f"samples/{sample.pk}/").status == 200


def test_what_a_host_sees_as_its_owner_is_not_gone(cast, program):
    _, sample = left(cast)
    SampleItem.objects.update(organisation=cast.ustc)
    assert gone(program, "zhao") == []
    assert Deletion.objects.get().about == sample.pk


def test_a_need_is_gone_for_who_no_longer_reads_it(cast, program):
    need, by = need_of(cast), By(cast.actor("wang"), NOW)
    EmailAddress.objects.create(user=cast.people["hu"], email="Hu@lab.example", verified=True)
    for person in (str(cast.people["sun"].pk), "hu@lab.example", "nobody@lab.example"):
        need_share(by, need_id=need.pk, person=person)
    assert not Deletion.objects.exists()
    for person in (str(cast.people["sun"].pk), "hu@lab.example", "nobody@lab.example"):
        need_unshare(by, need_id=need.pk, person=person)
    assert Deletion.objects.count() == 2
    for who in ("sun", "hu"):
        assert gone(program, who) == [("need", str(need.pk))]
    assert gone(program, "wang") == gone(program, "chen") == gone(program, "zhao") == []
    need_share(by, need_id=need.pk, person=str(cast.people["sun"].pk))
    assert gone(program, "sun") == []


def test_a_reader_named_in_two_ways_stays_one(cast, program):
    need, by, sun = need_of(cast), By(cast.actor("wang"), NOW), cast.people["sun"]
    EmailAddress.objects.create(user=sun, email="sun@lab.example", verified=True)
    for person in (str(sun.pk), "sun@lab.example"):
        need_share(by, need_id=need.pk, person=person)
    need_unshare(by, need_id=need.pk, person=str(sun.pk))
    assert not Deletion.objects.exists()
    assert program("sun").get(f"needs/{need.pk}/").status == 200


def test_what_goes_with_an_account_is_gone_for_those_who_saw_it(cast, program):
    need, sample = need_of(cast), announce(cast)
    need_share(By(cast.actor("wang"), NOW), need_id=need.pk, person=str(cast.people["sun"].pk))
    person_close(user=cast.wang, now=NOW)
    assert not Need.objects.exists() and not SampleItem.objects.exists()
    assert sorted(gone(program, "chen")) == [("need", str(need.pk)), ("sample", str(sample.pk))]
    assert gone(program, "sun") == [("need", str(need.pk))]
    assert gone(program, "zhao") == gone(program, "xu") == []


def test_a_deletion_is_kept_for_ninety_days(cast):
    left(cast)
    row = Deletion.objects.get()
    records_remove(now=row.modified + 90 * DAY)
    assert Deletion.objects.exists()
    records_remove(now=row.modified + 90 * DAY + DAY)
    assert not Deletion.objects.exists()


def test_an_older_moment_is_refused_and_a_later_one_finds_nothing(cast, program):
    _, sample = left(cast)
    zhao = program("zhao")
    (row,) = zhao.get("deletions/").body["results"]
    assert set(row) == {"kind", "id", "deleted_at"}
    since = row["deleted_at"]
    assert gone(program, "zhao", f"?updated_since={since}") == [("sample", str(sample.pk))]
    assert gone(program, "zhao", "?updated_since=2099-01-01T00:00:00Z") == []
    now = timezone.now()
    for many, status in ((89, 200), (91, 410)):
        moment = (now - many * DAY).isoformat().replace("+00:00", "Z")
        assert zhao.get(f"deletions/?updated_since={moment}").status == status
    assert zhao.get("deletions/?kind=booking").status == 400


@pytest.mark.parametrize("row", [{}, {"host": NOBODY}, {"person": NOBODY, "kind": "booking"}])
def test_a_deletion_is_of_a_kind_and_for_somebody(db, row):
    with pytest.raises(IntegrityError), transaction.atomic():
        Deletion.objects.create(**{"kind": "need", "about": NOBODY} | row)


# Rows of copied lists that somebody deletes, and what tells of it; nothing deletes a row of the others.
NOTED = {"bookings.Need": "needs_forget", "bookings.SampleItem": "samples_forget"}
NEVER = {
    "bookings.Charge",
    "bookings.Enquiry",
    "bookings.HandOff",
    "bookings.Reservation",
    "bookings.Settlement",
    "bookings.Statement",
}


def copied() -> set[type[Model]]:
    return {one for one in apps.get_models() if issubclass(one, Copied) and one is not Deletion}


def test_every_copied_list_says_what_goes_from_it():
    assert {one._meta.label for one in copied()} == NOTED.keys() | NEVER


def test_nothing_deletes_a_row_of_the_other_lists():
    """No key takes it along, no account, no period; held slots, which are in no list of changes, expire."""
    for one in (apps.get_model(label) for label in NEVER):
        keys = [key for key in one._meta.get_fields() if key.concrete and key.is_relation]
        assert not [key.name for key in keys if key.remote_field.on_delete is CASCADE], one
        for area in areas():
            tables = [table for table in area.personal if table.model is one]
            assert GONE not in [fate for table in tables for fate in table.keys.values()], one
    purged = {rows.model._meta.label: each.kind for each in kept() for rows in each.past(NOW)}
    assert {kind for label, kind in purged.items() if label in NOTED.keys() | NEVER} == {"holds"}
    names = "|".join(label.partition(".")[2] for label in NEVER | NOTED.keys())
    deletes = re.compile(rf"\b({names})\.objects\b[^\n]*\.delete\(")
    sources = [path for app in ("accounts", "instruments", "bookings") for path in Path(app).rglob("*.py")]
    assert not [path for path in sources if deletes.search(path.read_text(encoding="utf-8"))]


def test_each_copied_table_has_its_trigger_and_index(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%%\\_modified'")
        tables = {name for (name,) in cursor.fetchall()}
    assert tables == {one._meta.db_table for one in {*copied(), Deletion}}
    for one in {*copied(), Deletion} - {Settlement}:  # a few of each month
        assert ["modified", "id"] in [index.fields for index in one._meta.indexes], one
