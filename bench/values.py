"""Numbers and days read exactly, beside pandas, in the same run: seconds for a million cells.

make bench-values

pandas reads numbers as binary fractions and refuses a column with one cell it does not know; what
it would lose if it were told to go on (``coerce``) stands beside its seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.sources import dates, numbers
from analysis.sources.dates import Zones

CELLS = 1_000_000
HERE = Zones("Asia/Shanghai", "Asia/Shanghai")


def amounts() -> dict[str, list[str]]:
    """Columns of money: as a program writes it, and as people do."""
    rng = np.random.default_rng(1)
    cents = rng.integers(1, 10**9, CELLS)
    plain = [f"{c / 100:.2f}" for c in cents]
    mixed = [f"{c / 100:,.2f}" if c % 3 else f"￥{c / 100:,.2f}" for c in cents]
    dirty = [
        f"{c % 10**5 / 100:.2f}万" if c % 50 == 0 else p for c, p in zip(cents, plain, strict=True)
    ]
    dirty[:: CELLS // 100] = ["待定"] * len(dirty[:: CELLS // 100])
    return {"plain": plain, "thousands and ￥": mixed, "2 % 万, 100 words": dirty}


def days() -> dict[str, list[str]]:
    """Columns of days and of times."""
    rng = np.random.default_rng(2)
    start = datetime(2015, 1, 1)  # noqa: DTZ001 - clocks without a zone, as files have them
    moments = [start + timedelta(seconds=int(s)) for s in rng.integers(0, 3 * 10**8, CELLS)]
    slashed = [f"{m.year}/{m.month}/{m.day}" for m in moments]
    mixed = [f"{m.year}年{m.month}月{m.day}日" if i % 50 == 0 else s
             for i, (m, s) in enumerate(zip(moments, slashed, strict=True))]  # fmt: skip
    mixed[:: CELLS // 100] = ["待定"] * len(mixed[:: CELLS // 100])
    return {
        "2024-01-03": [m.strftime("%Y-%m-%d") for m in moments],
        "2024-01-03 15:05:07": [m.strftime("%Y-%m-%d %H:%M:%S") for m in moments],
        "2024/1/3 15:05:07": [f"{m.year}/{m.month}/{m.day} {m:%H:%M:%S}" for m in moments],
        "2024/1/3, 2 % 年月日, 100 words": mixed,
    }


def timed(work: Callable[[], int]) -> tuple[float, int]:
    begun = time.perf_counter()
    lost = work()
    return time.perf_counter() - begun, lost


def main() -> None:
    print(f"{'column':36}{'ours s':>9}{'refused':>9}{'pandas s':>10}{'lost':>9}")
    for name, cells in amounts().items():
        column, series = pa.array(cells), pd.Series(cells)
        ours = timed(lambda c=column: len(c) - numbers.parse_column(c).rules.null_count)
        theirs = timed(lambda s=series: int(pd.to_numeric(s, errors="coerce").isna().sum()))
        print(f"{name:36}{ours[0]:9.2f}{ours[1]:9,}{theirs[0]:10.2f}{theirs[1]:9,}")
    for name, cells in days().items():
        column, series = pa.array(cells), pd.Series(cells)
        ours = timed(lambda c=column: len(c) - dates.parse_column(c, HERE).rules.null_count)
        form = "mixed" if "," in name else None
        theirs = timed(
            lambda s=series, f=form: int(pd.to_datetime(s, errors="coerce", format=f).isna().sum())
        )
        print(f"{name:36}{ours[0]:9.2f}{ours[1]:9,}{theirs[0]:10.2f}{theirs[1]:9,}")


if __name__ == "__main__":
    main()
