"""Codes to sentences, in the reader's language. Codes never change; sentences may."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from instruments.messages import (
    ADDRESS_SENTENCES,
    FILE_SENTENCES,
    HARVEST_SENTENCES,
    HAZARD_LABELS,
)


class Plural(NamedTuple):
    """A sentence for one and for many of what the number of this name counts. Django's own would
    read a per cent in it as a placeholder."""

    one: str
    many: str
    number: str = ""

    def of(self, count: object) -> str:
        """The form for a count, in the language in force."""
        return ngettext(self.one, self.many, 1 if str(count) == "1" else 2)


ngettext_lazy = Plural  # makemessages finds them by this name
# Every code a door may answer with. A test holds this list complete.
SENTENCES = {
    # why a file is refused, an address is not called, a harvest failed
    **FILE_SENTENCES,
    **ADDRESS_SENTENCES,
    **HARVEST_SENTENCES,
    # shape
    "invalid": _("The request is malformed."),
    "required": _("This is needed."),
    "unknown-field": _("There is no such field."),
    "unknown-value": _("This is not one of the choices."),
    "no-such-parameter": _("There is no such parameter. Did you mean {nearest}?"),
    "not-a-requirement": _("Write it as CODE:LOW:HIGH; a side that is not required stays empty."),
    "unknown-unit": _("This is none of its units: {allowed}."),
    "maximum-below-minimum": _("The largest value is below the smallest."),
    "none-without-values": _("What is not available has no values."),
    "capability-there-already": _("This parameter is stated already under this condition."),
    "unknown-choice": _("This is not one of: {allowed}."),
    "out-of-range": _("This must be between {least} and {most}."),
    "too-long": _("This is too long: at most {most} characters."),
    "too-many": _("There are too many: at most {most}."),
    "too-small": _("This is too small: at least {least}."),
    "too-large": _("This is too large: at most {most}."),
    "too-many-decimals": _("This has too many decimals: at most {decimals}."),
    "not-a-text": _("This must be a text."),
    "not-an-integer": _("This must be a whole number."),
    "not-a-decimal": _("This must be a decimal number such as 12.50."),
    "not-a-seal": _("This must be a seal's number and digest such as 7:9f86…, 64 hex digits."),
    "not-an-id": _("This must be an id such as 0197a1de-0000-7000-8000-000000000001."),
    "not-an-address": _("This must be a web address that begins with http:// or https://."),
    "not-a-mail-address": _("This must be an e-mail address."),
    "not-a-code": _("This must be a short code of letters, digits, dots, dashes and underscores."),
    "not-a-known-code": _(
        "No list of regions that comes with the platform has this code, so this is needed."
    ),
    "reserved-code": _("This code has a meaning of its own. Choose another."),
    "bad-character": _("This has a character that cannot be stored."),
    "repeated": _("This is listed twice."),
    "span-too-long": ngettext_lazy(
        "This span is too long: at most {days} day.",
        "This span is too long: at most {days} days.",
        "days",
    ),
    "too-many-figures": _(
        "These are too many rows at once: up to {rows}, of which at most {most} can be returned. "
        "Choose fewer days, coarser groups, or one region, organisation or instrument."
    ),
    "too-many-days": _(
        "This would have to be added up from {days} days of instruments, of which at most {most} "
        "can be read at once. Choose whole months, fewer days, or one region, organisation or "
        "instrument."
    ),
    "unknown-cursor": _("This is not a cursor of this list. Start again without it."),
    "malformed-version": _('This must be a version such as "3", with its quotation marks.'),
    "unknown-currency": _("This is not a currency the platform can account in, such as CNY."),
    "unknown-price-group": _("There is no such price group."),
    "not-after-valid-from": _("This must be after the first day."),
    "first-not-zero": _("The first tier must begin at 0 minutes."),
    "not-increasing": _("Each tier must begin after the one before it."),
    "priced-per-sample": _(
        "This instrument is priced by the sample: choose the service mode entrusted."
    ),
    "end-before-start": _("The end must not be before the start."),
    "not-an-object": _("This must be an object with named fields."),
    "not-an-object-of": _("This must be an object with the fields {fields}."),
    "not-a-list": _("This must be a list."),
    "not-a-boolean": _("This must be true or false."),
    "not-a-time": _("This must be a time such as 08:30."),
    "not-a-date": _("This must be a date such as 2026-03-06."),
    "not-a-month": _("This must be a month such as 2026-03."),
    "not-an-instant": _("This must be an instant such as 2026-03-06T10:00:00+08:00."),
    "naive-time": _("This instant has no offset from UTC: add Z or one such as +08:00."),
    "not-a-weekday": _("A weekday is a number from 1 (Monday) to 7 (Sunday)."),
    "not-a-multiple": ngettext_lazy(
        "This must be a multiple of the slot, {slot_minutes} minute.",
        "This must be a multiple of the slot, {slot_minutes} minutes.",
        "slot_minutes",
    ),
    "less-than-min": ngettext_lazy(
        "This must be at least the shortest length, {min_minutes} minute.",
        "This must be at least the shortest length, {min_minutes} minutes.",
        "min_minutes",
    ),
    "not-after-start": _("This must be after the start."),
    "later-than-before": _("A closure can only be ended earlier than planned."),
    "before-valid-from": _("This must not be before the first day."),
    "date-twice": _("The date {date} is listed twice."),
    "windows-overlap": _("Two opening times overlap."),
    "unknown-calendar": _(
        "There is no such calendar of public holidays. One is, for example, CN or GB-SCT."
    ),
    "unknown-time-zone": _("There is no such time zone. One is, for example, Asia/Shanghai."),
    "name-taken": _("This name is already taken."),
    "not-offered": _("The instrument does not offer this way of service."),
    "organisation-needed": _("Choose the organisation: you belong to several, or to none."),
    "not-a-member": _("You are not a member of {organisation}."),
    "in-the-past": _("This is in the past."),
    "overlaps-version": _("Version {version} is in force on some of these days."),
    "leaves-gap": _(
        "Between this and version {version} there would be days without a price, up to or from"
        " {day}. Begin or end next to it."
    ),
    "version-used": _(
        "Bookings were made by version {version}: another can take over on {day} at the earliest."
    ),
    "closed-already": _("Some of this time is closed already."),
    "not-one-of-theirs": _("{organisation} has no active member of this name."),
    "another-currency": _(
        "On that day prices are in another currency than what was charged for shortening."
    ),
    "another-booking": _("The held slot belongs to another booking."),
    "in-use": _("The instrument is in use: only the end can change."),
    "unknown-option": _("The rate card has no such option."),
    "unknown-person": _(
        "There is no account by this id or e-mail address: they sign up first, or accept an"
        " invitation of an organisation."
    ),
    "instrument-or-technique": _("Name an instrument or a technique: one of the two."),
    "not-the-host": _("Only the owner of the instrument certifies for it."),
    "rule-malformed": _(
        "This is not a rule of recurrence such as FREQ=WEEKLY;COUNT=10. Not understood: {part}"
    ),
    "rule-unsupported": _(
        "A rule of recurrence is daily, weekly or monthly, on given days. Not possible: {part}"
    ),
    "rule-without-end": _("Specify how many times (COUNT) or until when (UNTIL)."),
    "rule-ends-twice": _("Specify either how many times (COUNT) or until when (UNTIL), not both."),
    "rule-empty": _("The rule has no date from the start on."),
    "gap-backwards": ngettext_lazy(
        "The longest pause must not be shorter than the shortest, {least} minute.",
        "The longest pause must not be shorter than the shortest, {least} minutes.",
        "least",
    ),
    "not-one-each": _("There must be one for each of the {steps} steps."),
    "not-of-the-series": _("This booking is not one of the series."),
    "longer-than-window": _("The window is too short for this, or too little of it is left."),
    "only-with-equivalents": _("Regions count only where an equivalent instrument will do."),
    "unknown-region": _("There is no region with the code {region}."),
    "norm-of-a-past-year": _(
        "What {year} and the years before it were reported by stays: begin on the first of January"
        " {year} at the earliest."
    ),
    "norm-entered-already": _("Norm hours for this kind already start on this day."),
    "weeks-cross-months": _("Weeks cross months and years: sum up by one of them."),
    "whole-months": _("Public figures are of whole months: name the first day of one."),
    "in-the-future": _("This is in the future."),
    "not-near-the-booking": _(
        "This is not near the booking: use begins at most 15 minutes before it and before its"
        " end, and ends at most 12 hours after it."
    ),
    "was-cancelled": _("The booking was cancelled: it has no times of use."),
    "was-not-used": _("The booking was not used: only its fee can be waived."),
    "nothing-changes": _("This would not change the charge."),
    "nothing-changes-by-sample": _(
        "This would not change the charge: this rate card charges samples, not time."
    ),
    "nothing-changes-by-booking": _(
        "This would not change the charge: this rate card charges the reserved time, however "
        "much of it was used."
    ),
    "nothing-changes-booking-at-least": _(
        "This would not change the charge: this rate card charges at least the reserved time, "
        "and longer use only past its end."
    ),
    "nothing-changes-same-times": _(
        "This would not change the charge: it was computed from these times already."
    ),
    "nothing-changes-same-length": _(
        "This would not change the charge: the time is as long, at the same rates."
    ),
    "nothing-changes-minimum": ngettext_lazy(
        "This would not change the charge: this rate card charges at least {minutes} minute.",
        "This would not change the charge: this rate card charges at least {minutes} minutes.",
        "minutes",
    ),
    "nothing-changes-rounding": ngettext_lazy(
        "This would not change the charge: rounded up to {minutes} minute the time is the same.",
        "This would not change the charge: rounded up to {minutes} minutes the time is the same.",
        "minutes",
    ),
    "both-times": _("Enter both when it began and when it ended."),
    "not-a-whole": _("The percents must add up to 100."),
    "unknown-source": _("There is no such funding source, or you may not charge it."),
    "budget-below-use": _(
        "{used} {currency} are set aside or spent already: the budget cannot be less."
    ),
    "currency-in-use": _("It has been charged already: its currency stays."),
    "too-few": _("There are too few: at least {least}."),
    "agreed-already": _(
        "Exactly these regions already have an agreement in force on some of these days: "
        "{codes}. End it first, or choose other days."
    ),
    "code-taken": _("This code is already taken. Choose another."),
    "repeated-in-line": _("Line {line} has this code already."),
    "lies-elsewhere": _(
        "The organisation lies in {region}. It is moved to another region on its own page."
    ),
    "register-rows-refused": ngettext_lazy(
        "{refused} of {rows} rows is refused, so nothing was changed.",
        "{refused} of {rows} rows are refused, so nothing was changed.",
        "refused",
    ),
    "too-many-organisation-requests": ngettext_lazy(
        "You have {most} request for an organisation that is not answered yet.",
        "You have {most} requests for organisations that are not answered yet.",
        "most",
    ),
    "one-of-both": _("Name an organisation that is there, or enter a new one; not both."),
    "same-place": _("This place is already there under its code in the other list: {other}."),
    "below-itself": _("A region cannot lie in itself or in a region below it."),
    "region-closed": _("This region is closed."),
    "region-has-organisations": _("The region still has open organisations."),
    "region-has-regions": _("There are still open regions below this region."),
    "region-shares-nothing": _(
        "Organisations belong to regions that share instruments. This region does not."
    ),
    "organisation-closed": _("This organisation is closed."),
    "small-is-enterprise": _("Only an enterprise can be small."),
    "not-a-ror": _(
        "This is not a ROR identifier such as https://ror.org/04c4dkn09, or it has a typing error."
    ),
    "not-a-ror-record": _(
        "This is not a record of ROR in JSON. Download it from the organisation's page on ror.org."
    ),
    "region-does-not-share": _("This is not one of the regions that share instruments."),
    "not-a-member-region": _("This region is not a member of the agreement."),
    "ends-before-that": _("It ends on {day} already: choose an earlier day."),
    "below-granted": _("{amount} {currency} have been granted already."),
    "below-used": _("{amount} {currency} of it are set aside or spent already."),
    "programme-short": _("The programme has only {amount} {currency} left to grant."),
    "outside-programme": _("This is outside the dates of the programme."),
    "granted-already": _("This cannot change any more: grants have been made."),
    "not-of-the-region": _("This organisation does not belong to the region of the programme."),
    "kind-not-served": _("The programme is not for organisations of this kind."),
    "month-not-over": _("This month is not over yet where the host is."),
    "nothing-paid": _("Enter an amount other than 0."),
    "more-than-owed": _("At most {most} {currency} is still to pay."),
    "nothing-to-pay": _("Nothing is to be paid on it."),
    "already-reported": _("You have reported this payment already."),
    "more-than-paid": _("Only {most} {currency} has been paid: no more can be reversed."),
    "same-currency": _("These must be two currencies."),
    "unknown-rate": _("Your finance office has entered no such rate of {base}."),
    # signing in elsewhere
    "unknown-scope": _("“{scope}” is no scope: one looks like example.edu."),
    "scope-taken": _("{scope} belongs to {organisation} already."),
    "scope-not-allowed": _("The provider is not trusted for {scope}."),
    "no-identifier": _("The provider gave no lasting identifier ({wanted})."),
    "sign-in-used": _("This answer was used before, or came too late: start again."),
    "provider-id-taken": _("This short name belongs to an entry of another kind."),
    # files of bookings
    "file-too-large": _("The file is too large: at most {most} kB."),
    "old-workbook": _(
        "This is a workbook of an old kind, or has a password. Save it as .xlsx without one, or as"
        " CSV."
    ),
    "column-twice": _("The columns {first} and {column} mean the same: keep one of them."),
    "column-missing": _("The file lacks a column: {columns}."),
    "no-rows": _("The file has no rows."),
    "not-base64": _("This must be the content of the file in base64."),
    "wrong-cells": ngettext_lazy(
        "The row has {cells} cell, the first line {columns}.",
        "The row has {cells} cells, the first line {columns}.",
        "cells",
    ),
    "cell-too-long": _("The cell of column {column} is too long: at most {most} characters."),
    "malformed-quotes": _("The quotation marks of the row make no sense."),
    "error-cell": _("The cell of column {column} holds an error of the spreadsheet."),
    "not-a-moment": _(
        "This must be a date and a time, year first, such as 2026-03-09 09:00, with or without an"
        " offset such as +08:00."
    ),
    "time-skipped": _(
        "There is no such time in {zone}: the clocks are put forward then. Correct it, or add the"
        " offset from UTC."
    ),
    "time-twice": _(
        "This time comes twice in {zone}: the clocks are put back then. Add the offset from UTC."
    ),
    "unknown-instrument": _(
        "You can see no instrument of this id, identifier, number or name, whole and as it is"
        " written in the catalogue."
    ),
    "several-instruments": _("{count} instruments are called so: name it by its id."),
    "not-an-option": _("Options are written code=2; code=1. Not understood: {part}"),
    "not-for-others": _(
        "With this payer you may not book for other people. Leave it empty for what is yours."
    ),
    "not-for-yourself": _(
        "You may not book for yourself with this payer: that needs the role of a researcher. Name"
        " the person."
    ),
    "reference-repeated": _("Row {first} has this reference already."),
    "imported-otherwise": _(
        "A row of this reference was imported before and said another instrument, time or person."
        " Change that booking on its page, or give this row a reference of its own."
    ),
    "rows-refused": ngettext_lazy(
        "{refused} of {rows} rows is refused, so nothing was booked.",
        "{refused} of {rows} rows are refused, so nothing was booked.",
        "refused",
    ),
    # who
    "not-permitted": _("You may not do this."),
    "not-signed-in": _("Sign in, or send a token."),
    "bad-token": _("The token is unknown, expired or revoked."),
    "scope-missing": _("The token may not do this: it lacks the scope {scope}."),
    "second-factor-missing": _("Your role needs a second factor: set one up in your profile."),
    "second-factor-unconfirmed": _(
        "Sign in with your second factor: your role needs it. A token created without one has to "
        "be created again."
    ),
    "csrf": _("The page was open too long. Load it again and repeat what you did."),
    "own-request": _("You cannot decide on your own request."),
    "own-override": _("You cannot override rules for yourself: another manager has to."),
    "own-role": _("You cannot give yourself a role: another manager or an administrator has to."),
    "own-charge": _("You cannot decide on a charge of your own booking."),
    "own-dispute": _("Somebody else has to answer the dispute that you opened."),
    "own-correction": _("A second person has to agree to a correction or refuse it."),
    "no-second-accountant": _(
        "Somebody else has to do this, and nobody else of {place} may: its managers, or an"
        " administrator, give another member the role manager or finance (People, Members)."
    ),
    "no-second-manager": _(
        "Somebody else has to do this, and nobody else manages {place}: its managers, or an"
        " administrator, give another member the role manager (People, Members)."
    ),
    "no-second-coordinator": _(
        "A coordinator of {place} has to do this, and there is none who may: an administrator"
        " appoints one (People, Roles)."
    ),
    "no-second-auditor": _(
        "You booked, made or decided on something that this is about, so another auditor decides;"
        " there is none: an administrator appoints one (People, Roles)."
    ),
    "second-exists": _("Somebody else may do this by now. Load the page again."),
    "second-asked": _("They were asked today already. Ask again tomorrow."),
    "not-your-proposal": _("Only the person who proposed it can withdraw it."),
    "own-qualification": _("You cannot certify yourself."),
    "another-person": _("The other region has to be confirmed by another person."),
    "duties-conflict": _(
        "The duties exclude one another: an auditor cannot be an administrator, or a manager, "
        "finance officer or coordinator of what they audit. Remove the other role first."
    ),
    "own-case": _(
        "Another auditor decides on this: you booked, made or decided on something that it is"
        " about."
    ),
    "member-first": _(
        "Roles at an organisation are for its members, and this person is not one: send an "
        "invitation, which can include roles."
    ),
    "not-of-this-role": _("This role does not apply there."),
    "last-manager": _("Nobody else manages this organisation: make another person manager first."),
    "move-ahead": _("A move to another region is ahead: withdraw it first."),
    "kept-for-both": _("Hours of an instrument are kept for both at the same time: end one first."),
    "same-region": _("It belongs to this region already."),
    "too-far-away": _("This is more than two years away."),
    "before-last-move": _("This is not after its last move, on {day}."),
    "same-organisation": _("An organisation cannot be merged into itself."),
    "organisation-busy": _("The organisation is being worked with. Try again in a moment."),
    "bookings-ahead": ngettext_lazy(
        "{count} booking is not over yet: move or cancel it first.",
        "{count} bookings are not over yet: move or cancel them first.",
        "count",
    ),
    "instruments-published": ngettext_lazy(
        "{count} instrument is still published: retire it first.",
        "{count} instruments are still published: retire them first.",
        "count",
    ),
    "charges-to-make": ngettext_lazy(
        "{count} booking that is over is still to be charged.",
        "{count} bookings that are over are still to be charged.",
        "count",
    ),
    "charges-not-drawn": ngettext_lazy(
        "{count} charge is not on a statement yet.",
        "{count} charges are not on a statement yet.",
        "count",
    ),
    "charges-open": ngettext_lazy(
        "{count} charge is not final yet.", "{count} charges are not final yet.", "count"
    ),
    "statements-unpaid": ngettext_lazy(
        "{count} statement is not paid yet.", "{count} statements are not paid yet.", "count"
    ),
    "last-administrator": _(
        "There is no other administrator: make another person administrator first."
    ),
    "demonstration": _(
        "This is the demonstration: a real installation begins in its own database."
    ),
    "unconfirmed-account": _(
        "There is an account with this address that is closed, or whose owner has not confirmed"
        " the address. Confirm it first, or name another address."
    ),
    "another-address": _(
        "This invitation went to another e-mail address than yours. Sign in with the account of"
        " that address."
    ),
    "not-found": _("There is nothing here, or you may not see it."),
    # joining
    "not-a-mail-domain": _("This must be a mail domain such as example.edu."),
    "public-mail-domain": _(
        "Anyone can get an address at {domain}: it does not show which organisation they belong to."
    ),
    "already-member": _("The person is a member already."),
    "already-asked": _("You have already asked: the answer is pending."),
    "too-many-requests-to-join": _(
        "You are already waiting for {most} answers: withdraw one of the requests first."
    ),
    "too-many-invitations": _("{most} invitations are open already: withdraw some first."),
    "invited-too-often": _(
        "This address was sent {most} invitations within a day. Try again tomorrow."
    ),
    "too-many-invitations-today": _(
        "{most} invitations were sent within a day. Send the others tomorrow."
    ),
    "too-many-to-invite-today": _(
        "The file has {wanted} people to invite; {left} can still be sent today, of {most} a day."
        " Split it, or send the rest tomorrow."
    ),
    "too-many-to-invite": _(
        "The file has {wanted} people to invite; {left} more can be open at once, of {most}."
        " Withdraw some, or split it."
    ),
    "people-refused": ngettext_lazy(
        "{refused} of {rows} rows is refused: nobody was invited.",
        "{refused} of {rows} rows are refused: nobody was invited.",
        "refused",
    ),
    "unknown-role": _("There is no role {role} here: researcher, manager or finance."),
    "another-organisation": _("This page is for one organisation: leave the column empty."),
    "invitation-used": _("This invitation was used already."),
    "invitation-withdrawn": _("This invitation was withdrawn. Ask for a new one."),
    "invitation-expired": _("This invitation has expired. Ask for a new one."),
    # leaving for good
    "booking-under-way": _("A booking of yours is under way: check out first."),
    "charges-not-final": _(
        "Charges of your bookings that are not final yet: {count}. Until then your organisation may"
        " have to ask you what they are for. A charge is final after seven days, a disputed one"
        " when it is answered."
    ),
    # state
    "correction-proposed": _(
        "A correction of this charge is waiting for a second person's decision."
    ),
    "charged-already": _("It is charged already. Correct the charge on its page."),
    "already-waiting": _("You are already on the waiting list for this."),
    "too-many-webhooks": _("There are {most} webhooks already: delete one of them first."),
    "ping-waits": _("A test is on its way already."),
    "required-message": _("This cannot be switched off so far: it is about money or safety."),
    "calendar-set-too-often": _(
        "A calendar can be saved at most {most} times an hour. It is read automatically every hour."
    ),
    "too-many-compared": _("At most {most} instruments are compared at once: remove one first."),
    "too-many-views": _("You already have {most} views of this list: delete one of them first."),
    "too-many-lists": _("You already have {most} lists: delete one of them first."),
    "too-many-entries": _("A list keeps at most {most} instruments: remove one of them first."),
    "favourites-named": _("Your favourites keep their name: make another list instead."),
    "too-many-searches": _("You already have {most} saved searches: delete one of them first."),
    "too-broad": _("This finds more than {most} instruments: filter further first."),
    "nothing-asked": _("This search has no conditions: every instrument would count as new."),
    "too-many-wishes": _("You already have {most} waiting-list entries: leave one of them first."),
    "no-terms": _(
        "Nothing of this text is known as something that can be found out. Use other words, or "
        "name a technique."
    ),
    "unknown-term": _("There is no measurand or technique with the code {term}."),
    "unknown-parameter": _("There is no parameter with the code {parameter}."),
    # results
    "path-too-long": _("A path has at most {most} characters and {levels} levels."),
    "path-wrong": _(
        "This path cannot be used: it leads elsewhere, or some system cannot have such a name."
    ),
    "path-taken": _("There is a file at this path already, or it is a folder: {path}."),
    "not-a-digest": _("This must be a SHA-256: 64 hex digits in lower case."),
    "too-many-files": _("There are {most} files already: pack several into one."),
    "offset-differs": _("The file goes on at byte {offset}."),
    "upload-busy": _("Another request is writing to this file."),
    "upload-lost": _("Some of this file was lost in storage. Remove it and upload it again."),
    "storage-full": _(
        "This does not fit into the storage of the host: {left} of {size} bytes are left."
    ),
    "piece-too-large": _("At most {most} bytes may come at once."),
    "other-tus-version": _("Only version {version} of the tus protocol is spoken here."),
    "checksum-differs": _("It came otherwise than it was sent. Send it again."),
    "files-not-ready": ngettext_lazy(
        "{count} file is not complete, not yet checked, or not as its sender stated it: {files}.",
        "{count} files are not complete, not yet checked, or not as stated: {files} …",
        "count",
    ),
    "not-a-host": _("This must be the name of a computer, with its port where it has one."),
    "not-checksums": _("These must be lines of a checksum and a file name."),
    "on-hold": _("These results are on legal hold."),
    "not-on-hold": _("These results are not on legal hold."),
    "not-collectable": _("These results are not released, or were deleted: nothing to collect."),
    "too-many-links": _(
        "No more links to these results are possible (most: {most}). Revoke one first."
    ),
    "link-days": _("A link ends within {most} days, and not before it begins."),
    "digest-differs": _("This is not the digest of the manifest: what you received is not whole."),
    "kept-too-long": _("Results are kept for {most} days after their release at most."),
    "keep-asked-already": _("The host was asked already and has not answered yet."),
    "keep-decided-already": _("This request was answered already."),
    "unknown-scheme": _("There is no such review scheme for the applicant."),
    "not-of-scheme": _("The review scheme does not cover this."),
    "class-too-large": _(
        "More than {most} instruments would have to be compared: name a narrower technique."
    ),
    "unknown-ground": _("There is no such ground."),
    "asked-already": _("This person is asked already."),
    "not-within-two-years": _("Name a day from today on, within two years."),
    "not-of-applicant": _("This instrument does not belong to the applicant."),
    "in-future": _("This day has not come yet."),
    "not-a-scheme": _("This is no review scheme."),
    "case-not-so-far": _("The state of the case does not allow this."),
    "nobody-to-ask": _("No other host has an instrument that may fit. Begin the review."),
    "too-few-opinions": _("A decision needs more opinions: {given} of {needed} are there."),
    "no-promise": _("No host has promised hours."),
    "nothing-to-pool": _("These two cases do not fill one instrument together."),
    "appealed-already": _("There was an appeal against a decision on this case already."),
    "too-late-to-appeal": _("An appeal was possible until {until}."),
    "opinion-given": _("Your opinion is given already."),
    "interest-not-declared": _("Declare first whether you have an interest in the case."),
    "no-rate-card": _("No rate by the hour is in force on this day: leave the price empty."),
    "other-currency": _("The rate card of the instrument is in {currency}."),
    "barred": _("You may give no opinion on this case."),
    "plan-past": _("This is over: name a time that is still ahead."),
    "plan-too-far": _("Purchases are planned three years ahead at most: until {last}."),
    "plan-over": _("This plan was dropped, or became a case: it is no longer changed."),
    "too-many-plans": _(
        "Too many purchases are planned already ({most}): drop some of them first."
    ),
    "too-many-needs": _("You already have {most} needs: withdraw one of them first."),
    "already-an-enquiry": _("This need is an enquiry already."),
    "enquiry-closed": _("This enquiry is closed."),
    "already-bid": _("There is a bid with this instrument already: change or withdraw it."),
    "bid-gone": _("This bid, or this time of it, stands no more."),
    "bids-changed": _("A bid came in or changed just now: look again."),
    "outside-window": _("The time lies outside what was asked for."),
    "batch-waiting": _("A batch of this region is being placed right now: wait for it."),
    "place-gone": _("This time is no longer kept for you."),
    "need-withdrawn": _("This need is withdrawn."),
    "conversation-full": _("This conversation takes no more comments (at most {most})."),
    "too-many-comments": _("Too many comments within an hour (at most {most}): wait a little."),
    "too-late-to-withdraw": _("It has stood for 15 minutes: it can no longer be withdrawn."),
    "same-time": _("The booking has this time already."),
    "proposal-lapsed": _("The proposed time has lapsed: its time is over, or the booking changed."),
    "proposal-decided": _("This proposal was answered, withdrawn or replaced already."),
    "proposer-gone": _("Whoever proposed it may no longer move this booking. Propose a new time."),
    "wrong-weights": _("Weights are numbers from 0 to 1, and not all of them 0."),
    "below-low": _("The upper end is below the lower one."),
    "too-many-holds": _("You already hold {most} slots: complete or release one of them first."),
    "hold-expired": _("The hold on this slot has expired."),
    "signed-already": _("Your region has signed this already."),
    # training
    "after-start": _("This must not be after the start."),
    "not-itself": _("A course cannot be its own prerequisite."),
    "not-of-the-host": _("Trainers are members of the organisation that gives the course."),
    "fewer-than-enrolled": ngettext_lazy(
        "{taken} place is taken already.", "{taken} places are taken already.", "taken"
    ),
    "course-retired": _("This course is not given any more."),
    "sessions-ahead": _("Sessions of it are still to come: {count}. Cancel them first."),
    "session-cancelled": _("This session was cancelled."),
    "session-begun": _("This session has begun already."),
    "session-not-begun": _("Results can be entered once the session has begun."),
    "session-full": ngettext_lazy(
        "The only place is taken, or others wait for it.",
        "All {places} places are taken, or others wait for them.",
        "places",
    ),
    "enrolment-closed": _("Enrolment has closed."),
    "already-enrolled": _("This person has a place already, or waits for one."),
    "gives-it": _("Trainers of a session cannot take a place in it."),
    "join-first": _("Places are for members of an organisation: join yours first."),
    "prerequisite-missing": _("The certificate of another course is needed first: {course}."),
    "not-for-course": _("Only the owner gives courses for it, at facilities of its own."),
    "already-qualified": _("The person holds this very certificate already."),
    "no-chain": _("There is no way to take all steps in this time. Give it more room."),
    "chain-over": _("This chain has nothing left to cancel."),
    "series-over": _("This series has nothing left to change."),
    "exception-needs-finding": _("An exception is confirmed by raising a finding of it."),
    "monetary-of-charges": _("Only charges have amounts to draw by."),
    "empty-population": _("There is nothing to draw from on these days."),
    "bundles-waiting": _(
        "{most} bundles are being written for you. Wait for one of them to finish."
    ),
    "bundle-not-ready": _("The bundle is not written yet, or no longer kept."),
    "not-sealed": _("No seal holds this entry yet. The next one will, in a few minutes."),
    "wrong-state": _("This is not possible any more: it is {state} now."),
    "has-payments": _("Money has been paid on it: reverse that payment first."),
    "too-early": _("Checking in is possible from 15 minutes before the start."),
    "too-late": _("The booking has ended."),
    "alarm-cleared": _("This alarm is cleared already."),
    "alarm-due-date": _("Name a day after today, within {days} days."),
    "threshold-entered-already": _("For this day a threshold is entered already."),
    "rated-already": _("This session is rated already."),
    "rating-too-late": _("A session can be rated within {days} days of its end."),
    "rating-answered": _("This rating is answered already; an answer can be edited for a day."),
    "nothing-rated": _("Nobody has rated this session or made remarks."),
    "not-used": _("Only a session that took place can be rated."),
    "rated-for-another": _("Only the person whose session it was can rate it."),
    "too-many-faults": _("The limit of fault reports a day is reached: {most}. Call the owner."),
    "fault-decided": _("This report has been decided already."),
    "wrong-code": _("This code is wrong, used already, or too old."),
    "too-many-codes": _("Too many wrong codes: wait ten minutes, or use your telephone."),
    "too-many-kiosks": _(
        "This organisation has as many kiosks as it may ({most}): revoke one that is not used."
    ),
    "units-in-use": _("Unit {units} is booked or in use: cancel or close what is on it first."),
    "wrong-version": _("Somebody changed this since you read it. Load it again."),
    "not-a-file": _("This must be a file."),
    "unknown-file": _("This is no JPEG, PNG or WebP photo and no PDF document."),
    "unreadable-file": _("The file cannot be read: {why}."),
    "broken-file": _("This file is broken, or not what it says it is."),
    "upload-too-large": _("This file is too large: at most {most} MB."),
    "too-many-pixels": _("This picture is too large: at most {most} megapixels."),
    "picture-too-small": _("This picture is too small: at least {least} pixels on each side."),
    "too-many-photos": _("There are {most} photos already: delete one first."),
    "too-many-documents": _("There are {most} documents already: delete one first."),
    "file-there-already": _("This file is there already."),
    "still-booked": _(
        "The record has bookings that are not over ({count}). Move or cancel them first."
    ),
    "same-record": _("This is one record, not two."),
    "instrument-retired": _("The instrument is retired: nothing more is stated or asked of it."),
    "stated-already": _("This is stated already."),
    "question-answered": _("This question is answered already."),
    "too-many-questions": _("The limit of questions a day is reached: {most}. Ask tomorrow."),
    "retired-already": _("One of the two records is retired already."),
    "record-incomplete": _("The record is not complete yet. Missing: {missing}."),
    "reservations-in-the-way": ngettext_lazy(
        "There is {count} booking in this time.",
        "There are {count} bookings in this time.",
        "count",
    ),
    "idempotency-key-reused": _("This idempotency key came before with another request."),
    "still-running": _("The same request is still being carried out."),
    "too-many-requests": _("Too many requests. Wait a moment."),
    "method-not-allowed": _("This address does not support that method."),
    "not-acceptable": _("This address answers in JSON only."),
    "unsupported-media-type": _("Send JSON (application/json)."),
    "malformed": _("The request could not be read: {problem}"),
    "length-required": _("Send the length of the body (Content-Length), not chunks."),
    "request-too-large": _("The request is too large."),
    "busy": _("Too many people are doing this at once. Try again."),
    "database-away": _(
        "The platform cannot reach its database just now. Try again in a few seconds."
    ),
    "cut-short": _("This file ends here and is not whole. Get it again."),
    "files-away": _("Uploaded files cannot be reached just now. Try again in a few minutes."),
    "failed": _("Something went wrong on the server. It has been recorded; try again."),
    "refused": _("This was refused."),
    # rules
    "rules-refuse": _("The rules of this instrument refuse the booking."),
    "not-published": _("The instrument cannot be booked at present."),
    "funding-short": _(
        "The funding source {source} has {left} {currency} left; {needed} {currency} are needed."
    ),
    "source-suspended": _("The funding source {source} is suspended."),
    "source-not-valid": _("The funding source {source} is not valid on the day of the booking."),
    "no-exchange-rate": _(
        "Your finance office has entered no exchange rate from {base} to {quote} yet."
    ),
    "funding-blocked": _(
        "The source the payer pays from does not allow it: it is suspended, not valid on that "
        "day, or has not enough left."
    ),
    "audience-not-served": _(
        "The instrument has no price for the payer’s price group on that day."
    ),
    "too-soon": ngettext_lazy(
        "It must be booked at least {notice_minutes} minute ahead.",
        "It must be booked at least {notice_minutes} minutes ahead.",
        "notice_minutes",
    ),
    "begun": _("This time has begun already, or is in the past."),
    "too-far": ngettext_lazy(
        "It can be booked at most {horizon_days} day ahead.",
        "It can be booked at most {horizon_days} days ahead.",
        "horizon_days",
    ),
    "off-grid": ngettext_lazy(
        "Start and length must fit the steps of {slot_minutes} minute.",
        "Start and length must fit the steps of {slot_minutes} minutes.",
        "slot_minutes",
    ),
    "too-short": ngettext_lazy(
        "The shortest booking is {min_minutes} minute.",
        "The shortest booking is {min_minutes} minutes.",
        "min_minutes",
    ),
    "too-long-booking": ngettext_lazy(
        "The longest booking is {max_minutes} minute.",
        "The longest booking is {max_minutes} minutes.",
        "max_minutes",
    ),
    "outside-opening-hours": _("The instrument is not open for all of this time."),
    "instrument-closed": _("The instrument is closed at this time."),
    "slot-taken": _("This time is taken."),
    "still-in-use": _(
        "It is still in use or closed, and no other unit is free: check in from {time} on ({zone})."
    ),
    "house-rules-not-accepted": _(
        "The house rules of this instrument (version {version}) must be accepted first."
    ),
    "questions-open": _("Some questions have to be answered first."),
    "questions-changed": _("The questions have changed. Please read your answers again."),
    "no-questions": _("Nothing is asked here."),
    "answered-already": _("The questions are answered already."),
    "only-host-skips": _("Only the host’s managers leave questions out, for somebody else."),
    "reading-below-last": _("This is below the last reading, {last}."),
    "reading-leaps": _(
        "By now it can show {most} at most. Is a point missing? If it does show more, the owner"
        " enters it."
    ),
    "goes-both-ways": _("This meter goes both ways: maintenance is counted by what only goes up."),
    "counted-by-itself": _("Hours of use are counted from the sessions and not read."),
    "counter-retired": _("This maintenance is no longer counted."),
    "hours-for-certified": _(
        "From {opens} to {closes} it is only for holders of a certificate, which the person booked"
        " for does not have for this time."
    ),
    "hours-for-organisation": _(
        "From {opens} to {closes} it is only for the host organisation’s own people."
    ),
    "hours-for-region": _("From {opens} to {closes} it is only for organisations of its region."),
    "qualification-missing": _(
        "Working alone on it needs a certificate, which the person booked for does not have."
    ),
    "qualification-expires": _(
        "The certificate of the person booked for ends before the booking does."
    ),
    "user-quota": _(
        "One person may book at most {limit} {what} here; with this it would be {total}."
    ),
    "organisation-quota": _(
        "One organisation may book at most {limit} {what} here; with this it would be {total}."
    ),
    "group-quota": _(
        "The payer’s price group may book at most {limit} {what} here; with this it would be"
        " {total}."
    ),
    "hazard-not-accepted": _(
        "The instrument does not accept this hazard: {hazard} (sample {sample}, {name})."
    ),
    "sample-step": _("Sample {sample} is {state}: it cannot become {wanted}, or not by you."),
    "sample-gone": _("Sample {sample} is {state}: it cannot be measured any more."),
    "sample-away": _("Sample {sample} is {state}: only what lies with you can be taken off."),
    "too-many-samples": _("Too many of your samples are announced: at most {most}."),
    "not-a-sample-code": _("This is no code of a sample, such as ABCD-EFGH."),
    "mistyped-code": _("One character of this code is wrong."),
    "chain-order": _("The steps of the chain would no longer follow each other as they must."),
    "kept-for-other-regions": ngettext_lazy(
        "{percent} % of each week is kept for other regions: of this week {limit} hour is left"
        " to those of this region, and with this it would be {total}.",
        "{percent} % of each week is kept for other regions: of this week {limit} hours are"
        " left to those of this region, and with this it would be {total}.",
        "limit",
    ),
    "kept-for-holder": _(
        "Hours are kept for others: {kept} h of that time, of which {free} h would be left free."
    ),
    "kept-already": _("Hours are kept for this organisation in that time already."),
    "kept-ended": _("These hours are kept no longer."),
    "more-than-fits": _("More than fits beside what is booked and kept: at most {hours} h."),
    "no-rate-by-the-hour": _("On that day the instrument has no price by the hour."),
    "whole-minutes": _("This must be a whole minute."),
    "no-policy": _("The instrument has no booking policy yet."),
}


# The rules by name, without numbers: those set aside, and those a booking would break.
RULES = {
    "too-soon": _("notice"),
    "too-far": _("how far ahead"),
    "off-grid": _("time steps"),
    "too-short": _("shortest length"),
    "too-long": _("longest length"),
    "outside-opening-hours": _("opening hours"),
    "qualification-missing": _("certificate"),
    "qualification-expires": _("certificate to the end"),
    "user-quota": _("quota of a person"),
    "organisation-quota": _("quota of an organisation"),
    "group-quota": _("quota of a price group"),
    "kept-for-other-regions": _("share kept for other regions"),
    "kept-for-holder": _("hours kept for others"),
    "hazard-not-accepted": _("hazards of samples"),
}

STATES = {
    "begun": _("started"),
    "closed": _("closed"),
    "coming": _("coming"),
    "ended": _("ended"),
    "in_force": _("in force"),
    "over": _("over"),
    "proposed": _("proposed"),
    "replaced": _("replaced"),
    "revoked": _("revoked"),
    "signed": _("signed"),
    "suspended": _("suspended"),
    "valid": _("valid"),
}

# What a quota counts: its unit and its span.
COUNTS = {
    ("hours", "day"): ngettext_lazy("hour a day", "hours a day"),
    ("hours", "week"): ngettext_lazy("hour a week", "hours a week"),
    ("hours", "month"): ngettext_lazy("hour a month", "hours a month"),
    ("hours", "upcoming"): ngettext_lazy("hour ahead", "hours ahead"),
    ("bookings", "day"): ngettext_lazy("booking a day", "bookings a day"),
    ("bookings", "week"): ngettext_lazy("booking a week", "bookings a week"),
    ("bookings", "month"): ngettext_lazy("booking a month", "bookings a month"),
    ("bookings", "upcoming"): ngettext_lazy("booking ahead", "bookings ahead"),
}


def sentence(code: str, numbers: Mapping[str, object] | None = None) -> str:
    """The sentence of a code with its numbers; a code without one answers for itself."""
    numbers = dict(numbers or {})
    if code == "too-long" and "max_minutes" in numbers:
        code = "too-long-booking"
    if code == "nothing-changes" and "why" in numbers:
        code = f"nothing-changes-{numbers['why']}"
    if code == "not-an-object" and "fields" in numbers:
        code = "not-an-object-of"
    if code == "too-soon" and not numbers.get("notice_minutes"):
        code = "begun"
    counted = COUNTS.get((str(numbers.get("unit")), str(numbers.get("per"))))
    if counted is not None:
        numbers["what"] = counted.of(numbers.get("limit"))
    if code == "wrong-state" or code.startswith("sample-"):
        for name in numbers.keys() & {"state", "wanted"}:
            numbers[name] = _state_words().get(str(numbers[name]), numbers[name])
    if "hazard" in numbers:
        numbers["hazard"] = HAZARD_LABELS.get(str(numbers["hazard"]), numbers["hazard"])
    return template_of(code, numbers).format_map(_Missing(numbers))


@cache
def _state_words() -> Mapping[str, Any]:
    """What states are called: as our tables say them, and those that follow from dates."""
    fields = (field for model in apps.get_models() for field in model._meta.fields)
    named = (field for field in fields if field.name in {"state", "publication"})
    return dict(pair for field in named for pair in field.flatchoices) | STATES


def template_of(code: str, numbers: Mapping[str, object]) -> str:
    """The sentence of a code before its numbers are put in, for one or for many."""
    template = SENTENCES.get(code, code)
    if isinstance(template, Plural):
        return template.of(numbers.get(template.number))
    return str(template)


class _Missing(dict[str, object]):
    """A number that is not there reads as a dash, never as an error."""

    def __missing__(self, key: str) -> str:
        return "–"


# How a session went, by its rating.
RATINGS = {
    5: _("very well"),
    4: _("well"),
    3: _("all right"),
    2: _("with trouble"),
    1: _("badly"),
}

# What a session is rated for besides, and the marks.
MARK_LABELS = {
    "usable": _("Result usable"),
    "support": _("Support"),
    "on_time": _("On time"),
    "price_as_quoted": _("Price as quoted"),
}
MARKS = {
    5: _("5 of 5, fully"),
    4: _("4 of 5, mostly"),
    3: _("3 of 5, partly"),
    2: _("2 of 5, hardly"),
    1: _("1 of 5, not at all"),
}

# Why a booking is left out of a comparison of rate cards (bookings/pricing/domain/what_if.py).
LEFT_OUT = {
    "another-currency": _("charged in another currency than {currency}; nothing is converted."),
    "audience-not-served": _("of a price group that this version has no rate for."),
    "unknown-option": _("with an option that this version does not have."),
    "priced-per-sample": _("by the hour, while this version is by the sample."),
    "required": _("without a number of samples, which this version asks for."),
    "inputs-unreadable": _("whose stored inputs cannot be read."),
    "no-usage-times": _("without times of use, which this version charges by."),
}


def left_out(code: str, currency: str) -> str:
    """Why bookings were not compared with a card in a currency."""
    words = LEFT_OUT.get(code)
    return str(words).format(currency=currency) if words else sentence(code)


BUCKET_LABELS = {
    "not_due": _("Not due"),
    "days_1_30": _("1–30 days"),
    "days_31_60": _("31–60 days"),
    "days_61_90": _("61–90 days"),
    "over_90": _("Over 90 days"),
    "credit": _("Credits"),
}
