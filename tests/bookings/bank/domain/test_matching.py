"""Five hundred transfers as payers write them, with traps: nothing is ever given wrongly."""

import random
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.bank.domain.books import Entered, Incoming, Notice, OpenStatement, Part, Payer
from bookings.bank.domain.matching import find
from bookings.bank.domain.numbers import bare, mentioned, short

DAY = date(2026, 4, 1)
FUDAN = Payer(UUID(int=1), ("Fudan University", "复旦大学"), ("CN12 3456 7890 1234", "1001234509022100"))
USTC = Payer(UUID(int=2), ("Wusong Technologies Ltd", "吴淞科技"), ("DE89370400440532013000",))


def statement(number: int, due: str, payer: Payer = FUDAN, **more: object) -> OpenStatement:
    values = {"currency": "CNY", "year": 2026} | more
    return OpenStatement(UUID(int=100 + number), number=number, payer=payer.id, due=Decimal(due), **values)  # type: ignore[arg-type]


def transfer(
    amount: str, purpose: str = "", name: str = "Fudan University", pk: int = 1000, **more: object
) -> Incoming:
    values = {"booked_on": DAY, "currency": "CNY"} | more
    return Incoming(UUID(int=pk), amount=Decimal(amount), name=name, purpose=purpose, **values)  # type: ignore[arg-type]


def best(one: Incoming, *statements: OpenStatement, **more: object):
    found = find("ustc", [one], statements, [FUDAN, USTC], **more)[one.id]  # type: ignore[arg-type]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("USTC-2026-0012", [12]),
        ("ustc 2026 0012 payment", [12]),
        ("Rechnung USTC20260012 vom 3.4.", [12]),
        ("付USTC-2026-0012款", [12]),
        ("ＵＳＴＣ－２０２６－００１２", [12]),
        ("USTC-2026-00 12", [12]),
        ("US TC-2026-0012", [12]),
        ("USTC-2026-0012, 0013 and 14", [12, 13, 14]),
        ("USTC-2026-0012、0013", [12, 13]),
        ("USTC-2026-0012/USTC-2026-0013", [12, 13]),
        ("USTC-2026-0012, 500.00 CNY", [12]),
        ("USTC/2026/12", [12]),
        ("XUSTC-2026-0012", []),
        ("USTC", []),
        ("USTC-2026", []),
    ],
)
def test_numbers_are_found_however_they_are_written(text: str, numbers: list[int]) -> None:
    assert [number for _, number in mentioned(text, "ustc").numbers] == numbers


def test_a_list_may_name_another_year_and_a_code_may_have_a_dash() -> None:
    assert mentioned("USTC-2025-0099, 2026-0001", "ustc").numbers == ((2025, 99), (2026, 1))
    assert mentioned("wusong tech 2026-0003", "wusong-tech").numbers == ((2026, 3),)
    assert mentioned("USTC-2026-0012-0014", "ustc").is_unclear
    assert mentioned("HEFEI-USTC-2026-0012", "ustc").is_unclear
    assert bare("Invoice 2026-0012, 2026-04-01") == ((2026, 12),)


def test_number_payer_and_amount_are_certain() -> None:
    found = best(transfer("504.80", "USTC-2026-0012"), statement(12, "504.80"), statement(13, "504.80"))
    assert found is not None and found.is_certain
    assert found.parts == (Part(UUID(int=112), Decimal("504.80")),)


@pytest.mark.parametrize(
    ("one", "notes"),
    [
        (transfer("480.00", "USTC-2026-0012"), {"part", "fees"}),
        (transfer("504.80", "USTC-2026-0012", "Wusong Technologies Ltd"), {"other_payer"}),
        (transfer("600.00", "USTC-2026-0012", "Somebody"), {"overpaid", "unknown_payer"}),
        (transfer("504.80", "USTC-2026-0012-0014"), {"unclear"}),
        (transfer("504.80", "USTC-2026-0012 and 99"), {"not_open"}),
        (transfer("504.80", "USTC-2026-0012", is_doubled=True), {"read_before"}),
    ],
)
def test_what_speaks_against_a_number_makes_a_doubt(one: Incoming, notes: set[str]) -> None:
    found = best(one, statement(12, "504.80"), statement(13, "77.70"))
    assert found is not None and not found.is_certain
    assert set(found.notes) == notes


