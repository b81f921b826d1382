"""Every sentence of ours has its Chinese.

After adding or changing one:

    .venv/bin/python manage.py makemessages -l zh_Hans --no-location --no-wrap --no-obsolete \
        --ignore node_modules --ignore .venv --ignore .local --ignore tests
    (translate what is new in config/locale/zh_Hans/LC_MESSAGES/django.po, remove "fuzzy")
    .venv/bin/python manage.py compilemessages -l zh_Hans --ignore .venv
"""

import ast
import functools
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation.template import templatize

from accounts.letters.words import listed
from bookings.record.messages import sentence, sentences
from config.templatetags.display import duration

ROOT = Path(settings.ROOT)
APPS = ("accounts", "bookings", "config", "instruments")
CATALOGUE = ROOT / "config" / "locale" / "zh_Hans" / "LC_MESSAGES"
ONE = {"_", "gettext", "gettext_lazy", "gettext_noop"}
MANY = {"ngettext", "ngettext_lazy"}
IN_CONTEXT = {"pgettext", "pgettext_lazy"}
PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]|%[sd]|\{(\w*)\}")
# Said the same in both languages.
SAME = {"English", "API", "UTF-8", "CAMT.053", "Windows-1252"}


# What a template says that no catalogue knows: names, abbreviations, words that a file or a command
# must have.
NAMES = {"Instrument", "Commons", "OpenAPI", "OpenID", "Connect", "English", "DataCite"}
ABBREVIATION = re.compile(r"[A-Z0-9-]{2,}")
LITERAL = {
    "bookings/templates/bookings/organisations/people_import.html",  # the columns of a file
    "bookings/templates/bookings/plans/import.html",  # the columns of a file, and a line of one
    "bookings/templates/bookings/audit/mail/seal.txt",  # a command
}
READ_OUT = "title|aria-label|aria-description|placeholder|alt|data-confirm|data-done|data-over"


@dataclass
class Entry:
    """One entry of the catalogue."""

    singular: str = ""
    plural: str = ""
    context: str = ""
    texts: list[str] = field(default_factory=list)
    is_fuzzy: bool = False


def in_python(source: str, name: str) -> Iterator[str]:
    """What a module hands to gettext; anything but a literal cannot be translated."""
    for node in ast.walk(ast.parse(source, name)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        called = getattr(function, "id", None) or getattr(function, "attr", None)
        if called in ONE | MANY and node.args:
            said = node.args[0]
        elif called in IN_CONTEXT and len(node.args) > 1:
            said = node.args[1]
        else:
            continue
        if isinstance(said, ast.Constant) and isinstance(said.value, str):
            yield said.value
        elif isinstance(said, ast.JoinedStr | ast.BinOp):
            raise AssertionError(f"{name}:{node.lineno}: only a plain string can be translated")


def in_template(source: str, name: str) -> Iterator[str]:
    """What a template says, found as makemessages finds it."""
    code = templatize(source, origin=name)
    for found in re.finditer(
        r"\b(_|gettext|ngettext|pgettext|npgettext)\(\s*((?:u?'(?:\\.|[^'\\])*'|u?\"(?:\\.|[^\"\\])*\")"
        r"(?:\s*,\s*(?:u?'(?:\\.|[^'\\])*'|u?\"(?:\\.|[^\"\\])*\"))*)",
        code,
    ):
        literals = re.findall(r"u?('(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")", found.group(2))
        texts = [ast.literal_eval(f"{text[0] * 2}{text}{text[0] * 2}") for text in literals]
        yield texts[1 if found.group(1) in {"pgettext", "npgettext"} else 0]


def bare(source: str) -> Iterator[str]:
    """The words a template says, or has read out, without gettext."""
    kept = re.sub(
        r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}"
        r"|{%\s*comment\b.*?{%\s*endcomment\s*%}|{#.*?#}|<!--.*?-->"
        r"|<(script|style|code|kbd|pre)\b.*?</\1>",
        " ",
        source,
        flags=re.S,
    )
    kept = re.sub(r"{%.*?%}|{{.*?}}|&#?\w+;", " ", kept, flags=re.S)
    said = [value for _, value in re.findall(rf'\s({READ_OUT})="([^"]*)"', kept)]
    # What is no tag is text, or the attributes of one.
    said.append(re.sub(r"<[^>]*>|\b[\w-]+=\"[^\"]*\"", " ", kept))
    for text in said:
        yield from re.findall(r"[A-Za-z][A-Za-z0-9'’-]+", text)


