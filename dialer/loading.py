"""Objects of others' modules, as the configuration names them."""

from __future__ import annotations

import importlib

from dialer.errors import BadValue


def named_object(name: str, field: str, form: str) -> object:
    """The object that `name`, such as `package.module:name`, means; `form` is how such a name looks, for people. Raises
    `BadValue` naming `field`: another form, a module that cannot be imported, whatever it raises, or a name that it does not
    have."""
    module_name, colon, path = name.partition(":")
    if not colon or not module_name or not path:
        raise BadValue(field, f"{name!r} is not {form}")
    try:
        found: object = importlib.import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise BadValue(field, f"{name} cannot be loaded: {type(error).__name__}: {error}") from error
    return found