def test_a_number_that_the_amount_contradicts_comes_behind_what_the_payer_owes() -> None:
    rows = [statement(12, "504.80"), statement(13, "77.70")]
    other = best(transfer("77.70", "USTC-2026-0012"), *rows)
    assert other is not None and other.parts == (Part(UUID(int=113), Decimal("77.70")),)
    both = best(transfer("582.50", "USTC-2026-0012"), *rows)
    assert both is not None and len(both.parts) == 2
    assert not other.is_certain and not both.is_certain


def test_what_a_payer_gives_beyond_the_number_is_their_credit() -> None:
    found = best(transfer("600.00", "USTC-2026-0012"), statement(12, "504.80"), statement(13, "77.70"))
    assert found is not None and found.is_certain and found.credit == Decimal("95.20")
    exact = best(transfer("582.50", "USTC-2026-0012"), statement(12, "504.80"), statement(13, "77.70"))
    assert exact is not None and not exact.is_certain


@pytest.mark.parametrize(
    "text",
    ["USTC-2026-0012 to USTC-2026-0015", "USTC-2026-0012 - 0015", "USTC-2026-0012至15", "ustc20260012~15"],
)
def test_a_range_is_what_the_payer_owes_from_its_first_to_its_last_number(text: str) -> None:
    rows = [
        statement(12, "504.80"),
        statement(13, "77.70", USTC),
        statement(14, "310.05"),
        statement(15, "9.15"),
    ]
    assert mentioned(text, "ustc").ranges == (((2026, 12), (2026, 15)),)
    found = best(transfer("824.00", text), *rows)
    assert found is not None and found.is_certain and len(found.parts) == 3
    less = best(transfer("814.85", text), *rows)  # without the last one
    assert less is None or not less.is_certain
    others = best(transfer("824.00", text, "Wusong Technologies Ltd"), *rows)
    assert others is None or not others.is_certain


def test_a_number_that_is_cut_off_is_no_shorter_number() -> None:
    assert mentioned("Use of the instruments USTC-2026-01", "ustc").begun == ((2026, "01"),)
    assert mentioned("Use of the instruments USTC-2026-01 thanks", "ustc").numbers == ((2026, 1),)
    assert mentioned("Invoice USTC-2026-12", "ustc").numbers == ((2026, 12),)
    rows = [statement(1, "504.80", USTC), statement(18, "99.05"), statement(181, "504.80")]
    found = best(transfer("504.80", "Use of the instruments USTC-2026-01"), *rows)
    assert found is not None and found.is_certain and found.parts[0].statement == UUID(int=281)
    more = [*rows, statement(182, "504.80")]
    both = best(transfer("504.80", "Use of the instruments USTC-2026-01"), *more)
    assert both is not None and not both.is_certain
    unknown = best(transfer("504.80", "Use of the instruments USTC-2026-01", "Somebody"), *rows)
    assert unknown is not None and not unknown.is_certain
    wrong = best(transfer("99.05", "Use of the instruments USTC-2026-02"), *rows)
    assert wrong is not None and not wrong.is_certain


def test_a_name_that_fits_two_is_nobody_s() -> None:
    twins = [
        Payer(UUID(int=1), ("Hefei Optics Co., Ltd.", "合肥光学有限公司")),
        Payer(UUID(int=3), ("Hefei Optics GmbH",)),
        Payer(UUID(int=4), ("Hefei Optical Trading Co., Ltd.",), is_known=False),
    ]
    rows = [statement(12, "504.80"), statement(13, "77.70", twins[1])]

    def certain(name: str) -> bool:
        one = transfer("504.80", "", name)
        return find("ustc", [one], rows, twins)[one.id][0].is_certain

    assert not certain("HEFEI OPTICS")
    assert certain("HEFEI OPTICS COMPANY LIMITED") and certain("合肥光学有限责任公司")
    assert not certain("Hefei Optical Trading")
    assert not certain("HEFEI OPTIC")


