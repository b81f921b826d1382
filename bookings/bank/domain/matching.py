"""Find which statements a transfer pays, and why. Proposals that are `certain` may be booked together; the
others are shown with the reasons, and a person decides.

Money is never given on a guess: a proposal is certain only if one reading of the transfer remains. Two that
are equally good make neither certain.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from bookings.bank.domain.books import (
    LEAST_ORDER,
    Books,
    Entered,
    Incoming,
    OpenStatement,
    Part,
    Payer,
    Proposal,
    Recognised,
)
from bookings.bank.domain.files import account_of
from bookings.bank.domain.names import key_of
from bookings.bank.domain.numbers import Mentioned, bare, mentioned, plain, short

# Why a proposal is made; those of payments are also the reasons of a match that is booked.
NUMBER, NOTICE, AMOUNT, SEVERAL, RETURN, PAYOUT = "number", "notice", "amount", "several", "return", "payout"
# What else there is to know about a proposal.
PART, FEES, OVERPAID, OTHER_PAYER, UNKNOWN_PAYER = "part", "fees", "overpaid", "other_payer", "unknown_payer"
NOT_OPEN, COMPETING, ALTERNATIVES, ROUND = "not_open", "competing", "alternatives", "round"
UNCLEAR, CUT_OFF, RANGE, ENTERED = "unclear", "cut_off", "range", "entered"
ORDER_NUMBER, NO_CODE, READ_BEFORE, SHORT = "order_number", "no_code", "read_before", "short"
PROPOSALS = 5  # of one transfer
SUMMED = 12  # open statements of one payer among which sums are looked for
FREELY_SUMMED = 8  # and among which a sum of some of them is certain
NOTICE_DAYS = timedelta(days=10)
RETURN_DAYS = timedelta(days=400)
ENTERED_DAYS = timedelta(days=30)
PROVING = 8  # signs of a reported reference by which alone a transfer is recognised
# A bank keeps back so much at most as its fee.
MOST_FEE, FEE_SHARE = Decimal(60), Decimal("0.05")


def find(
    code: str,
    transactions: Iterable[Incoming],
    statements: Iterable[OpenStatement],
    payers: Iterable[Payer],
    matched: Iterable[Incoming] = (),
    entered: Iterable[Entered] = (),
) -> dict[UUID, tuple[Proposal, ...]]:
    """Return the proposals for each transaction of a host with this code, the best first; none where nothing
    fits. `matched` are transactions that have been given away whole, which a bank may take back; `entered`
    are payments whose money one that waits may be. The order of what is given does not matter, and no two
    certain proposals together give a statement more than is due."""
    books = Books(code, sorted(statements, key=_id), sorted(payers, key=_id), sorted(entered, key=_id))
    earlier = sorted(matched, key=_day_and_id)
    transactions = sorted(transactions, key=_day_and_id)
    found = {one.id: _proposals(books, one, earlier) for one in transactions}
    return _without_conflicts(transactions, found, books)


def _id(one: Any) -> UUID:
    pk: UUID = one.id
    return pk


def _day_paid(one: Entered) -> date:
    return one.paid_on


def _day_and_id(one: Incoming) -> tuple[date, UUID]:
    return one.booked_on, one.id


def _proposals(books: Books, one: Incoming, earlier: Sequence[Incoming]) -> tuple[Proposal, ...]:
    if one.amount == 0:
        return ()
    recognised = books.payers_of(one)
    numbers = mentioned(one.text, books.code)
    hints = _hints(one, numbers)
    if one.amount < 0:
        proposals = _going_out(books, one, recognised, numbers.numbers, earlier)
    else:
        proposals = _coming_in(books, one, recognised, numbers, hints)
    proposals = _with_entered(books, one, recognised, numbers.numbers, proposals)
    if one.is_doubled:
        proposals = [_doubted(each, READ_BEFORE) for each in proposals]
    if not one.is_whole:
        proposals = [replace(each, is_certain=False) for each in proposals]
    kept = _distinct(proposals)
    if one.amount > 0 and hints:
        speaking = [_against_hints(books, one, recognised, hints, each) for each in kept]
        kept = sorted(speaking, key=lambda each: not each.is_certain)
    return tuple(kept)


def _distinct(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Return proposals without those that give the same, the certain one first; more than one reading that
    is certain makes none certain."""
    best: dict[Any, Proposal] = {}
    for each in proposals:
        what = (frozenset(each.parts), each.credit, each.returns, each.reason == PAYOUT, each.entered)
        if what not in best or (each.is_certain and not best[what].is_certain):
            best[what] = each
    kept = list(best.values())
    if sum(each.is_certain for each in kept) > 1:
        kept = [_doubted(each, ALTERNATIVES) for each in kept]
    return sorted(kept, key=lambda each: not each.is_certain)[:PROPOSALS]


