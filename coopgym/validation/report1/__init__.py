"""TR-1: interdependence and complementarity (arXiv 2510.18802)."""
