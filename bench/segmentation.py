"""Millions of customers: from features to the matrices, beside plain pandas and a peer.

Each contender runs in a process of its own, which reports its seconds and the most memory it
held, data included. Whoever is not installed is said to be left out. `split` counts the customers
whose score differs from that of another customer with the very same value: it should be nought.

    python bench/segmentation.py [--customers 5000000] [--orders 5000000] [--peer-python PATH]

The peer pins libraries of its own; it may stand in another environment, whose interpreter
``--peer-python`` names.

"the whole period" places two ends, the past one without reasons, and compares them; then come
clusters and matrices. Its customers have moved: a tenth ordered again, a tenth fell silent.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
AS_OF = date(2025, 9, 30)
PEER = "openretailscience"


def write_features(path: Path, customers: int) -> None:
    """A table of features with the ties that firms have: most ordered once or twice."""
    draw = np.random.default_rng(1)
    frequency = draw.geometric(0.45, customers)
    interval = np.round(draw.gamma(4, 25, customers) + 5)
    recency = np.minimum(np.floor(draw.exponential(120, customers)), 1000.0)
    mean = np.round(draw.lognormal(7, 1.2, customers), 2)
    frame = pd.DataFrame(
        {
            "customer_id": _ids(np.arange(customers)),
            "as_of": pd.Timestamp(AS_OF),
            "recency_days": recency,
            "frequency": frequency,
            "monetary": np.round(mean * frequency, 2),
            "mean_order": mean,
            "tenure_days": recency + interval * frequency,
            "expected_interval_days": interval,
            "recency_cycles": recency / interval,
            "peer_industry": np.array([f"industry {i:02d}" for i in range(20)], dtype=object)[
                draw.integers(0, 20, customers)
            ],
        }
    )
    frame.to_parquet(path)


def write_orders(path: Path, customers: int, orders: int) -> None:
    """Order lines; some customers buy far more often than others."""
    draw = np.random.default_rng(2)
    who = np.minimum((customers * draw.random(orders) ** 1.6).astype(np.int64), customers - 1)
    days = draw.integers(0, 1000, orders).astype("timedelta64[D]")
    money = pa.array(np.round(draw.lognormal(6, 1, orders), 2))
    numbers = pc.cast(pa.array(np.arange(orders)), pa.string())
    table = pa.table(
        {
            "order_id": numbers,
            "line_id": pa.repeat("1", orders),
            "customer_id": pa.array(_ids(who)),
            "ordered_at": pa.array((np.datetime64(AS_OF) - days).astype("datetime64[us]")),
            "product": pa.repeat("p", orders),
            "amount": money.cast(pa.decimal128(18, 4)),
        }
    )
    pq.write_table(table, path)


def _ids(numbers: np.ndarray) -> np.ndarray:
    return np.char.add("C", np.char.zfill(numbers.astype(str), 8)).astype(object)


class Watch:
    """Seconds by step."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.steps[name] = round(time.perf_counter() - begun, 2)
        print(f"  {name}: {self.steps[name]} s", file=sys.stderr, flush=True)


def split(values: pd.Series, scores: Any) -> int:
    """Customers whose score another customer with the same value does not share."""
    frame = pd.DataFrame({"value": values.to_numpy(), "score": pd.factorize(scores)[0]})
    ends = frame.groupby("value")["score"].agg(["min", "max", "size"])
    return int(ends.loc[ends["min"] != ends["max"], "size"].sum())


def ours(folder: Path, watch: Watch) -> dict[str, Any]:
    from analysis.segmentation import estimate_cuts
    from analysis.segmentation.scores import score_codes
    from analysis.settings_segmentation import CutModes, Segmentation

    features = pd.read_parquet(folder / "features.parquet")
    with watch.step("cuts"):
        cuts = estimate_cuts(features, Segmentation())
    with watch.step("scores"):
        codes = score_codes(features, cuts)
    with watch.step("cuts by industry"):
        own = estimate_cuts(features, Segmentation(cuts=CutModes(mode="industry")))
    with watch.step("scores by industry"):
        score_codes(features, own)
    return {"split": split(features["frequency"], codes["frequency"])}


def ours_placed(folder: Path, watch: Watch) -> dict[str, Any]:
    from analysis.segmentation import estimate_cuts, load_scheme, segment
    from analysis.settings_segmentation import Segmentation

    features = pd.read_parquet(folder / "features.parquet")
    settings = Segmentation()
    with watch.step("cuts"):
        cuts = estimate_cuts(features, settings)
    scheme, customers = load_scheme("rfm5", ROOT), features[["customer_id"]]
    with watch.step("scores and places, no reasons"):
        bare = segment(features, customers, scheme, cuts, settings, reasons=False)
    found = bare["segment"].nunique()
    del bare
    with watch.step("scores, places and reasons"):
        placed = segment(features, customers, scheme, cuts, settings)
    return {"segments": found, "told": int((placed["reason"] != "").sum())}


