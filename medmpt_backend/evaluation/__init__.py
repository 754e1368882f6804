"""Measuring a set of weights on a test data set: one module per question, `suite` runs them."""
