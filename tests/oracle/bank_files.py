"""Statements that are due, and the transfers of a bank file with what each one pays, as a careful clerk would
book them; written without reading how the platform matches (`bookings/bank/domain/`).

`world` draws both by a seed. A number is spoilt as people and banks spoil it, a name is written as a bank
knows it, and some money is for no statement at all. `camt`, `mt940` and `table` write the transfers as files.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from xml.sax.saxutils import escape

CERTAIN = "certain"  # a clerk books it without asking
LIKELY = "likely"  # a clerk asks, and would book it on these statements
NONE = "none"  # a clerk books it on no statement
HOST, HOST_NAME = "USTC", "University of Science and Technology of China"
OTHER_HOST = "WUSONG-TECH"
ACCOUNT, CURRENCY = "CN8801700200000218", "CNY"
FIRST_DAY = date(2026, 4, 1)
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Payer:
    """An organisation: `short` and `short_zh` are its names without the word for its legal form."""

    code: str
    kind: str
    name: str
    name_zh: str
    short: str
    short_zh: str


@dataclass(frozen=True)
class Due:
    """A statement of the host. `replaced_by` is the number of the one drawn up in place of a voided one."""

    year: int
    number: int
    payer: str  # the code
    month: date
    currency: str
    payable: Decimal
    paid: Decimal = Decimal(0)
    state: str = "issued"
    replaced_by: int | None = None

    @property
    def text(self) -> str:
        """The number as it is printed."""
        return f"{HOST}-{self.year}-{self.number:04}"

    @property
    def open(self) -> Decimal:
        return Decimal(0) if self.state in ("paid", "voided") else self.payable - self.paid


@dataclass(frozen=True)
class Transfer:
    """A row of the bank's file; money that leaves is below zero. `purpose` is in the bank's lines."""

    bank_id: str
    booked_on: date
    amount: Decimal
    name: str
    account: str
    purpose: tuple[str, ...]
    end_to_end: str = "NOTPROVIDED"
    is_return: bool = False


@dataclass(frozen=True)
class Truth:
    """What a transfer pays: amounts by the printed number of statements. If it is not certain, it may be
    booked on `among` only. `returns` is the transfer that comes back."""

    kind: str
    certainty: str
    pays: tuple[tuple[str, Decimal], ...] = ()
    among: frozenset[str] = frozenset()
    returns: str = ""


@dataclass(frozen=True)
class World:
    payers: tuple[Payer, ...]
    dues: tuple[Due, ...]
    transfers: tuple[Transfer, ...]
    truths: dict[str, Truth]  # by the transfer's `bank_id`

    def due(self, text: str) -> Due:
        return next(due for due in self.dues if due.text == text)

    def of_certainty(self, certainty: str) -> list[Transfer]:
        return [each for each in self.transfers if self.truths[each.bank_id].certainty == certainty]


# ---- Payers

PLACES = [
    ("Hefei", "合肥"), ("Wuhu", "芜湖"), ("Bengbu", "蚌埠"), ("Anqing", "安庆"), ("Suzhou", "苏州"),
    ("Wuxi", "无锡"), ("Nantong", "南通"), ("Hangzhou", "杭州"), ("Ningbo", "宁波"), ("Wenzhou", "温州"),
    ("Shaoxing", "绍兴"), ("Nanjing", "南京"), ("Xuzhou", "徐州"), ("Shanghai", "上海"), ("Jiaxing", "嘉兴"),
]  # fmt: skip
FIELDS = [
    ("Optics", "光学"), ("Battery Materials", "电池材料"), ("Biopharma", "生物医药"), ("Ceramics", "陶瓷"),
    ("Precision Castings", "精密铸造"), ("Semiconductor", "半导体"), ("Water Technology", "水务科技"),
    ("Textile", "纺织"),
]  # fmt: skip
ABROAD = [
    ("Müller Werkstofftechnik GmbH", "穆勒材料技术有限公司"),
    ("Glen Ness Photonics Ltd", "格伦尼斯光子有限公司"),
    ("Société Rhône Polymères SA", "罗讷聚合物公司"),
    ("Øresund Enzymes A/S", "厄勒海峡酶制剂公司"),
    ("Palouse Grain Analytics, Inc.", "帕卢斯谷物分析公司"),
    ("Jürgens & Söhne Feinmechanik GmbH", "于尔根斯父子精密机械有限公司"),
]
# Names that begin alike: money of one is no money of the other.
TWINS = [
    ("Hefei Optical Fibre Co., Ltd.", "合肥光纤有限公司"),
    ("Wuhu Battery Recycling Co., Ltd.", "芜湖电池回收有限公司"),
    ("Suzhou Semiconductor Packaging Co., Ltd.", "苏州半导体封装有限公司"),
    ("Ningbo Textile Machinery Co., Ltd.", "宁波纺织机械有限公司"),
]


def payers(draw: Random) -> Iterator[Payer]:
    """120 organisations: firms, universities, hospitals, institutes; six abroad, four with a name like
    another's."""
    pairs = [(place, field) for place in PLACES for field in FIELDS]
    draw.shuffle(pairs)
    for (place, place_zh), (field, field_zh) in pairs[:70]:
        short, short_zh = f"{place} {field}", place_zh + field_zh
        yield Payer(_code(short), "enterprise", f"{short} Co., Ltd.", f"{short_zh}有限公司", short, short_zh)
    for place, place_zh in PLACES:
        short, short_zh = f"{place} University", f"{place_zh}大学"
        yield Payer(_code(short), "university", short, short_zh, f"{place} Univ.", short_zh)
    for place, place_zh in PLACES:
        short = f"{place} First People's Hospital"
        name_zh = f"{place_zh}市第一人民医院"
        yield Payer(_code(short), "hospital", short, name_zh, short, f"{place_zh}第一人民医院")
    for place, place_zh in PLACES[:10]:
        short = f"{place} Institute of Geology"
        yield Payer(_code(short), "institute", short, f"{place_zh}地质研究所", short, f"{place_zh}地质所")
    for name, name_zh in [*ABROAD, *TWINS]:
        short, short_zh = name, name_zh.removesuffix("有限公司").removesuffix("公司")
        for form in (" Co., Ltd.", " GmbH", " Ltd", " SA", " A/S", ", Inc."):
            short = short.removesuffix(form)
        yield Payer(_code(short), "enterprise", name, name_zh, short, short_zh)


