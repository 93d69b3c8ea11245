"""Every row of the catalogue of bad and odd input, in each format where it can occur."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.corpus import writers
from tests.corpus.catalogue import corpus
from tests.corpus.judge import Found, differences, read_all, read_one, settings
from tests.corpus.rows import CELLS, Case, ok
from tests.corpus.sheet import Sheet, base, odd, put
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


@pytest.mark.parametrize("form", CELLS)
def test_a_name_that_looks_like_nothing_is_a_name(form: str, tmp_path: Path) -> None:
    words = ["NA", "null", "None", "N/A", "nan", "NULL"]
    lines = [odd((f"C{n}", word), "") for n, word in enumerate(words)]
    file = f"c.{SUFFIX[form]}"
    (tmp_path / file).write_bytes(
        writers.write(Sheet(tuple(lines), ("客户编号", "客户名称")), form)
    )
    columns = {"customer_id": "客户编号", "name": "客户名称"}
    found = read_one(settings({"customers": {"path": file, "columns": columns}}), tmp_path)
    assert found.read is not None, found.error or found.fault
    assert found.read.tables["customers"]["name"].to_pylist() == words


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
