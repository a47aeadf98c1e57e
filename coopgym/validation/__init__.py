"""The published validations of the four technical reports, run again, beside tests that the models could fail."""
