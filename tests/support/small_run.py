"""A batch run that is small and has everything: the lake that other runs are compared with."""

from pathlib import Path

from ops import batch, settings

SMALL = ("coins=30", "history_coins=3", "history_days=60")


def execute(lake: Path) -> None:
    """Runs all notebooks once, over the simulated market."""
    values = settings.load("local", [f"lake_path={lake}", *SMALL])
    batch.execute(batch.Run(values, "whole", lambda event, facts: None))
