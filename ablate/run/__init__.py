"""Plan, attempts, results: how trials are executed, each in its own process and folder."""
