"""Read the questions of OAI-PMH 2.0 (openarchives.org/OAI/openarchivesprotocol.html) and say what is wrong.

A record's datestamp lies `SETTLES` after its change, and a list ends at the present moment: what was changed
at the same time but stored a little later than its neighbours is then never passed over by a harvester, which
asks next from the moment of its last answer.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

SETTLES = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
PAGE = 100  # records of one answer

# Formats of metadata: prefix -> (schema, namespace). PIDINST's schema has no namespace, but records need one:
# this is the address of the recommendation.
FORMATS = {
    "oai_dc": (
        "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
        "http://www.openarchives.org/OAI/2.0/oai_dc/",
    ),
    "pidinst": (
        "https://raw.githubusercontent.com/rdawg-pidinst/schema/master/serializations/pidinst-schema-1_0.xsd",
        "https://doi.org/10.15497/RDA00070",
    ),
    "datacite": (
        "http://schema.datacite.org/meta/kernel-4.5/metadata.xsd",
        "http://datacite.org/schema/kernel-4",
    ),
}
REGION, HOST = "region", "host"  # the kinds of sets

_LISTED = frozenset({"from", "until", "metadataPrefix", "set"})
# Verb -> its arguments, those that it needs, and whether a resumption token may stand instead of them.
VERBS: Mapping[str, tuple[frozenset[str], frozenset[str], bool]] = {
    "Identify": (frozenset(), frozenset(), False),
    "ListMetadataFormats": (frozenset({"identifier"}), frozenset(), False),
    "ListSets": (frozenset(), frozenset(), True),
    "GetRecord": (frozenset({"identifier", "metadataPrefix"}),) * 2 + (False,),
    "ListIdentifiers": (_LISTED, frozenset({"metadataPrefix"}), True),
    "ListRecords": (_LISTED, frozenset({"metadataPrefix"}), True),
}
TOKEN = "resumptionToken"  # noqa: S105  # the name of an argument
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_SET = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*")


class OaiRefused(Exception):
    """An error of the protocol: its code and a sentence in English, the language of the protocol. `echoes`:
    whether the answer repeats the arguments."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    @property
    def echoes(self) -> bool:
        return self.code not in ("badVerb", "badArgument")


@dataclass(frozen=True)
class Selection:
    """The records that a list has: those with datestamps in [`since`, `before`), of one set (its kind and
    code), in a format, beyond the record `after` (the instant of its change and its id); `count`: how many
    came before."""

    prefix: str
    since: datetime | None = None
    before: datetime | None = None
    set_kind: str = ""
    set_code: str = ""
    after: tuple[datetime, UUID] | None = None
    count: int = 0


def verb_of(values: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, str]]:
    """Return the verb and its arguments, each given once. `OaiRefused`: badVerb, badArgument."""
    verbs = values.get("verb", ())
    if len(verbs) != 1 or verbs[0] not in VERBS:
        raise OaiRefused("badVerb", f"Give one verb of {', '.join(VERBS)}.")
    (verb,) = verbs
    known, needed, resumes = VERBS[verb]
    arguments = {name: given[0] for name, given in values.items() if name != "verb"}
    if repeated := sorted(name for name, given in values.items() if len(given) > 1):
        raise OaiRefused("badArgument", f"Given more than once: {', '.join(repeated)}."[:200])
    if resumes and TOKEN in arguments:
        if len(arguments) > 1:
            raise OaiRefused("badArgument", f"{TOKEN} stands alone.")
        return verb, arguments
    if unknown := sorted(arguments.keys() - known):
        raise OaiRefused("badArgument", f"{verb} has no argument {', '.join(unknown)}."[:200])
    if lacking := sorted(needed - arguments.keys()):
        raise OaiRefused("badArgument", f"{verb} needs {', '.join(lacking)}.")
    return verb, arguments