def _code(name: str) -> str:
    plain = _ascii(name.replace("ø", "o").replace("Ø", "O").lower())
    words = "".join(sign if sign.isalnum() else " " for sign in plain).split()
    return "-".join(words)[:30].strip("-")


def _ascii(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if sign.isascii())


def names(payer: Payer) -> list[str]:
    """The names under which banks know a payer, the printed ones first."""
    plain = payer.name.replace(",", "").replace(".", "")
    found = [
        payer.name,
        payer.name_zh,
        payer.name.upper(),
        plain.upper(),
        payer.short_zh,
        payer.short.upper(),
    ]
    if payer.name.endswith("Co., Ltd."):
        found += [payer.short + " Ltd", payer.short + " Company Limited", payer.short.upper() + " LTD"]
        found += [payer.short_zh + "有限责任公司", payer.name[:27], payer.name_zh + " "]
    if payer.kind == "university":
        place = payer.name.removesuffix(" University")
        found += [f"{place} Univ", f"UNIVERSITY OF {place.upper()}", f"{payer.name_zh}财务处"]
    if not payer.name.isascii():
        spelt = payer.name.replace("ü", "ue").replace("ö", "oe").replace("Ø", "Oe")
        bare = payer.name.replace("Ø", "O")
        found = [payer.name, _ascii(spelt).upper(), _ascii(bare), payer.short, payer.name_zh]
    return found


# ---- Numbers as people and banks write them


def spoilings(due: Due) -> dict[str, str]:
    """The number of a statement, whole but written otherwise, by the way of writing."""
    year, number = due.year, f"{due.number:04}"
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in due.text)
    return {
        "plain": due.text,
        "lower": due.text.lower(),
        "mixed case": due.text.title(),
        "no dashes": f"{HOST}{year}{number}",
        "spaces": f"{HOST} {year} {number}",
        "spaced dashes": f"{HOST} - {year} - {number}",
        "slashes": f"{HOST}/{year}/{number}",
        "underscores": f"{HOST}_{year}_{number}",
        "dots": f"{HOST}.{year}.{number}",
        "long dashes": f"{HOST}–{year}–{number}",
        "Chinese dashes": f"{HOST}—{year}—{number}",
        "full width": wide,
        "no zeros": f"{HOST}-{year}-{due.number}",
        "one space": f"{HOST}-{year} -{number}",
    }


