"""Files: names, headers, formats, the same bytes, what is refused."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import analysis
from analysis import cli
from analysis.demo import subscription
from analysis.errors import ResourceError, SettingsError

HEADERS = {
    "客户.xlsx": (
        "客户编号 客户名称 客户级别 客户类型 来源 1级行业 员工人数 人员规模 销售大区 "
        "省 市 电话 成交状态 最后一次成交时间 最后一次成交金额 最后跟进时间 "
        "统一社会信用代码 上级客户 负责人编码 归属部门编码 是否试用 创建时间 "
        "生命状态"
    ),
    "联系人.csv": (
        "联系人编号 客户编号 客户名称 姓名 职务 部门 角色 影响力 态度 是否关键决策人 手机 邮件"
    ),
    "人员.csv": "员工编号 姓名 岗位 部门编码 部门 直属上级编号 每季拜访能力（次）",
    "跟进记录.csv": "记录编号 关联客户编号 互动类型 互动时间 创建人编码 跟进内容",
    "客服工单.xlsx": (
        "工单编号 客户编号 客户名称 问题类型 紧急程度 问题描述 受理时间 首次响应时间 "
        "完成时间 满意度"
    ),
    "满意度调查.csv": "答卷编号 客户编号 日期 题目 打分 评价",
    "外部信号.csv": "信号编号 客户编号 发现日期 信号类型 内容",
    "股权与伙伴关系.csv": "客户编号 关联客户编号 关系 持股比例",
    "合同台账.xlsx": (
        "合同编号 客户编号 客户名称 产品/版本 合同类型 账号数 合同金额 年费(ARR) "
        "签订日期 起始日期 到期日期 续费状态 续费合同号 原合同号 主合同号 增购金额 "
        "流失原因 是否自动续费 CSM 销售"
    ),
    "开通表.csv": "企业ID 客户编号 企业简称 开通账号数 开通日期 上线日期 部署方式",
    "使用日志.csv": "企业ID 日期 活跃账号数 登录次数 使用时长 功能点 使用次数",
    "签约订单.csv": (
        "销售订单编号 合同编号 客户编号 客户名称 下单日期 订单类型 产品名称 数量 "
        "销售单价 小计 负责人编码 生命状态"
    ),
    "开票记录.csv": "发票号 开票日期 到期日 客户编号 合同编号 价税合计",
    "回款单列表.csv": "回款编号 回款日期 客户编号 发票号 回款金额 回款方式 款项类型",
    "应收账龄_2025-03-31.xlsx": "",
    "应收账龄_2025-06-30.xlsx": "",
    "应收账龄_2025-09-30.xlsx": (
        "客户编号 客户名称 部门 业务员 余额 账期内 1-30 31-60 61-90 91-180 181-360 360以上"
    ),
    "财务月报.xlsx": "月份 口径 金额(元)",
    "销售线索.xlsx": (
        "线索编号 公司 来源 线索阶段 创建时间 转换时间 转换客户编号 转换商机编号 "
        "线索无效原因 负责人"
    ),
    "商机.xlsx": (
        "商机编号 商机名称 客户编号 客户名称 商机类型 商机金额 预计成交日期 商机阶段 "
        "商机状态 结单日期 赢率 丢单原因 负责人 创建时间"
    ),
    "商机阶段记录.csv": "商机编号 阶段 进入时间",
    "报价单.csv": "报价单号 行号 商机编号 客户编号 报价日期 产品/版本 数量 报价单价 标准价",
    "市场活动.csv": "活动编号 活动名称 开始日期 费用(元)",
    "上季动作.csv": "客户编号 客户名称 动作 分组 批次 开始日期 费用(元) 是否完成",
    "动作_2025Q2.csv": "",
    "目标.xlsx": "指标 期间 客户类型 目标值 单位",
    "动作结果_2025Q2.csv": "客户编号 动作 是否续费 九十天内上线 增购账号数 年费净增(元)",
    "任务_2025Q2.csv": "任务编号 客户编号 任务 责任人 最迟 状态 完成日期",
    "动作结果_2025Q3.csv": "",
    "任务_2025Q3.csv": "",
}
TRUTH = [
    "customers.parquet", "dirt.parquet", "effects.parquet", "links.parquet", "renewals.parquet",
    "texts.parquet", "summary.json",
]  # fmt: skip


def digest(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_returns_what_it_wrote(tmp_path):
    written = subscription.write(tmp_path / "new" / "folder", customers=50, seed=3)
    names = [p.relative_to(tmp_path / "new" / "folder").as_posix() for p in written]
    assert names == [*HEADERS, *(f"truth/{name}" for name in TRUTH)]
    assert sorted(digest(tmp_path / "new" / "folder")) == sorted(names)


@pytest.mark.parametrize("name", [name for name, headers in HEADERS.items() if headers])
def test_headers_and_rows(raw, summary, name):
    frame = raw(name)
    assert list(frame.columns) == HEADERS[name].split(" ")
    assert len(frame) == summary["rows"][name] > 0


def test_same_seed_same_bytes(vendor, tmp_path):
    subscription.write(tmp_path)
    assert digest(tmp_path) == digest(vendor)


def test_same_bytes_in_another_process(small, tmp_path):
    code = (
        "import sys, pathlib; from analysis.demo import subscription; "
        "subscription.write(pathlib.Path(sys.argv[1]), customers=60)"
    )
    source = str(Path(analysis.__path__[0]).parent)
    environment = {"PYTHONHASHSEED": "77", "TZ": "America/Lima", "LC_ALL": "C"}
    environment = {**os.environ, **environment, "PYTHONPATH": source}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, check=True)
    assert digest(tmp_path) == digest(small)


def test_another_seed_another_vendor(small, tmp_path):
    subscription.write(tmp_path, customers=60, seed=1)
    ours, theirs = digest(small), digest(tmp_path)
    assert [n for n in ours if ours[n] == theirs[n]] == ["人员.csv", "市场活动.csv"]


def test_encodings(vendor):
    assert (vendor / "人员.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert (vendor / "使用日志.csv").read_bytes().startswith("企业ID".encode())
    with pytest.raises(UnicodeDecodeError):
        (vendor / "签约订单.csv").read_bytes().decode("utf-8")


def test_refuses_what_it_cannot_make(tmp_path):
    with pytest.raises(SettingsError) as refused:
        subscription.write(tmp_path, customers=3, seed=-1)
    keys = [problem.key for problem in refused.value.problems]
    assert keys == ["demo.customers_range", "demo.seed_negative"]
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError):
        subscription.write(tmp_path / "file", customers=50)


def command(monkeypatch, *args: str) -> int:
    monkeypatch.setattr(sys, "argv", ["analysis", "demo", *args])
    with pytest.raises(SystemExit) as done:
        cli.main()
    return int(done.value.code or 0)


def test_the_command_line_chooses_the_kind(monkeypatch, tmp_path, capsys):
    folder = tmp_path / "vendor"
    asked = ("--kind", "subscription", "--customers", "50", "--seed", "3")
    assert command(monkeypatch, str(folder), *asked) == 0
    assert (folder / "合同台账.xlsx").as_posix() in capsys.readouterr().out
    assert command(monkeypatch, str(tmp_path / "maker"), "--customers", "50") == 0
    assert not (tmp_path / "maker" / "合同台账.xlsx").exists()


def test_an_unknown_kind_is_refused(monkeypatch, tmp_path, capsys):
    assert command(monkeypatch, str(tmp_path), "--kind", "bakery") == 2
    said = capsys.readouterr().err
    assert "--kind" in said
    assert "'trade', 'subscription'" in said
    assert not list(tmp_path.iterdir())
