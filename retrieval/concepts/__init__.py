"""The one vocabulary and what is said about its concepts in a sentence."""
