"""Facts, figures, tables and sentences as a reader sees them.

A notebook opens a `Book` over the record and shows exhibits, each an HTML, Markdown and plain
text of the same content. Nothing is computed here: numbers are facts (`collect`).
Modules are imported one by one, so that a notebook loads only the figures it draws.
"""
