"""No empty boxes: the project's own font draws every character that it prints."""

from __future__ import annotations

import hashlib

import pytest

from analysis import wording
from analysis.exhibits import fonts, look


@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_the_font_has_every_character_of_the_catalogues(lang: wording.Language) -> None:
    from analysis.wording import catalogue

    text = "".join(catalogue._catalogue(lang).values())
    assert fonts.missing(text) == set()


def test_the_font_has_the_signs_of_numbers() -> None:
    assert fonts.missing("0123456789,.%+−–～／（）→×÷·▲▼●○…") == set()


def test_a_missing_glyph_is_an_error_not_a_box() -> None:
    with (
        pytest.raises(UserWarning, match="missing"),
        look.board(20, 10) as (figure, axes),
    ):
        axes.text(1, 5, "\U00013000")
        look.to_svg(figure)


def test_a_rare_character_of_a_name_is_replaced_in_figures() -> None:
    assert fonts.drawable("甲\U00013000乙") == "甲□乙"


def test_a_subset_is_small_and_always_the_same() -> None:
    first = fonts.subset_woff(["客户经营季报", "2025"])
    second = fonts.subset_woff(["2025客户经", "营季报"])
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    assert first[:4] == b"wOFF"
    assert len(first) < 20_000
