"""TR-4: sequential interaction and reciprocity (arXiv 2604.01240)."""
