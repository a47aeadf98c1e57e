"""Floor 3: reference algorithms, one a file, and the rooms they share."""