# Of these the amount or the payer says the rest; alone they would not do.
HALVES: dict[str, Callable[[Due], str]] = {
    "without the host": lambda due: f"{due.year}-{due.number:04}",
    "short year": lambda due: f"{HOST}-{due.year % 100}-{due.number:04}",
    "letters for figures": lambda due: due.text.replace("0", "O"),
    "the last figures": lambda due: f"No. {due.number:04}",
}
PURPOSES = (
    "{}", "{}", "Invoice {}", "Rechnung {} vom 01.04.2026", "Payment for instrument use {} thank you",
    "Re.: {}.", "付{}仪器费", "支付{}测试费", "{}号对账单款", "货款 {}", "仪器使用费（{}）",
    "转账：{} 检测费", "REF {}/SHARED COSTS", "/RFB/{}", "/ROC/{}//URI/INSTRUMENT USE",
    "SVWZ+{} GERAETENUTZUNG", "EREF+{}", "EREF+NOTPROVIDED SVWZ+RG {}",
    "KREF+8831 SVWZ+{} DANKE ABWA+TREASURY", "our order 4500123987, your {}", "合同HT2026-0411 付 {}",
)  # fmt: skip
SAYS_NOTHING = (
    "instrument use",
    "仪器费",
    "测试费",
    "Invoice",
    "payment",
    "货款",
    "Rechnung",
    "",
    "SVWZ+VIELEN DANK",
)
# Before a number that is cut off after the 35th sign: of the last one a number of three figures is left.
LONG = (
    "Invoice for instruments: ",
    "Payment of your invoice ",
    "Use of the instruments ",
    "For your instruments: ",
)

# Money that is for no statement: name, purpose, whether it comes in.
OTHERS = (
    ("Wang Xiaoming", "refund of salary overpaid in March", True),
    ("李建国", "退回3月多发工资", True),
    ("Industrial and Commercial Bank", "INTEREST Q1 2026", True),
    ("工商银行合肥科大支行", "结息 2026-03-21", True),
    ("University of Science and Technology of China", "internal transfer to main account", True),
    ("中国科学技术大学", "校内转账 预算划拨", True),
    ("National Natural Science Foundation", "grant 2026-0012 first part", True),
    ("国家自然科学基金委员会", "项目拨款 52026001", True),
    ("Anhui Tax Bureau", "tax refund 2025", True),
    ("Chen Meiling", "conference fee ICEM-2026-0031", True),
    ("Zhang Wei", "return of petty cash", True),
    ("安徽省财政厅", "专项经费 2026-0045", True),
    ("State Grid Anhui", "electricity March", False),
    ("Bank", "ACCOUNT FEES MARCH", False),
    ("Agilent Technologies", "purchase order PO-2026-0017", False),
    ("职工食堂", "餐费结算", False),
)

COUNTS = {
    "number": 140,
    "number, returned later": 10,
    "half a number": 24,
    "cut off": 15,
    "part by number": 25,
    "second part": 10,
    "overpaid by number": 15,
    "bank fee taken off": 15,
    "another pays": 10,
    "several numbers": 25,
    "range of numbers": 10,
    "sum without numbers": 6,
    "name and amount": 55,
    "same amount, two payers": 10,
    "same amount, no name": 4,
    "same payer, same amounts": 6,
    "part without a number": 8,
    "wrong number": 12,
    "paid twice": 6,
    "returned": 10,
    "voided": 6,
    "voided and replaced": 4,
    "already paid": 6,
    "another host's": 8,
    "another currency": 3,
    "like another's name": 4,
}
TRANSFERS = 500


