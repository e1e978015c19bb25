"""numpy, imported on first use, and the types of arrays.

A stored forecast is served without numpy, so that the API starts fast. Every module that serving
imports takes `np` from here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:

    class _Numpy:
        """Stands for the module numpy; each attribute is looked up once."""

        def __getattr__(self, name: str) -> Any:
            numpy = importlib.import_module("numpy")
            value = getattr(numpy, name)
            setattr(self, name, value)
            return value

    np = _Numpy()

Values: TypeAlias = "NDArray[np.float64]"  # measurements and forecasts
Numbers: TypeAlias = "NDArray[np.int64]"  # indices and counts
Seconds: TypeAlias = "NDArray[np.int64]"  # unix seconds
Flags: TypeAlias = "NDArray[np.bool_]"  # masks
Array: TypeAlias = "NDArray[Any]"

__all__ = ["Array", "Flags", "Numbers", "Seconds", "Values", "np"]
