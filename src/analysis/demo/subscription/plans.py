"""The files of the plan: measures and their outcomes, tasks, targets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo.subscription import dirt, words
from analysis.demo.subscription.kinds import Quarter, dates
from analysis.demo.subscription.measures import change
from analysis.demo.subscription.measures import outcomes as seen
from analysis.demo.subscription.world import World
from analysis.demo.workdays import workdays

TASKS: dict[str, tuple[str, ...]] = {
    "proactive_care": ("电话了解使用情况", "给出改进清单", "确认续费意向"),
    "onboarding": ("确定上线排期", "导入基础数据", "现场培训"),
    "expansion": ("发送用量报告", "提交增购方案"),
}


def treatments(world: World, quarter: Quarter) -> pd.DataFrame:
    """Who got which measure, and who was left to the next batch."""
    rows = world.assigned[world.assigned["period"] == quarter.name]
    treated = (rows["arm"] == "treated").to_numpy()
    frame = pd.DataFrame(
        {
            "客户编号": world.folk["customer_id"].to_numpy()[rows["customer"]],
            "客户名称": world.folk["name"].to_numpy()[rows["customer"]],
            "动作": rows["strategy"].map(words.MEASURES).to_numpy(),
            "分组": np.where(treated, "已执行", "留到下一批"),
            "批次": np.where(treated, "第一批", "第二批"),
            "开始日期": [f"{when:%Y.%m.%d}" for when in dates(rows["start"].to_numpy())],
            "费用(元)": rows["cost"].to_numpy(),
            "是否完成": np.where(rows["done"], "是", "否"),
        }
    )
    return dirt.keyed(frame, "客户编号 动作")


def outcomes(world: World, quarter: Quarter) -> pd.DataFrame:
    """What came of it, as it looked on the last evening: its own outcome, and the yearly fee."""
    rows = world.assigned[world.assigned["period"] == quarter.name]
    strategy = rows["strategy"].to_numpy()
    found = seen(world.book, world.terms, rows, quarter)
    own = {
        words.OUTCOMES[name]: np.where(strategy == name, values.astype(object), "")
        for name, values in found.items()
    }
    gained = change(world.book, quarter, len(world.folk))[rows["customer"]]
    frame = pd.DataFrame(
        {
            "客户编号": world.folk["customer_id"].to_numpy()[rows["customer"]],
            "动作": rows["strategy"].map(words.MEASURES).to_numpy(),
            **own,
            "年费净增(元)": gained / 100,
        }
    )
    return dirt.keyed(frame, "客户编号")


def tasks(world: World, quarter: Quarter) -> pd.DataFrame:
    """The tasks of the measures, with what the teams wrote down."""
    stream = world.stream(f"tasks {quarter.name}")
    here = (world.assigned["period"] == quarter.name) & (world.assigned["arm"] == "treated")
    rows = world.assigned[here]
    number = rows["strategy"].map({s: len(t) for s, t in TASKS.items()}).to_numpy()
    row = np.repeat(np.arange(len(rows)), number)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    some = rows.iloc[row]
    done = some["done"].to_numpy() & (stream.random(len(row)) < 0.93)
    moved = stream.random(len(row)) < 0.4
    when = workdays(some["start"].to_numpy() + 4 + 12 * nth + stream.integers(0, 6, len(row)))
    done &= when <= quarter.last
    due = workdays(some["start"].to_numpy() + 9 + 12 * nth)
    at = some["customer"].to_numpy()
    title = [TASKS[s][n] for s, n in zip(some["strategy"], nth, strict=True)]
    finished = [str(d) if ok else "" for d, ok in zip(dates(when), done, strict=True)]
    frame = pd.DataFrame(
        {
            "任务编号": [f"RW{quarter.name}-{n:04d}" for n in range(1, len(row) + 1)],
            "客户编号": world.folk["customer_id"].to_numpy()[at],
            "任务": title,
            "责任人": world.folk["csm_id"].to_numpy()[at],
            "最迟": dates(np.minimum(due, quarter.last)),
            "状态": np.where(done, "已完成", np.where(moved, "改期", "未完成")),
            "完成日期": finished,
        }
    )
    return dirt.keyed(frame, "任务编号")


def targets(signed: dict[str, int], closing: int) -> pd.DataFrame:
    """The year's targets.

    Parameters
    ----------
    signed
        Money signed in the quarters of the last year [fen], by name.
    closing
        Recurring revenue on the last day [fen].
    """
    stretch = (1.0, 1.03, 1.05)
    goals = {
        name: round(fen / 1e6 * factor / 50) * 50
        for factor, (name, fen) in zip(stretch, sorted(signed.items()), strict=True)
    }
    goals["2025"] = round(sum(goals.values()) * 4 / 3 / 100) * 100
    last = max(signed)
    rows: list[tuple[str, str, object, str]] = [
        ("签约金额", name, f"{goal:,}万", "元") for name, goal in goals.items()
    ]
    rows += [
        ("期末ARR", last, f"{round(closing / 1e6 * 1.01 / 50) * 50:,}万", "元"),
        ("金额续费率", last, 0.88, "比率"),
        ("客户续费率", last, 0.85, "比率"),
        ("净收入留存率", last, 0.99, "比率"),
        ("90天上线率", last, 0.80, "比率"),
        ("客户覆盖率", last, 0.60, "比率"),
        ("满意度", last, 3.9, "分"),
    ]
    frame = pd.DataFrame(rows, columns=["指标", "期间", "目标值", "单位"])
    frame.insert(2, "客户类型", "全部")
    return dirt.keyed(frame, "指标 期间")
