"""The tabs beside the conversation as HTML: laboratory values, medicines, timeline, evidence; and the patient bar.

Each plot has a table that says the same. Door: `ui.chart.routes`.
"""
