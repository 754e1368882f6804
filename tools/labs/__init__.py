"""Laboratory values: sheets read, units converted, flags, trends and patterns.

Door: `tools.labs.interpret.interpret_labs`.
"""
