from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.settings_model import Settings
from analysis.sources import Sources, read

ORDERS = {
    "order_id": "订单号",
    "customer_id": "客户编号",
    "ordered_at": "下单日期",
    "amount": "金额",
}
HEADER = "订单号,客户编号,下单日期,金额"


@pytest.fixture
def make() -> Callable[..., Settings]:
    def _make(sources: dict[str, Any], **more: Any) -> Settings:
        return Settings.model_validate({"run": "t", "period": "2025Q3", "sources": sources, **more})

    return _make


@pytest.fixture
def orders(tmp_path: Path, make: Callable[..., Settings]) -> Callable[..., Sources]:
    """Write one orders file and read it."""

    def _read(content: str | bytes, name: str = "o.csv", **more: Any) -> Sources:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        source = {"path": name, "columns": ORDERS, **more}
        return read(make({"orders": source}), tmp_path)

    return _read
