"""Training data: shards, batches, augmentation, conversion, vocabulary.

Door: `medmpt_backend.train.data.shards`.
"""
