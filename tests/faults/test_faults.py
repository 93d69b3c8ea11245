"""Every fault: the exit code of the contract, a sentence that helps, the old record untouched."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis import store
from tests.faults import kills, small
from tests.faults.conftest import ARGV, RECORD

pytestmark = pytest.mark.slow  # a kernel takes a second
MARK_CHILD = (
    "import subprocess, sys\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'],"
    " start_new_session=True)"
)
GIL = "pow(7, 3 * 10**8)"


@pytest.fixture
def project(scene: kills.Scene, tmp_path: Path) -> Path:
    """A project that has run once."""
    folder = tmp_path / "project"
    shutil.copytree(scene.clean.with_name("whole"), folder)
    return folder


def break_cell(project: Path, code: str, place: int = 1) -> None:
    """Put a fault into the second notebook, under its heading."""
    cells = list(small.CELLS["second"])
    small.write(project, 2, [*cells[:place], code, *cells[place:]], "客户分群")


def untouched(project: Path, scene: kills.Scene) -> None:
    """The record is the old one, byte for byte, and nothing stays behind."""
    folder = small.run_folder(project)
    assert kills.tree(project / RECORD) == scene.new
    assert store.is_whole(project / RECORD)
    leftovers = [p for pattern in (".tmp-*", ".old-*") for p in folder.rglob(pattern)]
    assert not leftovers, leftovers
    assert not small.marked(folder), "a process stays"


def helps(said: str, *, cell: bool = True) -> None:
    """The message is for a person: where, and the command to go on; no traceback."""
    assert "Traceback" not in said, said
    assert "接着跑：analysis run params/tiny.yml" in said, said
    assert "/tmp/" not in said, said
    if cell:
        assert "2.ipynb" in said, said


def mended(project: Path, scene: kills.Scene) -> None:
    """The mended notebook runs to the end; what stood already is kept."""
    small.write(project, 2, small.CELLS["second"], "second")
    run = small.Child(project, ARGV)
    assert run.wait() == 0, run.said
    untouched(project, scene)


CELLS = {
    "memory": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "bytearray(4 << 30)",
        7,
        "单元格 4：内存不够",
    ),
    "killed": ("os.kill(os.getpid(), 9)", 138, "单元格 4 中断"),
    "exits": ("os._exit(3)", 138, "单元格 4 中断"),
    "quits": ("import sys; sys.exit(0)", 5, "没有跑完"),
    "raises": ("raise ValueError('客户 13912345678 a.b@c.cn')", 5, "单元格 4：ValueError：客户"),
    "slow": ("import time; time.sleep(60)", 6, "单元格 4 超过了 2 秒"),
    "holds the interpreter": (GIL, 6, "单元格 4 超过了 2 秒"),
    "leaves a child": (f"{MARK_CHILD}\nraise ValueError('stop')", 5, "单元格 4"),
    "file too large": (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "open(out / 'x', 'wb').write(bytes(9999))",
        7,
        "单元格 4：文件写不进去，超过了系统允许的文件大小",
    ),
    "disk full": ("open('/dev/full', 'wb', 0).write(b'x')", 7, "磁盘满了"),
    "arrow meets a full disk": (
        "raise OSError('[errno 28] Error writing bytes to file. Detail: No space left on device')",
        7,
        "磁盘满了",
    ),
    "array too large": (
        "class _ArrayMemoryError(MemoryError): pass\nraise _ArrayMemoryError('74 GiB')",
        7,
        "单元格 4：内存不够",
    ),
    "own result removed": ("import shutil; shutil.rmtree(given['out'])", 7, "被删掉或移走了"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell(name: str, scene: kills.Scene, project: Path) -> None:
    code, exit_code, told = CELLS[name]
    break_cell(project, code)
    argv = [*ARGV, "--set", "runner.cell_timeout=2"]
    run = small.Child(project, argv, env={"ANALYSIS_LANG": "zh"})
    assert run.wait() == exit_code, run.said
    helps(run.said)
    assert told in run.said, run.said
    assert "--from second" in run.said, run.said
    assert "13912345678" not in run.said
    assert "a.b@c.cn" not in run.said
    untouched(project, scene)
    mended(project, scene)


def test_the_result_of_an_earlier_stage_is_removed(scene: kills.Scene, project: Path) -> None:
    break_cell(project, "import shutil; shutil.rmtree(given['upstream']['first'])", place=2)
    run = small.Child(project, ARGV, env={"ANALYSIS_LANG": "zh"})
    assert run.wait() == 5, run.said
    helps(run.said, cell=False)
    assert "“first”" in run.said
    untouched(project, scene)
    mended(project, scene)


def test_the_record_is_removed_while_a_run_is_at_work(scene: kills.Scene, project: Path) -> None:
    break_cell(project, f"import shutil; shutil.rmtree('{project / RECORD}')")
    run = small.Child(project, ARGV)
    assert run.wait() == 0, run.said
    assert store.is_whole(project / RECORD)
    mended(project, scene)


def test_everything_is_removed_while_a_run_is_at_work(scene: kills.Scene, project: Path) -> None:
    break_cell(project, f"import shutil; shutil.rmtree('{small.run_folder(project)}')")
    run = small.Child(project, ARGV, env={"ANALYSIS_LANG": "zh"})
    assert run.wait() == 7, run.said
    helps(run.said)
    mended(project, scene)


def test_sixty_megabytes_of_print(scene: kills.Scene, project: Path) -> None:
    break_cell(project, "for _ in range(60): print('x' * 1_000_000)")
    begun = time.monotonic()
    run = small.Child(project, ARGV, env={"ANALYSIS_LANG": "zh"})
    assert run.wait() == 0, run.said
    copy = project / RECORD / "notebooks" / "2.ipynb"
    assert copy.stat().st_size < 1_200_000
    assert "只保留前 1,000,000 个字符" in copy.read_text(encoding="utf-8")
    assert time.monotonic() - begun < 60
    mended(project, scene)


STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def at_work(project: Path, code: str) -> small.Child:
    """A run whose second notebook is inside a cell."""
    sign = project / "at-work"
    break_cell(project, f"pathlib.Path('{sign}').touch()\n{code}")
    run = small.Child(project, ARGV, env={"ANALYSIS_LANG": "zh"})
    until = time.monotonic() + 120
    while not sign.exists() and time.monotonic() < until and run.alive:
        time.sleep(0.02)
    assert sign.exists(), run.said
    sign.unlink()
    return run


@pytest.mark.parametrize(("number", "code"), STOPS)
def test_stopped(number: int, code: int, scene: kills.Scene, project: Path) -> None:
    run = at_work(project, f"{MARK_CHILD}\nimport time; time.sleep(60)")
    os.kill(run.pid, number)
    assert run.wait() == code, run.said
    assert "用同一条命令即可接着跑" in run.said
    assert "停在：笔记本 2.ipynb，“客户分群”一节，单元格 4" in run.said
    assert "Traceback" not in run.said
    untouched(project, scene)
    mended(project, scene)


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", GIL])
def test_the_runner_is_killed_and_its_kernel_is_busy(
    code: str, scene: kills.Scene, project: Path
) -> None:
    run = at_work(project, f"{MARK_CHILD}\n{code}")
    run.kill()
    run.wait()
    assert small.marked(small.run_folder(project)), "the kernel works on"
    mended(project, scene)


def test_two_starters(scene: kills.Scene, project: Path) -> None:
    run = at_work(project, "import time; time.sleep(3)")
    beside = project.with_name("beside")
    beside.mkdir()
    second = small.Child(project, ARGV, env={"ANALYSIS_LANG": "zh"}, said=beside / "said")
    assert second.wait() == 75, second.said
    assert str(run.pid) in second.said
    assert "Traceback" not in second.said
    assert run.wait() == 0, run.said
    mended(project, scene)


def test_no_kernel_can_start(scene: kills.Scene, project: Path) -> None:
    broken = project / "broken"
    broken.mkdir()
    (broken / "ipykernel_launcher.py").write_text("raise SystemExit(1)")
    break_cell(project, "1")
    path = f"{broken}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    run = small.Child(project, ARGV, env={"ANALYSIS_LANG": "zh", "PYTHONPATH": path})
    assert run.wait() == 138, run.said
    helps(run.said)
    assert "内核没能启动" in run.said
    untouched(project, scene)
    mended(project, scene)


@pytest.mark.parametrize("broken", [True, False])
def test_other_kernels_of_that_name_do_not_matter(
    broken: bool, scene: kills.Scene, project: Path
) -> None:
    """A person's own "python3" may be another Python, or gone; or none is installed at all."""
    own = project / "jupyter"
    spec = own / "kernels" / "python3"
    spec.mkdir(parents=True)
    if broken:
        found = {"argv": ["/nowhere/python"], "display_name": "Mine", "language": "python"}
        (spec / "kernel.json").write_text(json.dumps(found))
    break_cell(project, "1")
    env = {"JUPYTER_DATA_DIR": str(own), "JUPYTER_PATH": str(own), "HOME": str(own)}
    run = small.Child(project, ARGV, env=env)
    assert run.wait() == 0, run.said
    mended(project, scene)