def _doubted(proposal: Proposal, note: str) -> Proposal:
    notes = proposal.notes if note in proposal.notes else (*proposal.notes, note)
    return replace(proposal, is_certain=False, notes=notes)


def _with_entered(
    books: Books,
    one: Incoming,
    recognised: Recognised,
    numbers: Sequence[tuple[int, int]],
    proposals: Sequence[Proposal],
) -> list[Proposal]:
    """Return the proposals behind those that link a transaction with payments that were entered for it. Where
    a payment was entered on a statement at about this day, it is not paid again for certain."""
    every = books.entered.get(one.currency, [])
    first = bisect_left(every, one.booked_on - ENTERED_DAYS, key=_day_paid)
    last = bisect_right(every, one.booked_on + ENTERED_DAYS, key=_day_paid)
    near = [each for each in every[first:last] if (each.amount > 0) == (one.amount > 0)]
    words = account_of_text(one.text)

    def is_named(each: Entered) -> bool:
        reference = account_of(each.reference)
        is_reference = len(reference) >= LEAST_ORDER and reference in words
        return any(number in numbers for number in each.numbers) or is_reference

    named = [each for each in near if is_named(each)]
    theirs = named if named else [each for each in near if each.payer in recognised.payers]
    choices: list[tuple[Entered, ...]] = [(each,) for each in theirs if each.amount == one.amount]
    if not choices:
        # One transfer, entered on each of the statements that it pays.
        groups: dict[Any, list[Entered]] = defaultdict(list)
        for each in theirs:
            groups[each.payer if named else (each.payer, each.paid_on)].append(each)
        choices += [
            tuple(group)
            for group in groups.values()
            if len(group) > 1 and sum((each.amount for each in group), Decimal(0)) == one.amount
        ]
    is_rival = any(each.is_certain for each in proposals)
    links = []
    for chosen in choices:
        payers = {each.payer for each in chosen}
        is_soon = all(abs(each.paid_on - one.booked_on) <= NOTICE_DAYS for each in chosen)
        is_other = bool(recognised.payers) and not payers <= recognised.payers
        is_payer = recognised.one is not None and payers == {recognised.one}
        is_sure = len(choices) == 1 and not is_rival and is_soon and not is_other
        is_sure &= bool(named) or (is_payer and not numbers and not is_round(one.amount))
        notes = [ENTERED, *([OTHER_PAYER] if is_other else []), *([ALTERNATIVES] if len(choices) > 1 else [])]
        links.append(
            Proposal(
                NUMBER if named else AMOUNT,
                payer=next(iter(payers)) if len(payers) == 1 else None,
                entered=tuple(each.id for each in chosen),
                notes=tuple(notes),
                is_certain=is_sure,
            )
        )
    touched = {each.statement for each in near}
    if links:  # the whole of it as credit would be the same money twice
        proposals = [each for each in proposals if each.parts or each.returns]
    others = [
        _doubted(each, ENTERED) if links or any(part.statement in touched for part in each.parts) else each
        for each in proposals
    ]
    if not links and not any(each.is_certain for each in others):
        # Nothing says whose it is, but a payment of just this amount was entered.
        links = [
            Proposal(AMOUNT, payer=each.payer, entered=(each.id,), notes=(ENTERED, UNKNOWN_PAYER))
            for each in near
            if each.amount == one.amount and not recognised.payers
        ]
    return links + others


