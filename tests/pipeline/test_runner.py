"""The runner: what runs, what is kept and why; what a failure leaves."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from analysis import errors, store, wording
from analysis.pipeline import fingerprints, processes, sealing, stages
from tests.pipeline import chain

pytestmark = pytest.mark.slow  # each kernel takes about a second


@pytest.fixture
def tiny(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(stages, "STAGES", chain.STAGES)
    yield chain.build(project)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Path]:
    """A project whose chain has run once."""
    before = stages.STAGES
    project = tmp_path_factory.mktemp("finished") / "project"
    shutil.copytree(root / "params", project / "params")
    (project / "notebooks").mkdir()
    chain.build(project)
    outcome = chain.run(project)
    assert outcome.ran == ["first", "second", "third"]
    yield project
    stages.STAGES = before


def copy_of(finished: Path, folder: Path) -> Path:
    target = folder / "copy"
    shutil.copytree(finished, target)
    return target


def tree(folder: Path) -> dict[str, str]:
    return store.files_of(folder, without=(store.LOG,))


def test_a_second_run_recomputes_nothing_and_says_why(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    record = project / "reports" / "tiny" / "2025Q3"
    before = tree(record)
    stamp = record.stat().st_mtime_ns
    said = io.StringIO()
    outcome = chain.run(project, said)
    assert (outcome.ran, outcome.kept) == ([], ["first", "second", "third"])
    assert not outcome.republished
    assert said.getvalue().count("unchanged, kept") == 3
    assert tree(record) == before
    assert record.stat().st_mtime_ns == stamp


def test_the_manifest_speaks_for_every_file(finished: Path) -> None:
    record = finished / "reports" / "tiny" / "2025Q3"
    manifest = store.read_json(record / store.MANIFEST)
    assert manifest["files"] == store.files_of(record, without=(store.MANIFEST, store.LOG))
    assert manifest["inputs"]["data/orders.csv"] == store.digest(finished / "data" / "orders.csv")
    assert manifest["settings"]["period"] == {"value": "2025Q3", "origin": "params/tiny.yml"}
    assert str(finished) not in (record / store.MANIFEST).read_text()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_files_are_private(finished: Path) -> None:
    for path in (finished / "reports" / "tiny").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, (path, oct(mode))


def test_a_changed_setting_reruns_its_dependants_only(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    orders = project / "data" / "orders.csv"
    orders.write_text(orders.read_text() + "C,2025-07-03,3\n")
    said = io.StringIO()
    assert chain.run(project, said, explain=True).ran == []
    assert "first: would run – file data/orders.csv changed" in said.getvalue()
    assert "second: would run – stage first runs before it" in said.getvalue()
    outcome = chain.run(project)
    assert outcome.ran == ["first", "second", "third"]
    table = store.Record(project / "reports" / "tiny" / "2025Q3").table("three")
    assert list(table["id"]) == ["A", "B", "C"]


def test_what_did_not_change_downstream_is_kept(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    cells = [*chain.CELLS["first"], "# a comment more"]
    chain.write_notebook(project / "notebooks" / "1.ipynb", cells, "first")
    outcome = chain.run(project)
    assert outcome.ran == ["first"]  # its tables came out the same
    assert outcome.kept == ["second", "third"]
    assert outcome.republished


def test_prose_and_outputs_do_not_count(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    chain.write_notebook(project / "notebooks" / "1.ipynb", chain.CELLS["first"], "Another title")
    assert chain.run(project).ran == []


def test_only_from_force_and_as(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    record = project / "reports" / "tiny" / "2025Q3"
    before = tree(record)
    outcome = chain.run(project, only="second", overrides={"seed": 9})
    assert (outcome.ran, outcome.record) == (["second"], None)
    assert tree(record) == before
    assert chain.run(project, start="third").ran == ["third"]
    assert chain.run(project, force=True).ran == ["first", "second", "third"]
    assert tree(record) == before
    outcome = chain.run(project, name="IF", overrides={"seed": 5})
    assert outcome.record == record.with_name("2025Q3~IF")
    assert set(store.Record(outcome.record).table("three")["seed"]) == {5}
    assert tree(record) == before


def test_the_command_to_go_on_says_all_that_was_said(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    own = {"seed": 7, "languages": ["en", "zh"]}
    with pytest.raises(errors.StageError) as caught:  # the trial has no first stage yet
        chain.run(project, only="second", name="trial", overrides=own)
    said = """--as trial --set seed=7 --set 'languages=["en", "zh"]'"""
    text = "\n".join(wording.explain(caught.value, "en"))
    assert f"analysis run params/tiny.yml {said} --only first" in text
    chain.run(project, name="trial", overrides=own)
    cells = [chain.CELLS["second"][0], "raise ValueError", *chain.CELLS["second"][1:]]
    chain.write_notebook(project / "notebooks" / "2.ipynb", cells, "The second")
    with pytest.raises(errors.StageError) as caught:
        chain.run(project, only="second", name="trial", overrides=own)
    text = "\n".join(wording.explain(caught.value, "en"))
    assert f"to go on: analysis run params/tiny.yml --only second {said}" in text


def test_an_unknown_stage_is_a_usage_error(finished: Path) -> None:
    with pytest.raises(errors.SettingsError):
        chain.run(finished, only="frist")


def test_a_damaged_result_is_made_again(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    record = project / "reports" / "tiny" / "2025Q3"
    before = tree(record)
    (damaged,) = (project / "reports" / "tiny" / ".stages").glob("second-*/tables/two.parquet")
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    said = io.StringIO()
    assert chain.run(project, said).ran == ["second"]
    assert "damaged or incomplete" in said.getvalue()
    assert tree(record) == before


def test_a_damaged_record_is_put_together_again(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    record = project / "reports" / "tiny" / "2025Q3"
    before = tree(record)
    (record / "tables" / "three.parquet").unlink()
    outcome = chain.run(project)
    assert (outcome.ran, outcome.republished) == ([], True)
    assert tree(record) == before


FAILURES = [
    ('raise ValueError("bad customer 13912345678 a.b@c.cn")', errors.StageError, 5, "ValueError"),
    ("import sys; sys.exit(0)", errors.StageError, 5, None),
    ("import os; os.kill(os.getpid(), 9)", errors.KernelDied, 138, "died"),
    ("bytearray(1 << 62)", errors.ResourceError, 7, "memory"),
    ("import time; time.sleep(60)", errors.StageTimeout, 6, "longer than 3 s"),
    (
        "from analysis.errors import *; raise ScopeError(Problem('run.locked', "
        "{'run': 'r', 'pid': 1, 'host': 'h'}))",
        errors.ScopeError,
        4,
        "at work",
    ),
]


@pytest.mark.parametrize(("code", "kind", "exit_code", "told"), FAILURES)
def test_a_failing_cell(
    finished: Path,
    tmp_path: Path,
    code: str,
    kind: type[errors.AnalysisError],
    exit_code: int,
    told: str | None,
) -> None:
    project = copy_of(finished, tmp_path)
    record = project / "reports" / "tiny" / "2025Q3"
    before = tree(record)
    cells = [chain.CELLS["second"][0], code, *chain.CELLS["second"][1:]]
    chain.write_notebook(project / "notebooks" / "2.ipynb", cells, "The second")
    with pytest.raises(kind) as caught:
        # the cell that is too long sleeps for a minute, the others must not be cut off when busy
        limit = 3 if kind is errors.StageTimeout else 60
        chain.run(project, overrides={"runner.cell_timeout": limit})
    assert caught.value.exit_code == exit_code
    lines = wording.explain(caught.value, "en")
    text = "\n".join(lines)
    assert len(lines) <= 12
    assert "13912345678" not in text
    assert "a.b@c.cn" not in text
    assert "Traceback" not in text
    assert "to go on: analysis run params/tiny.yml --from second" in text
    if told:
        assert told in text
    if kind is not errors.ScopeError:
        assert "2.ipynb" in text
    assert tree(record) == before
    assert not list((project / "reports" / "tiny").rglob(".tmp-*"))
    mark = processes.mark_of(project / "reports" / "tiny")
    assert not [p for p in psutil.process_iter() if processes._carries(p, mark)]
    chain.write_notebook(project / "notebooks" / "2.ipynb", chain.CELLS["second"], "The second")
    chain.run(project)
    assert tree(record) == before


def test_children_of_the_kernel_do_not_outlive_it(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    code = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'],"
        " start_new_session=True)\n"
        "raise ValueError('stop')"
    )
    cells = [chain.CELLS["second"][0], code]
    chain.write_notebook(project / "notebooks" / "2.ipynb", cells)
    with pytest.raises(errors.StageError):
        chain.run(project)
    mark = processes.mark_of(project / "reports" / "tiny")
    assert not [p for p in psutil.process_iter() if processes._carries(p, mark)]


def test_a_table_that_is_not_saved_is_told(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    chain.write_notebook(project / "notebooks" / "3.ipynb", chain.CELLS["third"][:1])
    with pytest.raises(errors.StageError, match=r"run\.table_not_saved"):
        chain.run(project)


def test_a_missing_source_is_told_before_anything_runs(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    (project / "data" / "orders.csv").unlink()
    with pytest.raises(errors.SourceError) as caught:
        chain.run(project)
    assert caught.value.exit_code == 3


def test_a_full_disk_stops_before_a_stage(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    with pytest.raises(errors.ResourceError, match=r"run\.disk_full"):
        chain.run(project, force=True, overrides={"runner.min_free_mb": 10**9})


def test_a_second_starter_is_turned_away(finished: Path, tmp_path: Path) -> None:
    from analysis.pipeline.locking import run_lock

    project = copy_of(finished, tmp_path)
    with run_lock(project / "reports" / "tiny", "tiny"):
        with pytest.raises(errors.LockedError) as caught:
            chain.run(project)
        assert str(os.getpid()) in wording.explain(caught.value, "en")[0]
    assert caught.value.exit_code == 75


def test_an_approved_record_is_never_touched(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copy_of(finished, tmp_path)
    record = project / "reports" / "tiny" / "2025Q3"
    before = tree(record)
    monkeypatch.setattr(sealing, "TABLES", ("three",))
    seal = sealing.approve(project, record)
    assert chain.run(project).record == record
    outcome = chain.run(project, overrides={"seed": 11})
    assert outcome.record == record.with_name("2025Q3.r2")
    assert tree(record) == before
    assert sealing.sealed(project, "tiny", "2025Q3") == seal
    shutil.rmtree(record)  # an approval does not need the generated files
    assert list(sealing.read(seal, "three")["id"].to_pylist()) == ["A", "B"]
    sealing.approve(project, outcome.record)
    assert sealing.sealed(project, "tiny", "2025Q3") == sealing.seal_file(project, outcome.record)
    assert sealing.sealed(project, "tiny", "2025") is None
    seal.with_name("three.parquet").write_bytes(b"")
    with pytest.raises(errors.SourceError):
        sealing.read(seal, "three")


def test_leftovers_of_a_killed_publish_are_recovered(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    folder = project / "reports" / "tiny"
    before = tree(folder / "2025Q3")
    (folder / "2025Q3").rename(folder / ".old-2025Q3")
    (folder / ".tmp-record-x").mkdir()
    chain.run(project)
    assert tree(folder / "2025Q3") == before
    assert not list(folder.glob(".tmp-*"))
    assert not list(folder.glob(".old-*"))


def test_a_damaged_help_file_does_not_stop_a_run(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    (project / "reports" / "tiny" / ".stages" / "last.json").write_text("{")
    assert chain.run(project).kept == ["first", "second", "third"]


def test_results_that_nobody_needs_are_removed(finished: Path, tmp_path: Path) -> None:
    project = copy_of(finished, tmp_path)
    work = project / "reports" / "tiny" / ".stages"
    for seed in (1, 2):
        chain.run(project, overrides={"seed": seed})
    assert len([p for p in work.iterdir() if p.is_dir()]) == 3
    assert json.loads((work / "last.json").read_text())["2025Q3"].keys() == set(chain.CELLS)


def test_the_same_inputs_give_the_same_bytes_elsewhere(finished: Path, tmp_path: Path) -> None:
    other = tmp_path / "another place"
    shutil.copytree(finished / "params", other / "params")
    (other / "notebooks").mkdir()
    chain.build(other)
    chain.run(other)
    assert tree(other / "reports" / "tiny" / "2025Q3") == tree(
        finished / "reports" / "tiny" / "2025Q3"
    )


def test_reasons_name_what_changed() -> None:
    before = {"settings": {"seed": 1, "gone": 2}, "inputs": {"a.csv": "a" * 64}}
    after = {"settings": {"seed": 2}, "inputs": {"a.csv": "b" * 64}}
    assert fingerprints.reasons(before, after) == [
        ("settings", {"name": "gone", "before": "2", "after": "–"}),
        ("settings", {"name": "seed", "before": "1", "after": "2"}),
        ("inputs", {"name": "a.csv", "before": "a" * 7, "after": "b" * 7}),
    ]
    many = [f"key_account_{n}" for n in range(9)]
    one, other = {"settings": {"list": many}}, {"settings": {"list": [*many, "the_new_one"]}}
    (_, told), *_ = fingerprints.reasons(one, other)
    assert told["after"] == "[the_new_one, …]"
    assert told["before"] == "[key_account_0, key_account_1, key_account_2, …]"
    (_, told), *_ = fingerprints.reasons({"settings": {"a": "x" * 50}}, {"settings": {"a": ["b"]}})
    assert (told["before"], told["after"]) == ("x" * 39 + "…", "[b]")
    assert fingerprints.reasons(None, after) == [("first", {})]
