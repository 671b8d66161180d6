"""What asks nothing, and what only sounds like it."""

from __future__ import annotations

import pytest

from knowledge.normal import normal
from knowledge.telling import tells


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("page", True),
        ("号码", True),
        ("my brother bought an M3", True),
        ("we live in a house with a garden", True),
        ("the box is blue", True),
        ("我弟弟买了个m3", True),
        ("摄像头放在书架上", True),
        ("路由器是白色的", True),
        ("网关是黑色的", True),
        ("我家柜子在床旁边", True),
        ("我妈住这里三年了", True),
        ("屏幕是黑色的", False),
        ("监控画面一直是黑色的", False),
        ("路由器用五年了老断", False),
        ("reset router", False),
        ("重置路由器", False),
        ("the box is dented and the device is broken", False),
        ("my camera is offline", False),
        ("the app is down", False),
        ("i have no internet", False),
        ("we are moving, how do i change the address", False),
        ("the technician was brilliant", False),
        ("i would like to see the recordings", False),
        ("路由器是坏的", False),
        ("灯是红的", False),
        ("灯是红色的", False),
        ("拨号报691是啥意思", False),
        ("我想退货", False),
    ],
)
def test_what_asks_nothing(text: str, told: bool) -> None:
    assert tells(normal(text)) is told
