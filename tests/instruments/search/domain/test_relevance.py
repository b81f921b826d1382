"""How relevant an instrument is, by its techniques."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from instruments.search.domain import relevance
from instruments.search.domain.relevance import Answer, answers, best_answer, neighbours
from instruments.vocabulary.domain.needs import NeedTerm, Understood

PARENTS: Mapping[str, tuple[str, ...]] = {
    "cryo": ("tem",),
    "tem": ("em",),
    "sem": ("em",),
    "nmr": (),
    "liquid": ("nmr",),
}
FAMILIES = {"em": 40, "tem": 1, "nmr": 1}


def term(code: str, *techniques: str, is_named: bool = False) -> NeedTerm:
    return NeedTerm(code, code, code, techniques, is_named=is_named)


def worth(wanted: tuple[Answer, ...], **techniques: set[str]) -> int:
    found = best_answer(techniques, wanted)
    return found[0] if found else 0


def test_direct_comes_before_narrower_and_a_name_alone_last() -> None:
    wanted = answers(Understood(((term("tem", "tem", is_named=True), 1.0),)), PARENTS, FAMILIES)
    both, own = worth(wanted, own={"tem"}, called={"tem"}), worth(wanted, own={"tem"})
    narrower, called = worth(wanted, above={"tem"}), worth(wanted, called={"tem"})
    assert both > own > narrower > called > 0
    assert worth(wanted, own={"sem"}, above={"em"}) == 0


def test_the_best_technique_of_the_likeliest_term_is_worth_most() -> None:
    size, shape = term("size", "sem", "tem"), term("shape", "cryo", "nmr")
    first, *_ = answers(Understood(((size, 1.0), (shape, 0.9))), PARENTS, FAMILIES)
    assert (first.technique, first.term, first.worth) == ("sem", "size", 1000)
    # What answers several terms is worth more.
    agreed = answers(Understood(((size, 1.0), (term("shape", "tem"), 0.9))), PARENTS, FAMILIES)
    assert [one.technique for one in agreed] == ["tem", "sem"]


def test_what_is_worth_far_less_is_no_answer_and_near() -> None:
    """A term that was hardly meant says nothing of what is near."""
    meant = Understood(((term("size", "sem", "tem", "afm", "cryo"), 1.0), (term("shape", "nmr"), 0.6)))
    wanted = answers(meant, PARENTS, FAMILIES)
    assert [one.technique for one in wanted] == ["sem", "tem", "afm"]
    assert neighbours(wanted, meant, PARENTS, FAMILIES, {"sem": ["liquid"]}) == ("cryo",)


def test_what_is_broader_stands_for_the_best_technique_of_a_need_in_a_small_family_alone() -> None:
    def broader(wanted: tuple[Answer, ...]) -> list[str]:
        return [one.technique for one in wanted if one.is_broader]

    assert broader(answers(Understood(((term("shape", "liquid"), 1.0),)), PARENTS, FAMILIES)) == ["nmr"]
    assert broader(answers(Understood(((term("size", "sem"), 1.0),)), PARENTS, FAMILIES)) == []
    named = Understood(((term("liquid", "liquid", is_named=True), 1.0),))
    assert broader(answers(named, PARENTS, FAMILIES)) == []


def test_a_figure_leaves_the_techniques_of_which_it_is_asked_if_there_are_any() -> None:
    meant = Understood(((term("shape", "sem", "liquid"), 1.0),))
    only = answers(meant, PARENTS, FAMILIES, [{"nmr"}])
    assert [one.technique for one in only if not one.is_broader] == ["liquid"]
    assert answers(meant, PARENTS, FAMILIES, [{"xyz"}]) == answers(meant, PARENTS, FAMILIES)


def test_neighbours_answer_the_same_or_are_below_the_same() -> None:
    meant = Understood(((term("sem", "sem", is_named=True), 1.0),), is_named=True)
    wanted = answers(meant, PARENTS, FAMILIES)
    assert neighbours(wanted, meant, PARENTS, FAMILIES, {"sem": ["afm"]}) == ("afm",)  # a family too large
    assert neighbours(wanted, meant, PARENTS, {"em": 5}, {}) == ("em",)


codes = st.sampled_from(["tem", "sem", "cryo", "nmr", "liquid", "em", "afm"])
understood = st.lists(
    st.tuples(
        st.builds(
            lambda code, techniques: term(code, *techniques),
            codes,
            st.lists(codes, min_size=1, max_size=4, unique=True),
        ),
        st.floats(0.6, 1),
    ),
    max_size=4,
).map(lambda terms: Understood(tuple(terms)))


@given(understood)
def test_answers_are_few_once_each_and_in_order(meant: Understood) -> None:
    wanted = answers(meant, PARENTS, FAMILIES)
    worths = [one.worth for one in wanted]
    assert worths == sorted(worths, reverse=True) and len(wanted) <= relevance.MOST_ANSWERS
    assert all(0 < each <= 1000 for each in worths)
    assert len({one.technique for one in wanted}) == len(wanted)
    # Neighbours are none of them.
    near = neighbours(wanted, meant, PARENTS, FAMILIES, {})
    assert not {one.technique for one in wanted if not one.is_broader} & {*near}
