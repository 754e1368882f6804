"""The workplace: layout, what happens when a widget is used, and answers as HTML.

Door: `ui.page.blocks.Page`; `marks` and `render` make the HTML, `routes` serves what a citation opens.
"""
