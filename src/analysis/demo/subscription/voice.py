"""What customers and those in charge of them say: contacts, visit notes, tickets, surveys."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo.company import person_name
from analysis.demo.subscription import texts, words
from analysis.demo.subscription.kinds import DAYS, KINDS, START, day
from analysis.demo.telling import moments, pains, written
from analysis.demo.workdays import workdays

PAIN_SHARE = 0.42  # of the notes carry a pain
MAIN_PAIN = 0.70  # of those carry the pain of the customer
QUARTERS = (DAYS + 1) / 91.3
CALLS = ("打电话", "在线会议", "现场拜访", "邮件")
SURVEYS = tuple(
    day(START.replace(year=year, month=month, day=20))
    for year, month in ((2023, 5), (2023, 11), (2024, 5), (2024, 11), (2025, 5), (2025, 9))
)


def window(folk: pd.DataFrame, book: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """First and last day on which somebody talks with each customer."""
    first = np.clip([day(d) for d in folk["joined"]], 0, DAYS)
    until = book.groupby("customer")["until"].max().reindex(range(len(folk))).fillna(DAYS)
    last = np.clip(until.to_numpy() + 30, first, DAYS)
    return first.astype(float), last.astype(float)


def contacts(folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Contact persons.

    Returns
    -------
    DataFrame
        ``customer, contact, name, title, department, role, influence, leaning, phone, mail``.
    """
    number = 1 + stream.binomial(3, 0.45, len(folk))
    customer = np.repeat(np.arange(len(folk)), number)
    total = len(customer)
    title = stream.integers(len(words.TITLES), size=total)
    angry = folk["kind"].isin(["fading", "stalled", "shallow"]).to_numpy()[customer]
    leaning = np.digitize(stream.random(total) - 0.2 * angry, [0.1, 0.6])
    named, department, role = (
        np.array(column)[title] for column in zip(*words.TITLES, strict=True)
    )
    strong = np.isin(role, ["拍板人", "把关人"])
    return pd.DataFrame(
        {
            "customer": customer,
            "contact": [f"LX{n:06d}" for n in range(1, total + 1)],
            "name": [person_name(int(n)) for n in stream.integers(5000, size=total)],
            "title": named,
            "department": department,
            "role": role,
            "influence": np.where(strong, "高", np.where(stream.random(total) < 0.6, "中", "低")),
            "leaning": np.array(["反对", "中立", "支持"])[leaning],
            "phone": [f"190{n:08d}" for n in stream.integers(10**7, size=total)],
            "mail": [
                f"lx{n}@kh{c:06d}.example" for n, c in enumerate((customer + 1).tolist(), start=1)
            ],
        }
    )


