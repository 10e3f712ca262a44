"""The SQL of the warehouse: portable T-SQL, the files that hold it, and those that are generated."""

from coinlake.warehouse.sql import files, portable_tsql
from coinlake.warehouse.sql.portable_tsql import TsqlError

__all__ = ["TsqlError", "files", "generate", "generate_azure", "portable_tsql"]
