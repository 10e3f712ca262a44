"""The reader of landed files as a client of a Spark server, which cannot reach into the JVM."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif("SPARK_REMOTE" in os.environ, reason="these tests run over Spark Connect already")
def test_the_reader_works_over_spark_connect(standing_server):
    chosen = "new_fields or inside_a_struct or another_case or of_a_name"
    tests = Path(__file__).with_name("test_landed.py")
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, "-k", chosen],
        env=os.environ | standing_server.environment,
        capture_output=True,
        text=True,
    )
    assert "4 passed" in answer.stdout, answer.stdout[-3000:]