@dataclass
class _Drawing:
    draw: Random
    payers: list[Payer]
    dues: list[Due]
    rows: list[tuple[int, Transfer, Truth]]  # with the day after the first on which they are booked
    used: set[Decimal]
    months: dict[tuple[str, str], int]

    # ---- Statements

    def amount(self, least: int = 80, most: int = 42_000) -> Decimal:
        """An amount that nothing else has."""
        while True:
            amount = Decimal(self.draw.randint(least * 100, most * 100)) * CENT
            if amount not in self.used:
                self.used.add(amount)
                return amount

    def owe(self, payer: Payer, payable: Decimal | None = None, **values: object) -> Due:
        """A new statement of a payer, of the next month for which it has none in force."""
        currency = str(values.pop("currency", CURRENCY))
        before = self.months.get((payer.code, currency), 0)
        self.months[payer.code, currency] = before + 1
        index = 2026 * 12 + 2 - before  # the month before April, and backwards
        due = Due(
            2026,
            len(self.dues) + 1,
            payer.code,
            date(index // 12, index % 12 + 1, 1),
            currency,
            self.amount() if payable is None else payable,
        )
        self.dues.append(replace(due, **values))  # type: ignore[arg-type]
        return self.dues[-1]

    def anybody(self) -> Payer:
        return self.draw.choice(self.payers)

    def by_code(self, code: str) -> Payer:
        return next(payer for payer in self.payers if payer.code == code)

    # ---- Transfers

    def write(self, spelt: str) -> tuple[tuple[str, ...], str]:
        """A purpose that has the number, in lines of a bank, and the end-to-end reference."""
        how = self.draw.random()
        if how < 0.08 and len(spelt) <= 35:
            return (self.draw.choice(SAYS_NOTHING),), spelt[:35]
        text = self.draw.choice(PURPOSES).format(spelt)
        if how < 0.2:  # the bank's lines have 27 signs; it breaks words
            text = "Payment instruments " + text
            return tuple(text[start : start + 27] for start in range(0, len(text), 27)), "NOTPROVIDED"
        return (text,), "NOTPROVIDED"

    def row(
        self,
        name: str,
        amount: Decimal,
        purpose: tuple[str, ...],
        truth: Truth,
        *,
        day: int | None = None,
        end_to_end: str = "NOTPROVIDED",
        is_return: bool = False,
    ) -> str:
        number = len(self.rows) + 1
        bank_id = f"2026{self.draw.randint(10**7, 10**8 - 1)}{number:04}"
        booked = self.draw.randint(0, 20) if day is None else day
        account = f"CN{self.draw.randint(10**15, 10**16 - 1)}"
        transfer = Transfer(
            bank_id, FIRST_DAY + timedelta(booked), amount, name, account, purpose, end_to_end, is_return
        )
        self.rows.append((booked, transfer, truth))
        return bank_id

    def pay(
        self,
        kind: str,
        dues: Sequence[Due],
        amount: Decimal,
        spelt: str,
        *,
        certainty: str = CERTAIN,
        name: str | None = None,
        day: int | None = None,
    ) -> str:
        """A transfer whose purpose has a number, of the first statement's payer; paid in the order given."""
        payer = self.by_code(dues[0].payer)
        purpose, end_to_end = self.write(spelt)
        parts, left = [], amount
        for due in dues:
            part = min(due.open, left)
            left -= part
            if part:
                parts.append((due.text, part))
        truth = Truth(kind, certainty, tuple(parts), frozenset(due.text for due in dues))
        name = self.draw.choice(names(payer)) if name is None else name
        return self.row(name, amount, purpose, truth, day=day, end_to_end=end_to_end)

    def silent(self, name: str, amount: Decimal, truth: Truth) -> str:
        """A transfer whose purpose has no number."""
        return self.row(name, amount, (self.draw.choice(SAYS_NOTHING),), truth)

    def known(self, payer: Payer) -> str:
        return self.draw.choice(names(payer))


def world(seed: int = 1) -> World:
    """Statements and 500 transfers, always the same ones of a seed."""
    draw = Random(seed)
    all_payers = list(payers(draw))
    it = _Drawing(draw, all_payers, [], [], set(), {})
    _numbered(it)
    _parts(it)
    _several(it)
    _unnumbered(it)
    _wrong(it)
    _unpayable(it)
    for day, transfer, truth in [row for row in it.rows if row[2].kind == "number, returned later"]:
        it.row(
            transfer.name,
            -transfer.amount,
            ("RETURN", *transfer.purpose),
            Truth("returned", NONE, (), truth.among, transfer.bank_id),
            day=day + 3,
            end_to_end=transfer.end_to_end,
            is_return=True,
        )
    while len(it.rows) < TRANSFERS:
        name, purpose, is_income = draw.choice(OTHERS)
        amount = it.amount()
        it.row(name, amount if is_income else -amount, (purpose,), Truth("for no statement", NONE))
    it.rows.sort(key=lambda row: row[0])
    return World(
        tuple(all_payers),
        tuple(it.dues),
        tuple(transfer for _, transfer, _ in it.rows),
        {transfer.bank_id: truth for _, transfer, truth in it.rows},
    )


def _numbered(it: _Drawing) -> None:
    for count in range(COUNTS["number"]):
        due = it.owe(it.anybody())
        ways = list(spoilings(due).values())
        it.pay("number", [due], due.open, ways[count % len(ways)])
    for _ in range(COUNTS["number, returned later"]):
        due = it.owe(it.anybody())
        it.pay("number, returned later", [due], due.open, due.text, certainty=LIKELY)
    for count in range(COUNTS["half a number"]):
        due = it.owe(it.anybody())
        half = list(HALVES.values())[count % len(HALVES)]
        it.pay("half a number", [due], due.open, half(due))
    for count in range(COUNTS["cut off"]):
        due = it.owe(it.anybody())
        it.row(
            it.known(it.by_code(due.payer)),
            due.open,
            ((LONG[count % len(LONG)] + due.text)[:35],),
            Truth("cut off", CERTAIN, ((due.text, due.open),), frozenset([due.text])),
        )
    for _ in range(COUNTS["another pays"]):
        due = it.owe(it.anybody())
        who = it.draw.choice(
            ["Group Treasury Services", "张敏", "Jiangsu Holdings Settlement Center", "代付平台"]
        )
        it.pay("another pays", [due], due.open, it.draw.choice([due.text, due.text.lower()]), name=who)


def _parts(it: _Drawing) -> None:
    for count in range(COUNTS["part by number"]):
        due = it.owe(it.anybody())
        part = (due.open * it.draw.choice([30, 50, 60, 75]) / 100).quantize(CENT)
        day = it.draw.randint(0, 10)
        spelt = it.draw.choice(list(spoilings(due).values()))
        it.pay("part by number", [due], part, spelt, day=day)
        if count < COUNTS["second part"]:
            left = replace(due, paid=part)
            it.pay("second part", [left], left.open, due.text, day=day + 5)
    for _ in range(COUNTS["overpaid by number"]):
        due = it.owe(it.anybody())
        more = it.draw.choice([Decimal("0.50"), Decimal(1), Decimal(100), due.open])
        it.pay("overpaid by number", [due], due.open + more, it.draw.choice(list(spoilings(due).values())))
    for _ in range(COUNTS["bank fee taken off"]):
        due = it.owe(it.anybody())
        fee = it.draw.choice([Decimal(15), Decimal("12.50"), Decimal(25), Decimal(50)])
        spelt = it.draw.choice(list(spoilings(due).values()))
        # A shortfall that looks like a fee stays a question to finance: to waive it or to ask for it.
        it.pay("bank fee taken off", [due], due.open - fee, spelt, certainty=LIKELY)


def _several(it: _Drawing) -> None:
    joins = [", ", " ", "; ", "、", " and ", "+", " & "]
    for count in range(COUNTS["several numbers"]):
        payer = it.anybody()
        dues = []
        for _ in range(it.draw.randint(2, 4)):
            dues.append(it.owe(payer))
            if count % 3 == 0:  # the numbers of others lie between them
                it.owe(it.anybody())
        numbers = [due.text for due in dues]
        if count % 4 == 1:  # the first in full, of the others the last figures
            spelt = it.draw.choice(["/", ","]).join([numbers[0], *(number[-4:] for number in numbers[1:])])
        elif count % 4 == 2:
            spelt = it.draw.choice(joins).join(number.replace("-", "") for number in numbers)
        else:
            spelt = it.draw.choice(joins).join(numbers)
        it.pay("several numbers", dues, sum((due.open for due in dues), Decimal(0)), spelt)
    for count in range(COUNTS["range of numbers"]):
        payer = it.anybody()
        dues = [it.owe(payer) for _ in range(it.draw.randint(3, 4))]
        first, last = dues[0].text, dues[-1].text
        ends = last[-4:]
        ways = [
            f"{first} to {last}",
            f"{first} - {ends}",
            f"{first}至{last}",
            f"{first} bis {ends}",
            f"{first}~{ends}",
        ]
        it.pay("range of numbers", dues, sum((due.open for due in dues), Decimal(0)), ways[count % len(ways)])
    owing = {due.payer for due in it.dues}
    for payer in [payer for payer in it.payers if payer.code not in owing][: COUNTS["sum without numbers"]]:
        dues = [it.owe(payer) for _ in range(2)]
        total = sum((due.open for due in dues), Decimal(0))
        among = frozenset(due.text for due in dues)
        pays = tuple((due.text, due.open) for due in dues)
        it.silent(it.known(payer), total, Truth("sum without numbers", LIKELY, pays, among))


def _unnumbered(it: _Drawing) -> None:
    for _ in range(COUNTS["name and amount"]):
        due = it.owe(it.anybody())
        truth = Truth("name and amount", CERTAIN, ((due.text, due.open),), frozenset([due.text]))
        it.silent(it.known(it.by_code(due.payer)), due.open, truth)
    for _ in range(COUNTS["same amount, two payers"] // 2):
        amount = it.amount()
        for payer in it.draw.sample(it.payers, 2):
            due = it.owe(payer, amount)
            truth = Truth("same amount, two payers", CERTAIN, ((due.text, amount),), frozenset([due.text]))
            it.silent(it.known(payer), amount, truth)
    for _ in range(COUNTS["same amount, no name"]):
        amount = it.amount()
        for payer in it.draw.sample(it.payers, 2):
            it.owe(payer, amount)
        it.silent(
            it.draw.choice(["", "支付宝备付金", "Cash deposit"]), amount, Truth("same amount, no name", NONE)
        )
    for _ in range(COUNTS["same payer, same amounts"]):
        amount, payer = it.amount(), it.anybody()
        dues = [it.owe(payer, amount) for _ in range(2)]
        truth = Truth(
            "same payer, same amounts", LIKELY, ((dues[0].text, amount),), frozenset(d.text for d in dues)
        )
        it.silent(it.known(payer), amount, truth)
    for _ in range(COUNTS["part without a number"]):
        payer = it.anybody()
        it.owe(payer)
        among = frozenset(due.text for due in it.dues if due.payer == payer.code)
        it.silent(it.known(payer), it.amount(20, 70), Truth("part without a number", LIKELY, (), among))


def _wrong(it: _Drawing) -> None:
    """The amount and the name are of one statement, the number is of another one, or of none."""
    for count in range(COUNTS["wrong number"]):
        payer = it.anybody()
        due = it.owe(payer)
        if count % 3 == 0:  # of no statement
            spelt = f"{HOST}-2026-{7000 + due.number}"
        else:
            other = it.owe(payer if count % 3 == 1 else it.draw.choice([p for p in it.payers if p != payer]))
            spelt = other.text
        it.pay("wrong number", [due], due.open, spelt, certainty=LIKELY)
    twins = {name: it.by_code(_code(name.removesuffix(" Co., Ltd."))) for name, _ in TWINS}
    for _, payer in zip(range(COUNTS["like another's name"]), twins.values(), strict=False):
        # The twin owes this; the money comes from a firm whose name begins alike, and which owes nothing.
        due = it.owe(payer)
        place, field = payer.short.split(" ")[:2]
        name = f"{place} {field} Trading Co., Ltd."
        it.silent(name, due.open, Truth("like another's name", NONE))


def _unpayable(it: _Drawing) -> None:
    paid_once = [row for row in it.rows if row[2].kind == "number"][-COUNTS["paid twice"] :]
    for day, transfer, truth in paid_once:
        it.row(
            transfer.name,
            transfer.amount,
            transfer.purpose,
            Truth("paid twice", NONE, (), truth.among),
            day=day + 2,
            end_to_end=transfer.end_to_end,
        )
    for _ in range(COUNTS["voided"]):
        due = it.owe(it.anybody(), state="voided")
        _to_none(it, "voided", due, due.payable)
    for _ in range(COUNTS["voided and replaced"]):
        payer = it.anybody()
        void = it.owe(payer, state="voided", replaced_by=len(it.dues) + 2)
        due = it.owe(payer, void.payable)
        it.dues[-1] = due = replace(due, month=void.month)
        it.pay("voided and replaced", [due], due.open, void.text, certainty=LIKELY)
    for _ in range(COUNTS["already paid"]):
        due = it.owe(it.anybody())
        it.dues[-1] = due = replace(due, state="paid", paid=due.payable)
        _to_none(it, "already paid", due, due.payable)
    for count in range(COUNTS["another host's"]):
        number = it.draw.randint(1, len(it.dues))  # the same figures exist here
        it.row(
            it.known(it.anybody()),
            it.amount(),
            (
                f"Invoice {OTHER_HOST}-2026-{number:04}"
                if count % 2
                else f"付{OTHER_HOST}-2026-{number:04}仪器费",
            ),
            Truth("another host's", NONE),
        )
    for _ in range(COUNTS["another currency"]):
        due = it.owe(it.anybody(), currency="EUR")
        _to_none(it, "another currency", due, it.amount())


def _to_none(it: _Drawing, kind: str, due: Due, amount: Decimal) -> None:
    purpose, end_to_end = it.write(due.text)
    it.row(it.known(it.by_code(due.payer)), amount, purpose, Truth(kind, NONE), end_to_end=end_to_end)


# ---- Files


def camt(transfers: Sequence[Transfer], opening: Decimal = Decimal("100000.00")) -> bytes:
    """A CAMT.053 (version 2) file of one account."""
    closing = opening + sum((each.amount for each in transfers), Decimal(0))
    first, last = (transfers[0].booked_on, transfers[-1].booked_on)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>M20260430</MsgId><CreDtTm>2026-04-30T21:00:00+08:00</CreDtTm></GrpHdr>"
        "<Stmt><Id>S20260430</Id><ElctrncSeqNb>4</ElctrncSeqNb><CreDtTm>2026-04-30T21:00:00+08:00</CreDtTm>"
        f"<Acct><Id><IBAN>{ACCOUNT}</IBAN></Id><Ccy>{CURRENCY}</Ccy><Ownr><Nm>{HOST_NAME}</Nm></Ownr></Acct>"
    )
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_money(amount)}<Dt><Dt>{day}</Dt></Dt></Bal>"
        for code, amount, day in (("OPBD", opening, first), ("CLBD", closing, last))
    )
    entries = "".join(map(_entry, transfers))
    return f"{head}{balances}{entries}</Stmt></BkToCstmrStmt></Document>\n".encode()


