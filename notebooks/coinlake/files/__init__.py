"""Files of a lake: one seam over the two places where they stand, a folder of this machine and a volume.

Whoever writes below a lake asks `at(path)` for the storage of that place and writes through it; nobody else asks
what kind of place it is.
"""

from coinlake.files.local import LocalFolder
from coinlake.files.places import VOLUMES, at, escape_glob, is_volume, volume_catalog, write_json
from coinlake.files.storage import Storage
from coinlake.files.volume import Volume

__all__ = [
    "VOLUMES",
    "LocalFolder",
    "Storage",
    "Volume",
    "at",
    "escape_glob",
    "is_volume",
    "volume_catalog",
    "write_json",
]
