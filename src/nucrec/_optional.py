"""Optional libraries."""

import importlib
from typing import Any

from nucrec.errors import MissingExtraError


def require(module: str, extra: str) -> Any:
    """Import a module of an optional library.

    Parameters
    ----------
    module : str
        The name of the module, such as "matplotlib.pyplot".
    extra : str
        The extra of nucrec that installs it.

    Raises
    ------
    MissingExtraError
        The library is not installed. The message states how to install it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != library:
            raise
        raise MissingExtraError(
            f'this needs {library}, which is not installed: pip install "nucrec[{extra}]"'
        ) from error


def is_installed(module: str) -> bool:
    """Return whether a module of an optional library can be imported."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError:
        return False
    return True
