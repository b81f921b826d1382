"""Techniques and those they are kinds of."""

from instruments.vocabulary.domain.techniques import Term, above, check_hierarchy, with_broader


def test_broader_terms_follow_from_names() -> None:
    names = "diffraction", "x-ray diffraction", "powder diffraction", "x-ray powder diffraction"
    terms_ = with_broader([Term(str(n), name) for n, name in enumerate(names)])
    assert [term.parents for term in terms_] == [(), ("0",), ("0",), ("1", "2")]
    parents = {term.code: term.parents for term in terms_}
    assert above("3", parents) == {"0", "1", "2"}
    check_hierarchy(parents, parents)
