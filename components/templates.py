"""The templates in files/: they look like the files a student finds on the machine."""

import functools
import pathlib

import jinja2

FILES = pathlib.Path(__file__).resolve().parent.parent / "files"


@functools.cache
def _environment() -> jinja2.Environment:
    # No autoescape: these are configuration files, not HTML.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FILES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )


def render_template(name: str, /, **values: object) -> str:
    """The template files/`name` with `values`.

    Raises:
        jinja2.UndefinedError: the template asks for a value that is not given.
    """
    return _environment().get_template(name).render(values)
