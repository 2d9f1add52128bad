"""The past, replayed as if live: backtests and budgets."""