# --- what stands on disk is not what it should be

DAMAGE = {
    "flipped": lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + b"x"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
    "null": lambda path: path.write_bytes(b"null"),
    "a list": lambda path: path.write_bytes(b"[1]"),
    "not text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "other": lambda path: path.write_bytes(b'{"files": 5, "stages": [], "parts": 1, "gave": 2}'),
}
PLACES = {
    "table of a stage": ("reports/tiny/.stages/second-*/tables/two.parquet", {"second"}),
    "manifest of a stage": ("reports/tiny/.stages/second-*/manifest.json", {"second"}),
    "table of the record": (f"{RECORD}/tables/two.parquet", set()),
    "manifest of the record": (f"{RECORD}/manifest.json", set()),
    "notes of the last run": ("reports/tiny/.stages/last.json", set()),
    "manifest of another record": ("reports/tiny/2025Q2/manifest.json", set()),
}


@pytest.mark.parametrize(("how", "place"), [*zip(DAMAGE, PLACES, strict=False)])
def test_damage_is_mended(how: str, place: str, plain_scene: kills.Scene, tmp_path: Path) -> None:
    """Each place once, each in another way; the long suite tries every pair."""
    damaged(how, place, plain_scene, tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", DAMAGE)
def test_every_damage_is_mended(
    how: str, place: str, plain_scene: kills.Scene, tmp_path: Path
) -> None:
    damaged(how, place, plain_scene, tmp_path)


def damaged(how: str, place: str, scene: kills.Scene, tmp_path: Path) -> None:
    """Damage a file, run, and run with another setting."""
    project = tmp_path / "project"
    shutil.copytree(scene.clean.with_name("whole"), project)
    shutil.copytree(project / RECORD, project / "reports/tiny/2025Q2")
    pattern, again = PLACES[place]
    (path,) = project.glob(pattern)
    DAMAGE[how](path)
    run = small.Child(project, ARGV, prepare=scene.hooks)
    assert run.wait() == 0, run.said
    assert set(kills._DONE.findall(run.said)) == again
    if again:
        assert "damaged or incomplete" in run.said
    untouched(project, scene)
    (path,) = project.glob(pattern) if "another" not in place else (path,)
    if "another" not in place:
        DAMAGE[how](path)
    changed = small.Child(project, [*ARGV, "--set", "seed=7"], prepare=scene.hooks)
    assert changed.wait() == 0, changed.said
    assert kills.tree(project / RECORD) == scene.old


@pytest.mark.parametrize("at", ["reports", "reports/tiny", "reports/tiny/.stages"])
def test_a_file_in_the_place_of_a_folder(at: str, scene: kills.Scene, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(scene.clean, project)
    (project / at).parent.mkdir(exist_ok=True, parents=True)
    (project / at).write_text("mine")
    run = small.Child(project, ARGV, env={"ANALYSIS_LANG": "zh"})
    assert run.wait() == 7, run.said
    assert "reports/tiny" in run.said
    assert "有同名的文件" in run.said
    assert (project / at).read_text() == "mine"


def test_a_file_in_the_place_of_the_record(plain_scene: kills.Scene, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(plain_scene.clean.with_name("whole"), project)
    shutil.rmtree(project / RECORD)
    (project / RECORD).write_text("mine")
    run = small.Child(project, ARGV, prepare=plain_scene.hooks)
    assert run.wait() == 0, run.said
    untouched(project, plain_scene)


# --- the disk

LEVELS = (0, 3, 8, 16, 40, 100, 250, 400, 600, 900)  # free kB
needs_mount = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk"
)


@pytest.fixture
def small_disk(project: Path) -> Iterator[Path]:
    """The reports on a disk of their own, a few MB large."""
    reports = project / "reports"
    kept = project / "kept"
    reports.rename(kept)
    reports.mkdir()
    found = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(reports)],
        check=False,
        capture_output=True,
    )
    if found.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    shutil.copytree(kept, reports, dirs_exist_ok=True)
    shutil.rmtree(kept)
    try:
        yield project
    finally:
        subprocess.run(["umount", "-l", str(reports)], check=True)


