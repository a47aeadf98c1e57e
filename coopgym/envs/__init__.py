"""Floor 2: the game, the catalogue of twenty, the reward layer, observations, and the API faces."""