def _money(amount: Decimal) -> str:
    side = "DBIT" if amount < 0 else "CRDT"
    return f'<Amt Ccy="{CURRENCY}">{abs(amount):.2f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _entry(transfer: Transfer) -> str:
    came = transfer.amount > 0 or transfer.is_return
    role = "Dbtr" if came else "Cdtr"
    party = (
        f"<{role}><Nm>{escape(transfer.name)}</Nm></{role}>"
        f"<{role}Acct><Id><Othr><Id>{transfer.account}</Id></Othr></Id></{role}Acct>"
        if transfer.name
        else ""
    )
    lines = "".join(f"<Ustrd>{escape(line)}</Ustrd>" for line in transfer.purpose if line)
    returned = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>" if transfer.is_return else ""
    return (
        f"<Ntry>{_money(transfer.amount)}{'<RvslInd>true</RvslInd>' * transfer.is_return}<Sts>BOOK</Sts>"
        f"<BookgDt><Dt>{transfer.booked_on}</Dt></BookgDt><ValDt><Dt>{transfer.booked_on}</Dt></ValDt>"
        f"<AcctSvcrRef>{transfer.bank_id}</AcctSvcrRef>"
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{escape(transfer.end_to_end)}</EndToEndId></Refs>"
        f"<RltdPties>{party}</RltdPties>"
        f"{f'<RmtInf>{lines}</RmtInf>' if lines else ''}{returned}</TxDtls></NtryDtls></Ntry>"
    )


