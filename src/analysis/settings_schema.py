"""The JSON schema of a period file, for editors that complete and check as one types."""

from __future__ import annotations

from typing import Any

from analysis.settings_model import Settings
from analysis.tables import INPUT


def schema() -> dict[str, Any]:
    """The schema of `analysis.settings_model.Settings`, with the names of tables and columns."""
    made: dict[str, Any] = Settings.model_json_schema(by_alias=True)
    properties = made["properties"]
    properties["extends"] = {
        "description": "files that this one builds on; later wins",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    source = {"$ref": "#/$defs/Source"}
    properties["sources"] = {
        "description": properties["sources"]["description"],
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {
                "allOf": [
                    source,
                    {"properties": {"columns": {"propertyNames": {"enum": table.names}}}},
                ]
            }
            for name, table in INPUT.items()
        },
    }
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "Period file"
    # A layer may leave out what another one says.
    made.pop("required", None)
    column = made["$defs"]["ColumnSource"]
    made["$defs"]["Source"]["properties"]["columns"]["additionalProperties"] = {
        "anyOf": [{"type": "string"}, {"$ref": "#/$defs/ColumnSource"}]
    }
    column["required"] = []
    _words_for_switches(made)
    return made


def _words_for_switches(node: Any) -> None:
    """``on`` and ``off`` are words in YAML, and switches here."""
    if isinstance(node, dict):
        if node.get("type") == "boolean":
            node["type"] = ["boolean", "string"]
            node["enum"] = [True, False, "on", "off"]
        for value in node.values():
            _words_for_switches(value)
    elif isinstance(node, list):
        for value in node:
            _words_for_switches(value)