def entered(
    number: int, amount: str, payer: Payer = FUDAN, pk: int = 9000, days: int = 2, reference: str = ""
) -> Entered:
    day = DAY - timedelta(days=days)
    statement_id = UUID(int=100 + number)
    numbers = ((2026, number),)
    return Entered(UUID(int=pk), statement_id, numbers, payer.id, Decimal(amount), "CNY", day, reference)


@pytest.mark.parametrize(
    "one",
    [
        transfer("504.80", "USTC-2026-0012", "Somebody"),
        transfer("504.80", "invoice"),
        transfer("504.80", "T 4711", ""),
    ],
)
def test_a_payment_that_was_entered_is_linked_and_not_paid_again(one: Incoming) -> None:
    found = best(one, entered=[entered(12, "504.80", reference="T4711")])
    assert found is not None and found.is_certain
    assert (found.entered, found.parts) == ((UUID(int=9000),), ())


def test_a_payment_that_was_entered_makes_a_doubt_of_paying_again() -> None:
    # Half of it was entered; the other half is still due, and either may be this money.
    half = best(
        transfer("252.40", "USTC-2026-0012"), statement(12, "252.40"), entered=[entered(12, "252.40")]
    )
    assert half is not None and half.entered and not half.is_certain
    other = best(
        transfer("100.40", "USTC-2026-0012"), statement(12, "252.40"), entered=[entered(12, "252.40")]
    )
    assert other is not None and not other.is_certain and "entered" in other.notes
    long_ago = entered(12, "252.40", days=60)
    second = best(transfer("252.40", "USTC-2026-0012"), statement(12, "252.40"), entered=[long_ago])
    assert second is not None and second.is_certain and second.parts
    late = best(transfer("504.80", "USTC-2026-0012"), entered=[entered(12, "504.80", days=20)])
    assert late is not None and late.entered and not late.is_certain


def test_payments_entered_for_one_transfer_are_linked_together_and_once() -> None:
    both = [entered(12, "504.80"), entered(13, "77.70", pk=9001)]
    found = best(transfer("582.50", "USTC-2026-0012, 0013"), entered=both)
    assert found is not None and found.is_certain and len(found.entered) == 2
    same = [entered(12, "504.80"), entered(13, "504.80", pk=9001)]
    unclear = best(transfer("504.80"), entered=same)
    assert unclear is not None and not unclear.is_certain
    twice = [transfer("504.80", "USTC-2026-0012", pk=1), transfer("504.80", "USTC-2026-0012", pk=2)]
    for proposals in find("ustc", twice, [], [FUDAN], entered=both).values():
        assert not any(each.is_certain for each in proposals)


def test_two_equally_good_are_never_certain() -> None:
    found = find("ustc", [transfer("504.80")], [statement(12, "504.80"), statement(13, "504.80")], [FUDAN])
    proposals = found[UUID(int=1000)]
    assert len(proposals) == 2
    assert not any(each.is_certain for each in proposals)


def test_a_sum_of_several_statements_is_found_and_the_day_decides_who_comes_first() -> None:
    rows = [statement(12, "504.80"), statement(13, "77.70"), statement(14, "310.05")]
    every = best(transfer("892.55"), *rows)
    assert every is not None and every.is_certain and len(every.parts) == 3
    some = best(transfer("582.50"), *rows)
    assert some is not None and some.is_certain and len(some.parts) == 2
    twice = [transfer("504.80", "USTC-2026-0012", pk=1), transfer("504.80", "USTC-2026-0012", pk=2)]
    assert not any(each.is_certain for one in find("ustc", twice, rows, [FUDAN]).values() for each in one)
    later = [twice[0], transfer("504.80", "USTC-2026-0012", pk=2, booked_on=DAY + timedelta(days=2))]
    found = find("ustc", later, rows, [FUDAN])
    assert found[UUID(int=1)][0].is_certain
    assert not found[UUID(int=2)][0].is_certain


