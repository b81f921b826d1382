"""Relations between instruments that must not run in a circle: part of, newer than."""

from collections.abc import Iterable, Mapping
from typing import Any

# relation -> the one it is the other side of, and whether it points the other way
_ORDERED = {
    "IsComponentOf": ("part", False),
    "HasComponent": ("part", True),
    "IsNewVersionOf": ("version", False),
    "IsPreviousVersionOf": ("version", True),
}

type Edge = tuple[str, str, str]  # word, from, to


def edges_of(identifier: str, related: Iterable[Mapping[str, Any]]) -> set[Edge]:
    """The ordered relations of one instrument, each as `(word, part, whole)`."""
    found: set[Edge] = set()
    for item in related:
        ordered = _ORDERED.get(str(item.get("relation_type")))
        if ordered and identifier:
            word, is_reverse = ordered
            other = str(item.get("identifier"))
            found.add((word, other, identifier) if is_reverse else (word, identifier, other))
    return found


def in_circles(edges: Iterable[Edge]) -> dict[str, tuple[str, ...]]:
    """Each identifier that lies on a circle -> the circle, from it back to it. Two sides of one
    relation (`IsComponentOf`, `HasComponent`) are one edge and no circle."""
    ahead: dict[tuple[str, str], set[str]] = {}
    for word, start, end in edges:
        ahead.setdefault((word, start), set()).add(end)
        ahead.setdefault((word, end), set())
    # What has no way on lies on no circle; taking it away, again and again, leaves the circles
    # and what leads from one to another.
    behind: dict[tuple[str, str], set[str]] = {}
    for (word, start), ends in ahead.items():
        for end in ends:
            behind.setdefault((word, end), set()).add(start)
    idle = [node for node, ends in ahead.items() if not ends]
    while idle:
        word, gone = idle.pop()
        for start in behind.pop((word, gone), ()):
            ahead[word, start].discard(gone)
            if not ahead[word, start]:
                idle.append((word, start))
        ahead.pop((word, gone), None)
    circles: dict[str, tuple[str, ...]] = {}
    for node in ahead:
        if node[1] not in circles:
            for name in (circle := _circle_from(node, ahead)):
                circles.setdefault(name, circle)
    return circles


def _circle_from(
    node: tuple[str, str], ahead: Mapping[tuple[str, str], set[str]]
) -> tuple[str, ...]:
    word, name = node
    seen: dict[str, int] = {}
    path: list[str] = []
    while name not in seen:
        seen[name] = len(path)
        path.append(name)
        name = min(ahead[word, name])
    return (*path[seen[name] :], name)
