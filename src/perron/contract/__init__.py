"""The contracts: what crosses the platform line, and what crosses between server and agent."""
