"""One company, two systems: numbers of the CRM, codes of the ERP, and how each writes the name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo import chance, words
from analysis.demo.blocks import Block
from analysis.demo.kinds import START, rng

# what the ERP's documents call a customer: its code, or, were both systems one, the CRM's number
ORDERS_BY = "code"  # "code" or "number"
UNMATCHED = "unmatched_key"  # the ERP's code leads to no customer of the CRM
STRANGER = UNMATCHED if ORDERS_BY == "code" else "unknown_customer"

TEST_IDS = ("KH990001", "KH990002", "KH990003", "KH990004")
TEST_CODES = ("0199000001", "0199000002", "0199000003", "0199000004")
STRANGE_IDS = ("KH900001", "KH900002", "KH900003")
STRANGE_CODES = ("0101900001", "0202900002", "0301900003")
STRANGE_NAMES = (
    "零星客户（现款）",
    "展会现场销售",
    "废料处理",
)  # what the ERP books without a customer
OTHER_NAMES = 0.05  # share of the names that the ERP writes otherwise
TERMS = 30  # days, of whom nobody agreed anything with

# letters and digits of a social credit code and their weights: GB 32100-2015
_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = np.array([3**n % 31 for n in range(17)])
NOWHERE = "91990000MA"  # 99 is no province, so that the code is nobody's


def accounts(population: pd.DataFrame, block: Block) -> pd.DataFrame:
    """Everybody the ERP may send goods to.

    Parameters
    ----------
    population
        The customers under the names of the CRM: see `listed_names`.
    block
        Which customers of a large company these are.

    Returns
    -------
    DataFrame
        The customers row for row as `population`, then those without a number in the CRM, then
        the test accounts: ``code, number, name, owner_id, team_id, terms`` [days], ``pays_after``
        [days after due], ``kind`` (``stranger`` and ``test`` for the last ones).
    """
    real = pd.DataFrame(
        {
            "code": erp_codes(population, block.before),
            "number": population["customer_id"],
            "name": population["name"],
            "owner_id": population["owner_id"],
            "team_id": population["team_id"],
            "terms": population["terms"],
            "pays_after": population["pays_after"],
            "kind": population["kind"],
        }
    )
    # what belongs to nobody is booked under codes of each block's own
    strange = tuple(f"{code[:5]}{block.mark or '00'}{code[-3:]}" for code in STRANGE_CODES)
    strangers = _more(strange, STRANGE_IDS, STRANGE_NAMES, "stranger", population)
    tests = _more(TEST_CODES, TEST_IDS, ("测试客户",) * len(TEST_IDS), "test", population)
    return pd.concat([real, strangers, tests], ignore_index=True)


def _more(
    codes: tuple[str, ...],
    numbers: tuple[str, ...],
    names: tuple[str, ...],
    kind: str,
    population: pd.DataFrame,
) -> pd.DataFrame:
    first = population.iloc[0]
    own = {"owner_id": first["owner_id"], "team_id": first["team_id"], "kind": kind}
    frame = pd.DataFrame({"code": codes, "number": numbers, "name": names})
    return frame.assign(terms=TERMS, pays_after=0, **own)


def erp_codes(population: pd.DataFrame, before: int) -> np.ndarray:
    """Region, class, running number in the order in which the customers came: ten digits.

    `before` is the number of customers of the blocks before, who have the smaller numbers.
    """
    size = len(population)
    came = np.lexsort((np.arange(size), population["joined"].to_numpy()))
    running = np.empty(size, dtype=np.int64)
    running[came] = before + np.arange(1, size + 1)
    need = population["need"].map({name: n for n, name in enumerate(words.NEEDS, start=1)})
    regions = {name: n for n, name in enumerate(words.REGIONS, start=1)}
    region = population["region"].map(regions)
    parts = zip(region.tolist(), need.tolist(), running.tolist(), strict=True)
    return np.array([f"{r:02d}{c:02d}{n:06d}" for r, c, n in parts], dtype=object)


def listed_names(population: pd.DataFrame) -> np.ndarray:
    """Names in the CRM: a duplicate stands there under a variant of its company's name."""
    names = population["name"].to_numpy().astype(object)
    same = population["same_as"].to_numpy()
    for row in np.nonzero(same >= 0)[0].tolist():
        original = population.iloc[int(same[row])]
        names[row] = variant(
            str(original["name"]), str(original["city"]), str(original["industry"]), row
        )
    return names


