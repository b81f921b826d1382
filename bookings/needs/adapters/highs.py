"""HiGHS, a solver of linear programmes, which places many needs at once better than one after the other.

It is optional: `requirements-needs.txt` brings it (`highspy`). It works in this process on one thread and
never calls another machine.
"""

import importlib
import importlib.util
from collections.abc import Iterable

from bookings.needs.domain.batches import Programme, Solution, Solve

SECONDS = 60.0  # after which needs are served in their order instead
MODULE = "highspy"


class Unsolved(Exception):
    """The solver gave up; its state is the argument."""


def solver() -> Solve | None:
    """Return a function that solves programmes; None if the solver is not installed."""
    return solve if importlib.util.find_spec(MODULE) is not None else None


def solve(programme: Programme) -> Solution:
    """Return the shares that are worth most. Raise `Unsolved` if that takes too long."""
    highspy, numpy = importlib.import_module(MODULE), importlib.import_module("numpy")
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    model.setOptionValue("time_limit", SECONDS)
    model.setOptionValue("random_seed", 1)

    def numbers(values: Iterable[float], kind: str = "float64") -> object:
        return numpy.fromiter(values, dtype=kind)

    count, limits = len(programme.values), programme.limits
    starts = [0]
    for limit in limits:
        starts.append(starts[-1] + len(limit.options))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = count, len(limits)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = numbers(programme.values)
    lp.col_lower_, lp.col_upper_ = numpy.zeros(count), numpy.ones(count)
    lp.row_lower_ = numpy.full(len(limits), -highspy.kHighsInf)
    lp.row_upper_ = numbers(limit.most for limit in limits)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = numbers(starts, "int32")
    lp.a_matrix_.index_ = numbers((n for limit in limits for n in limit.options), "int32")
    lp.a_matrix_.value_ = numbers(amount for limit in limits for amount in limit.amounts)
    model.passModel(lp)
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise Unsolved(str(model.getModelStatus()))
    found = model.getSolution()
    return Solution(
        tuple(min(1.0, max(0.0, float(share))) for share in found.col_value),
        tuple(abs(float(price)) for price in found.row_dual),
        float(model.getInfo().objective_function_value),
    )
