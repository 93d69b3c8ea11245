"""Is what the suite says about effects right? One table: published numbers and known truths.

    make bench-validity

The exit code is 1 if a number lies outside its tolerance. Numbers whose data are not here are
listed as left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd
from bench import known_truth, published
from bench.published import Missing

from analysis.effects.design import customers_for_shares, small_tier
from analysis.effects.sensitivity import e_value, robustness_value
from analysis.pooling import weighted_mean


@dataclass(frozen=True)
class Check:
    """A number that must come out.

    Attributes
    ----------
    number
        What it is.
    ours
        Computes it.
    low, high
        Where it must lie.
    published
        The number as it stands in the source.
    source
        Where that is.
    slow
        Whether it takes more than a few seconds.
    """

    number: str
    ours: Callable[[], float]
    low: float
    high: float
    published: str
    source: str
    slow: bool = False

    def holds(self, found: float) -> bool:
        """Whether a number lies within the tolerance; NaN does not."""
        return self.low <= found <= self.high


def near(
    number: str,
    ours: Callable[[], float],
    expected: float,
    tolerance: float,
    source: str,
) -> Check:
    """A number known up to a tolerance."""
    shown = f"{expected:.10g}"
    return Check(number, ours, expected - tolerance, expected + tolerance, shown, source)


def simulated(number: str, ours: Callable[[], float], low: float, high: float) -> Check:
    """A number whose truth is known because we made it."""
    return Check(number, ours, low, high, "known truth", "simulation", slow=True)


def _experiments() -> Iterator[Check]:
    paper = "LaLonde (1986), Dehejia and Wahba (1999)"
    yield near(
        "NSW: trained − held out [US$]", lambda: published.experiment().estimate,
        1794.34, 0.01, paper,
    )  # fmt: skip
    yield near(
        "NSW: standard error", lambda: published.experiment().std_error, 670.997, 0.001, paper
    )
    yield near("CPS: trained − survey [US$]", published.naive, -8497.5, 0.05, paper)
    yield Check(
        "CPS: the same, weighted to be alike [US$]",
        lambda: published.weighted().contrast.estimate, 900, 2000, "1794 by the draw", paper,
    )  # fmt: skip
    sant = "R did, its table for mpdta"
    for name, ours, expected in (
        ("simple", lambda: published.minimum_wage().overall.estimate, -0.039951),
        ("simple, standard error", lambda: published.minimum_wage().overall.std_error, 0.012034),
        ("dynamic", lambda: published.minimum_wage().dynamic.estimate, -0.077240),
        ("dynamic, standard error", lambda: published.minimum_wage().dynamic.std_error, 0.019965),
        ("ATT(2004, 2006)", lambda: _cell(2004, 2006), -0.137259),
    ):
        yield near(f"mpdta: {name}", ours, expected, 1e-6, sant)


def _campaign() -> Iterator[Check]:
    source = "MineThatData challenge, Hillstrom (2008)"
    men, women = "Mens E-Mail", "Womens E-Mail"
    for outcome, arm, column, expected, tolerance in (
        ("visit", men, "mean_treated", 0.182757, 1e-6),
        ("visit", women, "mean_treated", 0.151400, 1e-6),
        ("visit", men, "mean_control", 0.106167, 1e-6),
        ("visit", men, "estimate", 0.07659, 5e-6),
        ("visit", men, "std_error", 0.00339, 5e-6),
        ("visit", women, "estimate", 0.04523, 5e-6),
        ("visit", women, "std_error", 0.00323, 5e-6),
        ("spend", men, "estimate", 0.76983, 5e-6),
        ("spend", men, "std_error", 0.14525, 5e-6),
        ("spend", women, "estimate", 0.42441, 5e-6),
        ("spend", women, "std_error", 0.13033, 5e-6),
    ):
        yield near(
            f"Hillstrom: {outcome}, {'no e-mail' if column == 'mean_control' else arm}, {column}",
            lambda place=(outcome, arm), column=column: float(
                published.campaign().loc[place, column]
            ),
            expected,
            tolerance,
            source,
        )


def _formulas() -> Iterator[Check]:
    yield near("E-value of 3.9", lambda: e_value(3.9), 7.26, 0.005, "VanderWeele and Ding (2017)")
    yield near("E-value of 1.8", lambda: e_value(1.8), 3.00, 0.005, "VanderWeele and Ding (2017)")
    yield near(
        "robustness value, t 4.18 of 783", lambda: robustness_value(4.18, 783),
        0.139, 0.0006, "Cinelli and Hazlett (2020), Darfur",
    )  # fmt: skip
    yield near(
        "customers per arm, 50 → 75 %, power 90 %",
        lambda: customers_for_shares(0.5, 0.75, power=0.9), 76.7, 0.05, "R, power.prop.test",
    )  # fmt: skip
    yield near(
        "15 of 15 kept: at least, 95 % (Wilson)", lambda: small_tier(15, 0.98, 0.95).low,
        0.796, 0.0005, "Wilson (1927)",
    )  # fmt: skip
    schools = "Rubin (1981), eight schools"
    yield near("eight schools: together", lambda: _schools()[0], 7.686, 0.0005, schools)
    yield near("eight schools: standard error", lambda: _schools()[1], 4.072, 0.0005, schools)
    yield near(
        "variance left by the outcome before, ρ .7", published.variance_ratio,
        0.51, 0.01, "1 − ρ², Deng et al. (2013)",
    )  # fmt: skip
    yield near(
        "six looks by our bounds: false alarms", lambda: published.six_looks()[0],
        0.05, 0.006, "O'Brien and Fleming (1979), 20,000 draws",
    )  # fmt: skip
    yield near(
        "six looks at 1.96: false alarms", lambda: published.six_looks()[1],
        0.155, 0.01, "Armitage et al. (1969), 20,000 draws",
    )  # fmt: skip


def _simulations() -> Iterator[Check]:
    yield simulated("no effect: called worked, of 400", _called_worked, 0, 20)
    yield simulated("no effect: interval above zero, of 400", _above_zero, 0, 20)
    yield simulated("no effect: before/after rises, of 400", _rises, 390, 400)
    yield simulated("intervals of 2,000 quarters cover", _covers, 0.935, 0.965)
    yield simulated("pooled intervals of segments cover", _pooled_cover, 0.93, 0.97)


def _cell(cohort: int, period: int) -> float:
    cells = published.minimum_wage().group_time.set_index(["cohort", "period"])["estimate"]
    return float(cells.loc[(cohort, period)])


def _schools() -> tuple[float, float]:
    return weighted_mean(published.SCHOOLS, published.SCHOOL_ERRORS)


@cache
def _nothing() -> pd.DataFrame:
    return known_truth.no_effect(400, seed=1)


def _called_worked() -> float:
    return float((_nothing()["verdict"] == "worked").sum())


def _above_zero() -> float:
    return float((_nothing()["low"] > 0).sum())


def _rises() -> float:
    return float((_nothing()["before_after"] > 0).sum())


def _covers() -> float:
    found, truth = known_truth.with_effect(2_000, seed=2)
    return float(((found["low"] <= truth) & (truth <= found["high"])).mean())


def _pooled_cover() -> float:
    found, truth = known_truth.by_segment(150, seed=3)
    inside = (found["pooled_low"] <= truth) & (truth <= found["pooled_high"])
    return float(inside[found["segment"] != "all"].mean())


CHECKS: tuple[Check, ...] = (*_experiments(), *_campaign(), *_formulas(), *_simulations())


def table(checks: Sequence[Check] = CHECKS) -> Iterator[tuple[str, ...]]:
    """Number, ours, published, tolerance, source, ok or NOT; or why a number is left out."""
    for check in checks:
        low, high = f"{check.low:.10g}", f"{check.high:.10g}"
        try:
            found = check.ours()
        except Missing as missing:
            shown, state = "", f"left out: {missing}"
        else:
            shown, state = f"{found:.6f}", "ok" if check.holds(found) else "NOT"
        yield check.number, shown, check.published, f"{low} … {high}", check.source, state


def main() -> int:
    """Print the table; 1 if a number lies outside its tolerance."""
    head = ("number", "ours", "published", "must lie in", "source", "")
    rows = list(table())
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    wrong = sum(row[-1] == "NOT" for row in rows)
    absent = sum(row[-1].startswith("left out") for row in rows)
    print(f"\n{len(rows) - wrong - absent} ok, {wrong} outside, {absent} left out")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
