"""Check codes, texts and identifiers of organisations and regions, and read ROR records."""

import re
from collections.abc import Mapping
from typing import Any

from accounts.domain.errors import invalid
from accounts.domain.invoice_details import LENGTHS

PAPER = tuple(LENGTHS)  # what statements print
# How many characters each text may have.
MOST_TEXT = {"name": 200, "name_zh": 200, "ror": 40, **LENGTHS}
# Of a file of organisations.
COLUMNS = ("code", "name", "name_zh", "kind", "is_small", "region", "ror", *PAPER)
MOST_REGION_NAME = 120
MOST_OPEN = 5  # requests for a missing organisation of one person that nobody has answered
MOST_REQUEST_TEXT = 500

COUNTRIES, SUBDIVISIONS, CHINA = "ISO 3166", "ISO 3166-2", "GB/T 2260"
SCHEMES = (COUNTRIES, SUBDIVISIONS, CHINA)

_ORGANISATION_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,29}", re.ASCII)
_REGION_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
# Control characters, invisible marks of direction, halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ROR = re.compile(r"(?:https?://)?(?:www\.)?(?:ror\.org/)?(0[a-hj-km-np-tv-z0-9]{6}[0-9]{2})")
_BASE_32 = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u

# The first digits of a province's GB/T 2260 code by the letters of its ISO 3166-2 code.
_PROVINCES: dict[str, str] = dict(
    re.findall(
        r"([A-Z]{2}) (\d\d)",
        "BJ 11 TJ 12 HE 13 SX 14 NM 15 LN 21 JL 22 HL 23 SH 31 JS 32 ZJ 33 AH 34 FJ 35 JX 36 SD 37 "
        "HA 41 HB 42 HN 43 GD 44 GX 45 HI 46 CQ 50 SC 51 GZ 52 YN 53 XZ 54 SN 61 GS 62 QH 63 NX 64 "
        "XJ 65 TW 71 HK 81 MO 82",
    )
)
_LETTERS = {digits: letters for letters, digits in _PROVINCES.items()}


def scheme_named(text: str) -> str:
    """Return a scheme as it is stored, `ISO 3166-2`, from any spelling of it, such as `iso-3166-2`."""
    plain = re.sub(r"[^a-z0-9]", "", text.casefold())
    known = {re.sub(r"[^a-z0-9]", "", name.casefold()): name for name in SCHEMES}
    return {**known, "iso31661": COUNTRIES}.get(plain, text.strip())


def scheme_of(code: str) -> str:
    """Return the shipped list to which a code belongs by its form."""
    if code.isdecimal():
        return CHINA
    return SUBDIVISIONS if "-" in code else COUNTRIES


def country_of(scheme: str, code: str, holiday_calendar: str = "") -> str:
    """Return the ISO 3166 code of the country in which a region lies; empty if neither its code nor its
    holiday calendar says."""
    if scheme == CHINA:
        code = same_place(f"{code[:2]}0000") or "CN"
    elif scheme not in SCHEMES:
        code = holiday_calendar
    country, _, part = code.partition("-")
    if country == "CN" and part in {"HK", "MO", "TW"}:
        return part
    return country if re.fullmatch("[A-Z]{2}", country) else ""


def same_place(code: str) -> str:
    """Return the code of a Chinese province in the other list: `340000` for `CN-AH` and vice versa; empty for
    any other place."""
    if code.startswith("CN-") and code[3:] in _PROVINCES:
        return f"{_PROVINCES[code[3:]]}0000"
    if len(code) == 6 and code.endswith("0000") and code[:2] in _LETTERS:
        return f"CN-{_LETTERS[code[:2]]}"
    return ""


def organisation_code(text: str) -> str:
    """Return the short code by which addresses and files name an organisation. Raise `Invalid` (not-a-code,
    or reserved-code for one that has the form of an id)."""
    code = text.strip()
    if not code:
        raise invalid("code", "required")
    if _UUID.fullmatch(code):
        raise invalid("code", "reserved-code")
    if not _ORGANISATION_CODE.fullmatch(code):
        raise invalid("code", "not-a-code")
    return code


def region_code(text: str) -> str:
    """Return a region's code: `CN-AH`, `340000`. `Invalid`: required, not-a-code."""
    code = text.strip()
    if not code:
        raise invalid("code", "required")
    if not _REGION_CODE.fullmatch(code):
        raise invalid("code", "not-a-code")
    return code


