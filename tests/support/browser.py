"""An installed Chromium, for tests that look at pages; without one they are skipped."""

import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LOOKS = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
