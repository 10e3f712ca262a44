"""What a wheel holds besides the packages: copies of the project's files that the code reads, in `packaged/`.

hatchling calls this when it builds a wheel (pyproject.toml names it). coinlake/project_files.py and
coinlake_ops/project.py find the copies. An editable installation gets none: it reads the checkout.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Where a file or folder of the repository goes, under the name that it has there.
PACKAGED = {
    "coinlake/packaged": ("sql", "reports/assets"),
    "coinlake_ops/packaged": ("adf", "parameters", "requirements.txt", "notebooks/*.ipynb"),
}


class PackagedFiles(BuildHookInterface):
    """Adds the copies to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See BuildHookInterface; `version` is "standard" or "editable"."""
        if version == "editable":
            return
        root = Path(self.root)
        for folder, patterns in PACKAGED.items():
            for path in (path for pattern in patterns for path in sorted(root.glob(pattern))):
                build_data["force_include"][str(path)] = f"{folder}/{path.relative_to(root).as_posix()}"