def text_of(name: str, given: str, most: int) -> str:
    """Return a text that was given for a field on one line, trimmed, with single spaces. `Invalid`:
    bad-character, too-long."""
    text = re.sub(r"[ \t\u00a0\u3000]+", " ", given).strip(" ")
    if _UNPRINTABLE.search(text):
        raise invalid(name, "bad-character")
    if len(text) > most:
        raise invalid(name, "too-long", most=most)
    return text


def ror_of(text: str) -> str:
    """Return a ROR identifier as it is stored, `https://ror.org/04c4dkn09`, from the whole or its last part;
    empty for empty. Raise `Invalid` (not-a-ror) if the form or the check digits are wrong: ISO 7064 mod 97-10
    over the number that the first seven characters represent in Crockford's base 32."""
    given = text.strip().casefold()
    if not given:
        return ""
    match = _ROR.fullmatch(given.rstrip("/"))
    if match is None:
        raise invalid("ror", "not-a-ror")
    number = 0
    for character in match[1][:7]:
        number = number * 32 + _BASE_32.index(character)
    if f"{98 - number * 100 % 97:02d}" != match[1][7:]:
        raise invalid("ror", "not-a-ror")
    return f"https://ror.org/{match[1]}"


# A record of ROR

_KINDS = {
    "education": "university",
    "healthcare": "hospital",
    "government": "government",
    "company": "enterprise",
    "facility": "institute",
    "nonprofit": "institute",
    "archive": "institute",
}


def read_ror(record: Any) -> dict[str, str]:
    """Return what a ROR record says about an organisation: `ror, name, name_zh, kind`, and `places`, the
    codes of its subdivision and country, nearest first, separated by spaces. Schemas 1 and 2 are understood.
    Raise `Invalid` (not-a-ror-record) for anything else and for a withdrawn record."""
    if isinstance(record, Mapping) and isinstance(record.get("items"), list):
        record = record["items"][0] if len(record["items"]) == 1 else None  # a search's answer
    if not isinstance(record, Mapping) or record.get("status") == "withdrawn":
        raise invalid("record", "not-a-ror-record")
    identifier = record.get("id")
    if not isinstance(identifier, str):
        raise invalid("record", "not-a-ror-record")
    try:
        ror = ror_of(identifier)
        names = _names_2(record) if isinstance(record.get("names"), list) else _names_1(record)
        places = _places(record)
        kinds = [str(kind).casefold() for kind in record.get("types") or []]
    except (AttributeError, KeyError, TypeError):
        raise invalid("record", "not-a-ror-record") from None
    if not ror or not names["name"]:
        raise invalid("record", "not-a-ror-record")
    kind = next((_KINDS[kind] for kind in kinds if kind in _KINDS), "institute")
    return {"ror": ror, **names, "kind": kind, "places": " ".join(places)}


def _names_2(record: Mapping[str, Any]) -> dict[str, str]:
    """Read both names of a ROR record of schema 2. As the English name, a label in English comes before the
    displayed one."""
    names = [row for row in record["names"] if isinstance(row.get("value"), str)]
    labels = [row for row in names if {"label", "ror_display"} & set(row.get("types") or [])]
    displayed = [row for row in labels if "ror_display" in row["types"]]
    english = [row for row in labels if row.get("lang") == "en"]
    chinese = [row for row in labels if row.get("lang") == "zh"]
    return {
        "name": next((row["value"] for row in [*english, *displayed, *labels]), ""),
        "name_zh": next((row["value"] for row in chinese), ""),
    }


def _names_1(record: Mapping[str, Any]) -> dict[str, str]:
    labels = {row["iso639"]: row["label"] for row in record.get("labels") or []}
    name = record.get("name")
    return {
        "name": str(labels.get("en") or (name if isinstance(name, str) else "")),
        "name_zh": str(labels.get("zh") or ""),
    }


def _places(record: Mapping[str, Any]) -> list[str]:
    """Return the places that a ROR record names, from the narrowest to the country. Schema 2 has them in
    `locations[].geonames_details`; schema 1 in `addresses[].geonames_city` and `country`."""
    codes: list[str] = []
    for row in record.get("locations") or []:
        details = row.get("geonames_details") or {}
        country, part = details.get("country_code"), details.get("country_subdivision_code")
        codes += [f"{country}-{part}"] if country and part else []
        codes += [country] if country else []
    for row in record.get("addresses") or []:
        admin = (row.get("geonames_city") or {}).get("geonames_admin1") or {}
        code = admin.get("code")
        codes += [str(code).replace(".", "-")] if code else []
    country = (record.get("country") or {}).get("country_code")
    codes += [country] if country else []
    return [code for code in dict.fromkeys(codes) if isinstance(code, str) and " " not in code]