def files(*suffixes: str) -> Iterator[Path]:
    for app in APPS:
        for suffix in suffixes:
            yield from sorted((ROOT / app).rglob(f"*{suffix}"))


@functools.cache
def said() -> dict[str, str]:
    """Every sentence of code and templates, with a file that says it."""
    found: dict[str, str] = {}
    for path in files(".py"):
        if "migrations" not in path.parts:
            name = str(path.relative_to(ROOT))
            found |= dict.fromkeys(in_python(path.read_text(encoding="utf-8"), name), name)
    for path in files(".html", ".txt"):
        if "templates" in path.parts:
            name = str(path.relative_to(ROOT))
            found |= dict.fromkeys(in_template(path.read_text(encoding="utf-8"), name), name)
    return found


def read_po(text: str) -> list[Entry]:
    """The entries of a .po file, its header left out."""
    entries: list[Entry] = []
    for block in re.split(r"\n\s*\n", text):
        entry, where = Entry(), ""
        values: dict[str, str] = {}
        for line in block.splitlines():
            if line.startswith("#,") and "fuzzy" in line:
                entry.is_fuzzy = True
            found = re.match(r'(?:(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)\s+)?(".*")$', line)
            if found:
                where = found.group(1) or where
                values[where] = values.get(where, "") + ast.literal_eval(found.group(2))
        if values.get("msgid"):
            entry.singular, entry.plural = values["msgid"], values.get("msgid_plural", "")
            entry.context = values.get("msgctxt", "")
            entry.texts = [text for key, text in values.items() if key.startswith("msgstr")]
            entries.append(entry)
    return entries


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return read_po((CATALOGUE / "django.po").read_text(encoding="utf-8"))


def test_nothing_said_lacks_its_chinese(entries: list[Entry]) -> None:
    known = {entry.singular for entry in entries if all(entry.texts) and not entry.is_fuzzy}
    missing = {text: name for text, name in said().items() if text not in known}
    assert not missing, "\n".join(f"{name}: {text!r}" for text, name in sorted(missing.items()))


def test_nothing_is_kept_that_nobody_says(entries: list[Entry]) -> None:
    unsaid = {entry.singular for entry in entries} - set(said())
    assert not unsaid, sorted(unsaid)


def test_translations_are_chinese(entries: list[Entry]) -> None:
    english = [
        entry.singular
        for entry in entries
        for text in entry.texts
        if entry.singular not in SAME
        and re.search("[A-Za-z]{3}", PLACEHOLDER.sub("", entry.singular))
        and not re.search("[\u4e00-\u9fff]", text)
    ]
    assert not english


