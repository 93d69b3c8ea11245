"""Receivables: what was invoiced, when it was paid, what is still open, to the fen.

Every delivery note is invoiced some days later and falls due after the customer's term. Money
comes in when the customer usually pays, in one piece or two; what was sent back is set off
against the next invoice; projects pay a part before delivery. Invoices minus payments is what
the aged table of any day shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.calendars import Period
from analysis.demo import chance, words
from analysis.demo.accounts import STRANGER, UNMATCHED
from analysis.demo.cells import dates, grouped, money, numbered
from analysis.demo.kinds import START, Chapter, day
from analysis.demo.workdays import workdays, workdays_before

SNAPSHOTS = 3  # quarters' ends of which the aged table is kept
BUCKETS = ("账期内", "1-30", "31-60", "61-90", "91-180", "181-360", "360以上")
EDGES = (0, 30, 60, 90, 180, 360)
IN_PARTS = 0.08  # share of the invoices paid in two pieces
BAD = 0.05  # share of the invoices that customers who go away never pay
ADVANCE = 0.30  # of a project's invoice is paid before delivery
METHODS = {"电汇": 0.62, "银行承兑汇票": 0.28, "转账支票": 0.06, "商业承兑汇票": 0.04}
SET_OFF = 60  # days within which a red invoice can be set off; then the money goes back
NUMBERS = 1_900_000  # of invoices, set aside for a block of customers
ADVANCED, RECEIVABLE = "预收款", "应收款"


@dataclass(frozen=True)
class Ledger:
    """The books of the receivables department.

    Attributes
    ----------
    invoices
        ``account`` (row of the accounts), ``note`` (delivery note), ``order`` (of the lines sold,
        -1 for goods sent back), ``shipped, day, due`` (day numbers), ``net`` and ``fen``
        (without and with tax), ``number``; the last of what was delivered will be written in the
        days to come.
    settled
        ``invoice`` (row of `invoices`), ``day, fen, kind``: which money paid which invoice.
    """

    invoices: pd.DataFrame
    settled: pd.DataFrame

    def open(self, today: int) -> pd.DataFrame:
        """What is open on the evening of a day: ``account, due, fen``, a line an invoice."""
        issued = self.invoices["day"].to_numpy() <= today
        paid = self.settled[self.settled["day"] <= today]
        came = np.bincount(paid["invoice"], weights=paid["fen"], minlength=len(self.invoices))
        fen = np.where(issued, self.invoices["fen"], 0) - came.astype(np.int64)
        found = self.invoices[["account", "due"]].assign(fen=fen)
        return pd.DataFrame(found[fen != 0])


def snapshots(last: Period) -> list[date]:
    """Days of the aged tables, up to the end of the last quarter."""
    return [last.back(n).end for n in reversed(range(SNAPSHOTS))]


def keep(
    cells: pd.DataFrame,
    known: pd.DataFrame,
    seed: int,
    chapters: Sequence[Chapter],
    block: int = 0,
) -> Ledger:
    """Keep the books until the end of the last chapter; later ones change nothing in them.

    Parameters
    ----------
    cells
        As `documents.documents` gives them.
    known
        As `accounts.accounts` gives them.
    seed
        Of the chance that hangs on each delivery note.
    chapters
        Of the history so far.
    block
        Which block of customers these are: each has numbers of its own.
    """
    invoices = _invoices(cells, known, seed)
    invoices["number"] = _tax_numbers(invoices["day"].to_numpy(), block)
    settled = _payments(invoices, known, seed, chapters)
    return Ledger(invoices, settled)


def _invoices(cells: pd.DataFrame, known: pd.DataFrame, seed: int) -> pd.DataFrame:
    real = cells[cells["_why"].isin(["", STRANGER])]
    notes = real.groupby("发货单号", sort=False).agg(
        account=("_account", "first"),
        order=("_order", "first"),
        back=("_back", "first"),
        own=("_why", "first"),
        shipped=("_day", "first"),
        net=("_fen", "sum"),
        fen=("_gross", "sum"),
    )
    notes = notes.rename_axis("note").reset_index()
    later = notes["shipped"].to_numpy() + chance.whole(notes["note"], seed, "invoice", 0, 6)
    notes["day"] = np.maximum(workdays(later), notes["shipped"])
    notes = notes[notes["fen"] != 0]
    notes = notes.sort_values(["day", "note"], kind="stable", ignore_index=True)
    notes["due"] = notes["day"] + known["terms"].to_numpy()[notes["account"]].astype(np.int64)
    notes["order"] = np.where(notes["back"] | (notes["own"] != ""), -1, notes["order"])
    return notes


def _tax_numbers(days: np.ndarray, block: int) -> np.ndarray:
    """Eight digits of a paper invoice until the end of 2023, twenty of an electronic one since."""
    paper = pa.array(4_180_000 + block * NUMBERS + np.arange(len(days))).cast(pa.string())
    when = np.datetime64(START, "D") + np.asarray(days).astype("timedelta64[D]")
    year = when.astype("datetime64[Y]").astype(np.int64) + 1970
    short = pc.utf8_lpad(pa.array(year % 100).cast(pa.string()), 2, "0")
    long = pc.binary_join_element_wise(short, "992", pc.utf8_lpad(paper, 15, "0"), "")
    found = pc.if_else(pa.array(year < 2024), pc.utf8_lpad(paper, 8, "0"), long)
    return np.asarray(found.to_numpy(zero_copy_only=False))


def _payments(
    invoices: pd.DataFrame, known: pd.DataFrame, seed: int, chapters: Sequence[Chapter]
) -> pd.DataFrame:
    note = invoices["note"]
    account = invoices["account"].to_numpy()
    fen, issued, due = (invoices[c].to_numpy() for c in ("fen", "day", "due"))
    kind = known["kind"].to_numpy()[account]
    habit = known["pays_after"].to_numpy()[account]
    when = due + np.round(habit + 5 * chance.normal(note, seed, "paid")).astype(np.int64)
    when = np.maximum(workdays(when), issued + 1)
    bad = np.where(np.isin(kind, ["lapsed", "turned"]), BAD, 0.001)
    never = chance.uniform(note, seed, "never paid") < bad
    rows = np.arange(len(invoices))
    billed = fen > 0

    ahead = billed & (kind == "project") & (fen > 2_000_000)
    ahead &= chance.uniform(note, seed, "ahead") < 0.7
    advance = np.where(ahead, np.round(fen * ADVANCE / 10_000).astype(np.int64) * 10_000, 0)
    shipped = invoices["shipped"].to_numpy()
    before = workdays_before(shipped - chance.whole(note, seed, "advance", 5, 21))
    # in the same chapter: what is ordered in the next one is not known yet
    begin = np.array([c.first for c in chapters])
    begin = begin[np.searchsorted(begin, shipped, side="right") - 1]
    before = np.where(before < begin, workdays(np.minimum(begin + 9, shipped)), before)

    twice = billed & (chance.uniform(note, seed, "parts") < IN_PARTS) & (fen > 3_000_000) & ~ahead
    share = 0.4 + 0.35 * chance.uniform(note, seed, "first part")
    first = np.where(twice, np.round(fen * share / 100_000).astype(np.int64) * 100_000, 0)
    second = workdays(when + chance.whole(note, seed, "second part", 15, 60))
    last = np.where(twice, second, when)
    rest = fen - advance - first

    parts = [
        (ahead, before, advance, ADVANCED),
        (twice & ~never, when, first, RECEIVABLE),
        (billed & ~never, last, rest, RECEIVABLE),
    ]
    found = [
        pd.DataFrame({"invoice": rows[m], "day": d[m], "fen": f[m], "kind": k})
        for m, d, f, k in parts
    ]
    found.append(_credits(invoices, np.where(never, -1, last), rest, seed))
    settled = pd.concat(found, ignore_index=True)
    settled = settled[settled["day"].between(0, chapters[-1].last)]
    return settled.sort_values(["day", "invoice"], kind="stable", ignore_index=True)


def _credits(invoices: pd.DataFrame, paid: np.ndarray, rest: np.ndarray, seed: int) -> pd.DataFrame:
    """Red invoices: set off against the customer's next large payment, else paid back in time."""
    back = invoices[invoices["fen"] < 0]
    large = invoices.assign(partner=invoices.index, paid=paid, rest=rest)
    large = large[large["fen"] > 0]
    offered = large[["account", "paid", "partner", "rest"]].sort_values(
        ["paid", "partner"], kind="stable"
    )
    met = pd.merge_asof(
        back[["account", "day", "fen"]],
        offered,
        left_on="day",
        right_on="paid",
        by="account",
        direction="forward",
        allow_exact_matches=False,
        tolerance=SET_OFF,
    )
    fits = (met["rest"] > -2 * met["fen"]) & ~met["partner"].duplicated()
    row = met["partner"].where(fits, -1).to_numpy().astype(np.int64)
    refund = workdays(
        back["day"].to_numpy()
        + chance.whole(back["note"], seed, "refund", SET_OFF + 1, SET_OFF + 16)
    )
    refund = np.maximum(refund, back["day"].to_numpy() + 1)
    return pd.DataFrame(
        {
            "invoice": back.index.to_numpy(),
            "day": np.where(row >= 0, paid[row], refund),
            "fen": back["fen"].to_numpy(),
            "kind": RECEIVABLE,
        }
    )


