"""Which figures may be public: none from which one could tell what a single organisation did."""

from collections.abc import Hashable, Mapping


def hidden_groups[Key: Hashable](organisations: Mapping[Key, int], least: int) -> set[Key]:
    """The groups that are hidden, by how many organisations stand behind each: those with fewer
    than `least`, and where that is only one, the next smallest too, since the one would follow
    from the sum of all."""
    hidden = {key for key, number in organisations.items() if number < least}
    shown = [key for key in organisations if key not in hidden]
    if len(hidden) == 1 and shown:
        hidden.add(min(shown, key=lambda key: (organisations[key], str(key))))
    return hidden