CHINESE = "[\u4e00-\u9fff]"
# ASCII marks beside Chinese characters, the words that others replace, and units that are words.
NOT_CHINESE = re.compile(
    rf"{CHINESE}[:,;(]|[:,;)] ?{CHINESE}|地区|占位|\d\s?(?:h|min)\b|(?:\)s|\}}) (?:h|min)\b"
)
# What booking sites and ledgers say, with the Chinese of a native product.
WORDS = {
    "Send request": "提交申请",
    "Previous": "上一页",
    "Next": "下一页",
    "Waiting for you": "待您处理",
    "Your confirmation is needed": "需要您确认",
    "Keep the booking": "保留预约",
    "Leave the list": "退出候补",
    "Upcoming": "即将到来",
    "Finished by": "最晚结束",
    "Alert me to new matches": "有新的匹配结果时通知我",
    "Confirm record": "确认记录",
    "Continue set-up": "继续设置",
    "Run the rules now": "立即执行规则",
    "%(n)s thing needs attention.": "有 %(n)s 项需要处理。",
    "Background jobs and failures": "后台任务与失败记录",
    "Expiring cancellation fees": "减免的取消费",
    "Search re-index": "重建检索索引",
    "Expiring waiting-list entries": "到期的候补",
    "Record: %(quality)s": "记录完整度：%(quality)s",
    "Money": "费用结算",
    "Estimated cost": "预计费用",
    "Held": "临时保留",
    "Code": "代码",
    "Filter": "筛选",
    "region": "区域",
    "{hours} h": "{hours} 小时",
}


def test_words_are_those_people_know(entries: list[Entry]) -> None:
    chinese = {entry.singular: entry.texts[0] for entry in entries if not entry.context}
    assert {word: chinese.get(word) for word in WORDS} == WORDS
    assert any(entry.singular.startswith("No organisation matches “") for entry in entries)


def test_chinese_is_written_as_chinese(entries: list[Entry]) -> None:
    wrong = [text for entry in entries for text in entry.texts if NOT_CHINESE.search(text)]
    assert wrong == []


# One word for one thing (vocabulary): the words that once stood beside it, and the English sentences in which
# they are wrong if not in all.
ONE_WORD = [
    ("仪器所有单位", r"仪器单位|仪器方|管理单位|仪器所属单位|(?<!仪器)所有单位", ""),
    ("仪器所有单位", "所属单位", r"\b(?:host|owner)"),
    ("付费单位", "付款方|付款单位|支付方", ""),
    ("仪器中心", r"(?<!仪器)中心|[本该]平台|平台的", r"(?i)\bfacilit"),
    ("需求公告", "征询|询价", ""),
    ("创新券", "代金券", ""),
    ("结算单", r"账单|开账|开单", ""),
    ("区域结算", "费用结算", "(?i)settlement"),
    ("异议", "争议", ""),
    ("区域协调员", "协调人", ""),
    ("审计员", "审计人员", ""),
    ("审计追踪", "审计链|审计轨迹", ""),
    ("协议区域", "伙伴|合作区域|签约区域", ""),
    ("服务方式", "使用方式|工作方式", ""),
    ("自主上机", "自行上机|自行操作", ""),
    (
        "上机资格",
        "证书|持证",
        r"^(?!The host's certificate is not valid|BEHIND_TLS|TLS certificate|.*certificate of \{host\})",
    ),
    ("保留机时", "保障机时", ""),
    ("上机记录", "使用记录", "(?i)sessions"),
    ("审批", "审核", ""),
    ("账簿", "账本", ""),
    ("仪器目录", "仪器列表", ""),
    ("预存款", "余额", r"(?i)credit (of|is|went)|the credit|as credit|out of credit"),
    ("匹配", "入账", "(?i)match|proposal"),
    ("能力指标", "技术指标", ""),
    ("代码", "验证码", "(?i)code of|short code|codes?, one per line|^Code$"),
]


@pytest.mark.parametrize(("word", "other", "where"), ONE_WORD)
def test_one_thing_has_one_word(entries: list[Entry], word: str, other: str, where: str) -> None:
    wrong = [
        (entry.singular, text)
        for entry in entries
        for text in entry.texts
        if re.search(other, text) and re.search(where, entry.singular) and entry.context != "sign-in"
    ]
    assert wrong == [], f"say {word}"


def test_durations_and_lists_are_said_in_the_language_of_the_reader() -> None:
    said = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            said[language] = [duration(33 * 60 + 30), duration(33 * 60, "hours"), duration(0)]
            said[language].append(listed(["A", "B"]))
    assert said["en"] == ["1 day 9 h 30 min", "33 h", "0 min", "A, B"]
    assert said["zh-hans"] == ["1 天 9 小时 30 分钟", "33 小时", "0 分钟", "A、B"]


