"""TR-2: trust and reputation (arXiv 2510.24909)."""