def mt940(transfers: Sequence[Transfer], opening: Decimal = Decimal("100000.00")) -> bytes:
    """An MT940 file with subfields of 27 signs, as banks in Germany and China write it."""
    lines = [
        ":20:STARTUMS",
        f":25:{ACCOUNT}",
        ":28C:4/1",
        f":60F:{_balance(opening, transfers[0].booked_on)}",
    ]
    for each in transfers:
        mark = ("RC" if each.is_return else "D") if each.amount < 0 else "C"
        amount = f"{abs(each.amount):.2f}".replace(".", ",")
        lines.append(f":61:{each.booked_on:%y%m%d%m%d}{mark}{amount}NTRFNONREF//{each.bank_id[:16]}")
        text = " ".join([f"EREF+{each.end_to_end}"] * (each.end_to_end != "NOTPROVIDED") + [*each.purpose])
        pieces = [text[start : start + 27] for start in range(0, len(text), 27)][:10]
        fields = [f"?{20 + place}{piece}" for place, piece in enumerate(pieces)]
        fields += [f"?32{each.name[:27]}"] * bool(each.name) + [f"?33{each.name[27:54]}"] * bool(
            each.name[27:]
        )
        lines += [":86:166?00TRANSFER" + "".join(fields)]
    closing = opening + sum((each.amount for each in transfers), Decimal(0))
    lines += [f":62F:{_balance(closing, transfers[-1].booked_on)}", "-"]
    return "\r\n".join(lines).encode()


