"""What the exercises of the notebooks need."""

from coinlake.course.exercises import check

__all__ = ["check"]
