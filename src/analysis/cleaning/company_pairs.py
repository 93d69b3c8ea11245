"""Pairs of customers that may be one company: who is compared with whom, and how alike they are.

Half a million names have 10¹¹ pairs. Compared are those that share one of the two rarest pairs
of letters of their names, a credit code, a phone or a mail domain; a key that many share
(a business park's switchboard) says nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from rapidfuzz import fuzz
from rapidfuzz.process import cpdist

RAREST = 2  # pairs of letters by which a name is looked up
MOST_IN_BLOCK = 120  # names that share a pair of letters: beyond it, it is a word like 科技
MOST_WITH_KEY = 8  # customers that share a phone or a mail domain

MOST_OF_A_NAME = 200  # customers of one name that are compared with each other

_CHUNK = 100_000
_LEAST_SOUND = 4  # letters: shorter ones are anybody's
_LETTERS = 1 << 21  # above every code point


def candidates(companies: pd.DataFrame, least: float) -> pd.DataFrame:
    """Pairs worth a look.

    Parameters
    ----------
    companies
        One row a customer: core, sound, place, credit_code, phone, domain (text, empty if
        unknown).
    least
        Names less alike than this [0–100] are no pair, unless a key is shared.

    Returns
    -------
    DataFrame
        left, right (row numbers, left < right), score (0–100, of the cores), same_code,
        same_phone, same_domain, same_sound (one name Chinese, one Latin, in the same place),
        sorted by left and right.
    """
    keys = {
        "same_code": _sharing(companies["credit_code"], len(companies)),
        "same_phone": _sharing(companies["phone"], MOST_WITH_KEY),
        "same_domain": _sharing(companies["domain"], MOST_WITH_KEY),
        "same_sound": _two_scripts(companies),
    }
    cores = companies["core"].to_numpy(dtype=object)
    pairs = np.unique(np.concatenate([_alike(cores, least), *keys.values()]), axis=0)
    found = pd.DataFrame(pairs, columns=["left", "right"])
    found["score"] = _score(cores[pairs[:, 0]], cores[pairs[:, 1]])
    size = len(companies)
    place = pairs[:, 0].astype(np.int64) * size + pairs[:, 1]
    for name, shared in keys.items():
        found[name] = np.isin(place, shared[:, 0].astype(np.int64) * size + shared[:, 1])
    return found


def _score(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Indel similarity of two cores in percent (Levenshtein without replacements)."""
    if not len(left):
        return np.empty(0)
    return np.asarray(np.round(cpdist(left, right, scorer=fuzz.ratio, dtype=np.float64), 4))


def _sharing(values: pd.Series, most: int) -> np.ndarray:
    """All pairs of rows with the same value; of values that more than `most` share, none."""
    text = values.to_numpy(dtype=object)
    codes = _numbered(text)[0]
    return _pairs_within(codes, most)


def _numbered(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A number for each text (−1: empty), and the texts in the order of their numbers."""
    known, number = np.unique(texts.astype(str), return_inverse=True)
    empty = int(len(known) > 0 and known[0] == "")
    return number - empty, known[empty:]


def _two_scripts(companies: pd.DataFrame) -> np.ndarray:
    """Pairs of a Chinese and a Latin name that begin with the same sound in the same place."""
    latin = np.array([core.isascii() for core in companies["core"]], dtype=bool)
    sound, place = companies["sound"], companies["place"]
    known = (sound.str.len() >= _LEAST_SOUND) & (place != "")
    pairs = _sharing((place + " " + sound).where(known, ""), MOST_WITH_KEY)
    return np.asarray(pairs[latin[pairs[:, 0]] != latin[pairs[:, 1]]])


def _pairs_within(codes: np.ndarray, most: int) -> np.ndarray:
    """All pairs of positions with the same code (−1: none) in groups of at most `most`."""
    rows = np.nonzero(codes >= 0)[0]
    rows = rows[np.argsort(codes[rows], kind="stable")]
    sizes = np.bincount(codes[rows], minlength=1) if len(rows) else np.zeros(1, dtype=int)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    parts: list[np.ndarray] = [np.empty((0, 2), dtype=np.int64)]
    for size in np.unique(sizes[(sizes > 1) & (sizes <= most)]):
        left, right = np.triu_indices(size, 1)
        first = starts[sizes == size][:, None]
        pairs = np.stack([rows[first + left].ravel(), rows[first + right].ravel()], axis=1)
        parts.append(np.sort(pairs, axis=1))
    return np.concatenate(parts)


def _alike(cores: np.ndarray, least: float) -> np.ndarray:
    """Pairs of rows whose cores are equal, or share a rare pair of letters and are alike.

    Names are compared once each, however many customers have them.
    """
    codes, names = _numbered(cores)
    owner, gram = _bigrams(names)
    frequency = np.bincount(gram)
    order = np.lexsort((gram, frequency[gram], owner))
    owner, gram = owner[order], gram[order]
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    rare = (rank < RAREST) & (frequency[gram] <= MOST_IN_BLOCK)
    everywhere = pd.DataFrame({"gram": gram, "other": owner})
    looked_up = pd.DataFrame({"gram": gram[rare], "one": owner[rare]})
    parts = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(looked_up), _CHUNK):
        joined = looked_up.iloc[start : start + _CHUNK].merge(everywhere, on="gram")
        one, other = joined["one"].to_numpy(), joined["other"].to_numpy()
        one, other = np.minimum(one, other)[one != other], np.maximum(one, other)[one != other]
        pairs = np.unique(np.stack([one, other], axis=1), axis=0)
        parts.append(pairs[_score(names[pairs[:, 0]], names[pairs[:, 1]]) >= least])
    pairs = np.unique(np.concatenate(parts), axis=0)
    return np.concatenate([_spread(pairs, codes), _pairs_within(codes, MOST_OF_A_NAME)])


def _bigrams(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the name and number of each of its pairs of letters; one letter counts twice."""
    doubled = [name * 2 if len(name) == 1 else name for name in names]
    sizes = np.array([len(name) for name in doubled], dtype=np.int64)
    letters = np.frombuffer("".join(doubled).encode("utf-32-le"), dtype=np.uint32)
    owner = np.repeat(np.arange(len(names), dtype=np.int32), sizes)
    inside = owner[:-1] == owner[1:]
    pairs = (letters[:-1].astype(np.int64) * _LETTERS + letters[1:])[inside]
    _, number = np.unique(pairs, return_inverse=True)
    return owner[:-1][inside], number.astype(np.int32)


def _spread(pairs: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Pairs of names as pairs of rows: every row of the one with every row of the other."""
    if not len(pairs):
        return np.empty((0, 2), dtype=np.int64)
    rows = pd.DataFrame({"name": codes, "row": np.arange(len(codes))})
    rows = rows[(rows["name"] >= 0) & (rows.groupby("name").cumcount() < MOST_WITH_KEY)]
    left = pd.DataFrame(pairs, columns=["one", "other"]).merge(rows, left_on="one", right_on="name")
    both = left.merge(rows, left_on="other", right_on="name", suffixes=("_x", "_y"))
    return np.sort(both[["row_x", "row_y"]].to_numpy(), axis=1)