def _balance(amount: Decimal, day: date) -> str:
    return f"{'D' if amount < 0 else 'C'}{day:%y%m%d}{CURRENCY}{abs(amount):.2f}".replace(".", ",")


COLUMNS = ("Date", "Amount", "Currency", "Name", "Account", "Purpose", "End to end", "Reference of the bank")
COLUMNS_ZH = ("交易日期", "收入金额", "支出金额", "币种", "对方户名", "对方账号", "摘要", "流水号")


def table(transfers: Sequence[Transfer]) -> bytes:
    """A CSV file with signed amounts."""
    rows = [
        (
            each.booked_on.isoformat(),
            f"{each.amount:.2f}",
            CURRENCY,
            each.name,
            each.account,
            " ".join(each.purpose),
            each.end_to_end.replace("NOTPROVIDED", ""),
            each.bank_id,
        )
        for each in transfers
    ]
    return _csv(COLUMNS, rows)


def table_zh(transfers: Sequence[Transfer]) -> bytes:
    """A CSV file as a Chinese bank gives it: money in and out in two columns, thousands apart."""
    rows = [
        (
            f"{each.booked_on:%Y/%m/%d}",
            f"{each.amount:,.2f}" if each.amount > 0 else "",
            f"{-each.amount:,.2f}" if each.amount < 0 else "",
            "人民币",
            each.name,
            each.account,
            " ".join([*each.purpose, *([each.end_to_end] * (each.end_to_end != "NOTPROVIDED"))]),
            each.bank_id,
        )
        for each in transfers
    ]
    return _csv(COLUMNS_ZH, rows)


