"""Spark's JDBC writer with Microsoft's driver: the way for data that is too large for one process.

The driver is no part of the project; this fetches it once to where the test looks:
mvn dependency:get -Dartifact=com.microsoft.sqlserver:mssql-jdbc:13.4.0.jre11 -Dtransitive=false
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from tests.support import azure
from tests.support.tds import Double

JAR = Path.home() / ".m2/repository/com/microsoft/sqlserver/mssql-jdbc/13.4.0.jre11/mssql-jdbc-13.4.0.jre11.jar"
PROGRAM = """
import json, sys
from datetime import date, datetime
from decimal import Decimal
from coinlake import platform
platform.prepare_environment()
from pyspark.sql import SparkSession

jar, url, user, password = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.extraClassPath", jar)
    .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
number, moment = Decimal("12345678901234567890.123456789012345678"), datetime(2026, 8, 12, 14, 22, 0, 123456)
rows = [(1, "\u00fc\U0001f415", number, True, moment, date(2026, 8, 12), 0.1), (2, *[None] * 6)]
rows += [(n, str(n), Decimal(n), False, moment, date(2026, 8, 12), float(n)) for n in range(3, 303)]
frame = spark.createDataFrame(rows, "k INT, n STRING, g DECIMAL(38,18), b BOOLEAN, t TIMESTAMP, d DATE, f DOUBLE")
options = {"user": user, "password": password, "driver": "com.microsoft.sqlserver.jdbc.SQLServerDriver"}
found = []
for bulk in ("false", "true"):
    place = {"url": f"{url};useBulkCopyForBatchInsert={bulk}", "dbtable": "s.t"}
    writer = frame.write.format("jdbc").options(**options, **place).option("truncate", "true")
    writer.option("batchsize", 1000).mode("overwrite").save()
    back = spark.read.format("jdbc").options(**options, **place).load()
    found.append([back.schema.simpleString(), back.count(), back.exceptAll(frame).count()])
print(json.dumps(found))
"""
TABLE = """CREATE TABLE s.t (
    k INT NULL,
    n NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    g DECIMAL(38, 18) NULL,
    b BIT NULL,
    t DATETIME2(6) NULL,
    d DATE NULL,
    f FLOAT(53) NULL
)"""


@azure.only_double
@pytest.mark.skipif(not JAR.exists(), reason="Microsoft's JDBC driver is not there: see the head of this file")
def test_rows_come_back_as_they_went_one_by_one_and_in_bulk(tmp_path):
    with Double() as server:
        session = server.database.session()
        for batch in ("CREATE SCHEMA s", TABLE):
            session.execute(batch)
        session.close()
        certificate = x509.load_pem_x509_certificate(server.certificate.read_bytes())
        trusted = [pkcs12.PKCS12Certificate(certificate, b"double")]
        store = tmp_path / "trusted.p12"
        store.write_bytes(pkcs12.serialize_java_truststore(trusted, BestAvailableEncryption(b"trusted")))
        host, port = server.address.split(",")
        url = (
            f"jdbc:sqlserver://{host}:{port};databaseName=coinlake;encrypt=true;trustServerCertificate=false;"
            f"trustStore={store};trustStorePassword=trusted;trustStoreType=PKCS12"
        )
        program = [sys.executable, "-c", PROGRAM, JAR, url, server.user, server.password]
        done = subprocess.run(program, capture_output=True, text=True, timeout=170)
        assert done.returncode == 0, done.stderr[-2000:]
        sent = [request for request in server.requests if request.startswith(("INSERT", "bulk"))]
    schema = "struct<k:int,n:string,g:decimal(38,18),b:boolean,t:timestamp,d:date,f:double>"
    assert json.loads(done.stdout.splitlines()[-1]) == [[schema, 302, 0], [schema, 302, 0]]
    assert (
        sent[:302]
        == ['INSERT INTO s.t ("k","n","g","b","t","d","f") VALUES ( @P0 , @P1 , @P2 , @P3 , @P4 , @P5 , @P6 )']
        * 302
    )
    assert sent[-1] == "bulk s.t"
