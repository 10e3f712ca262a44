"""The SQL of the warehouse: portable T-SQL, the files that hold it, and those that are generated."""

from coinlake.warehouse.sql import portable_tsql, scripts
from coinlake.warehouse.sql.portable_tsql import TsqlError

__all__ = ["TsqlError", "generate", "generate_azure", "portable_tsql", "scripts"]
