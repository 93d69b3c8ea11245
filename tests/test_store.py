"""Records: whole or not there; what is read is what was written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import record, store
from analysis.errors import SourceError
from analysis.tables import RECORD

HISTORY = RECORD["segment_history"]
FRAME = pd.DataFrame({"period": ["2025Q3"], "segment": ["new"], "customers": [3]}).astype(
    {"period": object, "segment": object}
)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A record with one table, as `publish` leaves it."""
    built = store.temporary_folder(tmp_path / "reports" / "acme", "x")
    store.write_table(built, HISTORY, FRAME)
    store.write_json(built / "facts.json", {"kpi.revenue": {"value": 1}})
    target = tmp_path / "reports" / "acme" / "2025Q3"
    store.publish(built, target, {"format": 1})
    return target


def test_reads_back_what_was_written(made: Path, tmp_path: Path) -> None:
    known = record("acme", "2025Q3", tmp_path)
    assert known.tables == ["segment_history"]
    pd.testing.assert_frame_equal(known.table("segment_history"), FRAME)
    assert known.facts == {"kpi.revenue": {"value": 1}}


def test_no_such_record_or_table(made: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"analysis run params/acme\.yml") as caught:
        record("acme", "2025Q4", tmp_path)
    assert caught.value.problems[0].key == "store.no_record"
    with pytest.raises(SourceError, match=r"table\.unknown"):
        record("acme", "2025Q3", tmp_path).table("segment")


@pytest.mark.parametrize("damage", ["flip", "cut", "extra", "missing", "manifest"])
def test_damage_is_seen(made: Path, tmp_path: Path, damage: str) -> None:
    table = made / "tables" / "segment_history.parquet"
    content = bytearray(table.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
        table.write_bytes(content)
    elif damage == "cut":
        table.write_bytes(content[:-5])
    elif damage == "extra":
        (made / "tables" / "more.parquet").write_bytes(b"")
    elif damage == "missing":
        table.unlink()
    else:
        (made / "manifest.json").write_text("{")
    assert not store.is_whole(made)
    if damage in ("flip", "cut", "manifest"):
        with pytest.raises(SourceError, match=r"store\.damaged"):
            record("acme", "2025Q3", tmp_path).table("segment_history")


def test_publish_replaces_and_recovers(made: Path) -> None:
    before = store.files_of(made)
    built = store.temporary_folder(made.parent, "y")
    store.write_json(built / "facts.json", {})
    store.publish(built, made, {"format": 1})
    assert list(store.files_of(made)) == ["facts.json"]
    assert store.files_of(made) != before
    assert [p.name for p in made.parent.iterdir()] == ["2025Q3"]


def test_the_log_is_outside_the_promise(made: Path) -> None:
    (made / "log.txt").write_text("12:00")
    assert store.is_whole(made)


@given(
    st.lists(
        st.tuples(st.text(max_size=8), st.integers(-(10**15), 10**15)),
        max_size=20,
        unique_by=lambda pair: pair[0],
    )
)
def test_the_same_rows_in_any_order_give_the_same_bytes(rows: list[tuple[str, int]]) -> None:
    import tempfile

    def written(order: list[tuple[str, int]]) -> bytes:
        frame = pd.DataFrame(order, columns=["segment", "customers"]).astype({"segment": object})
        frame["period"] = "2025Q3"
        with tempfile.TemporaryDirectory() as folder:
            return store.write_table(Path(folder), HISTORY, frame).read_bytes()

    assert written(rows) == written(rows[::-1])


def test_json_digests_do_not_depend_on_the_order_of_keys() -> None:
    assert store.digest_json({"a": 1, "b": 2}) == store.digest_json({"b": 2, "a": 1})