def aged(ledger: Ledger, known: pd.DataFrame, staff: pd.DataFrame, when: date) -> pd.DataFrame:
    """The aged table of one day: a customer a row [CNY]."""
    found = ledger.open(day(when))
    bucket = np.searchsorted(np.array(EDGES), day(when) - found["due"].to_numpy())
    # what was paid ahead or sent back is not late
    bucket = np.where(found["fen"] < 0, 0, bucket)
    wide = (
        found.assign(bucket=bucket)
        .pivot_table(index="account", columns="bucket", values="fen", aggfunc="sum", fill_value=0)
        .reindex(columns=range(len(BUCKETS)), fill_value=0)
    )
    who = known.iloc[wide.index.to_numpy()].reset_index(drop=True)
    people = staff.set_index("person_id")["name"]
    teams = staff.drop_duplicates("team_id").set_index("team_id")["team"]
    values = wide.to_numpy().astype(np.int64)
    order = np.argsort(who["code"].to_numpy().astype(str), kind="stable")
    columns = {"余额": values.sum(axis=1)} | {b: values[:, n] for n, b in enumerate(BUCKETS)}
    frame = pd.DataFrame(
        {
            "客户编码": who["code"],
            "客户名称": who["name"],
            "部门": who["team_id"].map(teams),
            "业务员": who["owner_id"].map(people),
            **{name: fen / 100 for name, fen in columns.items()},
            "_why": np.where(who["kind"] == "stranger", UNMATCHED, ""),
            "_key": who["code"],
        }
    )
    return frame.iloc[order].reset_index(drop=True)


