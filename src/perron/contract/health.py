"""Where server and agent say how they are, without the shapes of it, which take long to load."""

HEALTH = "/v1/health"
NODE = "/v1/node"
