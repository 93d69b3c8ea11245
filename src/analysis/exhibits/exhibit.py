"""An exhibit: one block of the report as a MIME bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from IPython.display import display

from analysis.exhibits.markup import Rich, tag

BLOCK = "application/vnd.analysis.block+json"
# Stands in the full edition alone; see `show`.
FULL_ONLY = 9
NOTEBOOK = "notebook"  # page of what stays in the notebook and is no part of a report


@dataclass(frozen=True)
class Exhibit:
    """One block: HTML, Markdown and plain text of the same content.

    Attributes
    ----------
    id
        Name of the block, ``fig-…``, ``tbl-…`` or ``txt-…``.
    html, markdown, plain
        The content. `html` is safe: it comes from `analysis.exhibits.markup` alone.
    caption
        Its title as plain text.
    alt
        What a reader who cannot see it is told; empty for text.
    page
        Page it stands on; consecutive exhibits of a page share one sheet.
    heading
        Chapter that begins with it, as plain text; empty within a chapter.
    height
        About how tall it prints [mm]; pages are filled by it.
    spare
        How easily the leadership edition does without it; 0: never. See `show`.
    about
        What the page furniture needs (title, basis, report id); only on the cover.
    """

    id: str
    html: str
    markdown: str
    plain: str
    caption: str = ""
    alt: str = ""
    page: str = ""
    heading: str = ""
    height: float = 0.0
    spare: int = 0
    about: Mapping[str, str] = field(default_factory=dict)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": self.plain,
            "text/markdown": self.markdown,
            "text/html": self.html,
            BLOCK: {
                "id": self.id,
                "page": self.page,
                "heading": self.heading,
                "caption": self.caption,
                "alt": self.alt,
                "height": self.height,
                **({"spare": self.spare} if self.spare else {}),
                **({"about": dict(self.about)} if self.about else {}),
            },
        }


def show(*exhibits: Exhibit | None, spare: int = 0) -> None:
    """Display the exhibits; None (nothing to say) is left out.

    Parameters
    ----------
    spare
        Where the leadership edition has too many pages, it leaves out what has the highest
        number first, until it fits; 0 always stays. ``FULL_ONLY`` stands in the full edition
        alone.
    """
    for exhibit in exhibits:
        if exhibit is not None:
            display(replace(exhibit, spare=spare))  # type: ignore[no-untyped-call]


def text_block(id_: str, *pieces: Rich, page: str, class_: str, caption: str = "") -> Exhibit:
    """Paragraphs as an exhibit."""
    return Exhibit(
        id_,
        str(tag("section", *(tag("p", piece) for piece in pieces), class_=class_, id=id_)),
        "\n\n".join(piece.markdown for piece in pieces),
        "\n".join(piece.plain for piece in pieces),
        caption=caption,
        page=page,
    )
