"""The files of the back office: contracts, log-ins, usage, signings, invoices, money."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from analysis.demo.cells import money as yuan
from analysis.demo.subscription import dirt, words
from analysis.demo.subscription.dirt import Fault, again, cycled, numbered
from analysis.demo.subscription.kinds import DAYS, START, dates, day
from analysis.demo.subscription.money import BUCKETS

UNLINKED = 0.03  # share of the renewals whose number before was not filled in
FORMATS = ("%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%Y年%m月%d日")
CUT_OFF = ("2025-03", "2025-08")  # finance counts the last two days of these in the month after
OMITTED = "2025-06"  # finance has not booked one contract of this month


def contracts(book: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """The ledger of contracts, ending in a total row."""
    at = book["customer"].to_numpy()
    renewed = (book["predecessor"] != "").to_numpy()
    unlinked = renewed & (stream.random(len(book)) < UNLINKED)
    cut = set(book["predecessor"].to_numpy()[unlinked])
    frame = pd.DataFrame(
        {
            "合同编号": book["contract"],
            "客户编号": folk["customer_id"].to_numpy()[at],
            "客户名称": folk["name"].to_numpy()[at],
            "产品/版本": words.PRODUCT + " " + folk["edition"].to_numpy()[at],
            "合同类型": book["kind"],
            "账号数": book["seats"],
            "合同金额": book["amount"] / 100,
            "年费(ARR)": book["arr"] / 100,
            "签订日期": _written(book["signed"].to_numpy(), stream),
            "起始日期": _written(book["start"].to_numpy(), stream),
            "到期日期": _written(book["end"].to_numpy(), stream),
            "续费状态": book["status"],
            "续费合同号": np.where(book["contract"].isin(cut), "", book["successor"]),
            "原合同号": np.where(unlinked, "", book["predecessor"]),
            "主合同号": np.where(book["addition"], book["base"], ""),
            "增购金额": np.where(book["extra"] > 0, book["extra"] / 100, 0.0),
            "流失原因": book["reason"],
            "是否自动续费": np.where(book["automatic"], "是", "否"),
            "CSM": folk["csm_id"].to_numpy()[at],
            "销售": folk["rep_id"].to_numpy()[at],
        }
    )
    bare = {"续费合同号": "", "原合同号": "", "主合同号": ""}
    faults = (
        Fault("voided", 0.006, {**numbered("合同编号", "HTZF-"), "续费状态": "作废", **bare}),
        again(),
        Fault(
            "test_accounts",
            0.001,
            {
                **numbered("合同编号", "HTCS-"),
                "客户编号": cycled(dirt.TEST_IDS),
                "客户名称": cycled(dirt.TEST_NAMES),
                **bare,
            },
        ),
        Fault("missing_customer", 0.001, {**numbered("合同编号", "HTWK-"), "客户编号": "", **bare}),
        Fault(
            "unreadable_date", 0.001, {**numbered("合同编号", "HTDQ-"), "到期日期": "长期", **bare}
        ),
    )
    found = dirt.spoil(frame, "合同编号", faults, stream)
    mended = set(frame.loc[unlinked, "合同编号"])
    plain = (found["_why"] == "").to_numpy() & found["合同编号"].isin(mended).to_numpy()
    found["_why"] = np.where(plain, dirt.MENDED, found["_why"])
    sums = {header: float(found[header].sum()) for header in ("合同金额", "年费(ARR)")}
    return dirt.total(found, "合同编号", {h: round(v, 2) for h, v in sums.items()})


def _written(days: np.ndarray, stream: np.random.Generator) -> list[str]:
    """Dates as several people type them."""
    form = np.digitize(stream.random(len(days)), [0.86, 0.92, 0.97])
    return [f"{when:{FORMATS[f]}}" for when, f in zip(dates(days), form, strict=True)]


def keys(
    folk: pd.DataFrame, book: pd.DataFrame, live_days: np.ndarray, stream: np.random.Generator
) -> pd.DataFrame:
    """Which tenant of the software is which customer, and when it was opened and live."""
    opened = folk["first"].to_numpy()
    live = (opened + live_days).astype(np.int64)
    seats = book[book["until"] >= DAYS].groupby("customer")["seats"].sum()
    frame = pd.DataFrame(
        {
            "企业ID": folk["tenant_id"],
            "客户编号": folk["customer_id"],
            "企业简称": folk["name"].str.removesuffix("有限公司"),
            "开通账号数": seats.reindex(range(len(folk))).fillna(0).astype(int),
            "开通日期": dates(opened),
            "上线日期": np.where(live <= DAYS, np.array(dates(live)).astype(str), ""),
            "部署方式": np.where(folk["logged"], "公有云", "本地部署"),
        }
    )
    frame.loc[folk["on_trial"], "上线日期"] = ""
    test: dict[str, dirt.Change] = {
        "企业ID": cycled(dirt.TEST_TENANTS),
        "客户编号": cycled(dirt.TEST_IDS),
        "企业简称": cycled(dirt.TEST_NAMES),
    }
    nobody: dict[str, dirt.Change] = {
        "企业ID": lambda rows: [f"{14:08x}{n:016x}" for n in range(len(rows))],
        "客户编号": "",
    }
    faults = (
        Fault("test_accounts", len(dirt.TEST_IDS) / len(folk), test),
        Fault("missing_customer", 0.003, nobody),
        again(rate=0.003),
    )
    return dirt.spoil(frame, "企业ID", faults, stream)


def usage(log: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """The usage log: one row a tenant, week and function."""
    frame = pd.DataFrame(
        {
            "企业ID": folk["tenant_id"].to_numpy()[log["customer"]],
            "日期": np.datetime_as_string(
                np.datetime64(START, "D") + log["day"].to_numpy().astype("timedelta64[D]")
            ),
            "活跃账号数": log["users"],
            "登录次数": log["logins"],
            "使用时长": log["minutes"],
            "功能点": log["function"],
            "使用次数": log["events"],
        }
    )
    faults = (
        Fault("test_accounts", 0.001, {"企业ID": cycled(dirt.TEST_TENANTS)}),
        Fault("unknown_customer", 0.0005, {"企业ID": f"{13:08x}{0:016x}"}),
        Fault("implausible_dates", 0.0002, {"日期": "1970-01-01"}),
        again(rate=0.001),
    )
    return dirt.spoil(frame, "企业ID 日期 功能点", faults, stream)


def signings(book: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """What was signed, as orders: tax included, one line a contract of the ledger."""
    at = book["customer"].to_numpy()
    frame = pd.DataFrame(
        {
            "销售订单编号": [f"DD{n:07d}" for n in range(1, len(book) + 1)],
            "合同编号": book["contract"],
            "客户编号": folk["customer_id"].to_numpy()[at],
            "客户名称": folk["name"].to_numpy()[at],
            "下单日期": [f"{when}" for when in dates(book["signed"].to_numpy())],
            "订单类型": book["kind"].to_numpy(),
            "产品名称": words.PRODUCT + " " + folk["edition"].to_numpy()[at],
            "数量": book["seats"].to_numpy(),
            "销售单价": yuan(book["amount"] // book["seats"]),
            "小计": yuan(book["amount"]),
            "负责人编码": folk["rep_id"].to_numpy()[at],
            "生命状态": "正常",
        }
    )
    faults = (
        Fault("voided", 0.006, {**numbered("销售订单编号", "DDZF"), "生命状态": "作废"}),
        Fault("repeated_lines", 0.004, {}),
        Fault("missing_customer", 0.002, {**numbered("销售订单编号", "DDWK"), "客户编号": ""}),
        Fault(
            "test_accounts",
            0.001,
            {
                **numbered("销售订单编号", "DDCS"),
                "客户编号": cycled(dirt.TEST_IDS),
                "客户名称": "测试客户",
            },
        ),
        Fault("after_as_of", 0.001, {**numbered("销售订单编号", "DDWL"), "下单日期": "2035-03-15"}),
    )
    return dirt.spoil(frame, "销售订单编号", faults, stream)


def invoices(bills: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """The list of invoices."""
    frame = pd.DataFrame(
        {
            "发票号": bills["invoice"],
            "开票日期": dates(bills["day"].to_numpy()),
            "到期日": dates(bills["due"].to_numpy()),
            "客户编号": folk["customer_id"].to_numpy()[bills["customer"]],
            "合同编号": bills["contract"],
            "价税合计": yuan(bills["amount"]),
        }
    )
    return dirt.spoil(frame, "发票号", (again(rate=0.003),), stream)


def payments(paid: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """The list of money received."""
    frame = pd.DataFrame(
        {
            "回款编号": paid["payment"],
            "回款日期": [f"{when:%Y/%m/%d}" for when in dates(paid["day"].to_numpy())],
            "客户编号": folk["customer_id"].to_numpy()[paid["customer"]],
            "发票号": paid["invoice"],
            "回款金额": yuan(paid["amount"]),
            "回款方式": np.array(["银行转账", "银行承兑汇票"])[
                (stream.random(len(paid)) < 0.12).astype(int)
            ],
            "款项类型": np.where(paid["advance"], "预收款", "应收款"),
        }
    )
    return dirt.spoil(frame, "回款编号", (again(rate=0.003),), stream)


def receivables(table: pd.DataFrame, folk: pd.DataFrame) -> pd.DataFrame:
    """The aged balance by customer, ending in a total row."""
    at = table["customer"].to_numpy()
    frame = pd.DataFrame(
        {
            "客户编号": folk["customer_id"].to_numpy()[at],
            "客户名称": folk["name"].to_numpy()[at],
            "部门": folk["region"].to_numpy()[at] + "大区",
            "业务员": folk["rep_id"].to_numpy()[at],
        }
    )
    sums = {"余额": table["balance"]} | {name: table[name] for name, _ in BUCKETS}
    frame = frame.assign(**{name: fen / 100 for name, fen in sums.items()})
    added = {name: int(fen.sum()) / 100 for name, fen in sums.items()}
    return dirt.total(dirt.keyed(frame, "客户编号"), "客户编号", added)


def controls(book: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Finance's monthly totals, and by how much they differ from the signings [fen].

    Two months are cut off two days early, one contract is not booked yet.
    """
    some = book[book["signed"] >= day(START.replace(year=2025, month=1, day=1))]
    when = pd.Series(dates(some["signed"].to_numpy()), index=some.index)
    own = when.map(lambda d: f"{d:%Y-%m}")
    after = when.map(lambda d: f"{d + timedelta(days=2):%Y-%m}")
    theirs = own.where(~own.isin(CUT_OFF), after)
    amount = some["amount"].copy()
    booked = amount[own == OMITTED]
    if len(booked):
        amount[booked.index[len(booked) // 2]] = 0
    ours = some["amount"].groupby(own).sum()
    found = amount.groupby(theirs).sum().reindex(sorted(set(own))).fillna(0).astype("int64")
    difference = {str(m): int(found[m] - ours[m]) for m in found.index if found[m] != ours[m]}
    frame = pd.DataFrame(
        {"月份": found.index, "口径": "签约·含税", "金额(元)": found.to_numpy() / 100}
    )
    return dirt.keyed(frame, "月份"), difference