def ours_period(folder: Path, watch: Watch) -> dict[str, Any]:
    from analysis import segmentation as room
    from analysis.settings_segmentation import Segmentation

    now, was = two_ends(pd.read_parquet(folder / "features.parquet"))
    settings = Segmentation()
    scheme = room.load_scheme("rfm5", ROOT)
    customers = now[["customer_id", "peer_industry"]].rename(columns={"peer_industry": "industry"})
    with watch.step("cuts"):
        cuts = room.estimate_cuts(now, settings)
    with watch.step("places and reasons"):
        placed = room.segment(now, customers, scheme, cuts, settings)
    with watch.step("places of the past end"):
        then = room.segment(was, customers, scheme, cuts, settings, reasons=False)
    before = room.as_before(then)
    del then
    with watch.step("summary"):
        room.summary(placed, before, now, scheme)
    with watch.step("rules"):
        room.scheme_rules(now, customers, scheme, cuts, settings)
    with watch.step("movements and causes"):
        book = room.rulebook(scheme, customers, cuts, settings)
        moves = room.movements(before, placed, was, now, book)
    with watch.step("movement matrix and flows"):
        room.movement_matrix(moves, scheme)
        room.flows(moves, scheme)
    moved = int((moves["segment_before"] != moves["segment_after"]).sum())
    del moves, was, before
    with watch.step("clusters"):
        found = room.challenge(now, placed, settings.clusters, seed=1)
    with watch.step("matrices"):
        matrices = settings.matrices
        room.value_need(now, customers, placed, cuts, matrices, scheme.ranks)
        room.industry_size(now, customers, matrices)
    return {"moved": moved, "clusters": int(found.choice["chosen"].sum())}


