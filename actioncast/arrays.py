"""numpy, imported when it is first used, and the array types: who serves a stored forecast starts without numpy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:

    class _Numpy:
        """The module's attributes, each looked up once."""

        def __getattr__(self, name: str) -> Any:
            value = getattr(importlib.import_module("numpy"), name)
            setattr(self, name, value)
            return value

    np = _Numpy()

Values: TypeAlias = "NDArray[np.float64]"  # measurements and forecasts
Numbers: TypeAlias = "NDArray[np.int64]"  # indices and counts
Seconds: TypeAlias = "NDArray[np.int64]"  # unix seconds
Flags: TypeAlias = "NDArray[np.bool_]"  # masks
Array: TypeAlias = "NDArray[Any]"

__all__ = ["Array", "Flags", "Numbers", "Seconds", "Values", "np"]