def aged_title(when: date) -> str:
    """The lines above an aged table."""
    return (
        f"{words.COMPANY}有限公司\n应收账龄分析表（按到期日，本币价税合计）\n"
        f"截止日期：{when:%Y-%m-%d}　　币种：人民币　　单位：元"
    )


def invoice_list(
    ledger: Ledger,
    known: pd.DataFrame,
    staff: pd.DataFrame,
    seed: int,
    chapters: Sequence[Chapter],
) -> pd.DataFrame:
    """The list of invoices so far: some stand twice."""
    found = ledger.invoices[ledger.invoices["day"] <= chapters[-1].last]
    who = known.iloc[found["account"].to_numpy()].reset_index(drop=True)
    fen = found["fen"].to_numpy()
    net = found["net"].to_numpy()
    people = staff.set_index("person_id")["name"]
    frame = pd.DataFrame(
        {
            "发票号": found["number"],
            "发票类型": np.where(found["fen"] < 0, "红字专用发票", "增值税专用发票"),
            "开票日期": dates(found["day"], "/"),
            "到期日": dates(found["due"], "/"),
            "客户编码": who["code"],
            "客户名称": who["name"],
            "业务员": who["owner_id"].map(people),
            "发货单号": found["note"],
            "币种": "人民币",
            "本币无税金额": money(net),
            "本币税额": money(fen - net),
            "本币价税合计": money(fen),
            "审核人": "应收会计",
            "_why": np.where(who["kind"] == "stranger", UNMATCHED, ""),
            "_key": found["number"],
            "_fen": fen,
        }
    )
    return _twice(frame, found["day"], seed, "invoice dirt", chapters)


