"""For all tests: the package adf_lab is imported before pytest would take the folder adf_lab/ for it."""

import pytest

import adf_lab  # noqa: F401

pytest_plugins = ["tests.support.only_here", "tests.support.skips"]
# An assertion in shared code shows its values, as one in a test does.
pytest.register_assert_rewrite("tests.support", "adf_support")
