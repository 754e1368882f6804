"""Findings by measurement: fluid and air in the pleural space, consolidation, calcium, heart, bone and muscle; each with its validity."""
