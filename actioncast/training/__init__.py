"""Training: the backtest of the candidates, the challenger that they bring forth, and the gate before the champion."""
