"""Boots the kernels once for all tests here, or says why it cannot."""

from __future__ import annotations

import os

import pytest

from tests.realkernel.suite import Suite, unavailable


@pytest.fixture(scope="session")
def suite() -> Suite:
    reason = unavailable()
    if reason and os.environ.get("KPTUI_REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    if reason:
        pytest.skip(reason)
    return Suite()
