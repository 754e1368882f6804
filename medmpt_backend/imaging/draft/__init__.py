"""The draft of a real scan out of measurements alone: labels, then a table from labels to sentences in both languages.

Door: `medmpt_backend.imaging.draft.write.measured_draft`.
"""