@pytest.mark.parametrize(
    "text", ["尾款 0041", "尾款0041", "No0041", "nr. 041", "0041/0099", "2026-0041", "２０２６ 0041"]
)
def test_a_number_without_code_is_proposed_and_speaks_against_others(text: str) -> None:
    rows = [statement(17, "504.80"), statement(41, "880.20")]
    part, exact = (transfer(amount, text) for amount in ("300.00", "504.80"))
    found = find("ustc", [part], rows, [FUDAN, USTC])[part.id]
    assert found[0].parts == (Part(UUID(int=141), Decimal("300.00")),)
    assert (found[0].reason, set(found[0].notes)) == ("number", {"short", "part"})
    found = find("ustc", [exact], rows, [FUDAN, USTC])[exact.id]
    assert not any(each.is_certain for each in found)
    assert [each.parts[0].statement.int for each in found] == [117, 141]
    assert "no_code" in found[0].notes
    reported = Notice(Decimal("504.80"), DAY)
    rows[0] = statement(17, "504.80", notices=(reported,))
    assert not any(each.is_certain for each in find("ustc", [exact], rows, [FUDAN, USTC])[exact.id])
    entered = Entered(
        UUID(int=9), UUID(int=117), ((2026, 17),), FUDAN.id, Decimal("504.80"), "CNY", DAY
    )  # fmt: skip
    linked = find("ustc", [exact], [rows[1]], [FUDAN, USTC], entered=[entered])[exact.id]
    assert not any(each.is_certain for each in linked)


def test_figures_that_name_no_other_open_statement_of_the_payer_do_no_harm() -> None:
    rows = [statement(17, "504.80"), statement(41, "880.20"), statement(55, "9.10", USTC)]
    for text in ("尾款 0017", "order 0055", "0041.50", "ABC0041", "tel 10041", "USTC-2026-0017 (0017)"):
        found = best(transfer("504.80", text), *rows)
        assert found is not None and found.is_certain, text
        assert found.parts == (Part(UUID(int=117), Decimal("504.80")),)
    both = best(transfer("1385.00", "USTC-2026-0017, 尾款0041"), *rows)
    assert both is not None and len(both.parts) == 2


@settings(max_examples=60, deadline=None)
@given(
    st.text("尾款余额 no.:,;/#", max_size=12), st.integers(1, 9_999), st.integers(1, 99_999), st.booleans()
)
def test_a_short_number_alone_makes_nothing_certain(
    words: str, number: int, cents: int, is_exact: bool
) -> None:
    row = statement(number, f"{Decimal(cents) / 100:.2f}")
    others = [statement(10_000 + n, f"{n}.37") for n in range(1, 4)]
    text = f"{words} {number:04}"
    assert (f"{number:04}", number) in short(text, mentioned(text, "ustc"))
    paid = row.due if is_exact else row.due + Decimal("1234.56")
    one = transfer(f"{paid:.2f}", text)
    with_text = find("ustc", [one], [row, *others], [FUDAN])[one.id]
    without = find("ustc", [transfer(f"{paid:.2f}")], [row, *others], [FUDAN])[one.id]
    certain = {each.parts for each in with_text if each.is_certain}
    assert certain <= {each.parts for each in without if each.is_certain}
    assert any(row.id in {part.statement for part in each.parts} for each in with_text)


@pytest.mark.parametrize("days", [-1, 0, 2])
def test_a_doubtful_transfer_that_names_a_statement_makes_others_of_it_doubtful(days: int) -> None:
    rows = [statement(48, "8575.40"), statement(49, "12.10")]
    sure = transfer("8575.40", "USTC-2026-0048", pk=1)
    less = transfer("8560.40", "USTC-2026-0048", pk=2, booked_on=DAY + timedelta(days=days))
    found = find("ustc", [sure, less], rows, [FUDAN, USTC])
    assert not any(each.is_certain for one in found.values() for each in one)
    assert "competing" in found[sure.id][0].notes
    stranger = transfer("8560.40", "USTC-2026-0048", "Wusong Technologies Ltd", pk=2)
    assert find("ustc", [sure, stranger], rows, [FUDAN, USTC])[sure.id][0].is_certain


