"""The one vocabulary: concepts with their names in two languages, the finder of names in text, the stemmer, the speller, severity words.

Door: `retrieval.concepts.table.vocabulary`; `lexicon` is the search index's view of it, `agent.reading.lexicon` the agent's.
"""
