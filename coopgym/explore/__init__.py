"""A local page on which a person plays a game: the real kernel behind sliders. ``coopgym explore`` serves it."""
