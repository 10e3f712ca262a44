"""How a report is drawn: formats, colours, charts, tables, and the page around them."""

from coinlake.reports.page import charts, formats, html_tables, style
from coinlake.reports.page.page import (
    PAGES,
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
    document,
    findings,
    live_page,
    missing,
    start_page,
)

__all__ = [
    "PAGES",
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
    "document",
    "findings",
    "formats",
    "html_tables",
    "live_page",
    "missing",
    "start_page",
    "style",
]