def _csv(head: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([head, *rows])
    return ("\ufeff" + out.getvalue()).encode()


# ---- Marks

Booked = dict[str, dict[str, Decimal]]  # what was booked on each statement's number, by the transfer


@dataclass(frozen=True)
class Marks:
    """`wrong` and `missed` have a line for each transfer; `matched` is in percent of what is certain."""

    wrong: tuple[str, ...]
    missed: tuple[str, ...]
    matched: float


def marks(of: World, booked: Booked) -> Marks:
    """The marks of what was booked without asking anybody."""
    wrong: list[str] = []
    missed: list[str] = []
    hits = certain = 0
    for each in of.transfers:
        truth, on = of.truths[each.bank_id], booked.get(each.bank_id, {})
        line = f"{truth.kind}: {each.name} {each.amount} {' | '.join(each.purpose)} {each.end_to_end} -> "
        line += f"{_told(on.items())}, pays {_told(truth.pays)}"
        certain += truth.certainty == CERTAIN
        if truth.certainty == CERTAIN and not on:
            missed.append(line)
        elif not is_right(each, truth, on):
            wrong.append(line)
        else:
            hits += truth.certainty == CERTAIN
    return Marks(tuple(wrong), tuple(missed), 100 * hits / certain)


def is_right(transfer: Transfer, truth: Truth, on: dict[str, Decimal]) -> bool:
    """Whether what was booked may stand: what is certain as it is, what is likely on its statements, a return
    as what it takes back, and nothing always."""
    if not on:
        return True
    if truth.certainty == CERTAIN:
        return on == dict(truth.pays)
    if truth.certainty == LIKELY:
        return {*on} <= truth.among and sum(on.values()) <= transfer.amount
    return bool(truth.returns) and {*on} <= truth.among and sum(on.values()) == transfer.amount


def _told(pays: Iterable[tuple[str, Decimal]]) -> str:
    return " + ".join(f"{number} {amount}" for number, amount in pays) or "nothing"
