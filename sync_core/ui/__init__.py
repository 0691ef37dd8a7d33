"""The pages: what people see of runs and rows, and the buttons that start things."""

from pathlib import Path

from sync_core.ui import expiry

SCRIPT = Path(__file__).parent / "frame/router.py"  # the frame around every page
STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"

expiry.take_effect()
