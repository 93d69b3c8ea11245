"""The same inputs give the same bytes: on another day, in another zone, language and folder.

Every record is compared with one made under plain circumstances. The demo's exports are written
anew in each, so that `analysis demo` is held to the same promise.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis import store
from tests.determinism import variants
from tests.determinism.compare import Tolerance, differences
from tests.determinism.shuffle import shuffle
from tests.determinism.variants import Variant

PLAIN = Variant("plain", environ={"TZ": "UTC", "PYTHONHASHSEED": "0"})
EVERYTHING = Variant(
    "another day, person, zone, language, folder, hash seed and number of threads",
    environ={"TZ": "America/New_York", "PYTHONHASHSEED": "random"},
    kernel={"PYTHONHASHSEED": "random", "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    threads=1,
    folder="另一个 项目 (2)",
    umask=0o077,
    later=401,
    locale="zh_CN",
    home=True,
)
SHUFFLED = Variant(
    "rows in another order",
    environ={"TZ": "Asia/Shanghai", "LC_ALL": "C", "LANG": "C"},
    threads=4,
    change=shuffle,
)
# Without the newer instructions numpy puts ties in another order, and adds in another one too.
OLD_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL",
    "OPENBLAS_CORETYPE": "Nehalem",
}
ONE_BY_ONE = (
    Variant("hash seed 1", environ={"PYTHONHASHSEED": "1"}, kernel={"PYTHONHASHSEED": "1"}),
    Variant("Shanghai", environ={"TZ": "Asia/Shanghai"}),
    Variant("locale C", environ={"LC_ALL": "C", "LANG": "C"}),
    Variant("locale zh_CN", locale="zh_CN"),
    Variant(
        "one thread of DuckDB, two of the others",
        kernel={"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
        threads=1,
    ),
    Variant("another day", later=-37),
    Variant("an older processor", environ=OLD_PROCESSOR),
    Variant("another folder and umask", folder="另一个 项目 (2)", umask=0o077),
    Variant("another person", home=True),
)

# What follows from the bytes of the files that went in: their checksums, and names made from them.
INPUTS = frozenset({"/inputs", "/stages", "/files", "/gave/cleaning"})


def words(record: Path) -> dict[str, str]:
    """The report's number and the first digits of checksums, as pages print them."""
    manifest = store.read_json(record / store.MANIFEST)
    page = (record / "report.en.html").read_text(encoding="utf-8")
    number = re.search(r"demo-2025Q3-[0-9a-f]{6}", page)
    assert number is not None
    numbers = (number[0], number[0].replace("-", r"\\-"))  # as Markdown in a notebook's JSON
    inputs = manifest["inputs"].items()
    return {
        **{sha: path for path, sha in inputs},
        **{sha[:12]: path for path, sha in inputs},
        **dict.fromkeys(numbers, "number"),
    }


OTHER_ORDER = Tolerance(
    columns={"removed_rows": frozenset({"row"})},  # where the row stood in its file
    pointers={store.MANIFEST: INPUTS},
    words=words,
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that all others are compared with."""
    return variants.run(PLAIN, tmp_path_factory.mktemp("plain"))


def same(plain: Path, variant: Variant, place: Path) -> None:
    """Run under the variant's circumstances; fail with the first difference of every file."""
    lacking = variants.why_not(variant)
    if lacking:
        pytest.skip(lacking)
    project = variants.run(variant, place)
    allowed = OTHER_ORDER if variant.change else Tolerance()
    found = differences(variants.record(plain), variants.record(project), allowed)
    if variant.change is None:
        found += differences(plain / "data", project / "data")
    assert not found, f"{variant.name}:\n" + "\n".join(map(str, found))
    files = [path for path in variants.record(project).rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {store.PRIVATE_FILE}


@pytest.mark.slow
@pytest.mark.parametrize("variant", [EVERYTHING, SHUFFLED], ids=lambda v: v.name)
def test_same_bytes(plain: Path, variant: Variant, tmp_path: Path) -> None:
    same(plain, variant, tmp_path)


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("variant", ONE_BY_ONE, ids=lambda v: v.name)
def test_same_bytes_one_by_one(plain: Path, variant: Variant, tmp_path: Path) -> None:
    same(plain, variant, tmp_path)
