"""Typed comparison: records and claims read as fields (state of an analyte, points of an item, effect of a drug) and compared as such."""
