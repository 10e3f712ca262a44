"""What each turn of a watch did, as lines of JSON in <lake>/watch/turns.jsonl, and what they say together."""

import json
import statistics
import threading
from pathlib import Path
from typing import Any

from coinlake_ops.lake_lock import shown


class Records:
    """The records of one watch, which are appended to those of the ones before.

    A record has turn, run_id, whole, missed, started_at, ended_at, rows_written, arrived_at, seconds_to_gold
    and error; a second one of the same turn, with seconds_to_screen, follows when a browser has
    shown it first. Seconds count from the arrival of the answer.
    """

    def __init__(self, lake: Path):
        self.path = lake / "watch" / "turns.jsonl"
        self._seconds: dict[str, list[float]] = {"seconds_to_gold": [], "seconds_to_screen": []}
        self._turns = self._failed = 0
        # A browser's word comes in the thread of the page.
        self._lock = threading.Lock()

    def add(self, record: dict[str, Any]) -> None:
        """Append a record."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
        for name, found in self._seconds.items():
            if record.get(name) is not None:
                found.append(record[name])
        if "ended_at" in record:
            self._turns += 1
            self._failed += record["error"] is not None

    def latency(self) -> dict[str, list[float]]:
        """Median and 95th percentile of the seconds to gold and to a screen; empty where none were measured."""
        return {
            name: [round(statistics.median(found), 1), round(percentile(found, 0.95), 1)] if found else []
            for name, found in self._seconds.items()
        }

    def summary(self) -> str:
        """The watch in a line or two."""
        counted = "1 turn" if self._turns == 1 else f"{self._turns:,} turns"
        lines = [f"{counted}, {self._failed:,} failed; the record of each is in {shown(self.path)}"]
        for name, place in (("seconds_to_gold", "gold"), ("seconds_to_screen", "a screen")):
            if found := self.latency()[name]:
                lines.append(
                    f"from the answer to {place}: median {found[0]:.1f} s, 95th percentile {found[1]:.1f} s"
                )
        return "\n".join(lines)


def percentile(values: list[float], share: float) -> float:
    """The smallest of the values that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
