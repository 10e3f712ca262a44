"""What everything that is started here inherits from the machine's environment."""

import os
import sys
from pathlib import Path

import pytest

from coinlake import process_environment, project_files, runtime
from coinlake.errors import ConfigurationError
from coinlake.runtime import jvm
from tests.support.fake_java import fake_java

UTF8 = {"LANG": "de_DE.UTF-8"}
PAST = "localhost,127.0.0.1,::1"
NOTEBOOKS = str(project_files.IMPORTED_FROM)

# A machine's variables, and what of them a process that is started here gets.
MACHINES = {
    "nothing odd": ({"PATH": "/bin", "JAVA_HOME": "/java"}, {"PATH": "/bin", "JAVA_HOME": "/java"}),
    "a cluster's Hadoop": (
        {"HADOOP_CONF_DIR": "/etc/hadoop", "HADOOP_HOME": "/hadoop", "YARN_CONF_DIR": "/y"},
        {},
    ),
    "another Spark": ({"SPARK_HOME": "/opt/spark", "SPARK_CONF_DIR": "/c", "SPARK_LOCAL_DIRS": "/scratch"}, {}),
    "another PySpark": ({"PYTHONPATH": "/opt/spark/python", "PYSPARK_SUBMIT_ARGS": "--master yarn"}, {}),
    "options of another Java": ({"JAVA_TOOL_OPTIONS": "-Xmx64m", "_JAVA_OPTIONS": "-Xmx64m"}, {}),
    "another Python": ({"PYTHONHOME": "/py", "PYTHONSTARTUP": "/home/ann/.pythonrc"}, {}),
    "another kernel": ({"JUPYTER_PATH": "/kernels", "JUPYTER_PREFER_ENV_PATH": "0"}, {}),
    "a server of ours": (
        {"SPARK_REMOTE": "sc://localhost:1", "SPARK_CONNECT_AUTHENTICATE_TOKEN": "t"},
        {"SPARK_REMOTE": "sc://localhost:1", "SPARK_CONNECT_AUTHENTICATE_TOKEN": "t"},
    ),
    "the project's own folder": (
        {"PYTHONPATH": os.pathsep.join(["/opt/spark/python", NOTEBOOKS])},
        {"PYTHONPATH": NOTEBOOKS},
    ),
    "a proxy": (
        {"http_proxy": "http://p:3128"},
        {"no_proxy": PAST, "NO_PROXY": PAST, "http_proxy": "http://p:3128"},
    ),
    "a proxy with exceptions": (
        {"HTTPS_PROXY": "http://p", "NO_PROXY": "intern.example, localhost", "no_proxy": "a.example"},
        {
            "HTTPS_PROXY": "http://p",
            "no_proxy": "a.example,intern.example,localhost,127.0.0.1,::1",
            "NO_PROXY": "a.example,intern.example,localhost,127.0.0.1,::1",
        },
    ),
    "a proxy of gRPC's own": (
        {"grpc_proxy": "http://p", "no_grpc_proxy": "a.example"},
        {
            "grpc_proxy": "http://p",
            "no_grpc_proxy": f"a.example,{PAST}",
            "no_proxy": PAST,
            "NO_PROXY": PAST,
        },
    ),
    "a proxy that is empty": ({"http_proxy": ""}, {"http_proxy": ""}),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_process_gets_what_is_meant_for_it(machine):
    given, expected = MACHINES[machine]
    assert process_environment.own(UTF8 | given) == UTF8 | expected
    assert process_environment.own(UTF8 | expected) == UTF8 | expected
    environ = UTF8 | given
    left_out = process_environment.take_over(environ)
    assert environ == UTF8 | expected
    changed = {name for name in given if expected.get(name) != given[name]}
    assert left_out == sorted(changed - {"no_proxy", "NO_PROXY", "no_grpc_proxy"})


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are UTF-8 in every locale")
@pytest.mark.parametrize(
    ("locale", "is_set"),
    [
        ({}, True),
        ({"LANG": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "", "LANG": "de_DE.utf8"}, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
    ],
)
def test_names_of_files_are_utf8(locale, is_set):
    assert process_environment.own(locale) == locale | ({"LC_ALL": "C.UTF-8"} if is_set else {})


def test_only_other_folders_leave_the_path(monkeypatch, tmp_path):
    [site_packages] = [folder for folder in sys.path if folder.endswith("site-packages")][:1]
    monkeypatch.setattr(sys, "path", ["", str(tmp_path / "spark"), NOTEBOOKS, site_packages])
    given = os.pathsep.join([str(tmp_path / "spark"), NOTEBOOKS, site_packages])
    process_environment.import_own_packages({"PYTHONPATH": given})
    assert sys.path == ["", NOTEBOOKS, site_packages]


def test_spark_is_told_everything(monkeypatch, tmp_path):
    fake_java(tmp_path / "java", "17.0.15")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    monkeypatch.setenv("SPARK_HOME", "/opt/spark")
    monkeypatch.setenv("SPARK_CONF_DIR", "/etc/spark")
    environment = runtime.spark_environment()
    assert {name: value for name, value in environment.items() if name.startswith(("SPARK_", "PYSPARK_"))} == {
        "SPARK_HOME": str(runtime.spark_home()),
        "SPARK_CONF_DIR": str(runtime.spark_home() / "conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    assert Path(environment["JAVA_HOME"]).is_relative_to(tmp_path / "venv")
    assert not (runtime.spark_home() / "conf").exists()


def test_a_user_without_a_name_is_told_what_to_do(monkeypatch):
    def nobody(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(jvm.pwd, "getpwuid", nobody)
    with pytest.raises(
        ConfigurationError, match=rf"no user {os.getuid()}, .*coinlake:x:{os.getuid()}:{os.getgid()}:.*passwd"
    ):
        runtime.spark_environment()
