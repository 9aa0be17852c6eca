"""Libraries that are not part of the core."""

import importlib
from typing import Any

from nucrec.errors import MissingExtraError


def require(module: str, extra: str) -> Any:
    """Return an optional library's module.

    Parameters
    ----------
    module : str
        Its name, such as "matplotlib.pyplot".
    extra : str
        The extra of nucrec that installs it.

    Raises
    ------
    MissingExtraError
        It is not installed. The message says how to install it.
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