@pytest.mark.parametrize(
    ("reported", "reference", "is_certain"),
    [("2026", "", False), ("B-2026-77-X", "Fee of B-2026-77-X", False), ("B-2026-77-X", "B2026 77X", True)],
)
def test_what_a_payer_reports_makes_no_strangers_money_theirs(
    reported: str, reference: str, is_certain: bool
) -> None:
    rows = [statement(12, "504.80", notices=(Notice(Decimal("77.00"), DAY, reported),))]
    one = transfer("77.00", "会议注册费 2026 B组", "王伟", reference=reference)
    found = find("ustc", [one], rows, [FUDAN, USTC])[one.id]
    assert any(each.is_certain for each in found) == is_certain


def test_a_name_of_many_is_nobodys_for_certain() -> None:
    payers = [Payer(UUID(int=5000 + n), (f"University of Places {n}",)) for n in range(200)]
    rows = [statement(n * 12 + k, f"{k + 1}.37", payers[n]) for n in range(200) for k in range(12)]
    one = transfer("4.74", name="University of Places")
    assert not any(each.is_certain for each in find("ustc", [one], rows, payers)[one.id])


def test_a_notice_decides_between_equals() -> None:
    notice = Notice(Decimal("504.80"), DAY - timedelta(days=2), "T 4711")
    rows = [statement(12, "504.80"), statement(13, "504.80", notices=(notice,))]
    found = best(transfer("504.80", "T4711"), *rows)
    assert found is not None and found.parts[0].statement == UUID(int=113)
    assert found.reason == "notice"


def test_a_return_takes_back_the_transfer_it_returns() -> None:
    paid = transfer("504.80", "USTC-2026-0012", pk=7, reference="E2E-1", counter_account="CN1234567890")
    back = transfer("-504.80", pk=8, reference="E2E-1", counter_account="CN1234567890", is_return=True)
    found = best(back, statement(12, "10.00"), matched=[paid])
    assert found is not None and found.returns == UUID(int=7) and found.is_certain
    again = transfer("504.80", pk=9, counter_account="CN1234567890")
    both = best(back, statement(12, "10.00"), matched=[paid, again])
    assert both is not None and not both.is_certain


def test_former_number_of_a_statement_that_was_drawn_up_again() -> None:
    found = best(transfer("504.80", "USTC-2026-0003"), statement(12, "504.80", former=((2026, 3),)))
    assert found is not None and found.is_certain


WAYS = [
    "USTC-2026-{n:04}",
    "ustc 2026 {n:04}",
    "USTC2026{n:04}",
    "inv. USTC/2026/{n:04} thanks",
    "付款USTC-2026-{n:04}号",
]


def world(
    seed: int, transfers: int
) -> tuple[list[Incoming], list[OpenStatement], list[Payer], dict[UUID, frozenset[Part]]]:
    """Payers with statements, and transfers with what each of them truly pays."""
    dice = random.Random(seed)
    payers = [
        Payer(UUID(int=i), (f"Institute {chr(65 + i % 26)}{i} of Science", f"第{i}研究所"), (f"CN{i:018}",))
        for i in range(1, 61)
    ]
    statements: list[OpenStatement] = []
    truth: dict[UUID, frozenset[Part]] = {}
    incoming: list[Incoming] = []
    number = 0
    for k in range(transfers):
        payer = dice.choice(payers)
        chosen = []
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            number += 1
            due = Decimal(dice.randrange(2_000, 900_000)) / 100
            chosen.append(OpenStatement(UUID(int=10_000 + number), 2026, number, payer.id, due, "CNY"))
        statements += chosen
        whole = sum(each.due for each in chosen)
        way = dice.choice(["number"] * 7 + ["plain", "fee", "wrong", "round"])
        text = ", ".join(dice.choice(WAYS).format(n=each.number) for each in chosen)
        parts = frozenset(Part(each.id, each.due) for each in chosen)
        amount = whole
        if way == "plain":
            text = "invoice"
        elif way == "fee":
            amount = whole - min(Decimal(15), whole / 50).quantize(Decimal("0.01"))
            parts = frozenset()
        elif way == "wrong":
            text = f"USTC-2026-{dice.randrange(1, max(2, number)):04}"
            parts = frozenset()
        elif way == "round":
            amount, text, parts = Decimal(dice.randrange(1, 9) * 100), "conference", frozenset()
        name, account = dice.choice(
            [(payer.names[0].upper(), ""), (payer.names[1], ""), ("", payer.accounts[0])]
        )
        pk = UUID(int=500_000 + k)
        day = DAY + timedelta(days=dice.randrange(60))
        incoming.append(Incoming(pk, day, amount, "CNY", name, account, "", text))
        truth[pk] = parts
    return incoming, statements, payers, truth