# Limits that are never one, and lengths of text that are refused when they are large.
ALWAYS_MANY = {
    *("answers", "bundles", "characters", "documents", "instruments", "invitations", "lists"),
    *(
        "megapixels",
        "ms",
        "organisations",
        "parts",
        "photos",
        "pixels",
        "records",
        "searches",
        "seconds",
        "slots",
        "steps",
    ),
    *("things", "views", "webhooks"),
    # of recurrence, where once has words of its own; of failures in a row; of a term of payment
    *("days of issue", "days ask for", "days", "weeks", "months", "times", "entries"),
    # as a whole
    *("hours left", "hours used", "hours at most"),  # with a decimal
    *("columns", "hours a year", "rows: split it", "files already", "files in all", "bytes"),
}
VERBS = {
    *("accepts", "is", "was", "has", "does", "asks", "belongs", "disputes", "comes", "pays", "owes", "says"),
    *("invites", "signs", "knows", "counts", "expires", "joins", "holds", "waits", "needs"),
    *(
        "proposes",
        "reads",
        "wants",
        "plans",
        "bills",
        "owns",
        "bypasses",
        "lacks",
        "answers",
        "follows",
        "keeps",
    ),
}


def test_what_is_counted_has_a_form_for_one(entries: list[Entry]) -> None:
    counted = re.compile(r"(?:%\(\w+\)s|\{\w+\}) ((?!\w*ss\b)[a-z]+s\b.*)")
    plain = [
        entry.singular
        for entry in entries
        if not entry.plural and (match := counted.search(entry.singular))
        if re.match("[a-z]+", match[1])[0] not in VERBS
        and not any(match[1].startswith(words) for words in ALWAYS_MANY)
    ]
    assert not plain


def test_states_in_sentences_are_words() -> None:
    states = {"coming", "in_force", "over", "withdrawn", "proposed"}  # of agreements, by date
    for path in files(".py"):
        raised = re.findall(r'WrongState\([^)]*\bstate="(\w+)"', path.read_text(encoding="utf-8"))
        states |= set(raised)
    for model in apps.get_models():
        for name in {"state", "publication"} & {each.name for each in model._meta.fields}:
            if model._meta.app_label in APPS:
                states |= {value for value, _ in model._meta.get_field(name).flatchoices}
    with translation.override("zh-hans"):
        said = {state: sentence("wrong-state", {"state": state}) for state in states}
    raw = {state for state, text in said.items() if re.search("[a-z]", text)}
    assert raw == set()
    assert said["no_show"] == "已无法进行：当前状态为“未上机”。"


def test_one_of_a_thing_is_said_as_one() -> None:
    quota = {"unit": "bookings", "per": "day", "total": 2}
    assert "at most 1 booking a day" in sentence("user-quota", {**quota, "limit": 1})
    assert "at most 2 bookings a day" in sentence("user-quota", {**quota, "limit": 2})
    assert sentence("too-far", {"horizon_days": 1}) == "It can be booked at most 1 day ahead."
    far = {"horizon_days": 45, "latest": "2027-01-14"}
    said = "It can be booked at most 45 days ahead, at present until Thu 14 Jan 2027."
    assert sentence("too-far", far) == said
    assert sentence("reservations-in-the-way", {}) == "There are – bookings during this time."


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_sentence_can_be_said_whatever_number_it_lacks(language: str) -> None:
    with translation.override(language):
        assert [code for code in sentences() if not sentence(code, {})] == []


def test_a_per_cent_beside_a_count_is_said_as_it_is() -> None:
    kept = {"percent": 20, "limit": 3, "total": 5}
    assert sentence("kept-for-other-regions", kept) == (
        "20 % of each week is kept for other regions: of this week, organisations of this "
        "region may book 3 hours, and with this booking it would be 5."
    )
    with translation.override("zh-hans"):
        assert sentence("kept-for-other-regions", kept) == (
            "每周 20 % 的机时留给其他区域：本周本区域用户最多可用 3 小时，加上本次将为 5 小时。"
        )