@needs_mount
def test_a_full_disk(scene: kills.Scene, small_disk: Path) -> None:
    project, codes = small_disk, []
    filler = project / "reports" / "filler"
    argv = [*ARGV, "--set", "runner.min_free_mb=0", "--set", "seed=7"]
    for level in LEVELS:
        room = shutil.disk_usage(project / "reports").free - level * 1024
        with filler.open("wb") as file:
            file.write(bytes(room // 4096 * 4096))
        run = small.Child(project, argv, env={"ANALYSIS_LANG": "zh"})
        codes.append(run.wait())
        filler.unlink()
        if codes[-1] == 0:
            break
        assert codes[-1] == 7, (level, run.said)
        helps(run.said, cell=False)
        assert "磁盘满了" in run.said, (level, run.said)
        untouched(project, scene)
    print(f"free kB {LEVELS[: len(codes)]}: exit codes {codes}")
    assert codes.count(7) >= 4
    assert codes[-1] == 0
    again = small.Child(project, argv[:-2])
    assert again.wait() == 0, again.said
    found = kills.tree(project / RECORD)
    assert {**found, store.MANIFEST: ""} == {**scene.new, store.MANIFEST: ""}


@pytest.mark.parametrize("limit", [0, 1_000, 4_000, 9_000, 40_000])
def test_files_may_not_grow(limit: int, scene: kills.Scene, project: Path) -> None:
    """The same without a disk of its own: the system refuses files beyond a size."""
    argv = [*ARGV, "--set", "seed=7"]
    limits = [small.Limit("RLIMIT_FSIZE", limit)]
    run = small.Child(project, argv, prepare=limits, env={"ANALYSIS_LANG": "zh"})
    assert run.wait() == 7, run.said
    untouched(project, scene)


@needs_mount
def test_a_read_only_disk(scene: kills.Scene, small_disk: Path) -> None:
    reports = str(small_disk / "reports")
    subprocess.run(["mount", "-o", "remount,ro", reports], check=True)
    run = small.Child(small_disk, [*ARGV, "--set", "seed=7"], env={"ANALYSIS_LANG": "zh"})
    assert run.wait() == 7, run.said
    assert "reports/tiny 不能写入：这个盘是只读的" in run.said
    subprocess.run(["mount", "-o", "remount,rw", reports], check=True)
    untouched(small_disk, scene)


def test_too_few_files_may_be_open(scene: kills.Scene, project: Path) -> None:
    break_cell(project, "1")
    limits = [small.Limit("RLIMIT_NOFILE", 18)]
    run = small.Child(project, ARGV, prepare=limits, env={"ANALYSIS_LANG": "zh"})
    assert run.wait() == 7, run.said
    helps(run.said)
    assert "系统打开的文件太多" in run.said
    assert kills.tree(project / RECORD) == scene.new
    mended(project, scene)


def test_the_runner_itself_runs_out_of_memory(scene: kills.Scene, project: Path) -> None:
    break_cell(project, "1")
    env = {"ANALYSIS_LANG": "zh"}
    run = small.Child(project, ARGV, prepare=[small.NoMemory()], env=env)
    assert run.wait() == 7, run.said
    helps(run.said)
    assert "内存不够" in run.said
    untouched(project, scene)
    mended(project, scene)


# --- nobody reads what is said


@pytest.mark.parametrize("how", ["closed", "broken", "full"])
@pytest.mark.parametrize("stream", [1, 2])
def test_nobody_reads(stream: int, how: str, plain_scene: kills.Scene, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(plain_scene.clean, project)
    hooks = [*plain_scene.hooks, small.Unread(stream, how)]
    run = small.Child(project, ARGV, prepare=hooks, env={"ANALYSIS_LANG": "zh"})
    told = stream == 1 and how == "full"  # the record stands, but nobody could see it said
    assert run.wait() == (7 if told else 0), run.said
    assert ("本期记录已经完成" in run.said) == told, run.said
    assert "Traceback" not in run.said
    untouched(project, plain_scene)


def test_nobody_reads_why_it_failed(scene: kills.Scene, project: Path) -> None:
    break_cell(project, "raise ValueError('x')")
    run = small.Child(project, ARGV, prepare=[small.Unread(2, "broken")])
    assert run.wait() == 5, run.said
    untouched(project, scene)
