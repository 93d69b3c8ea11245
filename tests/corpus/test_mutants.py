"""Damaged files: no traceback, and no number that looks right and is wrong."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from analysis.tables import MONEY
from tests.corpus import writers
from tests.corpus.judge import message_faults, read_one, settings
from tests.corpus.mutants import LINED, LOOSE, MAPPED, WHOLE, Mutant, fooled, mutants, original
from tests.corpus.writers import SUFFIX

FORMS = (*LINED, *WHOLE, *LOOSE)


def failures(form: str, count: int, seed: int, folder: Path) -> tuple[list[str], Counter[str]]:
    """What went wrong with `count` damaged files of a format, and how they ended."""
    name = f"o.{SUFFIX[form]}"
    chosen = settings({"orders": {"path": name, "columns": MAPPED}})
    wrong: list[str] = []
    ends: Counter[str] = Counter()
    for mutant in mutants(form, count, seed):
        (folder / name).write_bytes(mutant.content)
        found = read_one(chosen, folder)
        if found.fault:
            told = [found.fault]
        elif found.error is not None:
            told = message_faults(found.error, name)
        else:
            assert found.read is not None
            notes = {n["key"] for n in json.loads(found.read.files["note"].iloc[0])}
            told = fooled(mutant, form, found.read, notes)
        ends["refused" if found.error else "read"] += 1
        wrong += [f"{form}, {mutant.how}: {one}" for one in told]
    return wrong, ends


@pytest.mark.parametrize("form", FORMS)
def test_no_damage_makes_a_wrong_number(form: str, tmp_path: Path) -> None:
    wrong, ends = failures(form, 40, 1, tmp_path)
    assert not wrong, "\n".join(wrong[:10])
    assert ends["refused"] > 0  # damage that is never seen would prove nothing


def test_the_oracle_sees_a_wrong_cent_a_lost_line_and_a_shift(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_bytes(writers.write(original(), "csv"))
    chosen = settings({"orders": {"path": "o.csv", "columns": MAPPED}})
    read = read_one(chosen, tmp_path).read
    assert read is not None
    sound = Mutant("nothing", writers.write(original(), "csv"), frozenset())
    assert not fooled(sound, "csv", read, set())
    table = read.tables["orders"]
    cent = pa.array([Decimal("0.01"), *[Decimal(0)] * (table.num_rows - 1)], MONEY)
    shifted = pa.concat_arrays([table["customer_id"].combine_chunks()[1:], pa.array(["C001"])])
    for wrong in (
        _with(table, "amount", pc.add(table["amount"].combine_chunks(), cent).cast(MONEY)),
        _with(table, "customer_id", shifted),
        table.slice(1),
    ):
        assert fooled(sound, "csv", replace(read, tables={"orders": wrong}), set())


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_no_damage_of_many_makes_a_wrong_number(form: str, tmp_path: Path) -> None:
    wrong, _ = failures(form, 60 if form in LOOSE else 280, 2, tmp_path)
    assert not wrong, "\n".join(wrong[:10])
