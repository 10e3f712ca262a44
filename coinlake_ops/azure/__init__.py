"""The Azure resources of an environment: the ARM template main.json, and what must be known of it offline."""

from coinlake_ops.azure import cost, freshness, lint, template

__all__ = ["cost", "freshness", "lint", "template"]
