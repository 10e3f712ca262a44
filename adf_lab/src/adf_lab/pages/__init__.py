"""Pages about runs that open offline: one of all runs, and one of each."""

from adf_lab.pages.command import add_options, run_command
from adf_lab.pages.overview import overview_page
from adf_lab.pages.run import run_page
from adf_lab.pages.words import page_of
from adf_lab.pages.writing import INDEX, write_pages

__all__ = ["INDEX", "add_options", "overview_page", "page_of", "run_command", "run_page", "write_pages"]
