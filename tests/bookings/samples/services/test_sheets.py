"""The safety data sheet of a sample: a PDF, read by both sides."""

from typing import Any

import pytest

from accounts.domain.errors import Invalid, NotFound, WrongVersion
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.models import SafetySheet, SampleItem
from bookings.record.domain.refusals import RulesRefuse
from bookings.samples.selectors.samples import sheet_by_id
from bookings.samples.services.samples import SampleValues, sample_announce, samples_forget
from bookings.samples.services.sheets import sheet_put, sheet_remove
from instruments.attachments.adapters.files import file_open
from tests.factories.attachments import picture
from tests.factories.cast import NOW, Cast, reserve
from tests.factories.samples import announce, join, refuse

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 acetone %%EOF"


def put(cast: Cast, sample: SampleItem, who: str = "wang", content: bytes = PDF, version: Any = None) -> Any:
    by = By(cast.actor(who), NOW, version)
    return sheet_put(by, sample_id=sample.pk, file=("acetone.pdf", content))


def read(pk: Any) -> bytes | None:
    file = file_open(pk, "file")
    return file and file.read()


def test_its_owner_puts_it_and_both_sides_read_it(cast: Cast) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    sample = announce(cast)
    put(cast, sample)
    sheet = SafetySheet.objects.get()
    assert (sheet.title, sheet.media_type, read(sheet.pk)) == ("acetone.pdf", "application/pdf", PDF)
    with pytest.raises(NotFound):
        sheet_by_id(cast.actor("zhao"), sheet.pk)  # not theirs yet
    join(cast, booking, sample)
    assert sheet_by_id(cast.actor("zhao"), sheet.pk) == sheet
    for who in ("sun", "hu"):
        with pytest.raises(NotFound):
            sheet_by_id(cast.actor(who), sheet.pk)
    for who in ("zhao", "sun"):
        with pytest.raises(NotFound):
            put(cast, sample, who)
        with pytest.raises(NotFound):
            sheet_remove(By(cast.actor(who), NOW), sample_id=sample.pk)
    entry = TrailEntry.objects.filter(action="sample.sheet").latest("at", "id")
    assert entry.after["digest"] == sheet.digest


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (picture(), "not-a-pdf"),
        (b"<html>", "unknown-file"),
        (b"", "unknown-file"),
        (b"%PDF-1.7 no end", "broken-file"),
        (PDF + b" " * 25_000_000, "upload-too-large"),
    ],
)
def test_what_is_no_pdf_is_refused(cast: Cast, content: bytes, code: str) -> None:
    sample = announce(cast)
    with pytest.raises(Invalid) as refused:
        put(cast, sample, content=content)
    assert refused.value.problems[0].code == code
    with pytest.raises(Invalid):
        by = By(cast.actor("wang"), NOW)
        sample_announce(by, values=SampleValues("More"), sheet=("a.pdf", content))
    assert SampleItem.objects.count() == 1
    assert not SafetySheet.objects.exists()


def test_another_takes_its_place_and_who_read_an_older_version_changes_nothing(cast: Cast) -> None:
    sample = announce(cast)
    put(cast, sample, version=1)
    first = SafetySheet.objects.get()
    with pytest.raises(WrongVersion):
        put(cast, sample, version=1, content=b"%PDF-1.7 other %%EOF")
    assert SafetySheet.objects.get() == first
    put(cast, sample, version=2, content=b"%PDF-1.7 other %%EOF")
    second = SafetySheet.objects.get()
    assert second != first
    entry = TrailEntry.objects.filter(action="sample.sheet").latest("at", "id")
    assert entry.before == {"sheet": str(first.pk), "digest": first.digest}
    assert entry.after == {"sheet": str(second.pk), "digest": second.digest}
    sheet_remove(By(cast.actor("wang"), NOW), sample_id=sample.pk)
    entry = TrailEntry.objects.filter(action="sample.sheet").latest("at", "id")
    assert entry.before["digest"] == second.digest
    assert entry.after == {"sheet": None, "digest": ""}


def test_samples_announced_together_share_one_until_the_last_gives_it_up(cast: Cast) -> None:
    by = By(cast.actor("wang"), NOW)
    one, other = sample_announce(by, values=SampleValues("Powder"), number=2, sheet=("a.pdf", PDF))
    sheet = SafetySheet.objects.get()
    assert {one.sheet_id, other.sheet_id} == {sheet.pk}
    for entry in TrailEntry.objects.filter(action="sample.announce"):
        assert (entry.after["sheet"], entry.after["digest"]) == (str(sheet.pk), sheet.digest)
    sheet_remove(by, sample_id=one.pk)
    assert SafetySheet.objects.get() == sheet
    samples_forget(by, user=cast.wang)
    assert not SafetySheet.objects.exists()


def test_an_announcement_that_is_refused_keeps_no_sheet(cast: Cast) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    refuse(cast, cast.microscope, "radioactive")
    values = SampleValues("Ore", hazards=["radioactive"])
    with pytest.raises(RulesRefuse):
        sample_announce(
            By(cast.actor("wang"), NOW), values=values, reservation_id=booking.pk, sheet=("a.pdf", PDF)
        )
    assert not SampleItem.objects.exists()
    assert not SafetySheet.objects.exists()
