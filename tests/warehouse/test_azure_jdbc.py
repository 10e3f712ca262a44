"""Microsoft's JDBC driver as Spark's writer uses it: the way for data that is too large for one process.

The driver is no part of the project; this fetches it once to where the test looks:
mvn dependency:get -Dartifact=com.microsoft.sqlserver:mssql-jdbc:13.4.0.jre11 -Dtransitive=false
"""

import shutil
import subprocess
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from tests.support import azure
from tests.support.tds import Double

JAR = Path.home() / ".m2/repository/com/microsoft/sqlserver/mssql-jdbc/13.4.0.jre11/mssql-jdbc-13.4.0.jre11.jar"
PROGRAM = """
import java.math.BigDecimal;
import java.sql.*;

public class Rows {
    public static void main(String[] given) throws Exception {
        try (Connection connection = DriverManager.getConnection(given[0], given[1], given[2])) {
            connection.setAutoCommit(false);
            String insert = "INSERT INTO s.t (k, n, g, b, t, d, f) VALUES (?,?,?,?,?,?,?)";
            try (PreparedStatement statement = connection.prepareStatement(insert)) {
                for (int row = 1; row <= 300; row++) {
                    statement.setInt(1, row);
                    statement.setString(2, "\\u00fc" + row);
                    statement.setBigDecimal(3, new BigDecimal("12345678901234567890.123456789012345678"));
                    statement.setBoolean(4, row % 2 == 0);
                    statement.setTimestamp(5, Timestamp.valueOf("2026-08-12 14:22:00.123456"));
                    statement.setDate(6, Date.valueOf("2026-08-12"));
                    statement.setDouble(7, 0.1);
                    statement.addBatch();
                }
                statement.executeBatch();
            }
            connection.commit();
            connection.setAutoCommit(true);
        }
    }
}
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


@pytest.mark.spark
@azure.only_double
@pytest.mark.skipif(not JAR.exists(), reason="Microsoft's JDBC driver is not there: see the head of this file")
@pytest.mark.skipif(not shutil.which("javac"), reason="no Java compiler (a JDK, not only a Java runtime)")
@pytest.mark.parametrize("bulk", ["false", "true"])
def test_rows_arrive_as_they_were_sent(tmp_path, bulk):
    source = tmp_path / "Rows.java"
    source.write_text(PROGRAM)
    with Double() as server:
        session = server.database.session()
        for batch in ("CREATE SCHEMA s", TABLE):
            session.execute(batch)
        certificate = x509.load_pem_x509_certificate(server.certificate.read_bytes())
        trusted = [pkcs12.PKCS12Certificate(certificate, b"double")]
        store = tmp_path / "trusted.p12"
        store.write_bytes(pkcs12.serialize_java_truststore(trusted, BestAvailableEncryption(b"trusted")))
        host, port = server.address.split(",")
        url = (
            f"jdbc:sqlserver://{host}:{port};databaseName=coinlake;encrypt=true;trustServerCertificate=false;"
            f"trustStore={store};trustStorePassword=trusted;trustStoreType=PKCS12;useBulkCopyForBatchInsert={bulk}"
        )
        program = ["java", "-cp", JAR, source, url, server.user, server.password]
        done = subprocess.run(program, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr[-2000:]
        found = session.execute("SELECT k, n, g, b, t, d, f FROM s.t ORDER BY k").rows
        session.close()
    number, moment = Decimal("12345678901234567890.123456789012345678"), datetime(2026, 8, 12, 14, 22, 0, 123456)
    assert found == [(n, f"ü{n}", number, n % 2 == 0, moment, date(2026, 8, 12), 0.1) for n in range(1, 301)]
    assert ("bulk s.t" in server.requests) is (bulk == "true")
