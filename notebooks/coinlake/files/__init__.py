"""Files, written whole."""

from coinlake.files.atomic import write_json

__all__ = ["write_json"]
