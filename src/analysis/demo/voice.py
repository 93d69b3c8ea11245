"""What customers and salespeople say: contacts, visit notes, service tickets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo import replies, texts, words
from analysis.demo.company import person_name
from analysis.demo.kinds import KINDS, START, Chapter
from analysis.demo.telling import moments, pains, written
from analysis.demo.workdays import workdays

PAIN_SHARE = 0.38  # of the notes carry a pain
MAIN_PAIN = 0.66  # of those carry the pain of the kind
QUARTER = 91.3  # days
ACTIVITY_KINDS = ("现场拜访", "打电话", "在线会议", "邮件")


def contacts(
    population: pd.DataFrame, first: int, tag: str, stream: np.random.Generator
) -> pd.DataFrame:
    """Contact persons of the customers from row `first` on.

    Parameters
    ----------
    tag
        What sets their numbers apart from those of other customers.

    Returns
    -------
    DataFrame
        ``customer`` (row of `population`), ``contact_id, name, title, department, role,
        influence, leaning, phone, mail``.
    """
    some = population.iloc[first:]
    size = len(some)
    large = some["kind"].isin(["key", "turned", "growing"]).to_numpy()
    number = 1 + stream.binomial(np.where(large, 4, 2), 0.45)
    customer = first + np.repeat(np.arange(size), number)
    total = len(customer)
    title = stream.integers(len(words.TITLES), size=total)
    lapsed = population["kind"].isin(["lapsed", "declining", "turned"]).to_numpy()[customer]
    leaning = np.digitize(stream.random(total) - 0.25 * lapsed, [0.12, 0.6])
    names = [person_name(int(n)) for n in stream.integers(5000, size=total)]
    phone = stream.integers(10**7, size=total)
    codes = population["customer_id"].to_numpy()[customer]
    roles = np.array([role for _, _, role in words.TITLES])[title]
    strong = np.isin(roles, ["拍板人", "把关人"])
    return pd.DataFrame(
        {
            "customer": customer,
            "contact_id": [f"LX{tag}{n:06d}" for n in range(1, total + 1)],
            "name": names,
            "title": np.array([t for t, _, _ in words.TITLES])[title],
            "department": np.array([d for _, d, _ in words.TITLES])[title],
            "role": roles,
            "influence": np.where(strong, "高", np.where(stream.random(total) < 0.6, "中", "低")),
            "leaning": np.array(["反对", "中立", "支持"])[leaning],
            "phone": [f"190{n:08d}" for n in phone],
            "mail": [
                f"lx{tag.lower()}{n}@{code.lower()}.example"
                for n, code in enumerate(codes.tolist(), start=1)
            ],
        }
    )


def activities(
    population: pd.DataFrame,
    assigned: pd.DataFrame,
    products: pd.DataFrame,
    chapter: Chapter,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """Visits, calls, meetings and mails with a note, of a chapter of the history.

    Returns
    -------
    DataFrame
        ``customer, when`` (datetime), ``kind`` (word of the export), ``owner_id, text``; ``pain``
        (planted, empty without) and ``private`` (the note holds a phone number or a mail address).
    """
    rate = _of(population, "visits")
    first, last = _window(population, chapter)
    number = stream.poisson(rate * (last - first + 1) / QUARTER)
    customer = np.repeat(np.arange(len(population)), number)
    day = first[customer] + np.floor(stream.random(len(customer)) * (last - first + 1)[customer])
    pain = pains(_of(population, "pain")[customer], texts.PAINS, MAIN_PAIN, PAIN_SHARE, stream)
    text = written(texts.NOTES, texts.NEUTRAL, pain, stream)
    trial = np.nonzero((population["kind"] == "trial").to_numpy()[customer] & (pain == ""))[0]
    text[trial] = _picked(texts.TRIALS, len(trial), stream)
    kind = np.array(ACTIVITY_KINDS)[np.digitize(stream.random(len(customer)), [0.36, 0.78, 0.90])]
    seen = np.array([any(word in sentence for word in texts.SEEN) for sentence in text])
    kind = np.where(seen, ACTIVITY_KINDS[0], kind)
    for name, offered in texts.OPENINGS.items():
        here = np.nonzero(kind == name)[0]
        text[here] = _picked(offered, len(here), stream) + text[here]
    visited = assigned[(assigned["strategy"] == "executive_visit") & assigned["done"]]
    visited = visited[visited["start"].between(chapter.first, chapter.last)]
    visits = _picked(texts.VISITS, len(visited), stream)
    extra = visited["customer"].to_numpy()
    customer = np.concatenate([customer, extra])
    day = np.concatenate([day, visited["start"].to_numpy()])
    pain = np.concatenate([pain, np.full(len(extra), "", dtype=pain.dtype)])
    text = np.concatenate([text, visits])
    text = text + _picked(texts.NEXT, len(text), stream)
    kind = np.concatenate([kind, np.full(len(extra), ACTIVITY_KINDS[0])])
    filled = _filled(text, population, customer, products, stream)
    total = len(customer)
    private = stream.random(total) < 0.012
    by_mail = stream.random(total) < 0.3
    digits = stream.integers(10**7, size=total)
    for row in np.nonzero(private)[0]:
        tail = (
            texts.MAIL.format(mail=f"cg{digits[row]}@example.com")
            if by_mail[row]
            else texts.PHONE.format(phone=f"190{digits[row]:08d}")
        )
        filled[row] += tail
    frame = pd.DataFrame(
        {
            "customer": customer,
            "when": moments(workdays(day), stream),
            "kind": kind,
            "owner_id": population["owner_id"].to_numpy()[customer],
            "text": filled,
            "pain": pain,
            "private": private,
        }
    )
    return frame.sort_values(["when", "customer", "text"], kind="stable", ignore_index=True)


def tickets(
    population: pd.DataFrame,
    products: pd.DataFrame,
    chapter: Chapter,
    today: int,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """Service tickets of a chapter of the history, as they stand on the evening of `today`.

    Returns
    -------
    DataFrame
        ``customer, opened, answered, closed`` (datetime; `closed` may be missing), ``kind,
        priority`` (words of the export), ``satisfaction`` (1-5, NaN where nobody rated), ``text,
        pain``.
    """
    first, last = _window(population, chapter)
    rate = 0.14 + 0.10 * _of(population, "visits")
    number = stream.poisson(rate * (last - first + 1) / QUARTER)
    number = np.where(population["kind"] == "trial", 0, number)
    customer = np.repeat(np.arange(len(population)), number)
    total = len(customer)
    day = first[customer] + np.floor(stream.random(total) * (last - first + 1)[customer])
    opened = moments(day, stream)
    pain = pains(_of(population, "pain")[customer], texts.PAINS, MAIN_PAIN, 0.62, stream)
    text = written(replies.TICKETS, replies.QUESTIONS, pain, stream)
    slow = population["kind"].isin(["lapsed", "declining", "turned"]).to_numpy()[customer]
    hours = stream.gamma(1.6, np.where(slow, 14.0, 4.5))
    closing = hours + stream.gamma(1.8, np.where(slow, 60.0, 30.0))
    mood = 4.6 - 1.3 * (pain != "") - 0.7 * slow + stream.normal(0, 0.7, total)
    end = np.datetime64(START, "D") + np.timedelta64(today + 1, "D")
    closed = opened + np.round(closing * 60).astype("timedelta64[m]")
    # nobody rates what is still open
    rated = (stream.random(total) < 0.68) & (closed < end)
    rating = np.where(rated, np.clip(np.round(mood), 1, 5), np.nan)
    answered = opened + np.round(hours * 60).astype("timedelta64[m]")
    complaint = np.isin(pain, ["delivery", "quality", "response"])
    broken = (pain == "quality") & (stream.random(total) < 0.5)
    frame = pd.DataFrame(
        {
            "customer": customer,
            "opened": opened,
            "answered": np.where(answered < end, answered, np.datetime64("NaT")),
            "closed": np.where(closed < end, closed, np.datetime64("NaT")),
            "kind": np.where(broken, "报修", np.where(complaint, "投诉", "咨询")),
            "priority": np.where(complaint & (stream.random(total) < 0.4), "紧急", "一般"),
            "satisfaction": rating,
            "text": _filled(text, population, customer, products, stream),
            "pain": pain,
        }
    )
    return frame.sort_values(["opened", "customer", "text"], kind="stable", ignore_index=True)


def _of(population: pd.DataFrame, name: str) -> np.ndarray:
    values = {kind.key: getattr(kind, name) for kind in KINDS}
    return population["kind"].map(values).to_numpy()


def _window(population: pd.DataFrame, chapter: Chapter) -> tuple[np.ndarray, np.ndarray]:
    """First and last day of a chapter on which somebody talks with the customer.

    Nobody does where the last day lies before the first.
    """
    joined = np.array([(d - START).days for d in population["joined"]])
    trial = (population["kind"] == "trial").to_numpy()
    until = np.where(trial, chapter.last, population["until"].to_numpy() + 90)
    first = np.clip(joined, chapter.first, chapter.last + 1)
    last = np.clip(until, first - 1, np.maximum(chapter.last, first - 1))
    return first.astype(float), last.astype(float)


def _picked(offered: tuple[str, ...], size: int, stream: np.random.Generator) -> np.ndarray:
    """So many of the sentences, any of them."""
    return np.array(offered, dtype=object)[stream.integers(len(offered), size=size)]


def _filled(
    text: np.ndarray,
    population: pd.DataFrame,
    customer: np.ndarray,
    products: pd.DataFrame,
    stream: np.random.Generator,
) -> list[str]:
    """Fill the gaps of the sentences."""
    total = len(text)
    bought = population[["portfolio_0", "portfolio_1", "portfolio_2"]].to_numpy()
    first = stream.integers(3, size=total)
    names = products["name"].to_numpy()
    gaps = {
        "product": names[bought[customer, first]],
        "other": names[bought[customer, (first + 1) % 3]],
        "who": _picked(texts.WHO, total, stream),
        "days": stream.integers(3, 21, size=total),
        "share": stream.integers(2, 9, size=total),
        "count": stream.integers(1, 40, size=total) * 10,
        "month": stream.integers(1, 13, size=total),
    }
    rows = zip(text, *gaps.values(), strict=True)
    return [sentence.format(**dict(zip(gaps, values, strict=True))) for sentence, *values in rows]
