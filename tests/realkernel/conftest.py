"""Boots the kernels once for all tests here, or says why it cannot."""

from __future__ import annotations

import os

import pytest

from tests.realkernel.suite import Suite, unavailable


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real kernels come last: they take the longest, and both cores."""
    items.sort(key=lambda item: item.get_closest_marker("realkernel") is not None)


@pytest.fixture(scope="session")
def suite(request: pytest.FixtureRequest) -> Suite:
    reason = unavailable()
    if reason and os.environ.get("KPTUI_REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    if reason:
        pytest.skip(reason)
    asked = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    return Suite({(asks["kernel"], asks["job"].name) for asks in asked if "job" in asks})
