"""Defers import work to speed up a cold start. app.py imports this module before everything else.

The three settings below hold for the whole process. They work only if they come before the import
of FastAPI.
"""

import gc
import os

# Imports create no garbage, yet the collector spends a tenth of their time on looking for some.
gc.disable()

# pydantic searches the metadata of every installed package for plugins. There are none.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pydantic import BaseModel  # noqa: E402  pydantic reads the variable above when it is imported

# FastAPI has a model for each part of OpenAPI. Their validators are built when they are first used,
# not on import.
BaseModel.model_config["defer_build"] = True


def end_imports() -> None:
    """Turn the collector on again, for everything that is created from now on."""
    gc.freeze()  # what the imports have left stays for the life of the process
    gc.enable()
