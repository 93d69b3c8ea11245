"""Read the whole corpus and print how many files of each format end how."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.corpus.catalogue import corpus
from tests.corpus.judge import differences, read_all
from tests.corpus.rows import Case
from tests.corpus.writers import SUFFIX

_ENDS = ("read", "read with a note", "lines rejected", "refused")


def end_of(case: Case) -> str:
    """How a case must end."""
    outcome = case.row.outcome
    if outcome.error:
        return "refused"
    if outcome.rules:
        return "lines rejected"
    return "read with a note" if case.notes else "read"


def main() -> int:
    """Print the table, and every case that does not end as it must."""
    cases = corpus()
    with tempfile.TemporaryDirectory() as folder:
        found = read_all(cases, Path(folder))
        wrong = [(c, told) for c in cases if (told := differences(c, found[c.file]))]
    counts = Counter((case.form, end_of(case)) for case in cases)
    failed = Counter(case.form for case, _ in wrong)
    print(f"{'format':16}" + "".join(f"{e:>18}" for e in (*_ENDS, "files", "not as due")))
    for form in [f for f in SUFFIX if any(c.form == f for c in cases)]:
        row = [counts[form, e] for e in _ENDS]
        print(f"{form:16}" + "".join(f"{n:>18}" for n in (*row, sum(row), failed[form])))
    every = [sum(counts[f, e] for f in SUFFIX) for e in _ENDS]
    print(f"{'all':16}" + "".join(f"{n:>18}" for n in (*every, sum(every), len(wrong))))
    for case, told in wrong:
        print(f"\n{case.name}: {case.row.outcome} was due\n  " + "\n  ".join(told))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