def _coming_in(
    books: Books,
    one: Incoming,
    recognised: Recognised,
    numbers: Mentioned,
    hints: Sequence[tuple[int | None, int]],
) -> list[Proposal]:
    named = [books.by_number.get(each) for each in numbers.numbers]
    is_open = [each is not None and each.due > 0 and each.currency == one.currency for each in named]
    statements = list(
        dict.fromkeys(each for each, open_ in zip(named, is_open, strict=True) if each and open_)
    )
    proposals = []
    if statements:
        proposals += _by_number(books, one, recognised, statements, numbers, is_all_open=all(is_open))
    if numbers.begun:
        proposals += _by_beginning(books, one, recognised, numbers)
    if numbers.ranges:
        ranges = _by_range(books, one, recognised, numbers)
        if any(each.is_certain for each in ranges):
            proposals = ranges + [_doubted(each, RANGE) for each in proposals]
        else:
            proposals = sorted(proposals + ranges, key=lambda each: not _is_exact(each))
    shortly = _by_hints(books, one, recognised, statements, hints)
    by_payer = _by_payer(books, one, recognised)
    by_notice = _by_notice(books, one, recognised)
    others = by_notice + by_payer + _by_order(books, one, recognised)
    if numbers.is_any:
        # It names statements itself: what else fits is only another reading, and makes a doubt of this one
        # where it fits better. It comes first if the number does not fit the amount: it may be a wrong one.
        note = ALTERNATIVES if proposals else NOT_OPEN
        others = [_doubted(each, note) for each in others]
        is_first = any(each.is_certain or _is_exact(each) for each in proposals)
        proposals = proposals + others if is_first else others + proposals
    else:
        proposals += others
        readings = {frozenset(each.parts) for each in others if each.is_certain}
        if len(readings) > 1:
            proposals = [_doubted(each, ALTERNATIVES) for each in proposals]
    if any(_is_exact(each) for each in proposals) and not any(_is_exact(each) for each in shortly):
        proposals += shortly
    else:
        proposals = shortly + proposals
    if not proposals and not numbers.is_any:
        proposals += _by_amount_alone(books, one, hints)
    if not proposals and (payer := recognised.one):
        proposals += _as_part_or_credit(books, one, payer)
    return proposals


def _hints(one: Incoming, said: Mentioned) -> tuple[tuple[int | None, int], ...]:
    """Return the numbers without the host's code that a transfer names beside those with it: with a year, or
    of any year."""
    known = {*said.numbers, *(each for pair in said.ranges for each in pair)}
    dated = [each for each in bare(one.text) if each not in known]
    return (*dated, *((None, number) for _, number in short(one.text, said)))


def _is_hinted(hint: tuple[int | None, int], numbers: Iterable[tuple[int, int]]) -> bool:
    return any(hint[1] == number and hint[0] in (None, year) for year, number in numbers)


def _with_hint(rows: Iterable[OpenStatement], hint: tuple[int | None, int]) -> list[OpenStatement]:
    return [each for each in rows if _is_hinted(hint, ((each.year, each.number), *each.former))]


