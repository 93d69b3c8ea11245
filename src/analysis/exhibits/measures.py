"""What is said of last period's measures, wherever it is said: names, verdicts, effects."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.exhibits.book import Book, parse_reason
from analysis.exhibits.derived import main_effects, no_conclusion
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import EMPTY, Rich, words
from analysis.wording.numbers import Scale

SLOW = 8  # more periods than this: waiting is no plan


@dataclass(frozen=True)
class Measure:
    """One measure of last period, as the report speaks of it."""

    strategy: str
    arm: str
    outcome: str
    unit: str
    verdict: str
    grade: str
    decision: str
    name: Rich
    id: str


def measures(book: Book) -> list[Measure]:
    """The measures in the order of their verdicts: worked, did not pay, cannot tell, none."""
    rows = main_effects(book.frame("effects"))
    if rows.empty:
        return []
    arms = rows.groupby("strategy")["arm"].nunique()
    found = []
    for row in records(rows):
        strategy, arm = str(row["strategy"]), str(row["arm"])
        called = book.label("strategy", strategy)
        if arms[strategy] > 1:
            called = called + words(book.text("exhibits.list.colon")) + book.label("arm", arm)
        found.append(
            Measure(
                strategy,
                arm,
                str(row["outcome"]),
                str(row["unit"]),
                "none" if no_conclusion(row) else str(row["verdict"]),
                str(row["grade"]),
                str(row.get("decision") or "none"),
                called,
                fact_id("effect", strategy, arm, row["outcome"], row["segment"]),
            )
        )
    order = ["worked", "did_not_pay", "cannot_tell", "none"]
    ranks = _plan_ranks(book.frame("plan_summary"))
    return sorted(
        found,
        key=lambda m: (order.index(m.verdict), ranks.get(m.strategy, 99), m.strategy, m.arm),
    )


def _plan_ranks(plan: pd.DataFrame) -> dict[str, int]:
    if plan.empty:
        return {}
    return {str(s): int(r) for s, r in zip(plan["strategy"], plan["rank"], strict=True)}


def effect_scale(book: Book, found: list[Measure]) -> Scale | None:
    """One unit of money per customer for all measures; None without measures in money."""
    ids = [f"{m.id}.{part}" for m in found if m.unit == "money" for part in ("estimate", "high")]
    return book.scale_of(*ids) if any(book.has(id_) for id_ in ids) else None


def effect(book: Book, measure: Measure, part: str = "estimate", *, unit: bool = True) -> Rich:
    """An effect with its unit: ``6.8 万元``, ``RMB 68 k``, ``7.7 个百分点``."""
    id_ = f"{measure.id}.{part}"
    if not book.has(id_):
        return EMPTY
    if measure.unit == "money":
        scale = effect_scale(book, measures(book))
        shown = book.num(id_, scale=scale)
        return book.unit_of_money(shown, scale) if unit else shown
    if measure.unit == "share":
        return book.say("exhibits.unit.points", value=book.num(id_)) if unit else book.num(id_)
    return book.num(id_, decimals=2)


def unit_words(book: Book, found: list[Measure]) -> Rich:
    """The unit of the interval column."""
    units = {m.unit for m in found}
    if units == {"money"}:
        scale = effect_scale(book, found)
        return words(scale.label if scale else "")
    if units == {"share"}:
        return book.words("exhibits.unit.points_word")
    return EMPTY


def likely(book: Book, measure: Measure) -> Rich:
    """The likely range: ``2.1～11.5``; "to" where a bound is negative in English."""
    low = effect(book, measure, "low", unit=False)
    high = effect(book, measure, "high", unit=False)
    if not low or not high:
        return EMPTY
    return between(book, low, high, book.value(f"{measure.id}.low") or 0.0)


def between(book: Book, low: Rich, high: Rich, least: float) -> Rich:
    """Two bounds as a range."""
    key = "range_negative" if least < 0 else "range"
    return book.say(f"exhibits.unit.{key}", low=low, high=high)


def verdict_word(book: Book, measure: Measure) -> Rich:
    """Worked, did not pay, too early to tell, no conclusion."""
    return book.words(f"exhibits.verdict.{measure.verdict}")


def in_short(book: Book, measure: Measure) -> Rich:
    """One line per measure for page 1."""
    value = effect(book, measure)
    if measure.verdict == "worked":
        return book.say("exhibits.measure.short.worked", value=value)
    if measure.verdict == "did_not_pay":
        return book.words(f"exhibits.measure.short.{_fail(book, measure)}")
    if measure.verdict == "none":
        key = "too_few" if too_few(book, measure) else "none"
        return book.words(f"exhibits.measure.short.{key}")
    looks = fact_id("evidence", measure.strategy, measure.arm, measure.outcome)
    if measure.unit == "money" and _more_together(book, looks):
        value = book.num(f"{looks}.together", scale=(scale := effect_scale(book, measures(book))))
        return book.say(
            "exhibits.measure.short.together",
            value=book.unit_of_money(value, scale),
            looks=book.num(f"{looks}.look"),
        )
    periods = book.value(f"{measure.id}.periods_needed")
    if periods is not None and periods > SLOW:
        return book.words("exhibits.measure.short.slow")
    if periods is not None and periods > 0:
        return book.say(
            "exhibits.measure.short.wait", periods=book.num(f"{measure.id}.periods_needed")
        )
    return book.words("exhibits.measure.short.cannot_tell")


def _more_together(book: Book, looks: str) -> bool:
    """Whether several periods together are surely above zero, though not yet at break-even."""
    several = (book.value(f"{looks}.look") or 0) >= 2
    return several and (book.value(f"{looks}.together_low") or 0.0) > 0


def _fail(book: Book, measure: Measure) -> str:
    """Not even the best case pays, or it does harm, or it just did not pay."""
    high, even = book.value(f"{measure.id}.high"), book.value(f"{measure.id}.break_even")
    if high is not None and high < 0:
        return "harm"
    if high is not None and even is not None and high < even:
        return "not_at_best"
    return "did_not_pay"


_WHY = {
    "undecided": "undecided",
    "undecided_against_zero": "undecided_zero",
    "undecided_slow": "slow",
    "undecided_slow_against_zero": "slow",
    "near_break_even": "near",
    "too_few": "too_few",
    "no_spread": "no_spread",
    "not_comparable": "not_comparable",
    "not_carried_out": "not_carried_out",
    "outcomes_missing": "outcomes_missing",
    "no_comparison": "no_comparison",
    "too_few_alike": "not_alike",
    "one_group": "one_group",
    "poor_overlap": "not_alike",
    "not_after_correction": "corrected",
    "periods_disagree": "periods_disagree",
    "indicative_worked": "indicative",
    "indicative_worked_against_zero": "indicative",
    "indicative_did_not_pay": "indicative_low",
    "indicative_did_not_pay_against_zero": "indicative_low",
}


def why(book: Book, measure: Measure) -> Rich:
    """The reasoning behind a verdict, by the reason key of the table and the facts at hand."""
    cost = f"effect.{measure.strategy}.{measure.arm}.cost"
    priced = book.has(cost) and book.has(f"{measure.id}.break_even")
    if _reason_key(book, measure).startswith("together_"):
        key = "together"
    elif _reason_key(book, measure) in ("without_margin", "worked_alone", "did_not_pay_alone"):
        key = _reason_key(book, measure)
    elif measure.verdict == "worked":
        key = "worked" if priced and book.has(f"{measure.id}.extra_margin") else "worked_no_cost"
    elif measure.verdict == "did_not_pay":
        key = "did_not_pay" if priced else "did_not_pay_no_cost"
    else:
        key = _WHY.get(_reason_key(book, measure), "")
        if not key:
            key = "no_comparison" if measure.verdict == "none" else "other"
            if book.has(f"{measure.id}.n_needed") and book.has(f"{measure.id}.periods_needed"):
                key = "undecided" if priced else "undecided_zero"
    if key == "slow" and measure.decision == "stop":
        key = "slow_stop"  # no advice on how to go on with what the rule stops
    return book.say(
        f"exhibits.measure.why.{key}",
        cost=book.money(cost, decimals=1),
        # Before the cost that stands beside it, as everywhere that extra margin is spoken of.
        value=book.money(f"{measure.id}.extra_margin", decimals=1),
        even=effect(book, measure, "break_even"),
        needed=book.num(f"{measure.id}.n_needed"),
        periods=book.num(f"{measure.id}.periods_needed"),
        done=book.num(f"{measure.id}.done_share", decimals=0),
    )


def too_few(book: Book, measure: Measure) -> bool:
    """Whether there is a comparison, but of too few customers to estimate anything."""
    return _reason_key(book, measure) == "too_few"


def _reason_key(book: Book, measure: Measure) -> str:
    rows = book.frame("effects")
    chosen = rows[
        (rows["strategy"] == measure.strategy)
        & (rows["arm"] == measure.arm)
        & (rows["outcome"] == measure.outcome)
        & (rows["segment"] == "all")
    ]
    told = parse_reason(chosen["reason"].iloc[0]) if len(chosen) and "reason" in chosen else {}
    return str(told.get("key", "")).rpartition(".")[2]
