"""Stage games that have a solution by formula: pure functions of parameters, which know nothing of a game."""