def _by_hints(
    books: Books,
    one: Incoming,
    recognised: Recognised,
    statements: Sequence[OpenStatement],
    hints: Sequence[tuple[int | None, int]],
) -> list[Proposal]:
    """Return what a transfer pays of the open statements of its payer that it names without code, together
    with those that it names in full. Never certain: a few figures may be anything."""
    rows = _open_of(books, recognised.payers, one.currency)
    found = [named for hint in hints if (named := _with_hint(rows, hint))]
    each_alone = list(dict.fromkeys(row for named in found for row in named if row not in statements))
    if not each_alone:
        return []
    choices: list[tuple[OpenStatement, ...]] = [(row,) for row in each_alone]
    if all(len(named) == 1 for named in found):
        every = (*statements, *each_alone)
        choices = list(
            dict.fromkeys([every, *choices] if len({row.payer for row in every}) == 1 else choices)
        )
    proposals = []
    for chosen in choices:
        due = sum((row.due for row in chosen), Decimal(0))
        parts, rest = _spread(one.amount, chosen)
        notes = [SHORT, *([PART] if one.amount < due else []), *([OVERPAID] if rest else [])]
        notes += [FEES] if is_fee(due, one.amount) else []
        payer = chosen[0].payer
        proposals.append(Proposal(NUMBER, tuple(parts), payer, credit=rest, notes=tuple(notes)))
    return sorted(proposals, key=lambda each: not _is_exact(each))


def _against_hints(
    books: Books,
    one: Incoming,
    recognised: Recognised,
    hints: Sequence[tuple[int | None, int]],
    proposal: Proposal,
) -> Proposal:
    """Return a proposal, in doubt if the transfer names another open statement of the payer without code."""
    payers = recognised.payers | ({proposal.payer} if proposal.payer else set())
    rows = _open_of(books, payers, one.currency)
    paid = [number for part in proposal.parts for number in books.numbers_of(part.statement)]
    paid += [
        number
        for each in books.entered.get(one.currency, ())
        if each.id in proposal.entered
        for number in each.numbers
    ]
    is_contrary = any(_with_hint(rows, hint) and not _is_hinted(hint, paid) for hint in hints)
    return _doubted(proposal, NO_CODE) if is_contrary else proposal


def _is_exact(proposal: Proposal) -> bool:
    """Return whether a proposal pays statements to the cent."""
    return PART not in proposal.notes and OVERPAID not in proposal.notes


def _by_number(
    books: Books,
    one: Incoming,
    recognised: Recognised,
    statements: Sequence[OpenStatement],
    numbers: Mentioned,
    *,
    is_all_open: bool,
) -> list[Proposal]:
    """Return what a transfer that names open statements pays of them, the oldest first."""
    payers = {each.payer for each in statements}
    payer = next(iter(payers)) if len(payers) == 1 else None
    due = sum((each.due for each in statements), Decimal(0))
    parts, rest = _spread(one.amount, statements)
    others = [each for each in _open_of(books, payers, one.currency) if each not in statements]
    notes = _notes_on_payer(recognised, payers)
    is_sure = is_all_open and not numbers.is_unclear and payer is not None and OTHER_PAYER not in notes
    if not is_all_open:
        notes.append(NOT_OPEN)
    if numbers.is_unclear or numbers.begun:
        notes.append(UNCLEAR)
    # Otherwise number and amount agree to the cent, and no other payer is recognised.
    if one.amount != due:
        is_payer = recognised.one is not None and recognised.one == payer
        is_sure &= is_payer and not numbers.ranges and not numbers.begun
        # A wrong number is more likely than a part that happens to be what another statement asks for.
        fits_another = _fits(one.amount, [*others, *(statements if len(statements) > 1 else ())])
    if one.amount < due:
        notes.append(PART)
        if is_fee(due, one.amount):
            notes.append(FEES)
        if fits_another:
            notes.append(ALTERNATIVES)
        is_sure &= len(statements) == 1 and FEES not in notes and not fits_another
    elif one.amount > due:
        notes.append(OVERPAID)
        # The rest is the payer's credit, unless it is just what they owe elsewhere.
        fits_another = fits_another or _fits(rest, others)
        if fits_another:
            notes.append(ALTERNATIVES)
        is_sure &= not fits_another
    return [
        Proposal(
            NUMBER,
            tuple(parts),
            payer,
            credit=rest if payer else Decimal(0),
            notes=tuple(notes),
            is_certain=is_sure,
        )
    ]


