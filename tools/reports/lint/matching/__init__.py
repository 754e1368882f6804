"""Findings against impression as sets: how many there are, and what has no counterpart."""
