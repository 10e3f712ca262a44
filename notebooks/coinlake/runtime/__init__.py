"""Where the code runs: the one package that knows. A laptop, a Spark server, or Databricks."""

from coinlake.runtime.cells import after_each_cell
from coinlake.runtime.credentials import Secret, get_secret, secret_variable
from coinlake.runtime.databricks import dbutils, finish, is_databricks, show, start_up_names, widgets
from coinlake.runtime.java import Java, find_java
from coinlake.runtime.jvm import (
    class_archive,
    delta_version,
    java_options,
    option_line,
    require_delta_jars,
    require_user,
    spark_environment,
    spark_home,
)
from coinlake.runtime.session import SPARK_CONFS, compiled, resolve_path, settings, spark

__all__ = [
    "SPARK_CONFS",
    "Java",
    "Secret",
    "after_each_cell",
    "class_archive",
    "compiled",
    "dbutils",
    "delta_version",
    "find_java",
    "finish",
    "get_secret",
    "is_databricks",
    "java_options",
    "option_line",
    "require_delta_jars",
    "require_user",
    "resolve_path",
    "secret_variable",
    "settings",
    "show",
    "spark",
    "spark_environment",
    "spark_home",
    "start_up_names",
    "widgets",
]