def _notes_on_payer(recognised: Recognised, payers: set[UUID]) -> list[str]:
    if not recognised.payers:
        return [UNKNOWN_PAYER]
    return [] if payers <= recognised.payers else [OTHER_PAYER]


def _by_range(books: Books, one: Incoming, recognised: Recognised, numbers: Mentioned) -> list[Proposal]:
    """Return what the payer has open from the first to the last number of a range: numbers of others lie
    between them. Certain if that is the amount to the cent, and both ends are among it."""
    ends = {each for pair in numbers.ranges for each in pair}
    owners = {each.payer for number in ends if (each := books.by_number.get(number))}
    payer = recognised.one or (next(iter(owners)) if len(owners) == 1 else None)
    if payer is None:
        return []

    def is_within(number: tuple[int, int]) -> bool:
        return number in numbers.numbers or any(first <= number <= last for first, last in numbers.ranges)

    statements = [
        each
        for each in _open_of(books, [payer], one.currency)
        if any(is_within(number) for number in ((each.year, each.number), *each.former))
    ]
    due = sum((each.due for each in statements), Decimal(0))
    if len(statements) < 2:
        return []
    notes = [RANGE, *_notes_on_payer(recognised, owners | {payer})]
    are_ends = all(books.by_number.get(number) in statements for number in (*ends, *numbers.numbers))
    parts, rest = _spread(one.amount, statements)
    if one.amount < due:
        notes.append(PART)
    elif one.amount > due:
        notes.append(OVERPAID)
    is_sure = one.amount == due and are_ends and OTHER_PAYER not in notes and not numbers.begun
    return [Proposal(NUMBER, tuple(parts), payer, credit=rest, notes=tuple(notes), is_certain=is_sure)]


def _by_beginning(books: Books, one: Incoming, recognised: Recognised, numbers: Mentioned) -> list[Proposal]:
    """Return the statements of exactly this amount whose number begins as one that the bank has cut off;
    certain if there is only one of the recognised payer, and no other number is named."""
    exact = [
        each
        for each in books.by_due.get((one.amount, one.currency), ())
        if each.due > 0
        and any(
            year == number[0] and (f"{number[1]:04}".startswith(figures) or number[1] == int(figures))
            for number in ((each.year, each.number), *each.former)
            for year, figures in numbers.begun
        )
    ]
    own = [each for each in exact if each.payer in recognised.payers]
    is_sure = len(own) == 1 and recognised.one is not None and not numbers.numbers
    notes = (CUT_OFF,) if recognised.payers else (CUT_OFF, UNKNOWN_PAYER)
    return [
        Proposal(NUMBER, (Part(each.id, each.due),), each.payer, notes=notes, is_certain=is_sure)
        for each in (own or exact)[:PROPOSALS]
    ]


def is_fee(due: Decimal, amount: Decimal) -> bool:
    """Return whether so little is missing that a bank may have kept it back."""
    return 0 < due - amount <= min(MOST_FEE, due * FEE_SHARE)


def _spread(amount: Decimal, statements: Sequence[OpenStatement]) -> tuple[list[Part], Decimal]:
    """Spread an amount over statements, the oldest first; return the parts, and what is left."""
    parts = []
    for each in sorted(statements, key=lambda one: (one.year, one.number)):
        if amount > 0:
            parts.append(Part(each.id, min(amount, each.due)))
            amount -= parts[-1].amount
    return parts, max(amount, Decimal(0))


def _open_of(books: Books, payers: Iterable[UUID], currency: str) -> list[OpenStatement]:
    return [each for payer in sorted(payers) for each in books.by_payer[payer, currency] if each.due > 0]


def _fits(amount: Decimal, statements: Sequence[OpenStatement]) -> bool:
    """Return whether an amount is the sum of some of the statements, to the cent."""
    return len(statements) > SUMMED or bool(_sums(amount, statements, most=1))


