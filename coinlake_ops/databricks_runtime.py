"""What the target runtime ships against what requirements.txt pins, and what a cluster must install besides.

Source: release notes of Databricks Runtime 18 LTS and of serverless environment version 5, which has its packages.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from coinlake_ops.project import ROOT

SPARK_VERSION = "18.x-scala2.13"
SERVERLESS_VERSION = "5"
# Package -> version in the runtime; pyspark and Delta are part of it and cannot be installed.
SHIPPED = {
    "pyspark": "4.1.0",
    "pandas": "2.2.3",
    "numpy": "2.1.3",
    "pyarrow": "21.0.0",
    "plotly": "5.24.1",
    "ipywidgets": "7.8.5",
    "azure-identity": "1.20.0",
    "databricks-sdk": "0.67.0",
}
# What the notebooks import and the runtime lacks: installed in the pinned version.
INSTALLED = ("duckdb", "sqlglot", "mssql-python", "azure-keyvault-secrets", "jinja2")
# A newer minor version of these could change numbers or pages; of the others only the major one counts.
EXACT = ("pandas", "pyarrow", "plotly")
# What may differ, and how that is known.
HARMLESS = {
    "numpy": "1.26.4 and 2.1.3 make the same simulated market, byte for byte",
    "ipywidgets": "only JupyterLab draws with it; Databricks draws plotly's figures itself",
}


def pins(path: Path = ROOT / "requirements.txt") -> dict[str, str]:
    """Package -> pinned version, from requirements.txt; extras in brackets are left out."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    matches = (re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", line) for line in lines)
    return {match[1].lower(): match[2] for match in matches if match}


def dependencies(pinned: dict[str, str] | None = None) -> list[str]:
    """What a cluster or a serverless job installs, as `package==version`."""
    pinned = pinned or pins()
    return [f"{package}=={pinned[package]}" for package in INSTALLED]


def findings(pinned: dict[str, str] | None = None) -> Iterator[tuple[str, str, str, str]]:
    """(package, pinned here, in the runtime, judgement) for every package that both have."""
    pinned = pinned or pins()
    for package, shipped in SHIPPED.items():
        here = pinned.get(package, "")
        parts = 3 if package in EXACT else 2 if package == "pyspark" else 1
        if here == shipped:
            judgement = "same"
        elif here.split(".")[:parts] == shipped.split(".")[:parts]:
            judgement = "compatible"
        else:
            judgement = f"differs: {HARMLESS[package]}" if package in HARMLESS else "differs"
        yield package, here, shipped, judgement
