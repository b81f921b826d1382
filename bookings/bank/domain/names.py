"""Names of payers as banks write them: without legal forms, abbreviated, in other letters, or cut off."""

import re
import unicodedata
from functools import lru_cache

from bookings.bank.domain.numbers import plain

LEAST_CUT = 10  # letters of a name that a bank has cut off
# So many signs of a name have room in the fields of banks.
WIDTHS = (27, 35, 54, 70, 140)
_LETTERS = str.maketrans(
    {
        "Ø": "O", "Æ": "A", "Œ": "O", "Ł": "L", "Đ": "D", "Ð": "D",
        "Þ": "TH", "ẞ": "SS", "ß": "SS", "'": "", "\u2019": "", "`": "", "\u00b4": "",
        "&": " AND ", "+": " AND ",
    }
)  # fmt: skip
# German and Danish letters that were written as two: the two are read as one wherever they stand.
_DOUBLE = re.compile(r"AE|OE|UE|AA")
_DOTTED = re.compile(r"\b((?:\w[./]){1,4}\w)\b\.?")
_WORDS = {
    "UNIV": "UNIVERSITY", "UNI": "UNIVERSITY", "UNIVERSITAT": "UNIVERSITY", "UNIVERSITE": "UNIVERSITY",
    "UNIVERSIDAD": "UNIVERSITY", "UNIVERSITA": "UNIVERSITY", "COLL": "COLLEGE", "ACAD": "ACADEMY",
    "INST": "INSTITUTE", "INSTITUT": "INSTITUTE", "HOSP": "HOSPITAL", "LAB": "LABORATORY",
    "LABS": "LABORATORY", "LABORATORIES": "LABORATORY", "CTR": "CENTRE", "CENTER": "CENTRE",
    "DEPT": "DEPARTMENT", "SCI": "SCIENCE", "SCIENCES": "SCIENCE", "TECH": "TECHNOLOGY",
    "TECHNOL": "TECHNOLOGY", "RES": "RESEARCH", "ENG": "ENGINEERING", "NATL": "NATIONAL",
    "INTL": "INTERNATIONAL", "MFG": "MANUFACTURING", "PHARM": "PHARMACEUTICAL",
    "PHARMACEUTICALS": "PHARMACEUTICAL", "ELEC": "ELECTRONIC", "CHEM": "CHEMICAL", "MATL": "MATERIALS",
    "BROS": "BROTHERS", "GRP": "GROUP", "UND": "AND", "ET": "AND", "SOHNE": "SOHN",
    "COMPANY": "CO", "LIMITED": "LTD", "INCORPORATED": "INC", "CORPORATION": "CORP",
}  # fmt: skip
_FORMS = frozenset({
    "CO", "LTD", "INC", "CORP", "LLC", "LLP", "LP", "PLC", "PTY", "PTE", "GMBH", "GGMBH", "MBH", "AG", "KG",
    "KGAA", "OHG", "EV", "EG", "SA", "SAS", "SARL", "SRL", "SPA", "SL", "SE", "BV", "NV", "AB", "AS", "ASA",
    "APS", "OY", "OYJ", "KK", "PVT", "SP", "ZOO",
})  # fmt: skip
_OFFICES = (
    ("FINANCE", "DEPARTMENT"), ("FINANCE", "OFFICE"), ("FINANCE", "DIVISION"), ("FINANCIAL", "DEPARTMENT"),
    ("FINANCIAL", "OFFICE"), ("ACCOUNTS", "PAYABLE"), ("ACCOUNTING", "DEPARTMENT"),
)  # fmt: skip
_FORM_ZH = re.compile("(?:股份|责任)?有限(?:责任)?(?:总)?公司\\Z|总?公司\\Z")
_OFFICE_ZH = re.compile("(?:计划|资产|条件)?(?:计财|财务|会计)(?:管理|资产|与资产)?[处部科室]\\Z")
_SHORT_ZH = (
    ("研究所", "所"), ("研究院", "院"), ("中科院", "中国科学院"),
)  # fmt: skip
# The word for a province or town, behind its name: "合肥市第一人民医院" is also written without it.
_PLACE_ZH = re.compile(r"(?<=[\u4e00-\u9fff]{2})[省市](?=[\u4e00-\u9fff]{2})")
_ZH = re.compile(r"[\u4e00-\u9fff]")


@lru_cache(20_000)
def letters_of(text: str) -> str:
    """Return a whole name in plain capitals, without blanks and marks: "Øresund A/S" is "ORESUNDAS", and so
    is "OERESUND A/S"."""
    return "".join(_tokens(text))


@lru_cache(20_000)
def whole_of(text: str) -> str:
    """Return a name with its legal form as it is compared: "Company Limited" is "COLTD" too."""
    return "".join(_WORDS.get(word, word) for word in _tokens(text))


@lru_cache(20_000)
def key_of(text: str) -> str:
    """Return a name as it is compared: besides `letters_of`, without its legal form and the office that pays,
    and kinds of institutions in one way of writing, in English and Chinese."""
    words = [_WORDS.get(word, word) for word in _tokens(text)]
    if words[:1] == ["THE"]:
        words = words[1:]
    words = _without_end(words)
    if words[:2] == ["UNIVERSITY", "OF"] and len(words) == 3:
        words = [words[2], "UNIVERSITY"]
    name = "".join(words)
    if not _ZH.search(name):
        return name
    shorter = _FORM_ZH.sub("", _OFFICE_ZH.sub("", name))
    for long, short in _SHORT_ZH:
        shorter = shorter.replace(long, short)
    return _PLACE_ZH.sub("", shorter) or name


def has_form(text: str) -> bool:
    """Return whether a name is written with its legal form."""
    words = [_WORDS.get(word, word) for word in _tokens(text)]
    return bool(words) and (words[-1] in _FORMS or bool(_FORM_ZH.search(words[-1])))


def is_cut(text: str, name: str) -> bool:
    """Return whether a text is the beginning of a longer name, as a bank cuts it: in the middle of a word, or
    after as many signs as its field has."""
    begun = letters_of(text)
    if len(begun) < LEAST_CUT or not letters_of(name).startswith(begun) or begun == letters_of(name):
        return False
    if _is_width(text):
        return True
    # A word that ends where the text ends is a name of its own: "Wuhu Battery" is no "Wuhu Battery Trading".
    last = _tokens(text)[-1]
    return not _ZH.search(last) and last not in _tokens(name)


def _is_width(text: str) -> bool:
    return any(width - 1 <= len(text.strip()) <= width for width in WIDTHS)


@lru_cache(20_000)
def _tokens(text: str) -> tuple[str, ...]:
    folded = plain(text).translate(_LETTERS)
    folded = unicodedata.normalize("NFKD", folded)
    folded = "".join(sign for sign in folded if not unicodedata.combining(sign))
    folded = _DOTTED.sub(lambda match: re.sub(r"[./]", "", match[1]), folded)
    return tuple(_DOUBLE.sub(lambda match: match[0][0], word) for word in re.findall(r"[^\W_]+", folded))


def _without_end(words: list[str]) -> list[str]:
    """Return words without the office and the legal form at their end; at least one is left."""
    left = list(words)
    for office in _OFFICES:
        if len(left) > len(office) and tuple(left[-len(office) :]) == office:
            left = left[: -len(office)]
            break
    while len(left) > 1 and (left[-1] in _FORMS or (left[-1] == "AND" and len(left) < len(words))):
        left.pop()
    return left