def activities(
    folk: pd.DataFrame, book: pd.DataFrame, assigned: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """Visits, calls, meetings and mails with a note; care calls among them.

    Returns
    -------
    DataFrame
        Sorted by time: ``customer, when`` (datetime), ``kind, owner, text, pain`` (empty without),
        ``private`` (the note holds a phone number or a mail address).
    """
    customer, at = _events(folk, book, _rate(folk), stream)
    cared = assigned[assigned["done"] & (assigned["strategy"] == "proactive_care")]
    customer = np.concatenate([customer, cared["customer"]])
    at = np.concatenate([at, cared["start"] + 2])
    own = folk["pain"].to_numpy()[customer]
    pain = pains(own, texts.PAINS, MAIN_PAIN, PAIN_SHARE, stream)
    text = written(texts.NOTES, texts.NEUTRAL, pain, stream)
    trial = folk["on_trial"].to_numpy()[customer] & (pain == "")
    filled = _filled(np.where(trial, texts.TRIAL, text), stream)
    private = stream.random(len(customer)) < 0.012
    digits = stream.integers(10**7, size=len(customer))
    for row in np.nonzero(private)[0]:
        phone = texts.PHONE.format(phone=f"190{digits[row]:08d}")
        filled[row] += phone if row % 3 else texts.MAIL.format(mail=f"cg{digits[row]}@example.com")
    sales = stream.random(len(customer)) < 0.3
    drawn = stream.random(len(customer))
    frame = pd.DataFrame(
        {
            "customer": customer,
            "when": moments(workdays(at), stream),
            "kind": np.array(CALLS)[np.digitize(drawn, [0.45, 0.7, 0.92])],
            "owner": np.where(sales, folk["rep_id"].to_numpy()[customer], folk["csm_id"][customer]),
            "text": filled,
            "pain": pain,
            "private": private,
        }
    )
    return frame.sort_values(["when", "customer", "text"], kind="stable", ignore_index=True)


def tickets(folk: pd.DataFrame, book: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Service tickets.

    Returns
    -------
    DataFrame
        Sorted by time: ``customer, opened, answered, closed`` (datetime, NaT where it has not
        happened yet), ``kind, priority, satisfaction`` (1-5, NaN without), ``text, pain``.
    """
    hurt = folk["kind"].isin(["fading", "stalled"]).to_numpy()
    customer, at = _events(folk, book, 0.35 + 0.25 * _rate(folk) + 0.5 * hurt, stream)
    total = len(customer)
    opened = moments(at, stream)
    own = folk["pain"].to_numpy()[customer]
    pain = pains(own, texts.PAINS, MAIN_PAIN, 0.62, stream)
    slow = hurt[customer]
    hours = stream.gamma(1.6, np.where(slow, 11.0, 4.0))
    closing = hours + stream.gamma(1.8, np.where(slow, 44.0, 20.0))
    mood = 4.6 - 1.2 * (pain != "") - 0.8 * slow + stream.normal(0, 0.7, total)
    drawn = stream.random(total)
    end = np.datetime64(START, "D") + np.timedelta64(DAYS + 1, "D")
    answered, closed = (
        opened + np.round(h * 60).astype("timedelta64[m]") for h in (hours, closing)
    )
    rated = (drawn < 0.55) & (closed < end)  # nobody rates what is still open
    grave = np.isin(pain, ["stability", "response", "integration"])
    fault = np.isin(pain, ["stability", "integration"])
    frame = pd.DataFrame(
        {
            "customer": customer,
            "opened": opened,
            "answered": np.where(answered < end, answered, np.datetime64("NaT")),
            "closed": np.where(closed < end, closed, np.datetime64("NaT")),
            "kind": np.where(fault, "故障", np.where(pain == "", "咨询", "投诉")),
            "priority": np.where(grave & (stream.random(total) < 0.4), "紧急", "一般"),
            "satisfaction": np.where(rated, np.clip(np.round(mood), 1, 5), np.nan),
            "text": _filled(written(texts.TICKETS, texts.QUESTIONS, pain, stream), stream),
            "pain": pain,
        }
    )
    return frame.sort_values(["opened", "customer", "text"], kind="stable", ignore_index=True)


def surveys(folk: pd.DataFrame, book: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Answers to the half-yearly question: ``customer, day, score`` (0-10), ``text``."""
    mean = folk["kind"].map(
        dict(zip([k.key for k in KINDS], (9.0, 7.9, 8.0, 6.2, 4.6, 4.4, 7.0, 7.5), strict=True))
    )
    first, last = window(folk, book)
    parts = []
    for sent in SURVEYS:
        asked = (first <= sent - 45) & (last >= sent + 30) & (stream.random(len(folk)) < 0.45)
        at = np.nonzero(asked)[0]
        parts.append(pd.DataFrame({"customer": at, "day": sent + stream.integers(0, 11, len(at))}))
    frame = pd.concat(parts, ignore_index=True)
    own = mean.to_numpy()[frame["customer"]] + stream.normal(0, 1.6, len(frame))
    frame["score"] = np.clip(np.round(own), 0, 10).astype(np.int64)
    group = np.array(["low", "middle", "high"])[np.searchsorted([7, 9], frame["score"], "right")]
    drawn = stream.integers(9, size=len(frame))
    frame["text"] = [
        "" if n > 4 else texts.COMMENTS[g][n % 3] for g, n in zip(group, drawn, strict=True)
    ]
    return frame.sort_values(["day", "customer"], ignore_index=True)


def _rate(folk: pd.DataFrame) -> np.ndarray:
    return folk["kind"].map({k.key: k.contacts for k in KINDS}).to_numpy()


def _events(
    folk: pd.DataFrame, book: pd.DataFrame, rate: np.ndarray, stream: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Customers and days of a Poisson process of `rate` a quarter."""
    first, last = window(folk, book)
    number = stream.poisson(rate * QUARTERS * (last - first + 1) / (DAYS + 1))
    customer = np.repeat(np.arange(len(folk)), number)
    at = first[customer] + np.floor(stream.random(len(customer)) * (last - first + 1)[customer])
    return customer, at


def _filled(text: np.ndarray, stream: np.random.Generator) -> list[str]:
    """Fill the gaps of the sentences."""
    total = len(text)
    function = np.array(words.FUNCTIONS)[stream.integers(len(words.FUNCTIONS), size=total)]
    who = np.array(texts.WHO)[stream.integers(len(texts.WHO), size=total)]
    days, share = stream.integers(3, 21, size=total), stream.integers(5, 30, size=total)
    return [
        sentence.format(function=f, who=w, days=d, share=s)
        for sentence, f, w, d, s in zip(text, function, who, days, share, strict=True)
    ]
