"""Companies listed twice: precision, recall and seconds, beside record linkage as is usual.

python -m bench.companies [--names company_names_zh.txt] [--invoices highradius_open_invoices.csv]
                          [--febrl dataset4a.csv dataset4b.csv]

The made-up company is always measured; the rest where its file is given. The peer is the package
recordlinkage (sorted neighbourhood, Jaro–Winkler ≥ 0.9), where it is installed.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.cleaning.companies import matches
from analysis.demo.accounts import credit_codes, listed_names
from analysis.demo.blocks import blocks
from analysis.demo.company import products
from analysis.demo.population import build

TRADES = ("科技", "机械制造", "电子", "贸易", "新材料", "食品", "物流", "医疗器械")
CITIES = (
    "苏州",
    "无锡",
    "杭州",
    "宁波",
    "青岛",
    "佛山",
    "东莞",
    "武汉",
    "成都",
    "沈阳",
    "郑州",
    "厦门",
)
COLUMNS = ["customer_id", "name", "province", "city", "credit_code", "phone", "domain"]


def made_up(customers: int = 20_000) -> tuple[pd.DataFrame, np.ndarray]:
    """The made-up company's list, an eighth of the codes missing, and who is who."""
    everyone = build(blocks(customers, 1)[0], products(np.random.default_rng(1)))
    code = credit_codes(everyone)
    code[np.random.default_rng(1).random(len(code)) < 0.12] = None
    same = everyone["same_as"].to_numpy()
    frame = everyone[["customer_id", "province", "city"]].assign(
        name=listed_names(everyone), credit_code=code
    )
    return frame.reindex(columns=COLUMNS), np.where(same >= 0, same, np.arange(len(same)))


def variants(path: Path, size: int = 500_000) -> tuple[pd.DataFrame, np.ndarray]:
    """Short names of real companies in one to three of four ways to write them."""
    brands = [n.strip() for n in path.read_text(encoding="utf-8-sig").splitlines()[2:] if n.strip()]
    stream = np.random.default_rng(1)
    names, whose = [], []
    for number in range(size):
        brand = brands[number % len(brands)]
        city = CITIES[stream.integers(len(CITIES))]
        trade = TRADES[number // len(brands) % len(TRADES)]
        ways = (
            f"{city}{brand}{trade}有限公司",
            f"{brand}{trade}（{city}）有限公司",
            f"{city}市{brand}{trade}有限责任公司",
            f"{city}{brand}{trade}",
        )
        for way in stream.choice(4, stream.integers(1, 4), replace=False):
            names.append(ways[way])
            whose.append(number)
        if len(names) >= size:
            break
    ids = [f"{i:07d}" for i in range(len(names))]
    return pd.DataFrame({"customer_id": ids, "name": names}).reindex(columns=COLUMNS), np.array(
        whose
    )


def invoices(path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Spellings of the customers of open invoices; one number is one account."""
    found = pd.read_csv(path, dtype=str)[["cust_number", "name_customer"]].drop_duplicates()
    found = found.sort_values(["cust_number", "name_customer"], ignore_index=True)
    ids = [f"{i:05d}" for i in range(len(found))]
    frame = pd.DataFrame({"customer_id": ids, "name": found["name_customer"]})
    return frame.reindex(columns=COLUMNS), found["cust_number"].factorize()[0]


def febrl(paths: list[Path]) -> tuple[pd.DataFrame, np.ndarray]:
    """Persons with spelling errors: their names, a number they share, their place."""
    found = pd.concat([pd.read_csv(p, dtype=str, skipinitialspace=True) for p in paths])
    found = found.sort_values("rec_id", ignore_index=True).fillna("")
    frame = pd.DataFrame(
        {
            "customer_id": found["rec_id"],
            "name": found["given_name"] + " " + found["surname"],
            "phone": found["soc_sec_id"],
            "domain": found["date_of_birth"] + found["postcode"],
        }
    )
    return frame.reindex(columns=COLUMNS), found["rec_id"].str.split("-").str[1].factorize()[0]


def told(way: str, pairs: np.ndarray, whose: np.ndarray, seconds: float) -> None:
    """One line: pairs, precision and recall against who is who."""
    size = np.bincount(whose)
    true = int((size * (size - 1) // 2).sum())
    right = int((whose[pairs[:, 0]] == whose[pairs[:, 1]]).sum()) if len(pairs) else 0
    precision = right / len(pairs) if len(pairs) else float("nan")
    print(
        f"  {way:28}{len(pairs):>9,} pairs{precision:>11.4f}{right / true:>9.4f}{seconds:>9.1f} s"
    )


def measured(name: str, frame: pd.DataFrame, whose: np.ndarray) -> None:
    print(f"{name}: {len(frame):,} rows (pairs, precision, recall, seconds)")
    begun = time.perf_counter()
    found = matches(frame)
    seconds = time.perf_counter() - begun
    row = pd.Series(np.arange(len(frame)), frame["customer_id"])
    pairs = np.stack([row[found["left_id"]], row[found["right_id"]]], axis=1)
    told("merged", pairs[(found["outcome"] == "merged").to_numpy()], whose, seconds)
    told("merged or in the queue", pairs, whose, seconds)
    if len(frame) <= 30_000:
        peer(frame, whose)


def peer(frame: pd.DataFrame, whose: np.ndarray) -> None:
    try:
        import recordlinkage
    except ImportError:
        print("  recordlinkage is not installed: no peer")
        return
    begun = time.perf_counter()
    names = frame[["name"]].reset_index(drop=True)
    index = recordlinkage.Index()
    index.sortedneighbourhood("name", window=9)
    pairs = index.index(names)
    compare = recordlinkage.Compare()
    compare.string("name", "name", method="jarowinkler", threshold=0.9)
    hits = compare.compute(pairs, names)
    found = np.array(hits.index[hits[0] > 0].tolist()).reshape(-1, 2)
    told("recordlinkage, Jaro–Winkler", found, whose, time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=Path)
    parser.add_argument("--invoices", type=Path)
    parser.add_argument("--febrl", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    measured("made-up company", *made_up())
    if given.invoices:
        measured("open invoices", *invoices(given.invoices))
    if given.febrl:
        measured("FEBRL (persons)", *febrl(given.febrl))
    if given.names:
        measured("half a million names", *variants(given.names))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"most memory: {peak:.2f} GB")


if __name__ == "__main__":
    main()