@pytest.mark.parametrize("seed", range(5))
def test_none_of_five_hundred_is_given_wrongly_and_nearly_all_that_say_what_they_pay_are_certain(
    seed: int,
) -> None:
    incoming, statements, payers, truth = world(seed, 500)
    found = find("ustc", incoming, statements, payers)
    certain = {pk: proposals[0] for pk, proposals in found.items() if proposals and proposals[0].is_certain}
    wrong = [pk for pk, best in certain.items() if frozenset(best.parts) != truth[pk] or best.credit]
    assert wrong == []
    named = [one for one in incoming if truth[one.id] and one.purpose != "invoice"]
    assert len([one for one in named if one.id in certain]) >= 0.95 * len(named)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_no_statement_is_given_more_than_is_due(
    seed: int, dice: random.Random
) -> None:
    incoming, statements, payers, _ = world(seed, 40)
    found = find("ustc", incoming, statements, payers)
    shuffled = [list(each) for each in (incoming, statements, payers)]
    for each in shuffled:
        dice.shuffle(each)
    assert find("ustc", *shuffled) == found  # type: ignore[arg-type]
    due = {one.id: one.due for one in statements}
    amounts = {one.id: one.amount for one in incoming}
    for pk, proposals in found.items():
        for proposal in proposals:
            assert sum((part.amount for part in proposal.parts), proposal.credit) <= amounts[pk]
        if proposals and proposals[0].is_certain:
            for part in proposals[0].parts:
                due[part.statement] -= part.amount
    assert all(amount >= 0 for amount in due.values())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_each_payment_that_was_entered_is_linked_at_most_once_and_only_with_its_sum(
    seed: int, dice: random.Random
) -> None:
    incoming, statements, payers, truth = world(seed, 30)
    owner = {part.statement: one for one in incoming for part in truth[one.id]}
    by_hand = [each for each in statements if each.id in owner and dice.random() < 0.5]
    rows = [
        Entered(
            UUID(int=900_000 + each.number),
            each.id,
            ((each.year, each.number),),
            each.payer,
            each.due,
            "CNY",
            owner[each.id].booked_on + timedelta(days=dice.randrange(-12, 12)),
        )
        for each in by_hand
    ]
    left = [each for each in statements if each not in by_hand]
    found = find("ustc", incoming, left, payers, entered=rows)
    shuffled = [list(each) for each in (incoming, left, payers, rows)]
    for each in shuffled:
        dice.shuffle(each)
    assert find("ustc", shuffled[0], shuffled[1], shuffled[2], entered=shuffled[3]) == found  # type: ignore[arg-type]
    amounts = {each.id: each.amount for each in rows}
    linked: list[UUID] = []
    for one in incoming:
        best = next(iter(found[one.id]), None)
        if best and best.is_certain:
            assert not (best.entered and best.parts)
            assert not best.entered or sum(amounts[pk] for pk in best.entered) == one.amount
            linked += best.entered
    assert len(set(linked)) == len(linked)
