"""The lake on abfss://, the address form of production, over TLS, against Azurite: `make test-azurite`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coinlake import runtime
from coinlake_ops.settings import ROOT
from tests.support import azurite

pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("COINLAKE_AZURITE") != "1", reason="needs npm, the network and minutes: make test-azurite"
    ),
]
HADOOP = "3.4.2"
# Spark has these already, in versions of its own.
EXCLUDED = (
    *("org.apache.hadoop:hadoop-common", "org.apache.hadoop:hadoop-annotations", "org.slf4j:*", "log4j:*"),
    *(
        "com.fasterxml.jackson.core:*",
        "org.codehaus.jackson:*",
        "com.google.guava:*",
        "com.google.code.findbugs:*",
    ),
    *("org.apache.commons:*", "commons-codec:*", "commons-io:*", "com.google.errorprone:*"),
)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    try:
        with azurite.running(tmp_path_factory.mktemp("azurite")) as running:
            yield running
    except azurite.Unavailable as reason:
        pytest.skip(str(reason))


JARS = {
    "spark.jars.packages": f"org.apache.hadoop:hadoop-azure:{HADOOP}",
    "spark.jars.excludes": ",".join(EXCLUDED),
}


def settings(emulator: azurite.Storage) -> dict[str, str]:
    """Where the emulator stands in for the cloud: nothing of this is in the pipeline's own code."""
    host = f"{azurite.ACCOUNT}.dfs.core.windows.net"
    trust = (
        f"-Djavax.net.ssl.trustStore={emulator.trust_store} -Djavax.net.ssl.trustStoreType=PKCS12 "
        f"-Djavax.net.ssl.trustStorePassword={azurite.PASSWORD}"
    )
    return JARS | {
        "spark.driver.extraJavaOptions": " ".join([*runtime.java_options(), trust]),
        f"spark.hadoop.fs.azure.account.key.{host}": emulator.key,
        "spark.hadoop.fs.azure.abfs.endpoint": f"127.0.0.1:{emulator.port}",
        "spark.hadoop.fs.azure.ssl.channel.mode": "Default_JSSE",
        "spark.hadoop.fs.azure.fns.account.service.type": "BLOB",
        "spark.hadoop.fs.azure.account.hns.enabled": "false",
        "spark.hadoop.fs.azure.io.retry.max.retries": "1",
        # Hadoop's Azure client keeps what it uploads in files, and insists on this class for them.
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.LocalFileSystem",
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    }


def test_delta_tables_are_made_merged_and_read_on_abfss(emulator):
    emulator.make_container("lake")
    lake = f"{emulator.address('lake')}/simulated"
    in_spark(JARS)
    found = json.loads(in_spark(settings(emulator), lake).splitlines()[-1])
    [first, second] = found["merged"]
    assert first[:2] == [2, 0]
    assert second == [0, 0, first[2]]
    assert found["rates"] == [["2026-08-10", 0.9], ["2026-08-11", 0.9]]
    assert found["changes"] == 2
    assert found["location"] == f"{lake}/tables/cleaned_data/fx_rates"


def in_spark(settings: dict[str, str], *arguments: str) -> str:
    """What a session of its own prints; one Java can have one trust store only."""
    answer = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("lakehouse.py")), *arguments],
        input=json.dumps(settings),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return answer.stdout
