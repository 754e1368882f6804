"""A second reading of a claim beside the rules: their objections weighed with bonds, contraries, strong words and figures."""
