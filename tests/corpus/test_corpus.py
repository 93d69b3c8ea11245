"""Every row of the catalogue of bad and odd input, in each format where it can occur."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.corpus.catalogue import corpus
from tests.corpus.judge import Found, differences, read_all
from tests.corpus.rows import Case, ok
from tests.corpus.sheet import base, put
from tests.corpus.writers import SUFFIX

CASES = corpus()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """What became of each file: all are read alone, and cleaned together."""
    return read_all(CASES, tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_ends_as_it_must(case: Case, found: dict[str, Found]) -> None:
    wrong = differences(case, found[case.file])
    assert not wrong, f"{case.row.outcome} was due\n" + "\n".join(wrong)


def test_the_corpus_is_large_and_covers_every_format() -> None:
    forms = Counter(case.form for case in CASES)
    assert len(CASES) >= 160
    assert set(forms) == set(SUFFIX)
    ends = {case.row.outcome.error for case in CASES}
    assert len(ends) >= 15
    assert len({case.file for case in CASES}) == len(CASES)


def test_the_judge_sees_a_wrong_cent_a_lost_line_and_a_note_too_few(
    found: dict[str, Found],
) -> None:
    case = next(c for c in CASES if c.row.name == "sound" and c.form == "csv")
    one = found[case.file]
    assert not differences(case, one)
    dear = put("money", Decimal("1.01"), Decimal("1.01"))
    for wrong in (
        replace(case.row, sheet=dear),
        replace(case.row, sheet=base(9)),
        replace(case.row, outcome=ok("encoding")),
        replace(case.row, outcome=replace(ok(), error="damaged")),
    ):
        assert differences(replace(case, row=wrong), one)