def two_ends(features: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features now and 92 days ago: a tenth has ordered since, a tenth has not for long."""
    draw = np.random.default_rng(3).random(len(features))
    days = features["recency_days"]
    now = features.assign(
        orders_ever=features["frequency"],
        revenue_period=features["mean_order"].where(draw < 0.1, 0.0),
        revenue_previous=features["mean_order"].where(draw > 0.7, 0.0),
        first_order_on=pd.Timestamp(AS_OF) - pd.to_timedelta(features["tenure_days"], unit="D"),
    )
    past = days.where(draw >= 0.1, 2 * features["expected_interval_days"])
    past = past.where(draw <= 0.9, (past - 92).clip(lower=0))
    was = now.assign(
        as_of=pd.Timestamp(AS_OF) - pd.Timedelta(days=92),
        recency_days=past,
        recency_cycles=past / features["expected_interval_days"],
        frequency=features["frequency"].where(draw >= 0.1, (features["frequency"] - 1).clip(1)),
        revenue_period=now["revenue_previous"],
    )
    return now, was


def plain_pandas(folder: Path, watch: Watch) -> dict[str, Any]:
    """What an analyst writes: qcut after a rank that breaks ties, and a chain of conditions."""
    features = pd.read_parquet(folder / "features.parquet")
    with watch.step("cuts and scores"):
        r = features["recency_cycles"] > 1.5
        f, m = (
            pd.qcut(features[name].rank(method="first"), 3, labels=False)
            for name in ("frequency", "monetary")
        )
    with watch.step("places, no reasons"):
        features = features.assign(segment=_chain(r, f, m))
    segments_found = features["segment"].nunique()
    return {"segments": segments_found, "split": split(features["frequency"], f)}


def _places_by_hand(features: pd.DataFrame) -> np.ndarray:
    far = features["recency_cycles"] > 1.5
    names = ("frequency", "monetary")
    ranks = (features[name].rank(method="first") for name in names)
    return _chain(far, *(pd.qcut(rank, 3, labels=False) for rank in ranks))


def _chain(r: pd.Series, f: pd.Series, m: pd.Series) -> np.ndarray:
    return np.select(
        [(~r & (f == 2) & (m == 2)), (~r & (f + m >= 2)), (r & (f == 0) & (m == 2)), r],
        ["high_value", "potential", "low_frequency_essential", "churn_risk"],
        "new",
    )


def pandas_period(folder: Path, watch: Watch) -> dict[str, Any]:
    """The same tables by hand: no reasons, no causes, one fit of k-means and no test of it."""
    from sklearn.cluster import KMeans

    now, was = two_ends(pd.read_parquet(folder / "features.parquet"))
    with watch.step("cuts, scores and places of both ends"):
        now["segment"], was["segment"] = _places_by_hand(now), _places_by_hand(was)
    with watch.step("summary"):
        now.groupby("segment").agg(
            customers=("customer_id", "size"),
            revenue=("revenue_period", "sum"),
            interval=("expected_interval_days", "median"),
        )
    with watch.step("movement matrix"):
        both = was[["customer_id", "segment"]].merge(now, on="customer_id")
        pd.crosstab(both["segment_x"], both["segment_y"])
    with watch.step("one k-means of all"):
        logged = np.log1p(now[["frequency", "monetary", "recency_cycles"]])
        KMeans(5, n_init=1, random_state=1).fit((logged - logged.mean()) / logged.std())
    with watch.step("matrix of industries"):
        pd.crosstab(now["peer_industry"], now["segment"])
    return {"moved": int((both["segment_x"] != both["segment_y"]).sum())}


def features_ours(folder: Path, watch: Watch) -> dict[str, Any]:
    from analysis.calendars import Period
    from analysis.features import build
    from analysis.settings_segmentation import Segmentation

    orders = pq.read_table(folder / "orders.parquet")
    nobody = pd.DataFrame({"customer_id": pd.Series(dtype=object)})
    period = Period.parse("2025Q3")
    with watch.step("features from orders"):
        found = build(orders, nobody, as_of=AS_OF, period=period, settings=Segmentation())
    return {"customers": len(found), "columns": found.shape[1]}


def features_pandas(folder: Path, watch: Watch) -> dict[str, Any]:
    orders = pd.read_parquet(folder / "orders.parquet")
    with watch.step("features from orders"):
        orders["amount"] = orders["amount"].astype(float)  # not exact, but all pandas does fast
        grouped = orders.groupby("customer_id")
        found = grouped.agg(
            last=("ordered_at", "max"),
            first=("ordered_at", "min"),
            frequency=("order_id", "nunique"),
            monetary=("amount", "sum"),
        )
        found["recency_days"] = (pd.Timestamp(AS_OF) - found["last"]).dt.days
    return {"customers": len(found), "columns": found.shape[1]}


def features_peer(folder: Path, watch: Watch) -> dict[str, Any]:
    from openretailscience.segmentation.rfm import RFMSegmentation

    orders = pd.read_parquet(folder / "orders.parquet").rename(
        columns={"order_id": "transaction_id", "ordered_at": "transaction_date"}
    )
    orders["unit_spend"] = orders.pop("amount").astype(float)
    with watch.step("features and scores"):
        found = RFMSegmentation(
            df=orders, current_date=str(AS_OF), r_segments=3, f_segments=3, m_segments=3
        ).df.reset_index()
    apart = split(found["frequency"], found["f_score"])
    return {"customers": len(found), "split": apart}


CONTENDERS: dict[str, Callable[[Path, Watch], dict[str, Any]]] = {
    "segmentation: ours": ours,
    "segmentation: plain pandas": plain_pandas,
    "features: ours (DuckDB)": features_ours,
    "features: plain pandas": features_pandas,
    f"features: {PEER}": features_peer,
    "places: ours, with a reason each": ours_placed,
    "the whole period: ours": ours_period,
    "the whole period: plain pandas": pandas_period,
}


def contend(name: str, folder: Path) -> None:
    """Run one contender in this process and print what it took as JSON."""
    watch = Watch()
    found = CONTENDERS[name](folder, watch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"steps": watch.steps, "peak_mb": peak, **found}))


def _has_peer(python: str) -> bool:
    found = subprocess.run([python, "-c", f"import {PEER}"], check=False, capture_output=True)
    return found.returncode == 0


def main() -> None:
    """Make the data, run every contender, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=5_000_000)
    parser.add_argument("--orders", type=int, default=5_000_000, help="0: no features from orders")
    parser.add_argument("--only", default="", help="contenders whose name holds this text")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter with the peer")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_features(folder / "features.parquet", options.customers)
        if options.orders:
            write_orders(folder / "orders.parquet", options.customers, options.orders)
        print(f"{options.customers:,} customers, {options.orders:,} order lines")
        for contender in CONTENDERS:
            if options.only not in contender or (
                contender.startswith("features") and not options.orders
            ):
                continue
            python = options.peer_python if PEER in contender else sys.executable
            if PEER in contender and not _has_peer(python):
                print(f"{contender}: LEFT OUT, not installed for {python}")
                continue
            command = [python, __file__, "--contender", contender, str(folder)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            print(f"{contender}: {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--contender"]:
        contend(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