def _sums(amount: Decimal, statements: Sequence[OpenStatement], most: int) -> list[tuple[OpenStatement, ...]]:
    """Return up to `most` choices of statements that come to an amount, the fewest first; of at most `SUMMED`
    statements, which have some thousand sums."""
    sums: list[tuple[Decimal, tuple[int, ...]]] = [(Decimal(0), ())]
    for place, each in enumerate(statements[:SUMMED]):
        sums += [(each.due + so_far, (*chosen, place)) for so_far, chosen in sums]
    fitting = sorted(
        (chosen for total, chosen in sums if chosen and total == amount), key=lambda c: (len(c), c)
    )
    return [tuple(statements[place] for place in chosen) for chosen in fitting[:most]]


def _by_payer(books: Books, one: Incoming, recognised: Recognised) -> list[Proposal]:
    """Return the statements of the recognised payer whose sum is the amount: one, all, or some of them."""
    proposals = []
    for payer in sorted(recognised.payers):
        statements = _open_of(books, [payer], one.currency)
        if len(statements) > SUMMED or recognised.one is None:
            whole = sum((each.due for each in statements), Decimal(0))
            choices: list[tuple[OpenStatement, ...]] = [
                (each,) for each in statements if each.due == one.amount
            ]
            choices += [tuple(statements)] if whole == one.amount else []
            is_counted = False
        else:
            choices, is_counted = _sums(one.amount, statements, most=PROPOSALS), True
        for chosen in choices:
            is_all = len(chosen) == len(statements)
            is_few = len(statements) <= FREELY_SUMMED
            is_sure = (
                len(choices) == 1
                and recognised.one == payer
                and not is_round(one.amount)
                and (is_counted or (is_all and len(chosen) > 1))
                and (len(chosen) == 1 or is_all or is_few)
            )
            notes = [ROUND] if is_round(one.amount) else []
            notes += [ALTERNATIVES] if len(choices) > 1 or recognised.one is None else []
            reason = AMOUNT if len(chosen) == 1 else SEVERAL
            parts = tuple(Part(each.id, each.due) for each in chosen)
            # Other numbers in the text may name something that is not ours to know.
            contrary = [
                each for each in bare(one.text) if not any(each == (s.year, s.number) for s in chosen)
            ]
            if contrary and any(number in books.by_number for number in contrary):
                notes, is_sure = [*notes, NO_CODE], False
            proposals.append(Proposal(reason, parts, payer, notes=tuple(notes), is_certain=is_sure))
    return proposals


def is_round(amount: Decimal) -> bool:
    """Return whether an amount is so round that many payments are of it."""
    return amount % 100 == 0


def _by_notice(books: Books, one: Incoming, recognised: Recognised) -> list[Proposal]:
    """Return statements whose payer has reported a payment of this amount at about this day."""
    fitting = []
    for statement, notice in books.noticed.get((one.amount, one.currency), ()):
        is_near = notice.paid_on - timedelta(days=1) <= one.booked_on <= notice.paid_on + NOTICE_DAYS
        reference = account_of(notice.reference)
        is_named = len(reference) >= LEAST_ORDER and reference in account_of_text(one.text)
        # Payers report what they like: of a stranger's transfer only its whole reference is proof.
        is_proof = (
            len(reference) >= PROVING and not reference.isdigit() and reference == account_of(one.reference)
        )
        is_payer = statement.payer in recognised.payers
        if is_near and (is_named or is_payer) and notice.amount <= statement.due:
            is_sure = (is_payer and recognised.one is not None) or (is_proof and not recognised.payers)
            fitting.append((statement, notice, is_sure, is_named))
    proposals = []
    for statement, notice, is_sure, is_named in fitting:
        named_ones = [each for each in fitting if each[3]]
        is_only = len(fitting) == 1 or (is_named and len(named_ones) == 1)
        whole = _open_of(books, [statement.payer], one.currency)
        # A reported part of one statement that is exactly what another asks for may be meant for that one.
        others = [each for each in whole if each is not statement]
        is_part = notice.amount < statement.due
        fits_another = is_part and not is_named and _fits(one.amount, others)
        notes = [PART] if is_part else []
        notes += [] if is_only else [ALTERNATIVES]
        proposals.append(
            Proposal(
                NOTICE,
                (Part(statement.id, one.amount),),
                statement.payer,
                notes=tuple(notes),
                is_certain=is_sure and is_only and not fits_another,
            )
        )
    return proposals