def selection_of(arguments: Mapping[str, str]) -> Selection:
    """Return what the arguments of a list select. `OaiRefused`: badArgument, cannotDisseminateFormat,
    noRecordsMatch."""
    since, until = arguments.get("from"), arguments.get("until")
    begins = instant_of(since) if since is not None else None
    ends = instant_of(until) if until is not None else None
    if since is not None and until is not None and len(since) != len(until):
        raise OaiRefused("badArgument", "from and until have different granularities.")
    if begins is not None and ends is not None and begins > ends:
        raise OaiRefused("badArgument", "from is later than until.")
    if ends is not None:
        try:
            ends += SECOND if until and "T" in until else timedelta(days=1)
        except OverflowError:
            ends = None
    kind = code = ""
    if (name := arguments.get("set")) is not None:
        if not _SET.fullmatch(name) or len(name) > 100:
            raise OaiRefused("badArgument", "set is malformed.")
        kind, _, code = name.partition(":")
        if kind not in (REGION, HOST) or not code:
            raise OaiRefused("noRecordsMatch", "There is no such set.")
    return Selection(known_prefix(arguments["metadataPrefix"]), begins, ends, kind, code)


def known_prefix(prefix: str) -> str:
    """Return a format's prefix. `OaiRefused`: cannotDisseminateFormat."""
    if prefix not in FORMATS:
        raise OaiRefused("cannotDisseminateFormat", f"The formats are {', '.join(FORMATS)}.")
    return prefix


def instant_of(text: str) -> datetime:
    """Return the instant of a datestamp, a day or a second of UTC. `OaiRefused`: badArgument."""
    try:
        if not text.isascii() or not (_DAY.fullmatch(text) or _SECOND.fullmatch(text)):
            raise ValueError
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise OaiRefused("badArgument", "Datestamps are YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ.") from None


def datestamp(changed_at: datetime) -> str:
    """Return the datestamp of a record that was changed at an instant."""
    return second(changed_at + SETTLES)


def second(at: datetime) -> str:
    """Return an instant as a second of UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def changed_in(selection: Selection, now: datetime) -> tuple[datetime | None, datetime]:
    """Return between which instants [first, end) records were changed whose datestamps a list has."""
    end = now.replace(microsecond=0)
    if selection.before is not None:
        end = min(end, selection.before)
    return _earlier(selection.since), _earlier(end) or end


def _earlier(at: datetime | None) -> datetime | None:
    try:
        return at - SETTLES if at is not None else None
    except OverflowError:  # the year 1
        return at


def token_values(selection: Selection) -> list[str]:
    """Return a selection as texts, for a resumption token."""
    after = selection.after
    return [
        selection.prefix,
        selection.since.isoformat() if selection.since else "",
        selection.before.isoformat() if selection.before else "",
        selection.set_kind,
        selection.set_code,
        after[0].isoformat() if after else "",
        str(after[1]) if after else "",
        str(selection.count),
    ]


def selection_from(values: Sequence[str]) -> Selection:
    """Return the selection that `token_values` wrote. `OaiRefused`: badResumptionToken."""
    try:
        prefix, since, before, kind, code, at, key, count = values
        return Selection(
            known_prefix(prefix),
            datetime.fromisoformat(since) if since else None,
            datetime.fromisoformat(before) if before else None,
            kind,
            code,
            (datetime.fromisoformat(at), UUID(key)),
            int(count),
        )
    except (ValueError, TypeError, OaiRefused):
        raise bad_token() from None


def bad_token() -> OaiRefused:
    return OaiRefused("badResumptionToken", "The token is none that was given here.")


def identifier_of(site: str, key: UUID) -> str:
    """Return the identifier of a record: `oai:<host>:<id>`."""
    return f"oai:{site}:{key}"


def key_of(site: str, identifier: str) -> UUID:
    """Return the id of the record with an identifier. `OaiRefused`: idDoesNotExist."""
    before, _, key = identifier.rpartition(":")
    try:
        pk = UUID(key)
        if before != f"oai:{site}" or str(pk) != key:
            raise ValueError
    except ValueError:
        raise unknown_record() from None
    return pk


def unknown_record() -> OaiRefused:
    return OaiRefused("idDoesNotExist", "There is no record with this identifier.")
