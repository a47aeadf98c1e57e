"""Floor 1: the mathematics of the four technical reports, on arrays with leading batch axes."""
