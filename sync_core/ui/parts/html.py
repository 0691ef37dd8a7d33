"""HTML of our own, out of templates that escape whatever is put into them."""

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sync_core.ui import TEMPLATES


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(name: str, **values: object) -> str:
    """Return the HTML of a template in `templates/`, with these values in it."""
    return _templates().get_template(f"{name}.html").render(values)
