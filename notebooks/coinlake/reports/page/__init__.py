"""How a report is drawn: formats, colours, charts, tables, and the page around them."""

from coinlake.reports.page import charts, formats, html_tables, style
from coinlake.reports.page.page import (
    PART_MIME,
    PLOTLY_MIME,
    SLA_HOURS,
    TEMPLATES,
    Banner,
    Card,
    Report,
    Section,
    attempt,
    context,
    missing,
)

__all__ = [
    "PART_MIME",
    "PLOTLY_MIME",
    "SLA_HOURS",
    "TEMPLATES",
    "Banner",
    "Card",
    "Report",
    "Section",
    "attempt",
    "charts",
    "context",
    "formats",
    "html_tables",
    "missing",
    "style",
]
