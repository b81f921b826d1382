"""Samples that anybody draws again."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.audit.domain.sampling import Item, draw, parts_of, population_csv, population_items

SCRIPT = Path(__file__).parents[4] / "bookings/static/bookings/draw_sample.py"
ITEMS = [Item(f"id-{n:03}", "use, 'a'" if n % 3 else "no_show", n * 100 - 50) for n in range(200)]


@pytest.mark.parametrize("method", ["random", "stratified", "monetary"])
@pytest.mark.parametrize("size", [1, 25, 500])
def test_the_script_that_stands_alone_draws_the_same(tmp_path: Path, method: str, size: int) -> None:
    path = tmp_path / "population.csv"
    path.write_bytes(population_csv(reversed(ITEMS)))
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path), "--method", method, "--seed", "s",
         "--size", str(size)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[1:] == draw(ITEMS, method=method, seed="s", size=size)


def test_a_population_is_the_same_bytes_in_any_order() -> None:
    assert population_csv(ITEMS) == population_csv(reversed(ITEMS))
    assert population_items(population_csv(ITEMS)) == ITEMS


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(1, 50), min_size=1, max_size=6),
    st.integers(1, 200),
)
def test_parts_of_strata(counts: dict[str, int], size: int) -> None:
    parts, whole = parts_of(counts, size), sum(counts.values())
    size = min(size, whole)
    assert sum(parts.values()) == size
    for name, count in counts.items():
        assert size * count // whole <= parts[name] <= min(count, size * count // whole + 1)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60), st.integers(1, 10), st.text())
def test_by_monetary_unit_whatever_exceeds_the_interval_is_drawn(
    values: list[int], size: int, seed: str
) -> None:
    items = [Item(f"{n:03}", value=value) for n, value in enumerate(values)]
    drawn = set(draw(items, method="monetary", seed=seed, size=size))
    interval = sum(values) // size
    large = {item.id for item in items if item.value >= interval and item.value}
    # The points end before the rest that does not divide, so at most the last one is missed.
    assert len(large - drawn) <= 1 and len(drawn) <= max(size, len(large))
    assert all(item.value > 0 for item in items if item.id in drawn)


@given(st.lists(st.text(min_size=1), unique=True, min_size=3, max_size=30), st.text())
def test_at_random_a_larger_sample_holds_the_smaller(ids: list[str], seed: str) -> None:
    items = [Item(name) for name in sorted(ids)]
    small = draw(items, method="random", seed=seed, size=2)
    assert set(small) <= set(draw(items, method="random", seed=seed, size=3)) and len(small) == 2
