"""For all tests: the package adf_lab is imported before pytest would take the folder adf_lab/ for it."""

import adf_lab  # noqa: F401