def account_of_text(text: str) -> str:
    """Return the letters and digits of a text, in capitals."""
    return "".join(sign for sign in plain(text) if sign.isalnum())


def _by_order(books: Books, one: Incoming, recognised: Recognised) -> list[Proposal]:
    """Return statements whose order number the transfer names; certain if only one has it, for this amount,
    and the payer is its own."""
    words = account_of_text(one.text)
    named = [each for order, rows in books.orders.items() if order in words for each in rows]
    named = [each for each in named if each.currency == one.currency and each.due > 0]
    exact = [each for each in named if each.due == one.amount]
    proposals = []
    for each in exact:
        is_sure = len(exact) == 1 and recognised.one == each.payer
        parts = (Part(each.id, each.due),)
        proposals.append(Proposal(NUMBER, parts, each.payer, notes=(ORDER_NUMBER,), is_certain=is_sure))
    return proposals


def _by_amount_alone(books: Books, one: Incoming, hints: Sequence[tuple[int | None, int]]) -> list[Proposal]:
    """Return statements of exactly this amount, whoever pays; never certain."""
    exact = [each for each in books.by_due.get((one.amount, one.currency), ()) if each.due > 0]
    exact.sort(key=lambda each: not any(_with_hint([each], hint) for hint in hints))
    return [
        Proposal(AMOUNT, (Part(each.id, each.due),), each.payer, notes=(UNKNOWN_PAYER,))
        for each in exact[:PROPOSALS]
    ]


def _as_part_or_credit(books: Books, one: Incoming, payer: UUID) -> list[Proposal]:
    """Return what a transfer of a payer without a hint pays: its statements, the oldest first; never
    certain."""
    parts, rest = _spread(one.amount, _open_of(books, [payer], one.currency))
    notes = [OVERPAID] if rest else [PART]
    due = sum((each.due for each in _open_of(books, [payer], one.currency)), Decimal(0))
    if due and is_fee(due, one.amount):
        notes.append(FEES)
    reason = SEVERAL if len(parts) > 1 else AMOUNT
    return [Proposal(reason, tuple(parts), payer, credit=rest, notes=tuple(notes))]


def _going_out(
    books: Books,
    one: Incoming,
    recognised: Recognised,
    numbers: Sequence[tuple[int, int]],
    earlier: Sequence[Incoming],
) -> list[Proposal]:
    """Return what money that went out may be: an earlier transfer that was returned, a credit on a statement
    that is paid out, or what the payer has as credit."""
    proposals = []
    taken = [
        each
        for each in earlier
        if each.amount == -one.amount
        and each.currency == one.currency
        and each.booked_on <= one.booked_on <= each.booked_on + RETURN_DAYS
        and _is_same_party(each, one)
    ]
    for each in taken:
        is_sure = len(taken) == 1 and one.is_return
        notes = () if len(taken) == 1 else (ALTERNATIVES,)
        proposals.append(Proposal(RETURN, returns=each.id, notes=notes, is_certain=is_sure))
    for number in numbers:
        statement = books.by_number.get(number)
        if statement and statement.due == one.amount and statement.currency == one.currency:
            is_sure = statement.payer == recognised.one and not taken and len(numbers) == 1
            part = (Part(statement.id, one.amount),)
            proposals.append(Proposal(NUMBER, part, statement.payer, is_certain=is_sure))
    for payer in sorted(recognised.payers):
        for statement in books.by_payer[payer, one.currency]:
            if statement.due == one.amount:
                part = (Part(statement.id, one.amount),)
                proposals.append(Proposal(AMOUNT, part, payer))
        known = books.payers.get(payer)
        credit = (known.credit or {}).get(one.currency, Decimal(0)) if known else Decimal(0)
        if credit >= -one.amount:
            proposals.append(Proposal(PAYOUT, payer=payer, credit=one.amount))
    return proposals


