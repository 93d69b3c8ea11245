"""The lint against published tables, against brute force, and against its own words."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import wording
from analysis.errors import Problem, SettingsError
from analysis.segmentation import boxes as bx
from analysis.segmentation import estimate_cuts, load_scheme, segment
from analysis.segmentation.checks import static_problems
from analysis.segmentation.lint import lint, problems_of
from analysis.segmentation.rules import Scheme
from analysis.segmentation.scheme import read_scheme
from analysis.segmentation.space import Coverage, coverage
from analysis.settings_segmentation import Segmentation

PUBLISHED = Path(__file__).with_name("published")
PLAIN = Segmentation()


def scheme(*rules: dict[str, Any], **more: Any) -> Scheme:
    """A scheme of the segments a (best), b and c (at risk), ranked in this order."""
    named = [{"rule": f"rule{i}", **rule} for i, rule in enumerate(rules)]
    segments = {
        "a": {"rank": 3, "role": "best"},
        "b": {"rank": 2},
        "c": {"rank": 1, "role": "at_risk"},
    }
    used = {
        rule["segment"] for rule in (*rules, *([more["fallback"]] if "fallback" in more else []))
    }
    kept = {name: s for name, s in segments.items() if name in used or len(used) < 2}
    made = Scheme.model_validate({"scheme": "x", "segments": kept, "rules": named, **more})
    problems = [p for p in static_problems(made, PLAIN) if p.key != "schemes.one_of_role"]
    assert problems == []
    return made


def kinds(made: Scheme, severity: str = "") -> set[str]:
    return {f.kind for f in lint(made, PLAIN) if not severity or f.severity == severity}


@pytest.mark.requirement("001-15")
@pytest.mark.parametrize(
    ("name", "cells", "uncovered", "overlapping"),
    [("rfm_r_readme", 125, 10, 58), ("pymc_default", 64, 18, 0)],
)
def test_published_tables(name: str, cells: int, uncovered: int, overlapping: int) -> None:
    made, _ = read_scheme(PUBLISHED / f"{name}.yml", name)
    found = coverage(made, PLAIN)
    assert (found.cells, found.uncovered, found.overlapping) == (cells, uncovered, overlapping)
    gaps = [f for f in lint(made, PLAIN) if f.kind == "gap"]
    assert sum(f.cells for f in gaps) == uncovered
    assert all(set(f.example) == {"r", "f", "m"} for f in gaps if f.example)


@pytest.mark.requirement("001-15")
def test_the_rules_of_a_software_vendor_as_printed(root: Path) -> None:
    made, _ = read_scheme(root / "params" / "schemes" / "saas3_printed.yml", "")
    found = lint(made, PLAIN)
    by_kind = {f.kind: f for f in found}
    assert {f.kind for f in found if f.severity == "error"} == {"gap", "bounds_overlap"}
    both = by_kind["bounds_overlap"]
    assert both.rules == ("platinum", "gold")
    assert dict(both.example or {}) == {
        "recency_days": 30.0, "frequency": 10.0, "monetary": 50_000.0,
    }  # fmt: skip
    # the document's R >= 30: who bought more recently falls from platinum to gold
    worse = by_kind["not_monotone"]
    assert worse.rules == ("platinum", "gold")
    assert dict(worse.other or {}).keys() == {"recency_days"}
    # R 30, F 3, M 8,000 belongs nowhere
    printed = coverage(made, PLAIN)
    assert printed.uncovered / printed.cells > 0.75
    corrected = load_scheme("saas3", root, Segmentation(scheme="saas3"))
    assert {f.kind for f in lint(corrected, PLAIN)} == {"ordered", "fallback"}


def test_open_and_closed_ends() -> None:
    def pair(low: str, high: str) -> Scheme:
        return scheme(
            {"segment": "a", "when": {"monetary": low}},
            {"segment": "c", "when": {"monetary": high}},
            match="one",
        )

    assert kinds(pair(">= 100", "< 100")) == set()
    (gap,) = lint(pair("> 100", "< 100"), PLAIN)
    assert (gap.kind, gap.severity, gap.example) == ("bounds_gap", "error", {"monetary": 100.0})
    (both,) = lint(pair(">= 100", "<= 100"), PLAIN)
    assert (both.kind, both.severity, both.example) == (
        "bounds_overlap", "error", {"monetary": 100.0},
    )  # fmt: skip
    assert kinds(pair(">= 100", "< 99")) == {"gap"}
    # nobody places half an order: whole numbers leave no gap between 9 and 10
    whole = scheme(
        {"segment": "a", "when": {"frequency": ">= 10"}},
        {"segment": "c", "when": {"frequency": "<= 9"}},
        match="one",
    )
    assert kinds(whole) == set()


def test_overlaps_by_order_and_by_partition() -> None:
    rules = (
        {"segment": "a", "when": {"monetary": "> 100"}},
        {"segment": "a", "when": {"monetary": "> 50", "visits": "> 3"}},
        {"segment": "c", "when": {"monetary": "< 80"}},
    )
    fallback = {"rule": "rest", "segment": "c"}
    first = lint(scheme(*rules, fallback=fallback), PLAIN)
    assert [(f.kind, f.severity, f.rules) for f in first] == [
        ("ordered", "info", ("rule1", "rule2"))
    ]
    one = lint(scheme(*rules, fallback=fallback, match="one"), PLAIN)
    found = {(f.kind, f.severity, f.rules) for f in one}
    assert found == {
        ("overlap", "info", ("rule0", "rule1")),
        ("overlap", "error", ("rule1", "rule2")),
    }


def test_rules_and_segments_that_nobody_gets() -> None:
    rest = {"rule": "rest", "segment": "c"}
    hidden = scheme(
        {"segment": "a", "when": {"frequency": ">= 3"}},
        {"segment": "a", "when": {"frequency": "< 3"}},
        {"segment": "b", "when": {"visits": "> 1"}},
        fallback=rest,
    )
    found = {(f.kind, f.rules[-1:] or f.segments) for f in lint(hidden, PLAIN)}
    assert {("shadowed", ("rule2",)), ("unreachable", ("b",)), ("unreachable", ("c",))} <= found
    never = scheme({"segment": "a", "when": {"visits": "> 5, < 3"}}, fallback=rest)
    assert {"impossible", "unreachable", "fallback"} == kinds(never)
    # a setting may wake the rule: no error
    settable = scheme(
        {"segment": "a", "when": {"tenure_days": "> 100"}},
        {"segment": "b", "when": {"tenure_days": "> new_customer_days"}},
        {"segment": "b", "when": {"visits": "> 1"}},
        fallback=rest,
    )
    assert kinds(settable, "error") == set()
    assert "idle" in kinds(settable, "info")
    assert {p.key for p in problems_of(hidden, PLAIN)} == {
        "schemes.shadowed",
        "schemes.unreachable",
    }


def test_worse_for_better_needs_a_declaration() -> None:
    rules = (
        {"segment": "c", "when": {"frequency": "> 10"}},
        {"segment": "a", "when": {"recency_days": "< 30"}},
    )
    fallback = {"rule": "rest", "segment": "c"}
    (found,) = [
        f for f in lint(scheme(*rules, fallback=fallback), PLAIN) if f.kind == "not_monotone"
    ]
    assert found.severity == "warning"
    assert found.rules == ("rule1", "rule0")
    assert dict(found.other or {})["frequency"] > 10  # type: ignore[operator]
    assert dict(found.example or {})["frequency"] <= 10  # type: ignore[operator]
    declared = scheme(*rules, fallback=fallback, not_monotone=["frequency"])
    assert "not_monotone" not in kinds(declared)


def test_findings_have_words(root: Path) -> None:
    for name in ("saas3_printed", "rfm5", "platinum4", "subscription5"):
        made, _ = read_scheme(root / "params" / "schemes" / f"{name}.yml", "")
        for finding in lint(made, PLAIN):
            for lang in wording.LANGUAGES:
                problem = SettingsError(Problem(f"schemes.{finding.kind}", finding.args))
                told = wording.explain(problem, lang)[0]
                assert "{" not in told


def test_with_cuts_bands_are_numbers(root: Path, rows) -> None:
    """A band and the number behind it cannot contradict each other once the cuts are known."""
    made = scheme(
        {"segment": "a", "when": {"monetary": "high, < 500"}},
        {"segment": "b", "when": {"recency": ["near", "far"], "frequency": ["mid", "high"]}},
        {"segment": "b", "when": {"recency": "none"}},
        fallback={"rule": "rest", "segment": "c"},
    )
    cuts = estimate_cuts(
        rows({}), Segmentation(monetary_cuts=[100.0, 1000.0], frequency_cuts=[2.0, 5.0])
    )
    assert "impossible" not in kinds(made)
    found = [f for f in lint(made, PLAIN, cuts) if f.kind == "impossible"]
    assert [(f.rules, f.severity) for f in found] == [(("rule0",), "info")]
    rfm5 = load_scheme("rfm5", root)
    assert {f.kind for f in lint(rfm5, PLAIN, cuts) if f.severity == "error"} == set()


def test_it_is_fast(root: Path) -> None:
    made = load_scheme("rfm5", root)
    started = time.process_time()
    lint(made, PLAIN)
    assert time.process_time() - started < 1.0
    # 3 to the power of 12 cells: listing them would take half a million steps a rule
    features = [
        "visits",
        "tickets",
        "products",
        "orders_ever",
        "intervals",
        "margin",
        "arr",
        "overdue",
        "complaints",
        "tenure_days",
        "mean_order",
        "expected_interval_days",
    ]
    rules = [{"segment": "ab"[i % 2], "when": {f: "> 5, <= 9"}} for i, f in enumerate(features)]
    wide = scheme(*rules, fallback={"rule": "rest", "segment": "c"})
    started = time.process_time()
    found = coverage(wide, PLAIN)
    assert time.process_time() - started < 5.0
    assert (
        found.taken["rest"] + sum(n for r, n in found.taken.items() if r != "rest") == found.cells
    )


SIGNS = st.sampled_from([">=", ">", "<=", "<"])
CONDITION = st.one_of(
    st.builds(lambda s, n: f"{s} {n}", SIGNS, st.integers(0, 3)),
    st.builds(lambda a, b: f">= {a}, < {b}", st.integers(0, 2), st.integers(1, 3)),
    st.sampled_from(["missing", "known"]),
)
ENTRY = st.dictionaries(
    st.sampled_from(["visits", "tenure_days", "recency_cycles", "satisfaction"]), CONDITION,
    min_size=1, max_size=3,
)  # fmt: skip
RULE = st.fixed_dictionaries(
    {
        "segment": st.sampled_from("abc"),
        "when": st.one_of(ENTRY, st.lists(ENTRY, min_size=1, max_size=2)),
    }
)
VALUES = {
    "visits": [np.nan, 0, 1, 2, 3, 4],
    "tenure_days": [np.nan, 0, 1, 2, 3, 4],
    "recency_cycles": [np.nan, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5],
    "satisfaction": [np.nan, 1, 1.5, 2, 2.5, 3, 3.5],
}
POINTS = pd.DataFrame(list(itertools.product(*VALUES.values())), columns=list(VALUES), dtype=float)


def holds(entry: dict[str, str], points: pd.DataFrame) -> np.ndarray:
    """What a person reads in an entry, by pandas."""
    found = np.ones(len(points), dtype=bool)
    for feature, written in entry.items():
        column = points[feature]
        for part in written.split(", "):
            if part in ("missing", "known"):
                found &= column.isna() if part == "missing" else column.notna()
            else:
                sign, number = part.split()
                found &= column.map(
                    lambda v, s=sign, n=number: eval(f"{v!r} {s} {n}") if pd.notna(v) else False
                )
    return found


@settings(max_examples=60, deadline=None)
@given(rules=st.lists(RULE, min_size=1, max_size=5), fallback=st.booleans())
def test_against_every_point(rows, rules: list[dict[str, Any]], fallback: bool) -> None:
    """Gaps, overlaps and places are those of going through all points one by one."""
    more = {"fallback": {"rule": "rest", "segment": "c"}} if fallback else {}
    segments = {s: {"rank": r} for s, r in zip("abc", (3, 2, 1), strict=True)}
    named = [{"rule": f"rule{i}", **rule} for i, rule in enumerate(rules)]
    made = Scheme.model_validate({"scheme": "x", "segments": segments, "rules": named, **more})
    entries = [r["when"] if isinstance(r["when"], list) else [r["when"]] for r in rules]
    masks = np.array([np.any([holds(e, POINTS) for e in entry], axis=0) for entry in entries])
    found = lint(made, PLAIN)
    counted = coverage(made, PLAIN)
    assert isinstance(counted, Coverage)
    gaps = [f for f in found if f.kind in ("gap", "bounds_gap")]
    assert bool(gaps) == (not fallback and not masks.any(axis=0).all())
    assert bool(counted.overlapping) == bool((masks.sum(axis=0) > 1).any())
    assert counted.uncovered + sum(counted.taken.values()) == counted.cells
    for i, rule in enumerate(made.rules):
        mine = masks[i] & ~masks[:i].any(axis=0)
        assert bool(counted.taken[rule.rule]) == bool(mine.any())
    for gap in gaps:
        point = pd.DataFrame(
            [{k: np.nan if v is None else v for k, v in (gap.example or {}).items()}]
        )
        point = point.reindex(columns=list(VALUES))
        assert not any(holds(entry, point)[0] for each in entries for entry in each)
    features = rows(*POINTS.sample(40, random_state=1).to_dict("records"))
    cuts = estimate_cuts(features, PLAIN)
    nobody = pd.DataFrame({"customer_id": []})
    if gaps:
        with pytest.raises(SettingsError):
            segment(rows(*POINTS.to_dict("records")), nobody, made, cuts, PLAIN)
    else:
        placed = segment(features, nobody, made, cuts, PLAIN)
        index = POINTS.sample(40, random_state=1).index
        expected = [
            next((f"rule{i}" for i in range(len(rules)) if masks[i, k]), "rest") for k in index
        ]
        assert list(placed["rule"]) == expected


BOX = st.tuples(*[st.integers(1, 7)] * 3)


@given(st.lists(BOX, max_size=6), st.lists(BOX, max_size=6))
def test_boxes_are_sets_of_cells(some: list[bx.Box], others: list[bx.Box]) -> None:
    def cells(boxes: list[bx.Box]) -> list[tuple[int, ...]]:
        return [
            point
            for box in boxes
            for point in itertools.product(range(3), repeat=3)
            if all(member >> bit & 1 for member, bit in zip(box, point, strict=True))
        ]

    ones = ((1, 1, 1),) * 3
    left = bx.less(bx.apart(some), others)
    assert sorted(cells(left)) == sorted(set(cells(some)) - set(cells(others)))
    assert sorted(cells(bx.joined(left))) == sorted(cells(left))
    assert bx.size(left, ones) == len(cells(left))
    assert set(cells(bx.shared(some, others))) == set(cells(some)) & set(cells(others))


def test_what_cannot_be_proved_is_said_and_refused() -> None:
    """Sixty rules at four hundred different numbers: no answer is better than an endless one."""
    draw = np.random.default_rng(3)
    features = ["frequency", "monetary", "mean_order", "tenure_days", "relationship_days"]
    features += ["recency_days", "intervals", "products"]
    rules = [
        {
            "segment": "abc"[i % 3],
            "when": {
                str(name): f">= {low}, < {low + int(draw.integers(50, 500))}"
                for name in draw.choice(features, 4, replace=False)
                for low in [int(draw.integers(1, 500))]
            },
        }
        for i in range(60)
    ]
    made = scheme(*rules)
    assert [f.kind for f in lint(made, PLAIN)] == ["too_many"]
    assert coverage(made, PLAIN) is None
    (problem,) = problems_of(made, PLAIN)
    assert problem.key == "schemes.too_many"
