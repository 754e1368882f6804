"""The open case as the page shows it beside the conversation: patient bar, laboratory table, medicines, timeline.

Nothing is concluded here. Door: `agent.chart.desk.Chart`; `views` holds the types.
"""