def _is_same_party(earlier: Incoming, one: Incoming) -> bool:
    """Return whether two transactions are with the same party: the same account, the same reference, or,
    where no account is stated, the same name."""
    accounts = account_of(earlier.counter_account), account_of(one.counter_account)
    if all(accounts):
        return accounts[0] == accounts[1]
    references = account_of(earlier.reference), account_of(one.reference)
    if all(references) and references[0] == references[1] and len(references[0]) >= LEAST_ORDER:
        return True
    names = key_of(earlier.name), key_of(one.name)
    return bool(names[0]) and names[0] == names[1]


def _without_conflicts(
    transactions: Sequence[Incoming], found: dict[UUID, tuple[Proposal, ...]], books: Books
) -> dict[UUID, tuple[Proposal, ...]]:
    """Return the proposals, no longer certain where certain ones together give a statement more than is due:
    an earlier day comes first, and of transfers of the same day none does. A doubtful transfer that names a
    statement of its payer, and would pay with a certain one more than is due, makes that doubtful, whatever
    its day. A transfer is returned once, and a payment that was entered is linked once."""
    named = _named_in_doubt(transactions, found)
    left = {one.id: abs(one.due) for one in books.statements.values()}
    returned: set[UUID] = set()
    by_day: dict[date, list[Incoming]] = defaultdict(list)
    for one in transactions:
        by_day[one.booked_on].append(one)
    for day in sorted(by_day):
        wanted: dict[UUID, Decimal] = defaultdict(Decimal)
        returns: dict[UUID, int] = defaultdict(int)
        certain = [
            (one, found[one.id][0]) for one in by_day[day] if found[one.id] and found[one.id][0].is_certain
        ]
        for _, best in certain:
            for part in best.parts:
                wanted[part.statement] += abs(part.amount)
            for pk in _once(best):
                returns[pk] += 1
        too_much = {pk for pk, amount in wanted.items() if amount > left[pk]}
        twice = {pk for pk, number in returns.items() if number > 1 or pk in returned}
        for one, best in certain:
            is_refused = any(pk in twice for pk in _once(best)) or any(
                part.statement in too_much or abs(part.amount) + named[part.statement] > left[part.statement]
                for part in best.parts
            )
            if is_refused:
                first, *others = found[one.id]
                found[one.id] = (_doubted(first, COMPETING), *others)
                continue
            for part in best.parts:
                left[part.statement] -= abs(part.amount)
            returned.update(_once(best))
    return found


def _named_in_doubt(
    transactions: Sequence[Incoming], found: dict[UUID, tuple[Proposal, ...]]
) -> dict[UUID, Decimal]:
    """Return the most that a transfer which is not certain would give each statement that it names. One of
    somebody else has a wrong number more often than it pays for another, and does not count."""
    named: dict[UUID, Decimal] = defaultdict(Decimal)
    for one in transactions:
        if any(each.is_certain for each in found[one.id]):
            continue
        for each in found[one.id]:
            for part in each.parts if each.reason == NUMBER and OTHER_PAYER not in each.notes else ():
                named[part.statement] = max(named[part.statement], abs(part.amount))
    return named


def _once(proposal: Proposal) -> tuple[UUID, ...]:
    """Return what only one transaction may take: the transfer that is returned, or the payments entered."""
    return (*proposal.entered, *((proposal.returns,) if proposal.returns else ()))
