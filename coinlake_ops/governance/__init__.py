"""Unity Catalog as code: what `coinlake governance render|access|diff|apply|lineage` shows and does.

sql/governance/coinlake.yml and the tables' own documentation say what should be; `diff` fails when it is not.
It knows nothing of a deployment, which carries its items out.
"""

from coinlake_ops.governance import access, lineage, live, model, statements, workspace

__all__ = ["access", "lineage", "live", "model", "statements", "workspace"]
