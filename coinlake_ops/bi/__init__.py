"""Tools of others, made from the same documentation: a Power BI project and two Databricks dashboards.

`coinlake bi` writes the folder bi/; a test keeps it up to date.
"""

from coinlake_ops.bi import dashboard, operations, powerbi, views
from coinlake_ops.bi.folder import FOLDER, differences, files, write

__all__ = ["FOLDER", "dashboard", "differences", "files", "operations", "powerbi", "views", "write"]
