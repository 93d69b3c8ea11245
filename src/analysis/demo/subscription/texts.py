"""What visit notes and service tickets say: plain Chinese sentences with planted pains.

A sentence of `NOTES` or `TICKETS` carries the pain it stands below. ``{function}``, ``{days}``,
``{share}`` and ``{who}`` are filled in.
"""

from __future__ import annotations

PAINS: tuple[str, ...] = (
    "onboarding",
    "training",
    "stability",
    "response",
    "price",
    "integration",
)

# the words by which a pain can be found in a text; every sentence holds one of its own pain
MARKS: dict[str, tuple[str, ...]] = {
    "onboarding": ("上线", "实施进度", "基础数据没导"),
    "training": ("不会用", "没人用", "用不起来", "培训"),
    "stability": ("卡顿", "报错", "打不开", "闪退"),
    "response": ("没人回", "回复慢", "响应慢", "催了"),
    "price": ("价格", "预算", "报价", "便宜"),
    "integration": ("对接", "同步不过来", "接口"),
}

WHO: tuple[str, ...] = ("信息总监", "信息主管", "生产经理", "计划主管", "财务经理", "总经理")

NOTES: dict[str, tuple[str, ...]] = {
    "onboarding": (
        "{who}说合同签了{days}天还没上线，车间还在用表格，总经理已经问过两次。",
        "实施进度慢，{function}的基础数据没导完，{who}要求给出明确的排期。",
        "回访{who}，对方抱怨上线一拖再拖，顾问换了两位，{function}到现在没跑起来。",
    ),
    "training": (
        "{who}反映一线不会用{function}，活跃的就那么几个人，希望再做一次培训。",
        "客户换了一批计划员，{function}没人用，{who}说花了钱用不起来。",
        "{who}坦言{function}买了之后没人用，续费时要按实际账号数算。",
    ),
    "stability": (
        "{who}意见很大：月底{function}卡顿，打开一张单要等半分钟。",
        "{function}这个月报错{days}次，{who}要求书面说明原因。",
        "早班高峰期系统打不开，{who}说再有一次就上报总经理，考虑换系统。",
    ),
    "response": (
        "{who}说提的问题{days}天没人回，群里催了也没下文。",
        "客户抱怨客服回复慢，{function}的需求提了三次，响应慢，准备看看别家。",
        "拜访时{who}态度冷淡，说催了{days}天才等到回电。",
    ),
    "price": (
        "谈续费，{who}说今年预算砍了{share}个点，希望按去年的价再降一些。",
        "{who}拿了同行的报价来比，我们每个账号贵{share}个点，要求给说法。",
        "客户认可{function}，但预算没批下来，问有没有便宜一点的版本。",
    ),
    "integration": (
        "{who}希望{function}和他们的财务系统对接，现在每天手工导一遍。",
        "接口文档不全，{function}的数据同步不过来，{who}让我们派工程师到现场。",
        "客户上了新的仓储系统，{who}问接口什么时候能开放，不然要另找方案。",
    ),
}

NEUTRAL: tuple[str, ...] = (
    "例行回访{who}，{function}使用正常，没有新问题。",
    "线上演示{function}的新功能，{who}愿意让车间先试一个月。",
    "与{who}对了一遍账号清单，离职的已停用。",
    "季度回顾会，{who}认可数据准确率，下一步想把{function}推到二车间。",
    "确认联系人和开票资料，无变化。",
    "{who}介绍了扩产计划，明年新增一条线，账号会增加。",
    "陪同顾问到现场，{function}的报表格式按客户要求调好。",
    "节前问候{who}，约节后做一次使用情况盘点。",
)
TRIAL = "客户试用中，{who}看重{function}，等内部立项后再谈合同。"
PHONE = "联系电话{phone}，让直接打给他。"
MAIL = "资料发到{mail}。"

TICKETS: dict[str, tuple[str, ...]] = {
    "onboarding": (
        "{function}上线排期已过{days}天，请回复实施顾问什么时候到场。",
        "基础数据没导完，{function}无法启用，请安排处理。",
    ),
    "training": (
        "新来的计划员不会用{function}，请安排一次线上培训。",
        "{function}用不起来，车间只有两个人在录，请顾问指导。",
    ),
    "stability": (
        "{function}打不开，提示超时，影响当班报工。",
        "{function}保存时报错，已重启浏览器，问题依旧。",
        "手机端{function}闪退，本周第三次。",
    ),
    "response": (
        "{function}的问题提交{days}天没人回，请尽快联系。",
        "上次工单回复慢，催了{days}天才有人处理，要求指定专人。",
    ),
    "price": (
        "续费报价单与合同单价不一致，请核对。",
        "申请按实际使用账号数重新核定价格。",
    ),
    "integration": (
        "{function}与财务系统对接失败，单据同步不过来。",
        "接口返回为空，{function}的数据从昨天起没有更新。",
    ),
}
QUESTIONS: tuple[str, ...] = (
    "咨询{function}如何按班组设置权限。",
    "请提供{function}的操作手册最新版。",
    "申请导出{function}去年全年的数据。",
    "询问{function}是否支持扫码枪录入。",
    "申请停用两个离职员工的账号。",
)

COMMENTS: dict[str, tuple[str, ...]] = {
    "low": ("系统时好时坏，问题没人管。", "买了没用起来，不推荐。", "比刚买的时候差。"),
    "middle": ("够用，还有改进空间。", "功能可以，服务一般。", "希望报表更灵活。"),
    "high": ("省了不少人工，推荐给兄弟公司了。", "顾问很负责。", "排产准了，很满意。"),
}
