"""The case on one page for ward round, handover and tumour board: rules over the record, each line with its evidence; no language model.

Door: `tools.summary.page.summarise`.
"""
