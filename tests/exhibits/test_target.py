"""The chapter on target and actual."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.exhibits import target, waterfall
from analysis.exhibits.effect_facts import MOST_MEMBERS
from tests.exhibits import effect_sample, sample


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_begins_with_the_goals_and_its_heading(lang: str) -> None:
    book = effect_sample.book(lang)
    first, *rest = target.target(book)
    assert first.id == "tbl-goals"
    assert first.heading == book.text("exhibits.chapter.target")
    assert not any(one.heading for one in rest)


def test_a_record_without_goals_and_gaps_has_no_such_chapter() -> None:
    assert target.target(sample.book()) == []


def test_goals_keep_the_order_of_the_settings_and_say_what_few_customers_cannot_show() -> None:
    shown = target.goals(effect_sample.book())
    assert shown.plain.index("流失率") < shown.plain.index("复购率")
    assert "不高于 10.0%" in shown.plain
    assert "189" in shown.plain  # customers that it would take
    assert "● 关注" in shown.plain
    assert "▲ 达标" in shown.plain


def test_the_title_names_what_weighs_most() -> None:
    book = effect_sample.book()
    text = "\n".join(one.plain for one in target.target(book))
    assert "产品结构拖累最大（−940 万元）" in text
    assert "华东差得最多（−500 万元）" in text
    assert "逾期增到 2,400" in text


def test_a_walk_adds_up_and_shows_its_steps_from_base_to_actual() -> None:
    book = effect_sample.book()
    for split in effect_sample.SPLITS:
        rows = effect_sample.gaps().query("split == @split")
        parts = target._parts(book, split, rows)
        assert (parts[0].step, parts[-1].step) == ("base", "actual")
        amounts = [book.value(f"gap.{split}.{p.step}.amount") or 0.0 for p in parts]
        assert sum(amounts[:-1]) == pytest.approx(amounts[-1])


def test_a_single_walk_is_drawn_for_the_whole_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn for half of it, it would be blown up to twice its letters."""
    drawn: list[float] = []
    whole = waterfall.draw

    def draw(*args: Any, width: float, **options: Any) -> Any:
        drawn.append(width)
        return whole(*args, width=width, **options)

    monkeypatch.setattr(waterfall, "draw", draw)
    tables = effect_sample.book().tables
    gaps = tables["gaps"]
    target.target(effect_sample.book())
    assert set(drawn) == {target.WIDTH}
    one = gaps[gaps["split"] == gaps["split"].iloc[0]]
    target.target(sample.book("zh", {**tables, "gaps": one}))
    assert drawn[-1] == target.ALONE


def test_of_many_members_the_rest_is_one_step() -> None:
    book = effect_sample.book()
    rows = effect_sample.gaps().query("split == 'region'")
    steps = [part.step for part in target._parts(book, "region", rows)]
    assert "rest" in steps
    assert len(set(steps) - {"base", "ambition", "actual"}) == MOST_MEMBERS


def test_what_the_target_asked_is_neither_good_nor_bad() -> None:
    rows = effect_sample.gaps().query("split == 'price'")
    kinds = {p.step: p.kind for p in target._parts(effect_sample.book(), "price", rows)}
    assert kinds["ambition"] == "neutral"
    assert (kinds["volume"], kinds["mix"]) == ("plus", "minus")


def test_newly_overdue_is_unfavourable_and_collected_is_not() -> None:
    rows = effect_sample.gaps().query("split == 'collection'")
    kinds = {p.step: p.kind for p in target._parts(effect_sample.book(), "collection", rows)}
    assert (kinds["newly_overdue"], kinds["collected"]) == ("minus", "plus")
