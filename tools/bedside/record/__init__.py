"""The open case as data rows ask it: values, notions with their stance, conditions with three values, sentences with values put in."""
