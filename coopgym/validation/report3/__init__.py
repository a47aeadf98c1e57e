"""TR-3: collective action and loyalty (arXiv 2601.16237)."""
