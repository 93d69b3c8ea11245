"""What the firm did and heard afterwards: measures, tasks, trials, surveys."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy.special import gammaincinv

from analysis.calendars import Period
from analysis.demo import chance, replies
from analysis.demo.cells import dates
from analysis.demo.kinds import START, day, rng
from analysis.demo.measures import MEASURES
from analysis.demo.workdays import workdays

WAVES = {"first": "第一批", "later": "第二批", "exempt": "不分批"}
TASKS: dict[str, tuple[str, ...]] = {
    "executive_visit": ("约定高层互访时间", "互访纪要和下一步发给客户"),
    "win_back_offer": ("电话问清停购原因", "发出回归优惠方案"),
    "product_trial": ("送试用件并确认安装", "收集试用数据"),
    "scheduled_reorder": ("确认下次补货时间",),
    "onboarding": ("首单后一周内回访", "介绍售后和对账窗口"),
    "key_account_care": ("发出季度业务报告", "开业务复盘会"),
    "solution_guidance": ("邀请参加线上研讨", "一对一操作指导"),
    "churn_enquiry": ("限时电话沟通", "查清流失原因"),
    "supply_assurance": ("关怀电话，确认供货",),
    "welcome": ("首单后回访",),
}
FINISHED = 0.9  # of the tasks of measures that were carried out
UNDONE = ("客户时间排不开", "人手不够", "客户暂无意向", "已并入其他拜访")
SURVEYS = (
    date(2024, 5, 20), date(2024, 11, 18), date(2025, 5, 19), date(2025, 9, 8),
    date(2025, 11, 17), date(2026, 3, 2), date(2026, 5, 18), date(2026, 9, 1), date(2026, 11, 16),
)  # fmt: skip
ASKED = 0.16  # share of the customers that answer a survey
WORDED = 0.07  # share of the ratings written as words
WORDS = {5: ("很满意", "5分", "非常满意"), 4: ("满意", "4分"), 3: ("一般", "3分"),
         2: ("不太满意", "2分"), 1: ("不满意", "1分")}  # fmt: skip


def treatments(assigned: pd.DataFrame, population: pd.DataFrame, period: str) -> pd.DataFrame:
    """Who got which measure in a period, and who was left to the next batch."""
    label = {measure.strategy: measure.label for measure in MEASURES}
    found = assigned[assigned["period"] == period].reset_index(drop=True)
    who = population.iloc[found["customer"].to_numpy()].reset_index(drop=True)
    treated = (found["arm"] == "treated").to_numpy()
    start = [f"{START + timedelta(days=int(d)):%Y.%m.%d}" for d in found["start"]]
    return pd.DataFrame(
        {
            "客户编号": who["customer_id"],
            "客户名称": who["name"],
            "动作": found["strategy"].map(label),
            "分组": np.where(treated, "已执行", "留到下一批"),
            "批次": found["wave"].map(WAVES),
            "开始日期": start,
            "费用(元)": found["cost"],
            "是否完成": np.where(found["done"], "是", "否"),
            "责任人编码": who["owner_id"],
            "_why": "",
            "_key": who["customer_id"] + "/" + found["strategy"],
        }
    )


def tasks(
    assigned: pd.DataFrame,
    population: pd.DataFrame,
    period: Period,
    mark: str,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """The tasks that the measures of a period gave the sales force, with what became of them."""
    found = assigned[(assigned["period"] == period.name) & (assigned["arm"] == "treated")]
    number = found["strategy"].map(lambda s: len(TASKS[s])).to_numpy(dtype=np.int64)
    row = np.repeat(np.arange(len(found)), number)
    step = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    found = found.iloc[row].reset_index(drop=True)
    size = len(found)
    who = population.iloc[found["customer"].to_numpy()].reset_index(drop=True)
    due = workdays(found["start"].to_numpy() + 9 + 12 * step)
    done = found["done"].to_numpy() & (stream.random(size) < FINISHED)
    closed = workdays(np.minimum(due + stream.integers(-6, 8, size), day(period.end)))
    moved = ~done & (stream.random(size) < 0.35)
    why = np.array(UNDONE)[stream.integers(len(UNDONE), size=size)]
    task_id = [f"RW{period.name[2:]}{mark}{n:05d}" for n in range(1, size + 1)]
    return pd.DataFrame(
        {
            "任务编号": task_id,
            "客户编号": who["customer_id"],
            "客户名称": who["name"],
            "任务": [TASKS[s][n] for s, n in zip(found["strategy"], step, strict=True)],
            "责任人编码": who["owner_id"],
            "最迟": dates(due),
            "状态": np.where(done, "已完成", np.where(moved, "改期", "未完成")),
            "完成日期": np.where(done, dates(closed), ""),
            "未完成原因": np.where(done, "", why),
            "_why": "",
            "_key": task_id,
        }
    )


def outcomes(assigned: pd.DataFrame, population: pd.DataFrame, seed: int) -> pd.DataFrame:
    """What the trials showed: a customer and indicator a row."""
    tried = assigned[(assigned["strategy"] == "product_trial") & assigned["done"]]
    trial = np.nonzero((population["kind"] == "trial").to_numpy())[0]
    customer = np.unique(np.concatenate([tried["customer"].to_numpy(), trial]))
    who = population.iloc[customer]
    ids = who["customer_id"]
    faulty = 0.012 * gammaincinv(1.2, chance.uniform(ids, seed, "faults on trial"))
    values = {
        "试用天数": chance.whole(ids, seed, "days on trial", 10, 60),
        "试用合格率": np.round(1 - faulty.clip(0, 0.3), 3),
        "试用评分": chance.whole(ids, seed, "score of the trial", 3, 6),
        "转正采购": (chance.uniform(ids, seed, "bought after trial") < 0.35).astype(np.int64),
    }
    parts = [
        pd.DataFrame(
            {
                "客户编号": ids.to_numpy(),
                "客户名称": who["name"].to_numpy(),
                "指标": name,
                "数值": value.astype(object),
            }
        )
        for name, value in values.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.sort_values(["客户编号"], kind="stable", ignore_index=True)
    return frame.assign(_why="", _key=frame["客户编号"] + "/" + frame["指标"])


def surveys(
    population: pd.DataFrame,
    products: pd.DataFrame,
    today: int,
    mark: str,
    seed: int,
) -> pd.DataFrame:
    """Answers to the surveys so far: would recommend (0-10), content (1-5, some in words)."""
    done = [begin for begin in SURVEYS if day(begin) <= today]
    parts = [_survey(population, products, begin, rng(seed, f"survey {begin}")) for begin in done]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.sort_values(["日期", "客户编号"], kind="stable", ignore_index=True)
    number = [f"WJ{mark}{n:06d}" for n in range(1, len(frame) + 1)]
    frame.insert(0, "问卷编号", number)
    return frame.assign(_key=number)


def _survey(
    population: pd.DataFrame, products: pd.DataFrame, begin: date, stream: np.random.Generator
) -> pd.DataFrame:
    """The answers to one survey; they come in within three weeks."""
    joined = np.array([(d - START).days for d in population["joined"]])
    here = (joined < day(begin)) & (population["until"].to_numpy() > day(begin) - 200)
    # whoever comes later was never asked and changes no answer
    asked = np.nonzero(here)[0]
    customer = asked[stream.random(len(asked)) < ASKED]
    total = len(customer)
    kind = population["kind"].to_numpy()[customer]
    low = np.isin(kind, ["declining", "lapsed", "turned"])
    mood = 4.25 - 1.1 * low + stream.normal(0, 0.75, total)
    rating = np.clip(np.round(mood), 1, 5).astype(np.int64)
    nps = np.clip(np.round(2.35 * mood - 1.6 + stream.normal(0, 1.1, total)), 0, 10).astype(int)
    when = dates(workdays(day(begin) + stream.integers(0, 21, total)))
    level = np.where(rating <= 2, "low", np.where(rating == 3, "middle", "high"))
    drawn = stream.random((4, total))
    bought = population[["portfolio_0", "portfolio_1"]].to_numpy()[customer]
    named = products["name"].to_numpy()[bought]
    comment = [
        replies.COMMENTS[k][int(u * len(replies.COMMENTS[k]))].format(
            product=a, other=b, days=3 + int(15 * d)
        )
        for k, (a, b), u, d in zip(level, named, drawn[0], drawn[1], strict=True)
    ]
    worded = drawn[2] < WORDED
    said: list[object] = [
        WORDS[r][int(u * len(WORDS[r]))] if w else r
        for r, w, u in zip(rating.tolist(), worded, drawn[3], strict=True)
    ]
    who = population.iloc[customer]
    return pd.DataFrame(
        {
            "客户编号": np.repeat(who["customer_id"].to_numpy(), 2),
            "客户名称": np.repeat(who["name"].to_numpy(), 2),
            "日期": np.repeat(when, 2),
            "题目": np.tile(["NPS", "满意度"], total),
            "打分": pd.Series([v for pair in zip(nps.tolist(), said, strict=True) for v in pair],
                            dtype=object),
            "评价": [v for text in comment for v in (text, "")],
            "_why": "",
            "_flaw": [v for w in worded for v in ("", "worded_score" if w else "")],
        }
    )  # fmt: skip
