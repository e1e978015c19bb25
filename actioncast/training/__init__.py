"""Who shall serve: backtest, leaderboard, challenger, gate and explanation."""
