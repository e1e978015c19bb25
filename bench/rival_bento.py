"""The champion as a BentoML service, for bench/api.py."""

import bentoml

from bench.rivals import Champion


@bentoml.service(workers=1)
class Forecast:
    def __init__(self) -> None:
        self.champion = Champion()

    @bentoml.api  # type: ignore[untyped-decorator]
    def forecast(self, hours: int) -> list[float]:
        return self.champion.forecast(hours)
