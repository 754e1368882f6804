"""The answer's text out of typed evidence: what answers the question, what it means for this patient, why."""
