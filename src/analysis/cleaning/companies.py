"""One company, one customer: which rows of the customer list are the same company.

The same credit code merges. A name merges where its core, its form and its place are the same
and no code speaks against it; whatever is merely alike waits in a queue for a person, with its
score and what speaks for it. Different codes, numbers (一局, 二局) or places are a veto.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.cleaning.company_names import parts, province_of, short_place
from analysis.cleaning.company_pairs import candidates

MERGED, QUEUED = "merged", "queued"
LEAST_WITH_KEY = 60.0  # names less alike than this are not one company, whatever they share
COLUMNS = ["left_id", "right_id", "outcome", "rule", "score", "evidence"]


def matches(
    customers: pd.DataFrame,
    least: float = 85.0,
    decided: Mapping[tuple[str, str], bool] | None = None,
) -> pd.DataFrame:
    """Pairs of customers that are, or may be, one company.

    Parameters
    ----------
    customers
        One row a customer: customer_id, name, province, city, credit_code, phone, domain; all
        text, None where unknown. Codes are valid ones only, phones in one form.
    least
        Names at least this much alike [0–100] go to the queue.
    decided
        What people decided: (smaller id, larger id) → the same company or not. It goes before
        every rule.

    Returns
    -------
    DataFrame
        `COLUMNS`, sorted: the outcome is ``merged`` or ``queued``; the rule is ``decision``,
        ``credit_code``, ``name_and_place``, ``name_and_phone``, ``name_and_domain``, and of
        queued pairs what keeps them from merging: ``place_unknown``, ``form_differs``,
        ``two_codes``, ``two_scripts`` (a Chinese and an English name), ``alike``.
        Rows in another order give the same pairs.
    """
    frame = _prepared(customers)
    pairs = candidates(frame, least)
    if pairs.empty and not decided:
        return pd.DataFrame(columns=COLUMNS)
    judged = _judged(frame, pairs)
    judged = _with_decisions(judged, frame, decided or {})
    judged = _without_contradictions(judged, frame)
    ids = frame["customer_id"].to_numpy(dtype=object)
    left, right = ids[judged["left"]], ids[judged["right"]]
    swap = left > right
    found = pd.DataFrame(
        {
            "left_id": np.where(swap, right, left),
            "right_id": np.where(swap, left, right),
            "outcome": judged["outcome"],
            "rule": judged["rule"],
            "score": judged["score"],
            "evidence": judged["evidence"],
        }
    )
    return found.sort_values(["left_id", "right_id"], ignore_index=True)


def groups(found: pd.DataFrame) -> pd.DataFrame:
    """Customers that are one company.

    Parameters
    ----------
    found
        As `matches` returns them.

    Returns
    -------
    DataFrame
        customer_id, company (the smallest of the company's ids); customers with a partner only.
    """
    merged = found[found["outcome"] == MERGED]
    ids = np.unique(merged[["left_id", "right_id"]].to_numpy(dtype=str).ravel())
    left = np.searchsorted(ids, merged["left_id"].to_numpy(dtype=str))
    right = np.searchsorted(ids, merged["right_id"].to_numpy(dtype=str))
    label = _components(left, right, len(ids))
    first = pd.Series(ids).groupby(label).transform("min").to_numpy()
    return pd.DataFrame({"customer_id": ids, "company": first}, dtype=object)


def _prepared(customers: pd.DataFrame) -> pd.DataFrame:
    """Names taken apart, in the order of the ids, so that rows may come in any."""
    frame = customers.astype(object).sort_values("customer_id", ignore_index=True)
    frame = frame.where(frame.notna(), "")
    taken = parts(frame["name"].astype(str).tolist())
    for column in ("core", "form", "numbers", "sound"):
        frame[column] = taken[column]
    city = np.array([short_place(c) for c in frame["city"].astype(str)], dtype=object)
    province = np.array([short_place(p) for p in frame["province"].astype(str)], dtype=object)
    stated = np.where(city != "", city, province)
    frame["place"] = np.where(taken["place"] != "", taken["place"], stated)
    return frame


def _judged(frame: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    one, other = frame.iloc[pairs["left"]], frame.iloc[pairs["right"]]

    def both(column: str) -> tuple[np.ndarray, np.ndarray]:
        return one[column].to_numpy(dtype=object), other[column].to_numpy(dtype=object)

    code, code2 = both("credit_code")
    core, core2 = both("core")
    place, place2 = both("place")
    form, form2 = both("form")
    number, number2 = both("numbers")
    score = pairs["score"].to_numpy()
    phone, domain = pairs["same_phone"].to_numpy(), pairs["same_domain"].to_numpy()
    same_code, sound = pairs["same_code"].to_numpy(), pairs["same_sound"].to_numpy()
    other_code = (code != "") & (code2 != "") & (code != code2)
    same_name = (core == core2) & (core != "")
    known = (place != "") & (place2 != "")
    province = np.array([province_of(p) for p in place], dtype=object)
    province2 = np.array([province_of(p) for p in place2], dtype=object)
    wider = (place == province2) | (place2 == province)
    elsewhere = known & (place != place2) & ~wider
    here = known & (place == place2)
    apart = ~same_code & (other_code | (number != number2) | (elsewhere & ~(phone | domain)))
    apart |= ~same_code & ~sound & (score < LEAST_WITH_KEY)
    rules = [
        (same_code, MERGED, "credit_code"),
        (apart, "", "veto"),
        (same_name & (form == form2) & here, MERGED, "name_and_place"),
        (same_name & (form == form2) & phone & ~elsewhere, MERGED, "name_and_phone"),
        (same_name & (form == form2) & domain & ~elsewhere, MERGED, "name_and_domain"),
        (same_name & (form != form2), QUEUED, "form_differs"),
        (same_name, QUEUED, "place_unknown"),
        (sound, QUEUED, "two_scripts"),
        (np.ones(len(pairs), dtype=bool), QUEUED, "alike"),
    ]
    when = [r[0] for r in rules]
    evidence = [
        json.dumps([name for name, holds in zip(
            ("credit_code", "name", "place", "phone", "domain"), row, strict=True) if holds])
        for row in zip(same_code, same_name, here, phone, domain, strict=True)
    ]  # fmt: skip
    found = pairs[["left", "right", "score"]].assign(
        outcome=np.select(when, [r[1] for r in rules], ""),
        rule=np.select(when, [r[2] for r in rules], ""),
        evidence=evidence,
    )
    return found[found["outcome"] != ""].reset_index(drop=True)


def _with_decisions(
    judged: pd.DataFrame, frame: pd.DataFrame, decided: Mapping[tuple[str, str], bool]
) -> pd.DataFrame:
    """What people decided, before every rule; a decision on a customer that is gone is void."""
    row = {c: i for i, c in enumerate(frame["customer_id"])}
    known = [
        (*sorted((row[a], row[b])), same)
        for (a, b), same in sorted(decided.items())
        if a in row and b in row and a != b
    ]
    if not known:
        return judged
    told = pd.DataFrame(known, columns=["left", "right", "same"])
    rest = judged.merge(told, on=["left", "right"], how="left")
    rest = rest[rest["same"].isna()].drop(columns="same")
    score = judged.merge(told, on=["left", "right"], how="right")["score"].fillna(0.0)
    yes = told.assign(
        score=score.to_numpy(), outcome=MERGED, rule="decision", evidence='["decision"]'
    )
    return pd.concat([rest, yes[yes["same"]].drop(columns="same")], ignore_index=True)


def _without_contradictions(judged: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """A company has one credit code: links that would join two of them wait in the queue.

    Between rows of one code and those without, the name says nothing more where the same name
    has several codes.
    """
    merged = (judged["outcome"] == MERGED).to_numpy()
    codes, _ = pd.factorize(frame["credit_code"].to_numpy(dtype=object), sort=True)
    codes = np.where(frame["credit_code"].to_numpy() == "", -1, codes)
    left, right = judged["left"].to_numpy(), judged["right"].to_numpy()
    label = _components(left[merged], right[merged], len(frame))
    with_code = pd.DataFrame({"label": label, "code": codes})[codes >= 0].drop_duplicates()
    twice = with_code["label"].value_counts()
    torn = np.isin(label[left], twice[twice > 1].index.to_numpy()) & merged
    soft = torn & ~judged["rule"].isin(["credit_code", "decision"]).to_numpy()
    return judged.assign(
        outcome=np.where(soft, QUEUED, judged["outcome"]),
        rule=np.where(soft, "two_codes", judged["rule"]),
    )


def _components(left: np.ndarray, right: np.ndarray, size: int) -> np.ndarray:
    edges = coo_array((np.ones(len(left)), (left, right)), shape=(size, size))
    return np.asarray(connected_components(edges, directed=False)[1])