def variant(name: str, city: str, industry: str, which: int) -> str:
    """Another way to write the same name, one of four."""
    short = name.removesuffix("有限公司")
    brand, trade = short[len(city) : len(city) + 2], short[len(city) + 2 :]
    latin = "".join(words.LATIN[letter] for letter in brand).capitalize()
    english = words.ENGLISH.get(industry, "Industrial")
    return (
        short,
        f"{brand}{trade}（{city}）有限公司",
        short.removeprefix(city),
        f"{words.LATIN_CITIES[city]} {latin} {english} Co., Ltd.",
    )[which % 4]


def credit_codes(population: pd.DataFrame) -> np.ndarray:
    """Social credit codes with a right check letter; a duplicate carries its company's."""
    same = population["same_as"].to_numpy()
    row = np.where(same >= 0, same, np.arange(len(population)))
    own = population["customer_id"].str.removeprefix("KH").astype(np.int64).to_numpy()
    found = []
    for number in own[row].tolist():
        body = f"{NOWHERE}{(number * 7919 + 104729) % 10**7:07d}"
        letters = np.array([_LETTERS.index(c) for c in body])
        found.append(body + _LETTERS[(31 - int(letters @ _WEIGHTS) % 31) % 31])
    return np.array(found, dtype=object)


def archive(
    population: pd.DataFrame,
    known: pd.DataFrame,
    staff: pd.DataFrame,
    block: Block,
) -> pd.DataFrame:
    """The ERP's customer file: the bridge between the two systems.

    Parameters
    ----------
    known
        As `accounts` gives them.
    block
        Which customers these are: the first block's file holds the test accounts.
    """
    size, total = len(population), len(known)
    parent = population["parent"].to_numpy()
    code = known["code"].to_numpy()
    name = known["name"].to_numpy().astype(object)
    handed = block.known(0)  # names written otherwise stand among those of the hand-over
    few = max(3, round(OTHER_NAMES * handed))
    otherwise = np.sort(rng(block.seed, "archive").choice(handed, size=few, replace=False))
    drawn = chance.whole(population["customer_id"], block.seed, "name in the ERP", 0, 4)
    flaw = np.full(total, "", dtype=object)
    for row in otherwise.tolist():
        name[row] = _erp_name(str(name[row]), str(population["city"].iloc[row]), int(drawn[row]))
        flaw[row] = "name_variant"
    kind = known["kind"].to_numpy()
    number = known["number"].to_numpy().astype(object)
    number[kind == "stranger"] = ""
    limit = np.round(np.clip(population["yearly"].to_numpy() * 0.25, 2e4, None), -4)
    rest = total - size

    def filled(values: object, other: object) -> np.ndarray:
        return np.concatenate([np.asarray(values, dtype=object), np.full(rest, other, object)])

    people = staff.set_index("person_id")["name"]
    teams = staff.drop_duplicates("team_id").set_index("team_id")["team"]
    joined = [f"{d:%Y-%m-%d}" for d in population["joined"]]
    frame = pd.DataFrame(
        {
            "客户编码": code,
            "客户名称": name,
            "客户简称": [str(n).removesuffix("有限公司") for n in name],
            "所属分类": filled(population["need"], "其他"),
            "所属地区": filled(population["region"], "其他"),
            "所属行业": filled(population["industry"], ""),
            "税号": filled(credit_codes(population), ""),
            "客户总公司": filled(np.where(parent >= 0, code[parent], code[:size]), ""),
            "开票单位": filled(np.where(parent >= 0, code[parent], code[:size]), ""),
            "分管部门": known["team_id"].map(teams),
            "专管业务员": known["owner_id"].map(people),
            "信用等级": filled(population["tier"], ""),
            "信用额度": filled(limit.astype(np.int64), 0),
            "信用期限": known["terms"].astype(np.int64),
            "付款条件": [f"月结{int(t)}天" for t in known["terms"]],
            "发展日期": filled(joined, f"{START:%Y-%m-%d}"),
            "停用日期": "",
            "CRM客户编号": number,
            "_why": np.where(
                kind == "stranger",
                "missing_customer",
                np.where(kind == "test", "test_accounts", ""),
            ),
            "_key": code,
            "_flaw": flaw,
        }
    )
    # who has only tried the goods was never opened in the ERP
    listed = (kind != "trial") & ((kind != "test") | (block.index == 0))
    order = np.argsort(code[listed].astype(str), kind="stable")
    return pd.DataFrame(frame[listed]).iloc[order].reset_index(drop=True)


def _erp_name(name: str, city: str, which: int) -> str:
    """As the accountants typed it."""
    return (
        name.removesuffix("有限公司"),
        name.replace("有限公司", "有限责任公司"),
        f"{name[: len(city)]}　{name[len(city) :]}",
        f"{name}({city})",
    )[which % 4]
