"""Opening a case: files taken in one by one, what each would bring, conflicts asked about, and only then one case.

Door: `ui.opening.routes`; `switch` changes what a session has open.
"""
