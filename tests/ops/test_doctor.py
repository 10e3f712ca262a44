"""What the doctor finds, and what it says to do."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from coinlake import runtime
from coinlake.errors import CoinlakeError
from coinlake.runtime import jvm
from coinlake_ops.dev import doctor


def test_a_healthy_machine_gets_ok(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "CHECKS", {"Python": lambda: "3.12", "Java": lambda: "17"})
    assert doctor.examine() is True
    assert capsys.readouterr().out == "Python      ok     3.12\nJava        ok     17\n"


def test_one_problem_is_said_and_the_rest_still_checked(monkeypatch, capsys):
    def broken():
        raise CoinlakeError("Install Java 17.")

    monkeypatch.setattr(doctor, "CHECKS", {"Java": broken, "Disk": lambda: "9 GiB free"})
    assert doctor.examine() is False
    assert capsys.readouterr().out == "Java        TO DO  Install Java 17.\nDisk        ok     9 GiB free\n"


def test_a_package_of_another_version_is_named(monkeypatch):
    pins = [("pandas", "2.2.3", "2.2.3"), ("plotly", "5.24.1", "1.0"), ("duckdb", "2.0.0", None)]
    monkeypatch.setattr(doctor, "_pins", lambda: iter(pins))
    with pytest.raises(CoinlakeError, match=r"^plotly is 1\.0, not 5\.24\.1; duckdb is missing, not 2\.0\.0\. "):
        doctor._packages()


def test_little_memory_and_a_full_disk_are_named(monkeypatch):
    monkeypatch.setattr(doctor, "_available_memory", lambda: 2 * doctor.GIB)
    with pytest.raises(CoinlakeError, match=r"2\.0 GiB free, a run needs 4"):
        doctor._memory()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=doctor.GIB // 2))
    with pytest.raises(CoinlakeError, match=r"0\.5 GiB free: free some space"):
        doctor._disk()


def test_java_is_reported_by_its_own_words(monkeypatch):
    monkeypatch.setattr(runtime, "find_java", lambda: "Java 21 from PyPI")
    assert doctor._java() == "Java 21 from PyPI"


def test_another_pyspark_is_not_the_doctors(tmp_path):
    (tmp_path / "pyspark").mkdir()
    (tmp_path / "pyspark" / "__init__.py").write_text("raise RuntimeError('another PySpark')")
    (tmp_path / "typer.py").write_text("raise RuntimeError('another typer')")
    odd = {"PYTHONPATH": str(tmp_path), "HADOOP_CONF_DIR": "/etc/hadoop"}
    command = [sys.executable, "-m", "coinlake_ops", "doctor"]
    done = subprocess.run(command, env=os.environ | odd, capture_output=True, text=True)
    assert "Environment ok     ignored, as coinlake brings its own: HADOOP_CONF_DIR, PYTHONPATH\n" in done.stdout
    assert done.stderr == ""


def test_a_user_without_a_name_and_a_folder_without_rights_are_named(monkeypatch, tmp_path):
    def nobody(number):
        raise KeyError(number)

    monkeypatch.setattr(jvm.pwd, "getpwuid", nobody)
    with pytest.raises(CoinlakeError, match=r"has no user \d+.*/etc/passwd"):
        doctor._user()
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(CoinlakeError, match=r"nowhere cannot be written: name another folder in COINLAKE_HOME"):
        doctor._folder()