def test_placeholders_agree(entries: list[Entry]) -> None:
    wrong = [
        (entry.singular, text)
        for entry in entries
        for text in entry.texts
        if sorted(m.group() for m in PLACEHOLDER.finditer(text))
        not in (
            sorted(m.group() for m in PLACEHOLDER.finditer(entry.singular)),
            sorted(m.group() for m in PLACEHOLDER.finditer(entry.plural or entry.singular)),
        )
    ]
    assert not wrong


def test_the_compiled_catalogue_is_the_written_one(entries: list[Entry]) -> None:
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    compiled.pop("", None)
    written: dict[object, str] = {}
    for entry in entries:
        key = f"{entry.context}\x04{entry.singular}" if entry.context else entry.singular
        if entry.plural:
            written |= {(key, number): text for number, text in enumerate(entry.texts)}
        else:
            written[key] = entry.texts[0]
    assert compiled == written, "run compilemessages"


def test_templates_say_nothing_without_gettext() -> None:
    found = {}
    for path in files(".html", ".txt"):
        name = str(path.relative_to(ROOT))
        if "templates" not in path.parts or name in LITERAL:
            continue
        words = set(bare(path.read_text(encoding="utf-8"))) - NAMES
        if words := {word for word in words if not ABBREVIATION.fullmatch(word)}:
            found[name] = sorted(words)
    assert not found


def test_units_and_marks_of_templates_are_translated() -> None:
    """An hour is no `h` in Chinese, and what joins two values is no ASCII mark."""
    plain = re.compile(r"(?:}}|%})(?: (?:h|min)\b|[,:;] )")
    found = {}
    for path in files(".html", ".txt"):
        if "templates" in path.parts:
            source = re.sub(
                r"{%\s*blocktrans.*?{%\s*endblocktrans\w*\s*%}|{#.*?#}|<(script|style)\b.*?</\1>"
                r"|\b(?:style|class|data-[\w-]+|hx-[\w-]+)=\"[^\"]*\"|visually-hidden\">[^<]*",
                "",
                path.read_text(encoding="utf-8"),
                flags=re.S,
            )
            if marks := plain.findall(source):
                found[str(path.relative_to(ROOT))] = marks
    assert found == {}


def test_what_templates_say_without_gettext_is_seen() -> None:
    said = """{# no #}{% translate "no" %}<a title="Yes" href="/no/">one{{ no }} {% if no %}more
        {% endif %}{% blocktranslate %}no{% endblocktranslate %}</a><code>no</code>"""
    assert list(bare(said)) == ["Yes", "one", "more"]


def test_scripts_say_nothing_of_their_own() -> None:
    """Their words stand in the page, translated; what has a blank and a capital is a sentence."""
    sentence = re.compile(r"""(["'`])([A-Z][a-z]+ [a-z][^"'`]*)\1""")
    found = {
        path.name: [text for _, text in sentence.findall(path.read_text(encoding="utf-8"))]
        for path in sorted((ROOT / "config" / "static" / "js").glob("*.js"))
    }
    assert not {name: texts for name, texts in found.items() if texts}


# Names of things, and choices that pages word themselves.
NO_LABELS = {"User.language", "Attachment.licence", "BookingPolicy.approval", "UnmetDemand.kind",
             "Suggestion.cause"}  # fmt: skip


def test_choices_have_labels_in_both_languages() -> None:
    plain = [
        f"{model.__name__}.{field.name}: {label}"
        for app in ("accounts", "bookings", "instruments")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        for _, label in getattr(field, "flatchoices", None) or ()
        if f"{model.__name__}.{field.name}" not in NO_LABELS
        and not isinstance(label, Promise)
        and not ABBREVIATION.fullmatch(label)
    ]
    assert not plain
