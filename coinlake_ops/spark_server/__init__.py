"""The standing Spark Connect server, and what is prepared for it once at set-up.

with spark_server.start(lake) as server:
    subprocess.run(command, env=os.environ | server.environment)
"""

from coinlake_ops.spark_server.class_archive import make_archive
from coinlake_ops.spark_server.jars import drop_zip, fetch_jars
from coinlake_ops.spark_server.server import Server, others_may_write, start, stop

__all__ = ["Server", "drop_zip", "fetch_jars", "make_archive", "others_may_write", "start", "stop"]
