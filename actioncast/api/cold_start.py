"""Imported before all else by app.py, whose imports are most of a cold start: what nobody needs yet is not done."""

import gc
import os

gc.disable()  # nothing that is imported is garbage: looking for some takes a tenth of the start
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # there are none, and the search opens every package

from pydantic import BaseModel  # noqa: E402

BaseModel.model_config["defer_build"] = True  # FastAPI's models of OpenAPI: a validator is built when it is used


def imported() -> None:
    """All imports are done: what there is now is no garbage, what comes later may be."""
    gc.freeze()
    gc.enable()
