"""Keep instruments in a person's own lists. They are private, so the trail does not record them."""

from uuid import UUID

from django.db import transaction

from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.models import User
from accounts.selectors.rows import visible
from bookings.browsing.domain.lists import LONGEST_NAME, LONGEST_NOTE, MOST_ENTRIES, MOST_LISTS
from bookings.browsing.models import InstrumentList, ListEntry
from bookings.browsing.selectors.lists import own_entry, own_list
from instruments.register.selectors.registry import instruments_for


@transaction.atomic
def list_create(by: By, *, name: str) -> InstrumentList:
    """Create a list. Raise `WrongState` (too-many-lists), `Invalid` (required, too-long, name-taken)."""
    _lock(by)
    return _create(by, _free_name(by, name))


@transaction.atomic
def list_rename(by: By, *, list_id: UUID, name: str) -> InstrumentList:
    """Rename a list. Raise `WrongState` (favourites-named), `Invalid` (required, too-long, name-taken)."""
    _lock(by)
    row = _own(by, list_id)
    if row.is_favourites:
        raise WrongState("favourites-named")
    if name != row.name:
        row.name = _free_name(by, name)
        row.version += 1
        row.save(update_fields=["name", "version"])
    return row


@transaction.atomic
def list_delete(by: By, *, list_id: UUID) -> None:
    """Delete a list with its entries and their notes."""
    _lock(by)
    _own(by, list_id).delete()


@transaction.atomic
def entry_keep(by: By, *, instrument_id: UUID, list_id: UUID | None = None, note: str = "") -> ListEntry:
    """Add an instrument to a list, by default to the favourites; an existing entry stays as it is. Raise
    `WrongState` (too-many-lists, too-many-entries), `Invalid` (too-long)."""
    instrument = visible(instruments_for(by.actor), pk=instrument_id)
    _check_note(note)
    _lock(by)
    if list_id is not None:
        kept_in = own_list(by.actor, list_id)
    else:
        favourites = InstrumentList.objects.filter(user_id=by.actor.person, name="")
        kept_in = favourites.first() or _create(by, "")
    entries = ListEntry.objects.filter(list=kept_in)
    if entry := entries.filter(instrument=instrument).first():
        return entry
    if entries.count() >= MOST_ENTRIES:
        raise WrongState("too-many-entries", most=MOST_ENTRIES)
    return ListEntry.objects.create(
        list=kept_in,
        instrument=instrument,
        name=instrument.name,
        name_zh=instrument.name_zh,
        note=note,
        created_at=by.now,
    )


@transaction.atomic
def entry_note(by: By, *, entry_id: UUID, note: str) -> ListEntry:
    """Replace the note of an entry. Raise `Invalid` (too-long)."""
    _check_note(note)
    _lock(by)
    entry = own_entry(by.actor, entry_id)
    by.require_version(entry.version)
    if note != entry.note:
        entry.note = note
        entry.version += 1
        entry.save(update_fields=["note", "version"])
    return entry


@transaction.atomic
def entry_remove(by: By, *, entry_id: UUID) -> ListEntry:
    """Remove an entry from its list, and return what it was."""
    _lock(by)
    entry = own_entry(by.actor, entry_id)
    by.require_version(entry.version)
    entry.delete()
    return entry


@transaction.atomic
def star_remove(by: By, *, instrument_id: UUID) -> None:
    """Remove an instrument from the favourites, if it is among them."""
    _lock(by)
    ListEntry.objects.filter(
        list__user_id=by.actor.person, list__name="", instrument_id=instrument_id
    ).delete()


def _lock(by: By) -> None:
    """Lock the person's row, so that changes to their lists are made one after the other."""
    User.objects.select_for_update(no_key=True).get(pk=by.actor.person)


def _own(by: By, list_id: UUID) -> InstrumentList:
    row = own_list(by.actor, list_id)
    by.require_version(row.version)
    return row


def _create(by: By, name: str) -> InstrumentList:
    own = InstrumentList.objects.filter(user_id=by.actor.person)
    if own.count() >= MOST_LISTS:
        raise WrongState("too-many-lists", most=MOST_LISTS)
    return InstrumentList.objects.create(user_id=by.actor.person, name=name, created_at=by.now)


def _free_name(by: By, name: str) -> str:
    if not name:
        raise invalid("name", "required")
    if len(name) > LONGEST_NAME:
        raise invalid("name", "too-long", most=LONGEST_NAME)
    if InstrumentList.objects.filter(user_id=by.actor.person, name=name).exists():
        raise invalid("name", "name-taken")
    return name


def _check_note(note: str) -> None:
    if len(note) > LONGEST_NOTE:
        raise invalid("note", "too-long", most=LONGEST_NOTE)