def payment_list(
    ledger: Ledger,
    known: pd.DataFrame,
    staff: pd.DataFrame,
    mark: str,
    seed: int,
    chapters: Sequence[Chapter],
) -> pd.DataFrame:
    """The list of receipts: one may pay several invoices; some stand twice.

    `mark` sets the numbers of a block of customers apart.
    """
    found = ledger.settled.assign(
        account=ledger.invoices["account"].to_numpy()[ledger.settled["invoice"]]
    )
    found = found.groupby(["day", "account", "kind"])["fen"].sum().reset_index()
    found = found[found["fen"] != 0].reset_index(drop=True)
    who = known.iloc[found["account"].to_numpy()].reset_index(drop=True)
    bounds = np.cumsum(list(METHODS.values()))[:-1]
    usual = np.searchsorted(bounds, chance.uniform(known["code"], seed, "method"))
    fen = found["fen"].to_numpy()
    of_day = (found.groupby("day").cumcount() + 1).to_numpy()
    number = numbered(np.full(len(found), "SK", dtype=object), found["day"], mark, of_day)
    often = chance.uniform(pd.Series(number), seed, "method of the day") < 0.85
    method = np.where(often, usual[found["account"]], 0)
    ahead = found["kind"] == ADVANCED
    people = staff.set_index("person_id")["name"]
    frame = pd.DataFrame(
        {
            "单据编号": number,
            "单据类型": np.where(fen < 0, "付款单（退款）", "收款单"),
            "单据日期": dates(found["day"]),
            "客户编码": who["code"],
            "客户名称": who["name"],
            "结算方式": np.array(list(METHODS))[method],
            "币种": "人民币",
            "本币金额": grouped(fen),
            "款项类型": found["kind"],
            "摘要": np.where(ahead, "预收项目款", np.where(fen < 0, "退货退款", "收货款")),
            "业务员": who["owner_id"].map(people),
            "审核人": "出纳",
            "_why": np.where(who["kind"] == "stranger", UNMATCHED, ""),
            "_key": number,
            "_fen": fen,
        }
    )
    return _twice(frame, found["day"], seed, "payment dirt", chapters)


def _twice(
    frame: pd.DataFrame, when: pd.Series, seed: int, subject: str, chapters: Sequence[Chapter]
) -> pd.DataFrame:
    """Some rows of each chapter once more, one below the other."""
    clean = (frame["_why"] == "").to_numpy()
    drawn = []
    for chapter in chapters:
        here = np.nonzero(clean & when.between(chapter.first, chapter.last).to_numpy())[0]
        size = min(len(here), max(3, len(here) // 2000))
        drawn.append(chapter.stream(seed, subject).choice(here, size=size, replace=False))
    again = np.sort(np.concatenate(drawn))
    copies = frame.iloc[again].assign(_why="repeated_keys")
    copies.index = pd.Index(again)
    return pd.concat([frame, copies]).sort_index(kind="stable").reset_index(drop=True)
