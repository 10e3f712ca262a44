"""What stands on this machine for each thing in the cloud: the one place where they are mapped.

    the cloud                                           this machine
    --------------------------------------------------  ---------------------------------------------------
    container `lake` of a storage account               the folder lake_path
    AzureDatabricks, AzureDatabricksDeltaLake           notebooks/ and one Spark server, started when needed
    AzureSqlDatabase                                    lake_path/warehouse.duckdb
    Key Vault                                           environment variables COINLAKE_<NAME>
    CoinGecko and the context APIs                      the simulated market: `coinlake api`, or the run's own
    the alert webhook                                   lake_path/adf_runs/alerts.jsonl
    127.0.0.1, localhost                                themselves

Nothing here ever asks the internet; what is not in the table is refused.
"""

import os
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from adf_lab import ActivityFailure
from coinlake import Lakehouse, bronze, instants, runtime
from coinlake.bronze import LandingZone, Settings
from coinlake_ops.factory.executors.alerts import AlertServer
from coinlake_ops.kernels import Kernels, ended_by_ctrl_c
from coinlake_ops.lake_lock import only_worker

# coinlake_ops.simulated_api tells them apart by their paths.
SIMULATED_HOSTS = (
    "api.coingecko.com",
    "pro-api.coingecko.com",
    "api.alternative.me",
    "api.frankfurter.dev",
    "archive-api.open-meteo.com",
)
THIS_MACHINE = {"127.0.0.1", "localhost"}
STORAGE = (".blob.core.windows.net", ".dfs.core.windows.net")
LAKE_CONTAINER = "lake"
ALERT_SECRET = "alert-webhook-url"


class LocalWorld:
    """The things on this machine that a run uses; a context manager, which ends what it has started.

    While inside, no other run works on the lake: it waits, or is waited for.

    `parameters` are the global parameters of the run; `as_of` is the moment of the simulated market, "" for its
    default; `api` is the address of a running `coinlake api`, "" to serve the market within the run. `kernels`
    are those of a process that ends them itself on Ctrl-C; without them the run does it.
    """

    def __init__(self, factory, parameters, *, as_of="", api="", environ=os.environ, kernels=None):
        self.factory = factory
        self.parameters = parameters
        self.lake = Path(runtime.resolve_path(str(parameters["lake_path"])))
        self.warehouse_lock = threading.Lock()
        self._as_of, self._api, self._environ = as_of, api.rstrip("/"), environ
        self.kernels = kernels or Kernels()
        self._ends_kernels = kernels is None
        self._started = ExitStack()
        self._starting = threading.RLock()

    def __enter__(self):
        self._started.enter_context(only_worker(self.lake, stopped=self.kernels.stopped))
        if self._ends_kernels:
            self._started.enter_context(ended_by_ctrl_c(self.kernels))
        return self

    def __exit__(self, *_):
        self._started.close()

    # --- addresses -------------------------------------------------------------------------------------------

    def http_address(self, url):
        """The address on this machine that stands for one on the internet; ActivityFailure if there is none."""
        parts = urlsplit(url)
        if parts.hostname in THIS_MACHINE:
            return url
        if parts.hostname in SIMULATED_HOSTS:
            return self.api + url.partition(parts.netloc)[2]
        raise ActivityFailure(
            "NoInternetHere",
            f"{parts.scheme}://{parts.hostname} is not asked in the environment local. On this machine there are: "
            f"{', '.join([*SIMULATED_HOSTS, *sorted(THIS_MACHINE)])} (coinlake_ops/factory/executors/world.py).",
        )

    def lake_file(self, url):
        """The file that the address of a blob stands for; None if it is not the address of a blob."""
        parts = urlsplit(url)
        if not (parts.hostname or "").endswith(STORAGE):
            return None
        container, _, path = parts.path.lstrip("/").partition("/")
        return self.folder(container) / path

    def folder(self, container):
        """The folder that a container stands for; ActivityFailure if it stands for none."""
        if container != LAKE_CONTAINER:
            raise ActivityFailure(
                "NoSuchContainer", f"The container '{container}' is nothing here; only '{LAKE_CONTAINER}' is."
            )
        return self.lake

    def location(self, dataset):
        """The file or folder that the location of a dataset stands for; never outside the lake."""
        location = dataset["typeProperties"]["location"]
        root = self.folder(location["fileSystem"])
        path = root / (location.get("folderPath") or "") / (location.get("fileName") or "")
        if not path.resolve().is_relative_to(root.resolve()):
            raise ActivityFailure("OutsideTheLake", f"{path} lies outside {root}.")
        return path

    def secret(self, name):
        """The text of a secret; ActivityFailure when nobody has it."""
        found = runtime.get_secret(name, environ=self._environ)
        if found is not None:
            return found.reveal()
        if name == ALERT_SECRET:
            return self.alerts.address
        raise ActivityFailure(
            "SecretNotFound",
            f"There is no secret '{name}' here: set the environment variable {runtime.secret_variable(name)}.",
        )

    # --- things that are started when they are first needed -----------------------------------------------------

    @property
    def api(self):
        """The address of the simulated market."""
        with self._starting:
            return self._api or self._own_api

    @property
    def alerts(self):
        """The server that takes alerts."""
        with self._starting:
            return self._alerts

    def start_spark(self):
        """Start the run's Spark server, if it does not run yet, and let this process and its kernels find it."""
        with self._starting:
            return self._spark

    def spark(self):
        """A session on the run's Spark server that knows the tables of the lake."""
        with self._starting:
            self.start_spark()
            return self._session

    @cached_property
    def _own_api(self):
        from coinlake.simulator import Exchange
        from coinlake_ops.simulated_api import ApiServer, FixedClock

        names = ("source", "seed", "coins", "faults")
        settings = Settings(
            lake_path=str(self.lake),
            as_of=self._as_of,
            **{name: self.parameters[name] for name in names if name in self.parameters},
        )
        moment = instants.DEFAULT_SIMULATED
        if settings.source == "simulated":
            moment = bronze.resolve_as_of("market", settings, LandingZone(self.lake), datetime.now(UTC))
        exchange = Exchange(settings.seed, max(bronze.SMALLEST_MARKET, settings.coins), settings.faults)
        return self._serve(ApiServer(exchange, FixedClock(moment), 0)).address

    @cached_property
    def _alerts(self):
        return self._serve(AlertServer(self.lake / "adf_runs" / "alerts.jsonl"))

    @cached_property
    def _spark(self):
        from coinlake_ops import spark_server

        server = self._started.enter_context(spark_server.start(self.lake))
        # Both the kernels of notebooks and this process, for exports of tables, are its clients.
        os.environ.update(server.environment)
        self._started.callback(lambda: [os.environ.pop(name, None) for name in server.environment])
        return server

    @cached_property
    def _session(self):
        session = runtime.spark()
        self._started.callback(session.stop)
        # A new server knows no tables: the folders of the lake are the truth, its catalog is made from them.
        Lakehouse.create(str(self.parameters["catalog"]), str(self.lake), session).name_tables()
        return session

    def _serve(self, server):
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self._started.callback(thread.join)
        self._started.callback(server.server_close)
        self._started.callback(server.shutdown)
        return server
