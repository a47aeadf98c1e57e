"""The report that people open in a browser: one HTML file made from stored records alone."""
