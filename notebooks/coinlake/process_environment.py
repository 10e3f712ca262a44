"""The environment variables of everything that is started here: the machine's, without what is meant for others.

Spark, Hadoop, Java, Python and Jupyter read many variables, and a machine where somebody works with them has some:
a cluster's HADOOP_CONF_DIR, another PySpark on PYTHONPATH. What is started here is told everything that it needs,
so these variables could only change what it does. Needs nothing but Python itself, as it is used before the rest.
"""

import os
import re
import site
import sys
import sysconfig
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from coinlake import project_files

FOREIGN = re.compile(
    r"(?:SPARK|PYSPARK|HADOOP|YARN)_\w+"
    r"|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS"
    r"|PYTHONPATH|PYTHONHOME|PYTHONSTARTUP|PYTHONUSERBASE"
    r"|JUPYTER_PATH|JUPYTER_PREFER_ENV_PATH"
)
# What a client is told of its Spark server, and how PySpark says in a process that it is one.
OURS = {"SPARK_REMOTE", "SPARK_CONNECT_AUTHENTICATE_TOKEN", "SPARK_CONNECT_MODE_ENABLED"}
# A proxy, or a store of certificates, may be named here: what goes to the network by Java needs it.
OF_JAVAS_NETWORK = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "SPARK_SUBMIT_OPTS"}
PROXY = re.compile(r"(?:https?|all|grpc)_proxy", re.IGNORECASE)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def ignored(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The names of the variables that `own` leaves out, sorted."""
    return sorted(name for name in environ if _is_foreign(name) and _changes(name, environ))


def own(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables for a process that is started here.

    Those that are meant for other programs are left out. No connection to this machine goes through a proxy. File
    names are UTF-8, also where the locale is C, as it is for cron and in containers.
    """
    kept = {name: value for name, value in environ.items() if not _is_foreign(name)}
    return kept | _python_path(environ) | _past_proxies(kept) | _utf8(kept)


def take_over(environ: MutableMapping[str, str] = os.environ) -> list[str]:
    """Gives this process, and with it whatever it starts, the variables of `own`; returns what `ignored` does."""
    names = ignored(environ)
    wanted = own(environ)
    for name in set(environ) - set(wanted):
        del environ[name]
    environ.update(wanted)
    return names


def import_own_packages(environ: Mapping[str, str] = os.environ) -> None:
    """Takes the folders of PYTHONPATH out of this process's path, but those of the project itself."""
    foreign = {Path(folder).resolve() for folder in _python_folders(environ) if not _is_ours(folder)}
    sys.path[:] = [folder for folder in sys.path if not folder or Path(folder).resolve() not in foreign]


def _is_foreign(name: str) -> bool:
    return name not in OURS and FOREIGN.fullmatch(name) is not None


def _changes(name: str, environ: Mapping[str, str]) -> bool:
    return not all(map(_is_ours, _python_folders(environ))) if name == "PYTHONPATH" else bool(environ[name])


def _python_path(environ: Mapping[str, str]) -> dict[str, str]:
    """PYTHONPATH with nothing but the project's own folders; empty without them."""
    ours = os.pathsep.join(filter(_is_ours, _python_folders(environ)))
    return {"PYTHONPATH": ours} if ours else {}


def _python_folders(environ: Mapping[str, str]) -> list[str]:
    return list(filter(None, environ.get("PYTHONPATH", "").split(os.pathsep)))


def _is_ours(folder: str) -> bool:
    """Whether it is a folder of the project, or one that this Python looks into without being told."""
    place = Path(folder).resolve()
    known = {Path(each).resolve() for each in (*site.getsitepackages(), *sysconfig.get_paths().values())}
    return place in known or place.is_relative_to(project_files.IMPORTED_FROM.parent)


def _past_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Exceptions from the proxy, in both spellings; empty where there is no proxy.

    gRPC asks the one in small letters only, and Python's libraries only that one when both are there.
    """
    if not any(PROXY.fullmatch(name) and value for name, value in environ.items()):
        return {}
    hosts = _hosts(environ, "no_proxy", "NO_PROXY")
    # If it is there, gRPC asks this one and not the others.
    of_grpc = {"no_grpc_proxy": _hosts(environ, "no_grpc_proxy")} if environ.get("no_grpc_proxy") else {}
    return {"no_proxy": hosts, "NO_PROXY": hosts} | of_grpc


def _hosts(environ: Mapping[str, str], *names: str) -> str:
    given = [host.strip() for name in names for host in environ.get(name, "").split(",")]
    return ",".join(dict.fromkeys([*filter(None, given), *LOOPBACK]))


def _utf8(environ: Mapping[str, str]) -> dict[str, str]:
    """Java takes the encoding of file names from the locale, and cannot name a file that it cannot encode."""
    locale = next(filter(None, map(environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
    is_known = sys.platform != "linux" or re.search(r"utf-?8", locale, re.IGNORECASE)
    return {} if is_known else {"LC_ALL": "C.UTF-8"}
